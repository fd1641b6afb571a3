/**
 * How an appliance is on its network: the member `network` of letro.json, and the file network.json of a running one.
 *
 *     "network": {
 *       "host_name": "letro",
 *       "dns": {"servers": ["192.0.2.53"], "search": ["clinic.example"]},
 *       "interfaces": [
 *         {"name": "eno1", "ipv4": "dhcp"},
 *         {"mac": "52:54:00:12:34:56", "ipv4": {"address": "192.0.2.10/24", "gateway": "192.0.2.1"},
 *                                      "ipv6": {"address": "2001:db8::10/64", "gateway": "fe80::1"}},
 *         {"name": "bond0", "bond": ["eno2", "52:54:00:12:34:57"], "ipv4": "none", "ipv6": "none"},
 *         {"name": "vlan20", "vlan": 20, "on": "bond0", "ipv4": {"address": "198.51.100.7/24"}}
 *       ]
 *     }
 *
 * ipv4 is "dhcp", "none" or an address; ipv6 is "automatic" (router advertisements, DHCPv6), "none" or an address. An
 * interface that says neither has "dhcp" and "automatic"; of one that says one, the other is "none". Bonds are LACP
 * (802.3ad). Without interfaces every Ethernet port has "dhcp" and "automatic".
 *
 * Read by `letro init` and by the appliance, which must find the same faults. Pure.
 */
import { contains, isLinkLocal, isOfOneMachine, parseIp, parseSubnet, type Subnet } from './ip-address.ts'
import { isObject, type Json, type JsonObject } from './json.ts'

export interface NetworkSettings {
  /** null: "letro". */
  readonly hostName: string | null
  readonly dns: { readonly servers: readonly string[]; readonly search: readonly string[] }
  /** None: every Ethernet port asks for its addresses. */
  readonly interfaces: readonly InterfaceSettings[]
}

/** A port of the machine, by the kernel's name or by its hardware address in lower case. */
export type Port = { readonly name: string } | { readonly mac: string }

export interface StaticAddress {
  /** With its prefix: `192.0.2.10/24`. */
  readonly address: string
  readonly gateway: string | null
}
export type Ipv4Settings = 'dhcp' | 'none' | StaticAddress
export type Ipv6Settings = 'automatic' | 'none' | StaticAddress

interface Addresses {
  readonly ipv4: Ipv4Settings
  readonly ipv6: Ipv6Settings
}
export type InterfaceSettings = Addresses &
  (
    | { readonly kind: 'ethernet'; readonly port: Port }
    | { readonly kind: 'bond'; readonly name: string; readonly members: readonly Port[] }
    | { readonly kind: 'vlan'; readonly name: string; readonly id: number; readonly on: string }
  )

export interface FieldProblem {
  /** As it stands in the file: `network.interfaces[0].ipv4.gateway`. */
  readonly field: string
  readonly sentence: string
}
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly FieldProblem[] }

export const defaultNetwork: NetworkSettings = {
  hostName: null,
  dns: { servers: [], search: [] },
  interfaces: [],
}

const maxInterfaces = 64
const wantedPort = 'the name of a port such as "eno1" or its hardware address such as "52:54:00:12:34:56"'

/** @param field where the object stands; empty: it is the file itself */
export function parseNetworkSettings(json: unknown, field = 'network'): Parsed<NetworkSettings> {
  const problems: FieldProblem[] = []
  const complain: Complain = (at, sentence) => void problems.push({ field: at, sentence })
  const prefix = field === '' ? '' : `${field}.`
  if (!isObject(json))
    return { ok: false, problems: [{ field: field || '(the file)', sentence: 'it must be an object' }] }
  onlyKnown(json, ['host_name', 'dns', 'interfaces'], prefix, complain)
  const value: NetworkSettings = {
    hostName: hostNameOf(json['host_name'], `${prefix}host_name`, complain),
    dns: dnsOf(json['dns'], `${prefix}dns`, complain),
    interfaces: interfacesOf(json['interfaces'], `${prefix}interfaces`, complain),
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value }
}

/** In the form of the file again. */
export function networkJson({ hostName, dns, interfaces }: NetworkSettings): JsonObject {
  return {
    ...(hostName === null ? {} : { host_name: hostName }),
    dns: { servers: [...dns.servers], search: [...dns.search] },
    interfaces: interfaces.map(each => ({
      ...placeJson(each),
      ipv4: addressJson(each.ipv4),
      ipv6: addressJson(each.ipv6),
    })),
  }
}

function placeJson(each: InterfaceSettings): JsonObject {
  switch (each.kind) {
    case 'ethernet':
      return { ...each.port }
    case 'bond':
      return { name: each.name, bond: each.members.map(portText) }
    case 'vlan':
      return { name: each.name, vlan: each.id, on: each.on }
    default:
      return each satisfies never
  }
}

