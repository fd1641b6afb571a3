/**
 * `npm run bench [scenario…] [-- --runs 5 --seconds 3 --events 1000 --base URL --profile FOLDER --json FILE]`
 *
 * Every scenario runs once a round, so that what else happens on the machine hits all of them alike; printed
 * is the median of the rounds, the spread, and the ratio to the scenario's floor in the same round. With
 * `--base` the scenarios that speak Matrix measure the server there (open registration, no rate limits).
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { backupBeside, backupCreate, backupRestore, floorDisk } from './backup.ts'
import { e2ee, vodozemac } from './e2ee.ts'
import { federationBackfill, federationIn, federationJoin, federationOut } from './federation.ts'
import { emptyNode, floorFsync, httpOurs, httpRaw, storeGroup } from './floors.ts'
import { coldStart, fanout50, loginStorm, send1, send64, syncIncremental } from './scenarios.ts'
import { benchFolder, removeFolder, type ServerProcess, startServer } from './server-process.ts'
import { median, readable } from './statistics.ts'
import { vaultEvents, vaultSearch, vaultUnlock } from './vault.ts'

export interface Measure {
  readonly value: number
  readonly facts: Readonly<Record<string, number>>
}

export interface Bench {
  readonly seconds: number
  /** Events a room where a scenario needs rooms with history. */
  readonly events: number
  server(): Promise<{ readonly base: string; readonly counters?: ServerProcess['counters'] }>
  /** Sets something up for all rounds. */
  once<T>(name: string, make: () => Promise<T>): Promise<T>
  atEnd(act: () => Promise<void>): void
}

interface Scenario {
  readonly name: string
  readonly says: string
  readonly unit: string
  run(bench: Bench): Promise<Measure>
  /** The scenario that bounds it from below, and which of its figures. */
  readonly floor?: { readonly name: string; readonly fact?: string }
  readonly anyServer?: boolean
}

