/** What the answers of a letro.json say, line by line, for whoever approves them. The answers were checked before. */
import { isObject, type JsonObject } from '#protocol/json.ts'
import {
  type InterfaceSettings,
  type Ipv4Settings,
  type Ipv6Settings,
  nameOf,
  parseNetworkSettings,
  portText,
} from '#protocol/network-settings.ts'

export type AnswerLine = readonly [title: string, value: string]

export function answerLines(answers: JsonObject): AnswerLine[] {
  const listen = objectIn(answers, 'listen')
  const federation = objectIn(answers, 'federation')
  const time = objectIn(answers, 'time')
  const servers = Array.isArray(time['servers']) ? time['servers'] : []
  return [
    ['Server name', text(answers['server_name'])],
    ['Address that people open', text(answers['origin'])],
    ['First administrator', `@${text(answers['administrator'])}:${text(answers['server_name'])}`],
    ['Certificate', certificateText(objectIn(answers, 'certificate'))],
    ...(listen['client'] === undefined ? [] : [['Answers people at', text(listen['client'])] as const]),
    ['Answers other servers at', listen['federation'] === undefined ? 'no' : text(listen['federation'])],
    ...(federation['residency'] === undefined
      ? []
      : [['Jurisdiction', text(federation['residency'])] as const]),
    ...networkLines(answers['network']),
    [
      'Time',
      servers.length === 0
        ? 'set by hand'
        : `${servers.map(text).join(', ')}${time['nts'] === true ? ' (NTS)' : ''}`,
    ],
    ...peerLines(answers['peers']),
  ]
}

function certificateText(certificate: JsonObject): string {
  if (certificate['from'] === 'own') return 'a private authority, made now'
  const file = certificate['file']
  return file === undefined
    ? 'of the organisation: requested now, brought later'
    : `of the organisation: ${text(file)}`
}

function networkLines(json: unknown): AnswerLine[] {
  const parsed = parseNetworkSettings(json ?? {})
  if (!parsed.ok) return []
  const { hostName, dns, interfaces } = parsed.value
  return [
    ...(hostName === null ? [] : [['Host name', hostName] as const]),
    ...(interfaces.length === 0 ? [['Network', 'every port asks for its addresses (DHCP)'] as const] : []),
    ...interfaces.map((each): AnswerLine => [`Network ${nameOf(each)}`, interfaceText(each)]),
    ...(dns.servers.length === 0 ? [] : [['Name servers', dns.servers.join(', ')] as const]),
    ...(dns.search.length === 0 ? [] : [['Search domains', dns.search.join(', ')] as const]),
  ]
}

export function interfaceText(each: InterfaceSettings): string {
  const made =
    each.kind === 'bond'
      ? `bond of ${each.members.map(portText).join(' and ')}; `
      : each.kind === 'vlan'
        ? `VLAN ${each.id} on ${each.on}; `
        : ''
  const addresses = [addressText(each.ipv4), addressText(each.ipv6)].filter(each => each !== null)
  return made + (addresses.length > 0 ? addresses.join('; ') : 'no address')
}

function addressText(settings: Ipv4Settings | Ipv6Settings): string | null {
  if (settings === 'none') return null
  if (settings === 'dhcp') return 'IPv4 by DHCP'
  if (settings === 'automatic') return 'IPv6 by itself'
  return `${settings.address}${settings.gateway === null ? '' : ` by ${settings.gateway}`}`
}

function peerLines(peers: unknown): AnswerLine[] {
  const list = Array.isArray(peers) ? peers.filter(isObject) : []
  return list.flatMap(peer => {
    const name = text(objectIn(peer, 'card')['server_name'])
    return [[`Talks to ${name}`, text(peer['fingerprint'])] as const]
  })
}

function objectIn(json: JsonObject, name: string): JsonObject {
  const value = json[name]
  return isObject(value) ? value : {}
}

/** Nothing that comes from a stick moves the cursor. */
export function text(value: unknown): string {
  return String(value ?? '')
    .replaceAll(/[\p{C}\u2028\u2029]/gu, '?')
    .slice(0, 300)
}