function addressJson(settings: Ipv4Settings | Ipv6Settings): Json {
  if (typeof settings === 'string') return settings
  return { address: settings.address, ...(settings.gateway === null ? {} : { gateway: settings.gateway }) }
}

export function portText(port: Port): string {
  return 'name' in port ? port.name : port.mac
}

/** By what others name it: `vlan.on`, a bond's members. */
export function nameOf(each: InterfaceSettings): string {
  return each.kind === 'ethernet' ? portText(each.port) : each.name
}

// ── members ──────────────────────────────────────────────────────────────────────────────────────────

export type Complain = (field: string, sentence: string) => void

function hostNameOf(value: unknown, field: string, complain: Complain): string | null {
  if (value === undefined) return null
  if (typeof value === 'string' && /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(value)) return value
  complain(field, 'what is needed is one word of a–z, 0–9 and dashes, such as letro')
  return null
}

function dnsOf(value: unknown, field: string, complain: Complain): NetworkSettings['dns'] {
  if (value === undefined) return defaultNetwork.dns
  if (!isObject(value)) {
    complain(field, 'it must be an object with "servers" and "search"')
    return defaultNetwork.dns
  }
  onlyKnown(value, ['servers', 'search'], `${field}.`, complain)
  const isDomain = (text: unknown) =>
    typeof text === 'string' &&
    text.length <= 253 &&
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{1,63}$/i.test(text)
  return {
    // The C library asks no more than three.
    servers: listOf(
      value['servers'],
      3,
      text => parseIp(text) !== null,
      `${field}.servers`,
      'at most three IP addresses',
      complain,
    ),
    search: listOf(
      value['search'],
      6,
      isDomain,
      `${field}.search`,
      'at most six domains such as clinic.example',
      complain,
    ),
  }
}

function listOf(
  value: unknown,
  most: number,
  isRight: (text: unknown) => boolean,
  field: string,
  wanted: string,
  complain: Complain,
): readonly string[] {
  if (value === undefined) return []
  if (Array.isArray(value) && value.length <= most && value.every(isRight)) return value as string[]
  complain(field, `what is needed is a list of ${wanted}`)
  return []
}

function interfacesOf(value: unknown, field: string, complain: Complain): readonly InterfaceSettings[] {
  if (value === undefined) return []
  if (!Array.isArray(value) || value.length > maxInterfaces) {
    complain(field, `it must be a list of at most ${maxInterfaces} interfaces`)
    return []
  }
  const read = value.map((each: unknown, i) => ({
    at: `${field}[${i}]`,
    each: interfaceOf(each, `${field}[${i}]`, complain),
  }))
  const interfaces = read.flatMap(({ at, each }) => (each ? [{ at, each }] : []))
  checkNames(interfaces, complain)
  return interfaces.map(({ each }) => each)
}

function interfaceOf(value: unknown, at: string, complain: Complain): InterfaceSettings | null {
  if (!isObject(value)) {
    complain(at, 'it must be an object')
    return null
  }
  const { name, mac, bond, vlan } = value
  const own =
    bond !== undefined ? ['name', 'bond'] : vlan !== undefined ? ['name', 'vlan', 'on'] : ['name', 'mac']
  onlyKnown(value, [...own, 'ipv4', 'ipv6'], `${at}.`, complain)
  const addresses = addressesOf(value, at, complain)
  if (bond === undefined && vlan === undefined) {
    if ((name === undefined) === (mac === undefined)) {
      complain(at, `what is needed is either "name" or "mac": ${wantedPort}`)
      return null
    }
    const port = mac === undefined ? parsePort(name, false) : parsePort(mac, true)
    if (!port) complain(`${at}.${mac === undefined ? 'name' : 'mac'}`, `what is needed is ${wantedPort}`)
    return port && { kind: 'ethernet', port, ...addresses }
  }
  const given = parsePort(name, false)
  if (!given || !('name' in given)) {
    complain(
      `${at}.name`,
      'what is needed is a name for it of at most 15 letters and digits, such as bond0 or vlan20',
    )
    return null
  }
  if (vlan !== undefined) {
    const isId = Number.isInteger(vlan) && (vlan as number) >= 1 && (vlan as number) <= 4094
    if (!isId) complain(`${at}.vlan`, 'what is needed is the number of the VLAN, 1 to 4094')
    const on = parsePort(value['on'])
    if (!on)
      complain(
        `${at}.on`,
        `what is needed is the interface that carries it: ${wantedPort}, or the name of a bond`,
      )
    return isId && on
      ? { kind: 'vlan', name: given.name, id: vlan as number, on: portText(on), ...addresses }
      : null
  }
  const members = Array.isArray(bond) ? bond.map(each => parsePort(each)) : []
  if (members.length < 1 || members.length > 8 || members.includes(null)) {
    complain(`${at}.bond`, `what is needed is a list of one to eight ports, each ${wantedPort}`)
    return null
  }
  return { kind: 'bond', name: given.name, members: members as Port[], ...addresses }
}

