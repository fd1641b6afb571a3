/** How an appliance is on its network: what is taken, and how what is wrong is named. */
import test from 'ava'
import fc from 'fast-check'
import {
  contains,
  isLinkLocal,
  isOfOneMachine,
  parseIp,
  parseSubnet,
} from '../../server/protocol/ip-address.ts'
import { defaultNetwork, networkJson, parseNetworkSettings } from '../../server/protocol/network-settings.ts'
import { parseTimeSettings, timeJson } from '../../server/protocol/time-settings.ts'

const whole = {
  host_name: 'letro',
  dns: { servers: ['192.0.2.53', '2001:db8::53'], search: ['clinic.example'] },
  interfaces: [
    { name: 'eno1', ipv4: 'dhcp', ipv6: 'none' },
    {
      mac: '52:54:00:12:34:56',
      ipv4: { address: '192.0.2.10/24', gateway: '192.0.2.1' },
      ipv6: { address: '2001:db8::10/64', gateway: 'fe80::1' },
    },
    { name: 'bond0', bond: ['eno2', '52:54:00:12:34:57'], ipv4: 'none', ipv6: 'automatic' },
    { name: 'vlan20', vlan: 20, on: 'bond0', ipv4: { address: '198.51.100.7/24' }, ipv6: 'none' },
  ],
}

test('all of it, to the settings and back', t => {
  const parsed = parseNetworkSettings(whole)
  t.true(parsed.ok)
  if (parsed.ok) t.deepEqual(networkJson(parsed.value), whole as never)
  t.deepEqual(parseNetworkSettings({}), { ok: true, value: defaultNetwork })
})

test('who says nothing about addresses asks for both; who says one has that one', t => {
  const of = (each: object) => {
    const parsed = parseNetworkSettings({ interfaces: [each] })
    return parsed.ok ? parsed.value.interfaces[0] : parsed.problems
  }
  t.like(of({ name: 'eth0' }), { ipv4: 'dhcp', ipv6: 'automatic' })
  t.like(of({ name: 'eth0', ipv4: 'dhcp' }), { ipv4: 'dhcp', ipv6: 'none' })
  t.like(of({ name: 'eth0', ipv6: 'automatic' }), { ipv4: 'none', ipv6: 'automatic' })
  t.deepEqual(of({ mac: '52-54-00-AB-CD-EF' }), {
    kind: 'ethernet',
    port: { mac: '52:54:00:ab:cd:ef' },
    ipv4: 'dhcp',
    ipv6: 'automatic',
  })
})

const ipv4 = (settings: unknown) => ({ interfaces: [{ name: 'eth0', ipv4: settings }] })
const ipv6 = (settings: unknown) => ({ interfaces: [{ name: 'eth0', ipv6: settings }] })
const at = (...more: object[]) => ({ interfaces: [{ name: 'eth0' }, ...more] })
const wrong: readonly (readonly [unknown, readonly string[]])[] = [
  [null, ['network']],
  [{ hostname: 'a' }, ['network.hostname']],
  [{ host_name: 'a.b' }, ['network.host_name']],
  [{ host_name: 'x\n[Network]' }, ['network.host_name']],
  [{ dns: { servers: ['ns.example'] } }, ['network.dns.servers']],
  [{ dns: { servers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] } }, ['network.dns.servers']],
  [{ dns: { search: ['a b'] } }, ['network.dns.search']],
  [{ dns: [] }, ['network.dns']],
  [{ interfaces: {} }, ['network.interfaces']],
  [{ interfaces: [7] }, ['network.interfaces[0]']],
  [{ interfaces: [{}] }, ['network.interfaces[0]']],
  [{ interfaces: [{ name: 'a', mac: '52:54:00:12:34:56' }] }, ['network.interfaces[0]']],
  [{ interfaces: [{ name: 'lo' }] }, ['network.interfaces[0].name']],
  [{ interfaces: [{ name: 'a*' }] }, ['network.interfaces[0].name']],
  [{ interfaces: [{ name: 'sixteen-letters!' }] }, ['network.interfaces[0].name']],
  [{ interfaces: [{ mac: '01:00:5e:00:00:01' }] }, ['network.interfaces[0].mac']],
  [{ interfaces: [{ name: 'eth0', mtu: 9000 }] }, ['network.interfaces[0].mtu']],
  [at({ name: 'eth0' }), ['network.interfaces[1]']],
  [ipv4('static'), ['network.interfaces[0].ipv4']],
  [ipv4({ address: '192.0.2.10' }), ['network.interfaces[0].ipv4.address']],
  [ipv4({ address: '192.0.2.0/24' }), ['network.interfaces[0].ipv4.address']],
  [ipv4({ address: '192.0.2.255/24' }), ['network.interfaces[0].ipv4.address']],
  [ipv4({ address: '192.0.2.010/24' }), ['network.interfaces[0].ipv4.address']],
  [ipv4({ address: '127.0.0.1/8' }), ['network.interfaces[0].ipv4.address']],
  [ipv4({ address: '2001:db8::1/64' }), ['network.interfaces[0].ipv4.address']],
  [ipv4({ address: '192.0.2.10/33' }), ['network.interfaces[0].ipv4.address']],
  [ipv4({ address: '192.0.2.10/24', gateway: '192.0.3.1' }), ['network.interfaces[0].ipv4.gateway']],
  [ipv4({ address: '192.0.2.10/24', gateway: '192.0.2.10' }), ['network.interfaces[0].ipv4.gateway']],
  [ipv4({ address: '192.0.2.10/24', netmask: '255.255.255.0' }), ['network.interfaces[0].ipv4.netmask']],
  [ipv6({ address: 'ff02::1/64' }), ['network.interfaces[0].ipv6.address']],
  [ipv6({ address: '2001:db8::1/64', gateway: '2001:db9::1' }), ['network.interfaces[0].ipv6.gateway']],
  [at({ name: 'v', vlan: 0, on: 'eth0' }), ['network.interfaces[1].vlan']],
  [at({ name: 'v', vlan: 4095 }), ['network.interfaces[1].vlan', 'network.interfaces[1].on']],
  [at({ name: 'v', vlan: 2, on: 'eth0' }, { name: 'w', vlan: 3, on: 'v' }), ['network.interfaces[2].on']],
  [at({ vlan: 2, on: 'eth0' }), ['network.interfaces[1].name']],
  [at({ name: 'b', bond: [] }), ['network.interfaces[1].bond']],
  [at({ name: 'b', bond: ['eth0'] }), ['network.interfaces[0]']],
  [at({ name: 'b', bond: ['eth1'] }, { name: 'c', bond: ['eth1'] }), ['network.interfaces[2].bond']],
  [at({ name: 'b', bond: ['eth1'] }, { name: 'v', vlan: 2, on: 'eth1' }), ['network.interfaces[2].on']],
]
for (const [json, fields] of wrong) {
  test(`refused, with the field named: ${JSON.stringify(json)}`, t => {
    const parsed = parseNetworkSettings(json)
    t.deepEqual(parsed.ok ? [] : parsed.problems.map(({ field }) => field), [...fields])
    if (!parsed.ok) t.log(parsed.problems.map(({ sentence }) => sentence).join('; '))
  })
}

