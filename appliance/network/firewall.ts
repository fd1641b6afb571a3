/**
 * Keeps the rules of nftables at what is known: settings, name servers, the running server's configuration and peers.
 *
 * Runs at every start, when the network or the peers change, and every two minutes for names whose addresses change. Each run
 * loads what is known from before first, so that name servers can be asked at all; then asks; then loads again where that
 * changed something. Rules that do not load leave the ones before in force, and the report says so.
 *
 * What a crash leaves: rules that hold, of this run or the one before. The rules of the sealed image (/etc/nftables.conf) let in
 * nothing but ICMP and DHCP.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '#protocol/json.ts'
import { isObject } from '#protocol/json.ts'
import { serverUser } from '../paths.ts'
import type { Machine } from '../program.ts'
import { writeWhole } from '../whole-file.ts'
import { type AddressBook, addressesOf, type Lookup, parseAddressBook, resolveNames } from './addresses.ts'
import { dnsServers } from './links.ts'
import { type FirewallFacts, nftablesRules } from './nftables.ts'
import { resolvConf, writeResolvConf } from './resolver.ts'
import { parseServerFacts, type ServerFacts } from './server-facts.ts'
import { readNetwork, readTime } from './settings.ts'

export interface FirewallDeps {
  readonly lookup: Lookup
  readonly ask: (siteFolder: string) => Promise<ServerFacts | null>
  readonly now: number
}

export interface FirewallReport {
  readonly ts: number
  /** The rules that were made are in force. */
  readonly loaded: boolean
  /** Where they are not: what nft said. */
  readonly error?: string
  /** The server did not answer: its configuration and peers are those of the last time. */
  readonly serverSilent: boolean
  /** Names without any known address: nothing of theirs passes. */
  readonly unresolved: readonly string[]
  /** Names that were not answered for; the addresses of before hold. */
  readonly unanswered: readonly string[]
  readonly anyPush: boolean
}

const nobody: ServerFacts = { openPorts: [], federationPort: null, peers: [], pushHosts: [], others: [] }

export async function refreshFirewall(machine: Machine, deps: FirewallDeps): Promise<FirewallReport> {
  const { paths } = machine
  const network = settingsOr(() => readNetwork(machine), {
    hostName: null,
    dns: { servers: [], search: [] },
    interfaces: [],
  })
  const time = settingsOr(() => readTime(machine), { servers: [], nts: false })
  const servers = [...new Set([...network.dns.servers, ...dnsServers(machine)])]
  writeResolvConf(machine, resolvConf(servers, network))

  const users = { server: serverUser.id, time: userId(machine, '_chrony') }
  const rulesFor = (server: ServerFacts, book: AddressBook) =>
    nftablesRules(
      factsOf(server, book, { dnsServers: servers, timeServers: time.servers, nts: time.nts, users }),
    )
  const kept = parseServerFacts(readJson(join(paths.settings, 'firewall.json'))) ?? nobody
  const before = parseAddressBook(readJson(join(paths.settings, 'addresses.json')))
  let error = await load(machine, rulesFor(kept, before))

  const answered = await deps.ask(paths.site)
  const server = answered ?? kept
  const names = [...server.peers, ...server.others].map(({ host }) => host)
  const all = [...names, ...server.pushHosts.filter(host => !host.startsWith('*.')), ...time.servers]
  const { book, unresolved, unanswered } = await resolveNames(all, before, deps.lookup, deps.now)
  error = await load(machine, rulesFor(server, book))

  keep(paths.settings, 'firewall.json', server)
  keep(paths.settings, 'addresses.json', book)
  const report: FirewallReport = {
    ts: deps.now,
    loaded: error === null,
    ...(error === null ? {} : { error }),
    serverSilent: answered === null,
    unresolved,
    unanswered,
    anyPush: isAnyPush(server),
  }
  writeWhole(join(paths.run, 'firewall.json'), JSON.stringify(report), 0o644)
  return report
}

/** null: no rules were made since the start. */
export function firewallReport({ paths }: Pick<Machine, 'paths'>): FirewallReport | null {
  const json = readJson(join(paths.run, 'firewall.json'))
  return isObject(json) && typeof json['ts'] === 'number' ? (json as unknown as FirewallReport) : null
}

function factsOf(
  server: ServerFacts,
  book: AddressBook,
  machine: Pick<FirewallFacts, 'dnsServers' | 'timeServers' | 'nts' | 'users'>,
): FirewallFacts {
  const endpoints = (places: readonly { host: string; port: number }[]) =>
    places.flatMap(({ host, port }) => addressesOf(host, book).map(address => ({ address, port })))
  const push = server.pushHosts.map(host => ({ host, port: 443 }))
  return {
    ...machine,
    timeServers: machine.timeServers.flatMap(name => addressesOf(name, book)),
    openPorts: server.openPorts,
    federationPort: server.federationPort,
    peerAddresses: server.peers.flatMap(({ host }) => addressesOf(host, book)),
    serverReaches: endpoints([...server.peers, ...server.others, ...push]),
    anyPush: isAnyPush(server),
  }
}

const isAnyPush = ({ pushHosts }: ServerFacts) => pushHosts.some(host => host.startsWith('*.'))

/** null: in force. Otherwise what nft said; then the rules before are in force. */
async function load({ run, paths }: Machine, rules: string): Promise<string | null> {
  const loaded = join(paths.run, 'firewall.nft')
  // Sets stay as they are where nothing is new.
  if (readText(loaded) === rules && (await run('nft', ['list', 'table', 'inet', 'letro'])).code === 0)
    return null
  const { code, stderr } = await run('nft', ['-f', '-'], { input: rules })
  if (code !== 0) return stderr.trim().slice(0, 500) || `exit code ${code}`
  mkdirSync(paths.run, { recursive: true, mode: 0o755 })
  writeFileSync(loaded, rules, { mode: 0o600 })
  return null
}

function settingsOr<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}

/** Where the data is closed nothing is kept, and nothing is lost: it is asked again. */
function keep(folder: string, name: string, value: ServerFacts | AddressBook): void {
  const text = `${JSON.stringify(value)}\n`
  try {
    if (readText(join(folder, name)) !== text) writeWhole(join(folder, name), text)
  } catch {
    // A full disk takes no addresses: the rules of now are in force all the same.
  }
}

function userId({ root }: Pick<Machine, 'root'>, name: string): number | null {
  const line = readText(join(root, '/etc/passwd'))
    ?.split('\n')
    .find(each => each.startsWith(`${name}:`))
  const id = Number(line?.split(':')[2])
  return line !== undefined && Number.isInteger(id) && id > 0 ? id : null
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function readJson(file: string): Json {
  try {
    return JSON.parse(readText(file) ?? 'null') as Json
  } catch {
    return null
  }
}
