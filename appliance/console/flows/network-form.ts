/** The network of this machine as a form of seven lines; what it can hold, and what is wrong with it, the schema of letro.json says. */
import {
  defaultNetwork,
  type InterfaceSettings,
  type Ipv4Settings,
  type Ipv6Settings,
  type NetworkSettings,
  nameOf,
  parseNetworkSettings,
  portText,
} from '#protocol/network-settings.ts'
import { ask, type Steps } from '../flow.ts'
import type { Values } from '../input.ts'
import { type Block, choice, field, gap, text, wayOut } from '../page.ts'

/** null: turned back. */
export function* askNetwork(title: string, before: NetworkSettings): Steps<NetworkSettings> {
  const { chosen } = yield* ask(
    {
      title,
      blocks: [
        choice('automatic', 'Automatic (DHCP and router advertisements)', 'Every card that has a cable.'),
        choice('fixed', 'As I say', 'Fixed addresses, VLAN, two or more cards as one (LACP), DNS.'),
        wayOut('Back', 'up'),
      ],
    },
    { stays: true },
  )
  if (chosen === 'automatic') return defaultNetwork
  const { values } = yield* ask(
    ({ facts }) => ({
      title: `${title}: as I say`,
      blocks: networkFields(
        before,
        facts.network
          .filter(({ isCard }) => isCard)
          .map(({ name, hasLink }) => `${name}${hasLink ? '' : ' (no cable)'}`),
      ),
    }),
    { check: networkProblems, stays: true },
  )
  const read = networkIn(values)
  return read.ok ? read.value : defaultNetwork
}

function networkFields(before: NetworkSettings, cards: readonly string[]): Block[] {
  const now = formOf(before)
  return [
    text(`Cards of this machine: ${cards.join(', ') || 'none'}`, 'soft'),
    ...(before.interfaces.length > (now['vlan'] === '' ? 1 : 2)
      ? [
          text(
            'More is set now than this form can hold: what you enter takes the place of all of it.',
            'warn',
          ),
        ]
      : []),
    gap,
    field('cards', 'card', {
      value: now['cards'] || (cards[0]?.split(' ')[0] ?? ''),
      hint: 'One; or two and more, with spaces between: they become one (LACP, 802.3ad).',
    }),
    field('vlan', 'VLAN', { value: now['vlan']!, hint: '1 to 4094. Empty: none.' }),
    field('ipv4', 'IPv4', {
      value: now['ipv4']!,
      hint: 'An address with its prefix (192.0.2.10/24), or dhcp, or none.',
    }),
    field('gateway4', 'its gateway', {
      value: now['gateway4']!,
      hint: 'Such as 192.0.2.1. Empty: none, or as DHCP says.',
    }),
    field('ipv6', 'IPv6', {
      value: now['ipv6']!,
      hint: 'An address with its prefix (2001:db8::10/64), or automatic, or none.',
    }),
    field('gateway6', 'its gateway', {
      value: now['gateway6']!,
      hint: 'Such as 2001:db8::1. Empty: none, or as routers say.',
    }),
    field('dns', 'DNS servers', {
      value: now['dns']!,
      hint: 'At most three addresses, with spaces between. Empty: none, or as DHCP says.',
    }),
    choice('try', 'Go on'),
    wayOut('Back', 'up'),
  ]
}

const list = (typed: string | undefined): string[] => (typed ?? '').split(/[\s,]+/).filter(Boolean)
const word = (typed: string | undefined): string => (typed ?? '').trim().toLowerCase()

/** The form as the member `network` of a letro.json: what is wrong is found by who reads that. */
function networkIn(values: Values): ReturnType<typeof parseNetworkSettings> {
  const cards = list(values['cards'])
  const vlan = word(values['vlan'])
  const fixed = (address: string, gateway: string) => ({ address, ...(gateway === '' ? {} : { gateway }) })
  const [v4, v6] = [word(values['ipv4']) || 'none', word(values['ipv6']) || 'none']
  const addresses = {
    ipv4: v4 === 'dhcp' || v4 === 'none' ? v4 : fixed(v4, word(values['gateway4'])),
    ipv6: v6 === 'automatic' || v6 === 'none' ? v6 : fixed(v6, word(values['gateway6'])),
  }
  const none = { ipv4: 'none', ipv6: 'none' }
  const base = cards.length > 1 ? { name: 'bond0', bond: cards } : { name: cards[0] ?? '' }
  const interfaces =
    vlan === ''
      ? [{ ...base, ...addresses }]
      : [
          { ...base, ...none },
          {
            name: `vlan${vlan.slice(0, 8)}`,
            vlan: /^[0-9]+$/.test(vlan) ? Number(vlan) : vlan,
            on: base.name,
            ...addresses,
          },
        ]
  return parseNetworkSettings({ dns: { servers: list(values['dns']) }, interfaces })
}

