/** The rules of the firewall, in real nft between real sockets: what is allowed passes, what is not is dropped. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { type FirewallFacts, nftablesRules, nothingKnown } from '../../appliance/network/nftables.ts'
import { serverUser } from '../../appliance/paths.ts'
import { missingForTwoHosts, type Probe, TwoHosts } from './two-hosts.ts'

const missing = missingForTwoHosts()
const net = missing === null ? test.serial : test.skip
if (missing !== null) console.error(`The firewall was not tried: ${missing}`)

const time = 1234
const us = '10.99.0.1'
const us6 = 'fd00:99::1'
const [peer, stranger, dns, ntp, push] = ['10.99.0.2', '10.99.0.3', '10.99.0.53', '10.99.0.123', '10.99.0.44']
const [peer6, stranger6, dns6, ntp6] = ['fd00:99::2', 'fd00:99::3', 'fd00:99::53', 'fd00:99::123']
const users = { server: serverUser.id, time }
const facts: FirewallFacts = {
  openPorts: [443, 80],
  federationPort: 8448,
  peerAddresses: [peer, peer6],
  serverReaches: [
    { address: peer, port: 8448 },
    { address: peer6, port: 8448 },
    { address: push, port: 443 },
  ],
  anyPush: false,
  dnsServers: [dns, dns6],
  timeServers: [ntp, ntp6],
  nts: false,
  users,
}

const tcp = (to: string, port: number, from?: string): Probe => ({
  by: 'tcp',
  to,
  port,
  ...(from ? { from } : {}),
})
const udp = (to: string, port: number, from?: string): Probe => ({
  by: 'udp',
  to,
  port,
  ...(from ? { from } : {}),
})

async function cable(rules: string | null): Promise<TwoHosts> {
  const hosts = new TwoHosts()
  hosts.address('appliance', `${us}/24`, `${us6}/64`)
  for (const address of [peer, stranger, dns, ntp, push]) hosts.address('outside', `${address}/24`)
  for (const address of [peer6, stranger6, dns6, ntp6]) hosts.address('outside', `${address}/64`)
  await hosts.listen('appliance', [80, 443, 8448, 9000, 22])
  await hosts.listen('outside', [53, 123, 443, 4460, 8448, 22, 80])
  if (rules !== null) {
    const said = hosts.load(rules)
    if (said !== null) throw new Error(said)
  }
  return hosts
}

net('without rules everything passes: the probes are good', async t => {
  const hosts = await cable(null)
  t.teardown(() => hosts.remove())
  t.deepEqual(await hosts.reach('outside', [tcp(us, 9000, stranger), udp(us6, 22)]), [true, true])
  t.deepEqual(
    await hosts.reach('appliance', [tcp(stranger, 80), udp(ntp, 123), udp(dns6, 53)], serverUser.id),
    [true, true, true],
  )
})

net(
  'in: people and the trust page from anywhere, other servers where they are pinned, nothing else',
  async t => {
    const hosts = await cable(nftablesRules(facts))
    t.teardown(() => hosts.remove())
    const allowed = [
      tcp(us, 443, stranger),
      tcp(us, 80, stranger),
      tcp(us6, 443, stranger6),
      tcp(us, 8448, peer),
      tcp(us6, 8448, peer6),
    ]
    const refused = [
      tcp(us, 8448, stranger),
      tcp(us6, 8448, stranger6),
      tcp(us, 9000, peer),
      tcp(us, 22, peer),
      tcp(us6, 22, stranger6),
      udp(us, 443, peer),
      udp(us, 9000, peer),
    ]
    t.deepEqual(
      await hosts.reach('outside', allowed),
      allowed.map(() => true),
    )
    t.deepEqual(
      await hosts.reach('outside', refused),
      refused.map(() => false),
    )
    for (const to of [us, us6]) t.not(hosts.ping('outside', to), false)
  },
)

net('out: each user reaches what it has business with, and learns of the rest at once', async t => {
  const hosts = await cable(nftablesRules(facts))
  t.teardown(() => hosts.remove())
  const places: Record<string, Probe> = {
    'name server, UDP': udp(dns, 53),
    'name server, IPv6, TCP': tcp(dns6, 53),
    'another name server': udp(stranger, 53),
    'time server': udp(ntp, 123),
    'time server, IPv6': udp(ntp6, 123),
    'time server, NTS': tcp(ntp, 4460),
    peer: tcp(peer, 8448),
    'peer, IPv6': tcp(peer6, 8448),
    'peer, another port': tcp(peer, 443),
    'push service': tcp(push, 443),
    'anybody, HTTPS': tcp(stranger, 443),
    'anybody, IPv6': tcp(stranger6, 8448),
    'this machine itself': tcp(us, 9000),
  }
  const reachedBy = async (user: number) => {
    const reached = await hosts.reach('appliance', Object.values(places), user)
    return Object.keys(places).filter((_, i) => reached[i])
  }
  const names = ['name server, UDP', 'name server, IPv6, TCP']
  const itself = 'this machine itself'
  t.deepEqual(await reachedBy(users.server), [...names, 'peer', 'peer, IPv6', 'push service', itself])
  t.deepEqual(await reachedBy(time), [...names, 'time server', 'time server, IPv6', itself])
  t.deepEqual(await reachedBy(0), [...names, itself])
  t.deepEqual(await reachedBy(4321), [itself])
})

net('NTS and a push service known by a pattern alone: one port more, for one user', async t => {
  const hosts = await cable(nftablesRules({ ...facts, nts: true, anyPush: true }))
  t.teardown(() => hosts.remove())
  const tried = [tcp(ntp, 4460), tcp(stranger, 4460), tcp(stranger, 443), tcp(stranger, 80)]
  t.deepEqual(await hosts.reach('appliance', tried, time), [true, false, false, false])
  t.deepEqual(await hosts.reach('appliance', tried, users.server), [false, false, true, false])
})

net('the DHCP client asks and is answered; the server may not speak from its port', async t => {
  const hosts = await cable(nftablesRules({ ...nothingKnown, users }))
  t.teardown(() => hosts.remove())
  await hosts.listen('outside', [67])
  const ask: Probe = { by: 'udp', to: peer, port: 67, sourcePort: 68 }
  t.deepEqual(await hosts.reach('appliance', [ask]), [true])
  t.deepEqual(await hosts.reach('appliance', [{ ...ask, sourcePort: 0 }, tcp(peer, 443), udp(dns, 53)]), [
    false,
    false,
    false,
  ])
  t.deepEqual(await hosts.reach('outside', [tcp(us, 443), tcp(us, 80), tcp(us, 22)]), [false, false, false])
})

net(
  'rules that do not load leave those before in force, and rules take each other’s place whole',
  async t => {
    const hosts = await cable(nftablesRules(facts))
    t.teardown(() => hosts.remove())
    t.truthy(hosts.load(nftablesRules({ ...facts, openPorts: [70_000] })))
    t.truthy(hosts.load(nftablesRules({ ...facts, openPorts: [22] }).replace('policy drop', 'policy dorp')))
    t.deepEqual(await hosts.reach('outside', [tcp(us, 443), tcp(us, 22)]), [true, false])
    const { peerAddresses, serverReaches, ...others } = facts
    t.is(hosts.load(nftablesRules({ ...others, peerAddresses: [stranger], serverReaches: [] })), null)
    t.deepEqual(await hosts.reach('outside', [tcp(us, 8448, peer), tcp(us, 8448, stranger)]), [false, true])
    t.deepEqual(await hosts.reach('appliance', [tcp(peer, 8448)], users.server), [false])
  },
)

test('the image’s own rules are those for a machine of which nothing is known', t => {
  const file = join(import.meta.dirname, '../../appliance/rootfs/etc/nftables.conf')
  t.is(
    readFileSync(file, 'utf8'),
    nftablesRules({ ...nothingKnown, users: { server: serverUser.id, time: null } }),
  )
})

test('no rule names a protocol that would have to be looked up, and order and doubles change nothing', t => {
  const rules = nftablesRules({ ...facts, nts: true, anyPush: true })
  t.notRegex(rules, /(?:l4proto|nexthdr|protocol) [a-z]/)
  const turned = {
    ...facts,
    peerAddresses: [peer6, peer, peer],
    openPorts: [80, 443, 80],
    serverReaches: [...facts.serverReaches].reverse(),
  }
  t.is(nftablesRules(turned), nftablesRules(facts))
})
