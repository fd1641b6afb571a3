/**
 * The rules of nftables for what is known about this machine. Pure.
 *
 * Everything is dropped that no rule lets through: in, forwarded, and out. Out, a program of the machine reaches only what its
 * user has business with. One file, loaded as one transaction: it holds whole, or the rules before it go on holding.
 *
 * Protocols are numbers: the system has no /etc/protocols.
 */
import { isIP } from 'node:net'

export interface Endpoint {
  readonly address: string
  readonly port: number
}

export interface FirewallFacts {
  /** Open to everybody: where people are answered, and the trust page while it is on. */
  readonly openPorts: readonly number[]
  /** Where other servers are answered; null: nowhere. */
  readonly federationPort: number | null
  /** From where they come. */
  readonly peerAddresses: readonly string[]
  /** What the server may reach: peers, push services, the place of backups, the collector. */
  readonly serverReaches: readonly Endpoint[]
  /** It may reach port 443 of any address: a push service is allowed by a pattern of names, which has no addresses. */
  readonly anyPush: boolean
  readonly dnsServers: readonly string[]
  readonly timeServers: readonly string[]
  readonly nts: boolean
  /** Numbers of the users; null: there is no such user here. */
  readonly users: { readonly server: number; readonly time: number | null }
}

export const nothingKnown: Omit<FirewallFacts, 'users'> = {
  openPorts: [],
  federationPort: null,
  peerAddresses: [],
  serverReaches: [],
  anyPush: false,
  dnsServers: [],
  timeServers: [],
  nts: false,
}

export function nftablesRules(facts: FirewallFacts): string {
  const { users, openPorts, federationPort, nts } = facts
  const asks = [0, users.server, ...(users.time === null ? [] : [users.time])]
  const sets = [
    ...addressSets('peers', facts.peerAddresses),
    ...addressSets('dns', facts.dnsServers),
    ...addressSets('time', facts.timeServers),
    ...endpointSets('reached', facts.serverReaches),
  ]
  const time = (version: 4 | 6) =>
    users.time === null
      ? []
      : [
          `meta skuid ${users.time} ${ip(version)} daddr @time${version} udp dport 123 accept`,
          ...(nts
            ? [`meta skuid ${users.time} ${ip(version)} daddr @time${version} tcp dport 4460 accept`]
            : []),
        ]
  return `# Made by Letro: appliance/network/nftables.ts. Loaded whole or not at all.
table inet letro
delete table inet letro
table inet letro {
${sets.map(set => `\t${set}\n`).join('')}
${chain('input', [
  'ct state established,related accept',
  'ct state invalid drop',
  'iifname "lo" accept',
  '# Echo; router and neighbour discovery, multicast listeners.',
  'meta l4proto 1 icmp type 8 limit rate 20/second burst 40 packets accept',
  'meta l4proto 58 icmpv6 type 128 limit rate 20/second burst 40 packets accept',
  'meta l4proto 58 ip6 hoplimit 255 icmpv6 type { 134, 135, 136 } accept',
  'meta l4proto 58 ip6 saddr fe80::/10 icmpv6 type 130 accept',
  '# Answers to the DHCP client.',
  'meta l4proto 17 udp sport 67 udp dport 68 accept',
  'meta l4proto 17 ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept',
  ...(openPorts.length > 0 ? [`meta l4proto 6 tcp dport { ${numbers(openPorts)} } accept`] : []),
  ...(federationPort === null
    ? []
    : ([4, 6] as const).map(
        version => `${ip(version)} saddr @peers${version} meta l4proto 6 tcp dport ${federationPort} accept`,
      )),
])}
${chain('forward', [])}
${chain('output', [
  'ct state established,related accept',
  'oifname "lo" accept',
  '# Router and neighbour discovery, multicast listeners.',
  'meta l4proto 58 ip6 hoplimit 255 icmpv6 type { 133, 135, 136 } accept',
  'meta l4proto 58 icmpv6 type { 131, 132, 143 } accept',
  '# The DHCP client: none but the system may send from these ports.',
  `meta skuid != ${users.server} udp sport 68 udp dport 67 accept`,
  `meta skuid != ${users.server} ip6 daddr { fe80::/10, ff02::1:2 } udp sport 546 udp dport 547 accept`,
  ...([4, 6] as const).flatMap(version => [
    `meta skuid { ${numbers(asks)} } ${ip(version)} daddr @dns${version} meta l4proto { 6, 17 } th dport 53 accept`,
    ...time(version),
    `meta skuid ${users.server} meta l4proto 6 ${ip(version)} daddr . tcp dport @reached${version} accept`,
  ]),
  ...(facts.anyPush ? [`meta skuid ${users.server} meta l4proto 6 tcp dport 443 accept`] : []),
  '# A program of this machine learns it at once.',
  'reject with icmpx type admin-prohibited',
])}
}
`
}

function chain(hook: string, rules: readonly string[]): string {
  return `\tchain ${hook} {
\t\ttype filter hook ${hook} priority 0; policy drop;
${rules.map(rule => `\t\t${rule}\n`).join('')}\t}`
}

function addressSets(name: string, addresses: readonly string[]): string[] {
  return ([4, 6] as const).map(version => {
    const elements = sorted(addresses.filter(address => isIP(address) === version))
    return set(`${name}${version}`, typeOf(version), elements)
  })
}

function endpointSets(name: string, endpoints: readonly Endpoint[]): string[] {
  return ([4, 6] as const).map(version => {
    const fitting = endpoints.filter(({ address }) => isIP(address) === version)
    const elements = sorted(fitting.map(({ address, port }) => `${address} . ${port}`))
    return set(`${name}${version}`, `${typeOf(version)} . inet_service`, elements)
  })
}

function set(name: string, type: string, elements: readonly string[]): string {
  return `set ${name} { type ${type};${elements.length > 0 ? ` elements = { ${elements.join(', ')} };` : ''} }`
}

const ip = (version: 4 | 6) => (version === 4 ? 'ip' : 'ip6')
const typeOf = (version: 4 | 6) => (version === 4 ? 'ipv4_addr' : 'ipv6_addr')
const sorted = (texts: readonly string[]) => [...new Set(texts)].sort()
const numbers = (list: readonly number[]) => [...new Set(list)].sort((a, b) => a - b).join(', ')
