/** The network of this machine as a form: checked here letter by letter, tried by the machine. */
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { ask, type Steps } from '../flow.ts'
import type { Values } from '../input.ts'
import type { NetworkSettings } from '../machine.ts'
import { type Block, choice, field, gap, text, wayOut } from '../page.ts'

export const automatic: NetworkSettings = {
  cards: [],
  vlan: null,
  isAutomatic: true,
  addresses: [],
  gateways: [],
  dns: [],
}

/** null: as it is now. */
export function* askNetwork(title: string, before: NetworkSettings): Steps<NetworkSettings> {
  const { chosen } = yield* ask(
    {
      title,
      blocks: [
        choice('automatic', 'Automatic (DHCP and router advertisements)', 'Every card that has a cable.'),
        choice('fixed', 'Fixed addresses', 'IPv4 and IPv6, VLAN, two or more cards as one (LACP), DNS.'),
      ],
    },
    { stays: true },
  )
  if (chosen === 'automatic') return automatic
  const { values } = yield* ask(
    ({ facts }) => ({
      title: `${title}: fixed addresses`,
      blocks: networkFields(
        before,
        facts.network.map(({ name, hasLink }) => `${name}${hasLink ? '' : ' (no cable)'}`),
      ),
    }),
    { check: networkProblems, stays: true },
  )
  return settingsIn(values)
}

function networkFields(before: NetworkSettings, cards: readonly string[]): Block[] {
  return [
    text(`Cards of this machine: ${cards.join(', ') || 'none'}`, 'soft'),
    gap,
    field('cards', 'card', {
      value: before.cards.join(' ') || (cards[0]?.split(' ')[0] ?? ''),
      hint: 'One; or two and more, with spaces between: they become one (LACP, 802.3ad).',
    }),
    field('vlan', 'VLAN', {
      value: before.vlan === null ? '' : String(before.vlan),
      hint: '1 to 4094. Empty: none.',
    }),
    field('addresses', 'addresses', {
      value: before.addresses.join(' '),
      hint: 'With prefix: 192.0.2.10/24 2001:db8::10/64',
    }),
    field('gateways', 'gateways', {
      value: before.gateways.join(' '),
      hint: 'One for IPv4, one for IPv6. Empty: none, this machine stays in its network.',
    }),
    field('dns', 'DNS servers', {
      value: before.dns.join(' '),
      hint: 'Addresses, with spaces between. Empty: none.',
    }),
    choice('try', 'Go on'),
    wayOut(),
  ]
}

const list = (typed: string | undefined): string[] => (typed ?? '').split(/[\s,]+/).filter(Boolean)

export function settingsIn(values: Values): NetworkSettings {
  const vlan = (values['vlan'] ?? '').trim()
  return {
    cards: list(values['cards']),
    vlan: vlan === '' ? null : Number(vlan),
    isAutomatic: false,
    addresses: list(values['addresses']),
    gateways: list(values['gateways']),
    dns: list(values['dns']),
  }
}

export function networkProblems(values: Values): Values {
  const { cards, vlan, addresses, gateways, dns } = settingsIn(values)
  const problems: Record<string, string> = {}
  if (cards.length === 0) problems['cards'] = 'The name of a card is needed.'
  else if (cards.some(card => !/^[A-Za-z0-9_.-]{1,15}$/.test(card)))
    problems['cards'] = 'This is no name of a card.'
  else if (new Set(cards).size !== cards.length) problems['cards'] = 'One card stands there twice.'
  if (vlan !== null && !(Number.isInteger(vlan) && vlan >= 1 && vlan <= 4094))
    problems['vlan'] = 'A number from 1 to 4094 is needed, or nothing.'
  if (addresses.length === 0) problems['addresses'] = 'At least one address with its prefix is needed.'
  const wrong = addresses.find(address => !isAddressWithPrefix(address))
  if (wrong !== undefined)
    problems['addresses'] = `${wrong}: an address and its prefix are needed, such as 192.0.2.10/24.`
  const twice = [isIPv4, isIPv6].some(is => gateways.filter(gateway => is(gateway)).length > 1)
  if (gateways.some(gateway => isIP(gateway) === 0))
    problems['gateways'] = 'Addresses without a prefix are needed.'
  else if (twice) problems['gateways'] = 'One for IPv4 and one for IPv6 at most.'
  else if (
    gateways.some(gateway => !addresses.some(address => isIP(address.split('/')[0]!) === isIP(gateway)))
  )
    problems['gateways'] = 'There is no address of that kind to reach it from.'
  if (dns.some(server => isIP(server) === 0)) problems['dns'] = 'Addresses are needed, not names.'
  return problems
}

function isAddressWithPrefix(typed: string): boolean {
  const [address = '', prefix = '', ...more] = typed.split('/')
  const kind = isIP(address)
  return (
    kind !== 0 &&
    more.length === 0 &&
    /^[0-9]{1,3}$/.test(prefix) &&
    Number(prefix) >= 1 &&
    Number(prefix) <= (kind === 4 ? 32 : 128)
  )
}

export function networkWords({
  isAutomatic,
  cards,
  vlan,
  addresses,
  gateways,
  dns,
}: NetworkSettings): string {
  if (isAutomatic) return 'automatic (DHCP)'
  return [
    cards.length > 1 ? `${cards.join(' + ')} as one` : (cards[0] ?? ''),
    ...(vlan === null ? [] : [`VLAN ${vlan}`]),
    addresses.join(' '),
    ...(gateways.length === 0 ? [] : [`by ${gateways.join(' ')}`]),
    ...(dns.length === 0 ? [] : [`DNS ${dns.join(' ')}`]),
  ].join(', ')
}