const scenarios: readonly Scenario[] = [
  { name: 'floor-fsync', says: 'append 4 KiB and fdatasync, p50', unit: 'ms', run: floorFsync },
  {
    name: 'store-group',
    says: '64 writers, 4 rows each, durable',
    unit: 'events/s',
    run: storeGroup,
    floor: { name: 'floor-fsync', fact: 'fsyncs/s' },
  },
  { name: 'http-raw', says: 'node:http alone, PUT of 400 B', unit: 'requests/s', run: httpRaw },
  {
    name: 'http-null',
    says: 'our http with an empty handler',
    unit: 'requests/s',
    run: httpOurs,
    floor: { name: 'http-raw' },
  },
  {
    name: 'send-1',
    says: 'one client, durable before the answer, p50',
    unit: 'ms',
    run: send1,
    floor: { name: 'floor-fsync' },
    anyServer: true,
  },
  {
    name: 'send-64',
    says: '64 people in 8 rooms, durable before the answer',
    unit: 'events/s',
    run: send64,
    floor: { name: 'store-group' },
    anyServer: true,
  },
  {
    name: 'fanout-50',
    says: '500 events/s to 50 waiting syncs, p99',
    unit: 'ms',
    run: fanout50,
    floor: { name: 'floor-fsync' },
    anyServer: true,
  },
  {
    name: 'sync-incremental',
    says: '100 rooms, one new event: CPU of the sync',
    unit: 'µs',
    run: syncIncremental,
    floor: { name: 'http-null', fact: 'server cpu µs/request' },
    anyServer: true,
  },
  {
    name: 'login-storm',
    says: 'p99 of 16 senders beside 20 password logins',
    unit: '× alone',
    run: loginStorm,
    anyServer: true,
  },
  {
    name: 'federation-in',
    says: 'events of four peers in transactions of 50, verified and durable',
    unit: 'events/s',
    run: federationIn,
  },
  {
    name: 'federation-out',
    says: '100 events/s: from the send here to the sync there, p99',
    unit: 'ms',
    run: federationOut,
  },
  {
    name: 'federation-join',
    says: 'joining a room of a peer with 10,000 state events',
    unit: 's',
    run: federationJoin,
  },
  {
    name: 'federation-backfill',
    says: 'history of a peer, 100 × --events, paged to its beginning: peak of memory',
    unit: 'MB',
    run: federationBackfill,
  },
  { name: 'floor-disk', says: '256 MiB written and synced', unit: 'MB/s', run: floorDisk },
  {
    name: 'backup-create',
    says: '100,000 rows and 100 MiB of media, encrypted, at full speed',
    unit: 'MB/s',
    run: backupCreate,
    floor: { name: 'floor-disk' },
  },
  {
    name: 'backup-restore',
    says: 'the same read, checked and synced',
    unit: 'MB/s',
    run: backupRestore,
    floor: { name: 'floor-disk' },
  },
  {
    name: 'backup-beside',
    says: 'event-loop delay, p99, while a backup reads 16 MiB/s',
    unit: 'ms',
    run: backupBeside,
  },
  { name: 'node', says: 'an empty Node process', unit: 'ms', run: emptyNode },
  {
    name: 'cold-start',
    says: 'process start to first 200',
    unit: 'ms',
    run: coldStart,
    floor: { name: 'node' },
  },
  {
    name: 'vodozemac-megolm-decrypt',
    says: 'the same by vodozemac’s wasm',
    unit: 'ops/s',
    run: vodozemac('megolm-decrypt'),
  },
  {
    name: 'e2ee-megolm-decrypt',
    says: 'a room message of 300 bytes, signature and MAC checked',
    unit: 'ops/s',
    run: e2ee('megolm-decrypt'),
    floor: { name: 'vodozemac-megolm-decrypt' },
  },
  {
    name: 'vodozemac-olm-outbound',
    says: 'the same by vodozemac’s wasm',
    unit: 'ops/s',
    run: vodozemac('olm-outbound'),
  },
  {
    name: 'e2ee-olm-outbound',
    says: 'a session from claimed keys, and its first message',
    unit: 'ops/s',
    run: e2ee('olm-outbound'),
    floor: { name: 'vodozemac-olm-outbound' },
  },
  {
    name: 'vodozemac-olm-inbound',
    says: 'the same by vodozemac’s wasm',
    unit: 'ops/s',
    run: vodozemac('olm-inbound'),
  },
  {
    name: 'e2ee-olm-inbound',
    says: 'a session from a first message, and its plaintext',
    unit: 'ops/s',
    run: e2ee('olm-inbound'),
    floor: { name: 'vodozemac-olm-inbound' },
  },
  {
    name: 'vodozemac-session-import',
    says: 'the same by vodozemac’s wasm',
    unit: 'ops/s',
    run: vodozemac('session-import'),
  },
  {
    name: 'e2ee-session-import',
    says: 'a room key as m.room_key carries it, signature checked',
    unit: 'ops/s',
    run: e2ee('session-import'),
    floor: { name: 'vodozemac-session-import' },
  },
  {
    name: 'vault-events',
    says: '10,000 events decrypted and stored sealed, in Chromium',
    unit: 's',
    run: vaultEvents,
  },
  { name: 'vault-search', says: 'a query over 50,000 messages, in Chromium', unit: 'ms', run: vaultSearch },
  {
    name: 'vault-unlock',
    says: 'passkey secret to open vault, page just loaded',
    unit: 'ms',
    run: vaultUnlock,
  },
]

