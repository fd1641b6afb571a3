/**
 * IP addresses as people write them: `192.0.2.10/24`, `2001:db8::10/64`, and in which network they lie.
 *
 * Zones (`fe80::1%eth0`) and IPv4 within IPv6 (`::ffff:192.0.2.1`) are not taken: nobody configures a server so.
 */
export interface IpAddress {
  readonly version: 4 | 6
  /** Four or sixteen bytes as one number. */
  readonly bits: bigint
}

export interface Subnet extends IpAddress {
  readonly prefix: number
}

export function parseIp(text: unknown): IpAddress | null {
  if (typeof text !== 'string') return null
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** An address with the length of its network's prefix. */
export function parseSubnet(text: unknown): Subnet | null {
  const match = typeof text === 'string' ? /^([^/]+)\/([0-9]{1,3})$/.exec(text) : null
  const address = parseIp(match?.[1])
  const prefix = Number(match?.[2])
  if (!address || prefix > lengthOf(address)) return null
  return { ...address, prefix }
}

/** Do both lie in the network that the first one names? */
export function contains(subnet: Subnet, address: IpAddress): boolean {
  const rest = BigInt(lengthOf(subnet) - subnet.prefix)
  return subnet.version === address.version && subnet.bits >> rest === address.bits >> rest
}

/** Can one machine have it: no network, no broadcast, no group, not "this host". */
export function isOfOneMachine({ version, bits, prefix }: Subnet): boolean {
  if (version === 6) return bits > 1n && bits >> 120n !== 0xffn
  const first = Number(bits >> 24n)
  if (first === 0 || first === 127 || first >= 224) return false
  if (prefix > 30) return true
  const host = bits & ((1n << BigInt(32 - prefix)) - 1n)
  return host !== 0n && host !== (1n << BigInt(32 - prefix)) - 1n
}

export function isLinkLocal({ version, bits }: IpAddress): boolean {
  return version === 6 ? bits >> 118n === 0x3fan : bits >> 16n === 0xa9fen
}

function lengthOf({ version }: IpAddress): 32 | 128 {
  return version === 4 ? 32 : 128
}

function parseIpv4(text: string): IpAddress | null {
  const parts = text.split('.')
  // A zero in front would be octal to some readers.
  if (
    parts.length !== 4 ||
    !parts.every(part => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)
  ) {
    return null
  }
  return { version: 4, bits: parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n) }
}

function parseIpv6(text: string): IpAddress | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const groups = halves.map(half => (half === '' ? [] : half.split(':')))
  const given = groups.flat()
  if (!given.every(group => /^[0-9A-Fa-f]{1,4}$/.test(group))) return null
  const missing = 8 - given.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null
  const whole = [
    ...groups[0]!,
    ...Array<string>(halves.length === 1 ? 0 : missing).fill('0'),
    ...(groups[1] ?? []),
  ]
  return { version: 6, bits: whole.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n) }
}