test('whatever stands there is taken or refused, and what is taken comes back the same', t => {
  const members = fc.constantFrom('name', 'mac', 'bond', 'vlan', 'on', 'ipv4', 'ipv6', 'address', 'gateway')
  const values = fc.constantFrom('eth0', 'bond0', 'dhcp', 'none', '52:54:00:12:34:56', '192.0.2.1/24', 7, [
    'eth1',
  ])
  const each = fc.oneof(
    fc.dictionary(members, fc.oneof(values, fc.dictionary(members, values))),
    fc.constantFrom(...whole.interfaces),
    fc.jsonValue(),
  )
  const file = fc.record(
    { host_name: fc.string(), dns: fc.jsonValue(), interfaces: fc.array(each) },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(file, json => {
      const parsed = parseNetworkSettings(json)
      if (parsed.ok) t.deepEqual(parseNetworkSettings(networkJson(parsed.value)), parsed)
      else t.true(parsed.problems.length > 0)
    }),
    { numRuns: 500 },
  )
})

test('addresses, and in which network they lie', t => {
  for (const good of [
    '0.0.0.0',
    '255.255.255.255',
    '::',
    '::1',
    '1::',
    '2001:db8:0:0:0:0:0:1',
    'a:b:c:d:e:f:1::',
  ]) {
    t.truthy(parseIp(good), good)
  }
  for (const bad of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4 ',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '::12345',
    'fe80::1%eth0',
    7,
    null,
  ]) {
    t.is(parseIp(bad), null, String(bad))
  }
  t.deepEqual(parseIp('::ffff:1'), { version: 6, bits: 0xffff0001n })
  t.true(contains(parseSubnet('10.0.0.0/8')!, parseIp('10.255.1.2')!))
  t.false(contains(parseSubnet('10.0.0.0/8')!, parseIp('11.0.0.1')!))
  t.false(contains(parseSubnet('::/0')!, parseIp('11.0.0.1')!))
  t.true(isLinkLocal(parseIp('fe80::1')!) && isLinkLocal(parseIp('169.254.1.1')!))
  t.false(isLinkLocal(parseIp('fec0::1')!))
  t.true(isOfOneMachine(parseSubnet('192.0.2.0/31')!))
})

test('time servers: names, addresses, and NTS with names alone', t => {
  t.deepEqual(parseTimeSettings({}), { ok: true, value: { servers: [], nts: false } })
  const value = { servers: ['ntp.clinic.example', '2001:db8::1'], nts: false }
  t.deepEqual(parseTimeSettings(value), { ok: true, value })
  t.deepEqual(timeJson(value), value)
  const fields = (json: unknown) => {
    const parsed = parseTimeSettings(json)
    return parsed.ok ? [] : parsed.problems.map(({ field }) => field)
  }
  t.deepEqual(fields({ servers: ['300.1.1.1'] }), ['time.servers'])
  t.deepEqual(fields({ servers: ['a\nmakestep'] }), ['time.servers'])
  t.deepEqual(fields({ servers: ['192.0.2.1'], nts: true }), ['time.nts'])
  t.deepEqual(fields({ nts: 'yes' }), ['time.nts'])
  t.deepEqual(fields({ pools: [] }), ['time.pools'])
})
