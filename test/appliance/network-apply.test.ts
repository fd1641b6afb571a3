/** Settings put into force: what networkd and chronyd find, and what is deleted before. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { applyNetwork } from '../../appliance/network/apply.ts'
import { guardClock, writeChrony } from '../../appliance/network/clock.ts'
import { links } from '../../appliance/network/links.ts'
import {
  defaultNetwork,
  type NetworkSettings,
  parseNetworkSettings,
} from '../../server/protocol/network-settings.ts'
import { fakeMachine } from './stick-machine.ts'

test('links: what a card carries is told by the kernel', t => {
  const { machine } = fakeMachine(t)
  const card = join(machine.root, 'sys/class/net/eno1')
  mkdirSync(join(card, 'upper_bond0'), { recursive: true })
  const about = { type: '1', address: '52:54:00:12:34:56', carrier: '1', speed: '1000' }
  for (const [name, text] of Object.entries(about)) writeFileSync(join(card, name), `${text}\n`)
  t.deepEqual(links(machine), [
    {
      ...{ name: 'eno1', mac: about.address, driver: null, speedMbit: 1000 },
      ...{ carrier: true, carries: 'bond0', addresses: [] },
    },
  ])
})

// As the console runs.
process.umask(0o077)

function bonded(vlan: number): NetworkSettings {
  const parsed = parseNetworkSettings({
    interfaces: [
      { name: 'bond0', bond: ['eno1', 'eno2'], ipv4: 'none', ipv6: 'none' },
      { name: 'vlan', vlan, on: 'bond0', ipv4: { address: '192.0.2.10/24' }, ipv6: 'none' },
    ],
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

test('other users read what is written for them, though the console keeps its files to itself', async t => {
  const { machine } = fakeMachine(t)
  const folder = join(machine.root, 'run/systemd/network')
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  await applyNetwork(machine, bonded(7))
  const files = readdirSync(folder).map(name => join(folder, name))
  t.true(files.length > 3)
  writeChrony(machine, { servers: ['192.0.2.1'], nts: false })
  await guardClock(machine, Date.now())
  for (const file of [...files, ...['chrony.conf', 'clock.json'].map(name => join(machine.paths.run, name))])
    t.is((statSync(file).mode & 0o777).toString(8), '644', file)
})

test('a bond or VLAN that becomes another one, or goes, is deleted; one that stays is left', async t => {
  const { machine, called } = fakeMachine(t)
  const folder = join(machine.root, 'run/systemd/network')
  const deleted = () => called.splice(0).filter(each => each.startsWith('networkctl delete'))
  await applyNetwork(machine, bonded(7))
  t.deepEqual(deleted(), [])
  await applyNetwork(machine, bonded(8))
  t.deepEqual(deleted(), ['networkctl delete vlan'])
  t.regex(readFileSync(join(folder, '10-vlan.netdev'), 'utf8'), /^Id=8$/m)
  await applyNetwork(machine, defaultNetwork)
  t.deepEqual(deleted().sort(), ['networkctl delete bond0', 'networkctl delete vlan'])
  t.deepEqual(readdirSync(folder), ['80-others.network'])
})