function parsePort(value: unknown, isMac?: boolean): Port | null {
  if (typeof value !== 'string') return null
  if (isMac !== false && /^(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(value)) {
    const mac = value.toLowerCase().replaceAll('-', ':')
    // The lowest bit of the first byte says: a group.
    return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0 && mac !== '00:00:00:00:00:00' ? { mac } : null
  }
  // The kernel takes more; nobody's ports are named so, and these need no quoting anywhere.
  return isMac !== true && /^[a-zA-Z][a-zA-Z0-9._-]{0,14}$/.test(value) && value !== 'lo'
    ? { name: value }
    : null
}

function addressesOf(value: JsonObject, at: string, complain: Complain): Addresses {
  const { ipv4, ipv6 } = value
  if (ipv4 === undefined && ipv6 === undefined) return { ipv4: 'dhcp', ipv6: 'automatic' }
  return {
    ipv4:
      ipv4 === undefined || ipv4 === 'none'
        ? 'none'
        : ipv4 === 'dhcp'
          ? 'dhcp'
          : staticOf(ipv4, 4, `${at}.ipv4`, complain),
    ipv6:
      ipv6 === undefined || ipv6 === 'none'
        ? 'none'
        : ipv6 === 'automatic'
          ? 'automatic'
          : staticOf(ipv6, 6, `${at}.ipv6`, complain),
  }
}

function staticOf(value: Json, version: 4 | 6, at: string, complain: Complain): StaticAddress | 'none' {
  const [byItself, example, near] =
    version === 4 ? ['dhcp', '192.0.2.10/24', '192.0.2.1'] : ['automatic', '2001:db8::10/64', '2001:db8::1']
  if (!isObject(value)) {
    complain(at, `what is needed is "${byItself}", "none" or {"address": "${example}", "gateway": "${near}"}`)
    return 'none'
  }
  onlyKnown(value, ['address', 'gateway'], `${at}.`, complain)
  const address = parseSubnet(value['address'])
  if (address?.version !== version || !isOfOneMachine(address)) {
    complain(
      `${at}.address`,
      `what is needed is an address of this machine with the length of its network’s prefix, such as ${example}`,
    )
    return 'none'
  }
  const given = value['gateway']
  if (given !== undefined && !isGateway(given, address)) {
    complain(`${at}.gateway`, `what is needed is another address within ${value['address']}, such as ${near}`)
    return 'none'
  }
  return { address: value['address'] as string, gateway: (given as string | undefined) ?? null }
}

function isGateway(value: Json, ours: Subnet): boolean {
  const gateway = parseIp(value)
  if (!gateway || gateway.version !== ours.version || gateway.bits === ours.bits) return false
  return contains(ours, gateway) || (gateway.version === 6 && isLinkLocal(gateway))
}

/** Names are there once, what they lead to is there, and a bond's member has nothing else to do. */
function checkNames(
  interfaces: readonly { at: string; each: InterfaceSettings }[],
  complain: Complain,
): void {
  const seen = new Set<string>()
  const members = new Set<string>()
  for (const { at, each } of interfaces) {
    const name = nameOf(each)
    if (seen.has(name)) complain(at, `${name} is there twice`)
    seen.add(name)
    if (each.kind !== 'bond') continue
    for (const port of each.members.map(portText)) {
      if (members.has(port)) complain(`${at}.bond`, `${port} is in a bond twice`)
      members.add(port)
    }
  }
  const made = new Set(interfaces.flatMap(({ each }) => (each.kind === 'vlan' ? [each.name] : [])))
  for (const { at, each } of interfaces) {
    if (each.kind === 'ethernet' && members.has(nameOf(each))) {
      complain(at, `${nameOf(each)} is a member of a bond: its addresses belong to the bond`)
    }
    if (each.kind === 'bond' && each.members.some(port => made.has(portText(port)))) {
      complain(`${at}.bond`, 'a VLAN cannot be a member')
    }
    if (each.kind !== 'vlan') continue
    if (made.has(each.on))
      complain(`${at}.on`, `${each.on} is a VLAN itself: name the port or the bond below it`)
    if (members.has(each.on)) complain(`${at}.on`, `${each.on} is a member of a bond: name the bond`)
  }
}

export function onlyKnown(
  object: JsonObject,
  names: readonly string[],
  prefix: string,
  complain: Complain,
): void {
  for (const name of Object.keys(object)) {
    if (!names.includes(name))
      complain(prefix + name, `there is no such field; known are ${names.join(', ')}`)
  }
}