export function networkProblems(values: Values): Values {
  if (list(values['cards']).length === 0) return { cards: 'The name of a card is needed.' }
  const read = networkIn(values)
  const problems: Record<string, string> = {}
  for (const { field: at, sentence } of read.ok ? [] : read.problems) problems[fieldOf(at)] ??= sentence
  if (!read.ok) return problems
  for (const [address, gateway] of [
    ['ipv4', 'gateway4'],
    ['ipv6', 'gateway6'],
  ] as const) {
    if (word(values[gateway]) !== '' && /^(?:dhcp|automatic|none)?$/.test(word(values[address])))
      problems[gateway] = 'A gateway belongs to a fixed address.'
  }
  const isReached = !['ipv4', 'ipv6'].every(each => /^(?:none)?$/.test(word(values[each])))
  return isReached ? problems : { ...problems, ipv4: 'Without any address nobody reaches this machine.' }
}

function fieldOf(at: string): string {
  if (/ipv4\.gateway$/.test(at)) return 'gateway4'
  if (/ipv6\.gateway$/.test(at)) return 'gateway6'
  if (/ipv4/.test(at)) return 'ipv4'
  if (/ipv6/.test(at)) return 'ipv6'
  if (/\.dns/.test(at)) return 'dns'
  return /\.vlan$/.test(at) ? 'vlan' : 'cards'
}

/** What the form shows of settings: the last interface, which stands on the others. */
function formOf({ interfaces, dns }: NetworkSettings): Values {
  const last = interfaces.at(-1)
  const below = last?.kind === 'vlan' ? interfaces.find(each => nameOf(each) === last.on) : last
  const { ipv4, ipv6 }: { ipv4: Ipv4Settings; ipv6: Ipv6Settings } = last ?? {
    ipv4: 'dhcp',
    ipv6: 'automatic',
  }
  return {
    cards: below ? cardsOf(below) : '',
    vlan: last?.kind === 'vlan' ? String(last.id) : '',
    ipv4: typeof ipv4 === 'string' ? ipv4 : ipv4.address,
    gateway4: typeof ipv4 === 'string' ? '' : (ipv4.gateway ?? ''),
    ipv6: typeof ipv6 === 'string' ? ipv6 : ipv6.address,
    gateway6: typeof ipv6 === 'string' ? '' : (ipv6.gateway ?? ''),
    dns: dns.servers.join(' '),
  }
}

const cardsOf = (each: InterfaceSettings): string =>
  each.kind === 'bond'
    ? each.members.map(portText).join(' ')
    : each.kind === 'ethernet'
      ? portText(each.port)
      : each.on

export function networkWords({ interfaces, dns }: NetworkSettings): string {
  if (interfaces.length === 0) return 'automatic (DHCP)'
  const words = interfaces
    .filter(({ ipv4, ipv6 }) => ipv4 !== 'none' || ipv6 !== 'none')
    .map(each => {
      const place =
        each.kind === 'bond'
          ? `${each.members.map(portText).join(' + ')} as one`
          : each.kind === 'vlan'
            ? `VLAN ${each.id} on ${each.on}`
            : portText(each.port)
      return [place, addressWords(each.ipv4), addressWords(each.ipv6)].filter(Boolean).join(', ')
    })
  return [...words, ...(dns.servers.length === 0 ? [] : [`DNS ${dns.servers.join(' ')}`])].join('; ')
}

function addressWords(settings: Ipv4Settings | Ipv6Settings): string {
  if (settings === 'none') return ''
  if (typeof settings === 'string') return settings === 'dhcp' ? 'DHCP' : 'IPv6 automatic'
  return `${settings.address}${settings.gateway === null ? '' : ` by ${settings.gateway}`}`
}
