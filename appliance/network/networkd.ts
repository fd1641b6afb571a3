/**
 * The files of systemd-networkd for given settings. Pure.
 *
 * Each named interface has one .network file; bonds and VLANs a .netdev file as well. The last file takes every Ethernet port
 * that no other one names: it asks for addresses where nothing at all was decided, and is left without any where something was.
 * Names are 10-… to 80-… so that nothing that Debian ships comes first.
 */
import { parseIp } from '#protocol/ip-address.ts'
import {
  type InterfaceSettings,
  type Ipv4Settings,
  type Ipv6Settings,
  type NetworkSettings,
  nameOf,
  type Port,
  portText,
} from '#protocol/network-settings.ts'

/** Name to text. */
export type NetworkdFiles = ReadonlyMap<string, string>

type Line = readonly [key: string, value: string]
type Section = readonly [name: string, lines: readonly Line[]]

export function networkdFiles(settings: NetworkSettings): NetworkdFiles {
  const files = new Map<string, string>()
  const { interfaces } = settings
  const bonds = interfaces.filter(each => each.kind === 'bond')
  const vlans = interfaces.filter(each => each.kind === 'vlan')
  for (const bond of bonds) {
    files.set(
      `10-${bond.name}.netdev`,
      ini([
        [
          'NetDev',
          [
            ['Name', bond.name],
            ['Kind', 'bond'],
          ],
        ],
        lacp,
      ]),
    )
    for (const port of bond.members) {
      files.set(
        `20-${fileName(port)}.network`,
        ini([match(port), ['Network', [['Bond', bond.name], ...noAddresses]]]),
      )
    }
  }
  for (const vlan of vlans) {
    const id: Section = ['VLAN', [['Id', String(vlan.id)]]]
    files.set(
      `10-${vlan.name}.netdev`,
      ini([
        [
          'NetDev',
          [
            ['Name', vlan.name],
            ['Kind', 'vlan'],
          ],
        ],
        id,
      ]),
    )
  }
  for (const each of interfaces) {
    const carried = vlans.filter(vlan => vlan.on === nameOf(each))
    const port: Port = each.kind === 'ethernet' ? each.port : { name: each.name }
    files.set(
      `30-${fileName(port)}.network`,
      ini([
        match(port),
        ...networkOf(
          each,
          carried.map(vlan => vlan.name),
          settings,
        ),
      ]),
    )
  }
  // What carries a VLAN and has nothing else to do.
  const known = new Set(interfaces.map(nameOf))
  for (const on of new Set(vlans.map(vlan => vlan.on).filter(on => !known.has(on)))) {
    const port: Port = on.includes(':') ? { mac: on } : { name: on }
    const names = vlans.filter(vlan => vlan.on === on).map((vlan): Line => ['VLAN', vlan.name])
    files.set(`40-${fileName(port)}.network`, ini([match(port), ['Network', [...names, ...noAddresses]]]))
  }
  files.set('80-others.network', interfaces.length === 0 ? everyPort(settings) : unnamedPorts)
  return files
}

// ── parts ────────────────────────────────────────────────────────────────────────────────────────────

const ethernet: Section = [
  'Match',
  [
    ['Type', 'ether'],
    ['Kind', '!*'],
  ],
]
const noAddresses: readonly Line[] = [
  ['DHCP', 'no'],
  ['IPv6AcceptRA', 'no'],
  ['LinkLocalAddressing', 'no'],
]
/** Neighbours are told nothing by protocols that nobody configured. */
const quiet: readonly Line[] = [
  ['LLDP', 'no'],
  ['LLMNR', 'no'],
  ['MulticastDNS', 'no'],
]
const lacp: Section = [
  'Bond',
  [
    ['Mode', '802.3ad'],
    ['TransmitHashPolicy', 'layer3+4'],
    ['LACPTransmitRate', 'fast'],
    ['MIIMonitorSec', '0.1s'],
    ['MinLinks', '1'],
  ],
]
const unnamedPorts = ini([ethernet, ['Link', [['RequiredForOnline', 'no']]], ['Network', noAddresses]])

function everyPort(settings: NetworkSettings): string {
  const sections = [ethernet, ...addressSections('dhcp', 'automatic', [], settings)]
  // A link-local IPv4 address as well: a technician with a laptop and a cable reaches it.
  return ini(sections).replace('LinkLocalAddressing=ipv6', 'LinkLocalAddressing=yes')
}

function networkOf(
  each: InterfaceSettings,
  vlans: readonly string[],
  settings: NetworkSettings,
): readonly Section[] {
  return addressSections(each.ipv4, each.ipv6, vlans, settings)
}

function addressSections(
  ipv4: Ipv4Settings,
  ipv6: Ipv6Settings,
  vlans: readonly string[],
  { dns }: NetworkSettings,
): readonly Section[] {
  const fixed = [ipv4, ipv6].flatMap(settings => (typeof settings === 'string' ? [] : [settings]))
  const gateways = fixed.flatMap(({ gateway }) => gateway ?? [])
  const asks = ipv4 === 'dhcp' || ipv6 === 'automatic'
  const none = ipv4 === 'none' && ipv6 === 'none'
  // Servers that were decided count alone.
  const useDns: Line = ['UseDNS', dns.servers.length > 0 ? 'no' : 'yes']
  const lease: readonly Line[] = [useDns, ['UseNTP', 'no'], ['UseHostname', 'no'], ['SendHostname', 'no']]
  const network: Section = [
    'Network',
    [
      ['DHCP', ipv4 === 'dhcp' ? 'ipv4' : 'no'],
      ['IPv6AcceptRA', ipv6 === 'automatic' ? 'yes' : 'no'],
      ['LinkLocalAddressing', ipv6 === 'none' ? 'no' : 'ipv6'],
      ['IPv6PrivacyExtensions', 'no'],
      ...vlans.map((name): Line => ['VLAN', name]),
      ...fixed.map(({ address }): Line => ['Address', address]),
      ...gateways.map((gateway): Line => ['Gateway', gateway]),
      ...(none ? [] : dns.servers.map((server): Line => ['DNS', server])),
      ...(none || dns.search.length === 0 ? [] : [['Domains', dns.search.join(' ')] as const]),
      ...quiet,
    ],
  ]
  return [
    network,
    ...(asks && ipv4 === 'dhcp' ? ([['DHCPv4', [...lease, ['ClientIdentifier', 'mac']]]] as const) : []),
    ...(ipv6 === 'automatic'
      ? ([
          ['DHCPv6', [useDns, ['UseNTP', 'no'], ['UseHostname', 'no'], ['SendHostname', 'no']]],
          ['IPv6AcceptRA', [useDns]],
        ] as const)
      : []),
  ]
}

function match(port: Port): Section {
  // A bond and its VLANs take over the address of a member: by address, only what is no such thing.
  return [
    'Match',
    'mac' in port
      ? [
          ['PermanentMACAddress', port.mac],
          ['Kind', '!*'],
        ]
      : [['Name', port.name]],
  ]
}

function fileName(port: Port): string {
  return portText(port).replaceAll(':', '')
}

function ini(sections: readonly Section[]): string {
  const text = sections.map(
    ([name, lines]) => `[${name}]\n${lines.map(([key, value]) => `${key}=${value}\n`).join('')}`,
  )
  return `# Made by Letro from network.json.\n\n${text.join('\n')}`
}

/** The name servers among the addresses that networkd reports; what is no address is left out. */
export function dnsServersIn(state: string): string[] {
  const line = /^DNS=(.*)$/m.exec(state)?.[1] ?? ''
  return line.split(/\s+/).filter(text => parseIp(text) !== null)
}