const usage = `npm run bench [scenario…] [-- options]

  --runs 5          rounds; printed are median and spread
  --seconds 3       how long each scenario measures
  --events 1000     events a room, where a scenario needs history
  --base URL        measure the Matrix server there (open registration, no rate limits)
  --profile FOLDER  leave the server's CPU profile there
  --json FILE       write all figures

Scenarios: ${scenarios.map(({ name }) => name).join(', ')}`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    events: { type: 'string', default: '1000' },
    base: { type: 'string' },
    profile: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(usage)
  process.exit(0)
}
/** A scenario by its name, several by how their names begin: `e2ee`. */
const named = (name: string) =>
  scenarios.map(each => each.name).filter(each => each === name || each.startsWith(`${name}-`))
const unknown = positionals.filter(name => named(name).length === 0)
if (unknown.length > 0) {
  console.error(
    `There is no scenario ${unknown.join(', ')}. There are: ${scenarios.map(each => each.name).join(', ')}.`,
  )
  process.exit(2)
}

const results = await runAll(chosen())
report(results)
if (values.json) await writeFile(values.json, `${JSON.stringify(Object.fromEntries(results), null, 2)}\n`)

/** What was asked for, with its floors. */
function chosen(): readonly Scenario[] {
  const wanted = new Set(
    positionals.length > 0 ? positionals.flatMap(named) : scenarios.map(each => each.name),
  )
  for (const { name, floor } of scenarios.toReversed()) if (wanted.has(name) && floor) wanted.add(floor.name)
  return scenarios.filter(
    each =>
      wanted.has(each.name) && (values.base === undefined || each.anyServer || each.name === 'floor-fsync'),
  )
}

async function runAll(list: readonly Scenario[]): Promise<Map<string, Measure[]>> {
  const ends: (() => Promise<void>)[] = []
  const made = new Map<string, Promise<unknown>>()
  const once = <T>(name: string, make: () => Promise<T>): Promise<T> => {
    if (!made.has(name)) made.set(name, make())
    return made.get(name) as Promise<T>
  }
  const bench: Bench = {
    seconds: Number(values.seconds),
    events: Number(values.events),
    once,
    atEnd: act => ends.push(act),
    server: async () => {
      if (values.base !== undefined) return { base: values.base }
      return once('server', async () => {
        const folder = await benchFolder('server')
        const server = await startServer({
          folder,
          ...(values.profile === undefined ? {} : { profileFolder: values.profile }),
        })
        ends.push(async () => {
          await server.stop()
          await removeFolder(folder)
        })
        return server
      })
    },
  }
  const measures = new Map<string, Measure[]>(list.map(({ name }) => [name, []]))
  try {
    for (let round = 1; round <= Number(values.runs); round++) {
      for (const { name, unit, run } of list) {
        const measure = await run(bench)
        measures.get(name)!.push(measure)
        console.error(`round ${round}: ${name} ${readable(measure.value)} ${unit}`)
      }
    }
  } finally {
    for (const end of ends) await end()
  }
  return measures
}

function report(measured: ReadonlyMap<string, Measure[]>): void {
  for (const { name, says, unit, floor } of scenarios) {
    const rounds = measured.get(name)
    if (!rounds || rounds.length === 0) continue
    const all = rounds.map(each => each.value)
    const spread = `${readable(Math.min(...all))}–${readable(Math.max(...all))}`
    const floors = floor && measured.get(floor.name)
    const ratio = floors
      ? median(
          rounds.map(
            ({ value }, i) => value / (floor.fact ? floors[i]!.facts[floor.fact]! : floors[i]!.value),
          ),
        )
      : undefined
    const against = ratio === undefined ? '' : `  ${readable(ratio)} × ${floor!.name}`
    console.log(
      `${name.padEnd(25)}${readable(median(all)).padStart(8)} ${unit.padEnd(11)}(${spread})${against}`,
    )
    console.log(`                         ${says}`)
    const facts = Object.keys(rounds[0]!.facts).map(
      fact => `${fact} ${readable(median(rounds.map(each => each.facts[fact] ?? Number.NaN)))}`,
    )
    if (facts.length > 0) console.log(`                         ${facts.join(' · ')}`)
  }
}
