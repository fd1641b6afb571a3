/** What the server does for people: sending, syncing, signing in, starting. Any Matrix server can be measured. */
import type { Bench, Measure } from './bench.ts'
import { type LoadResult, runLoad, type Sender, type Syncer } from './load.ts'
import { call, inParallel, makeRoom, type Person, populate, registerPeople } from './population.ts'
import type { ProbeCounters } from './probe.ts'
import { RawConnection } from './raw-client.ts'
import { benchFolder, removeFolder, startServer } from './server-process.ts'
import { percentile } from './statistics.ts'

const warmupMs = 700

/** As clients ask: lazy members, the state after the timeline. */
const syncFilter = JSON.stringify({
  room: { state: { lazy_load_members: true }, timeline: { limit: 20, unread_thread_notifications: true } },
})

export const send1 = async (bench: Bench): Promise<Measure> => {
  const { load, facts } = await sendWith(bench, 1)
  return { value: load.p50, facts }
}

export const send64 = async (bench: Bench): Promise<Measure> => {
  const { load, facts } = await sendWith(bench, 64)
  return { value: load.perSecond, facts }
}

async function sendWith(
  bench: Bench,
  clients: number,
): Promise<{ load: LoadResult; facts: Measure['facts'] }> {
  const { base, senders } = await crowd(bench)
  const { load, used } = await measured(bench, whenWarm =>
    runLoad(
      {
        kind: 'send',
        base,
        senders: senders.slice(0, clients),
        warmupMs,
        durationMs: bench.seconds * 1000,
      },
      whenWarm,
    ),
  )
  return { load, facts: { ...latencyFacts(load), 'events/s': load.perSecond, ...usedFacts(used, load) } }
}

/** 64 people, 8 rooms of 8. */
async function crowd(bench: Bench) {
  return bench.once('crowd', async () => {
    const { base } = await bench.server()
    const population = await populate(base, 64, 8)
    const senders: Sender[] = population.people.map(({ token }, i) => ({
      token,
      roomId: population.roomsOf(i)[0]!,
    }))
    // A server that has just started runs code that is not compiled yet: that is `cold-start`, not these.
    await runLoad({ kind: 'send', base, senders, warmupMs: 0, durationMs: 4_000 })
    return { base, senders, people: population.people }
  })
}

interface Used {
  readonly before: ProbeCounters
  readonly after: ProbeCounters
}

/** What the server used while the load ran; unknown of a server that is not ours. */
async function measured(
  bench: Bench,
  run: (whenWarm: () => void) => Promise<LoadResult>,
): Promise<{ load: LoadResult; used: Used | undefined }> {
  const { counters } = await bench.server()
  let before: Promise<ProbeCounters> | undefined
  const load = await run(() => {
    before = counters?.()
  })
  const after = await counters?.()
  const first = await before
  return { load, used: first && after ? { before: first, after } : undefined }
}

function latencyFacts(load: LoadResult): Measure['facts'] {
  return {
    'p50 ms': load.p50,
    'p99 ms': load.p99,
    ...(load.failures > 0 ? { FAILURES: load.failures } : {}),
  }
}

function usedFacts(used: Used | undefined, load: LoadResult): Measure['facts'] {
  const client = { 'client cpu µs': load.cpuMicroseconds / load.count }
  if (!used) return client
  const { before, after } = used
  return {
    'server cpu µs': (after.cpuMicroseconds - before.cpuMicroseconds) / load.count,
    ...client,
    'fsyncs/event': (after.groupSyncs + after.fileSyncs - before.groupSyncs - before.fileSyncs) / load.count,
    'loop delay p99 ms': after.loopDelayP99Ms,
  }
}

/** 500 events a second; how long until the others have them. */
export async function fanout50(bench: Bench): Promise<Measure> {
  const { base, senders } = await crowd(bench)
  const { load, used } = await measured(bench, whenWarm =>
    runLoad(
      {
        kind: 'fanout',
        base,
        // Two of each room write; everybody else, and two of those who write, wait for it.
        senders: senders.filter((_, i) => i % 8 < 2),
        syncers: senders
          .filter((_, i) => i % 8 >= 2 || i < 2)
          .map(({ token }) => ({ token, filter: syncFilter })),
        perSecond: 500,
        warmupMs: 2_000,
        durationMs: bench.seconds * 1000,
      },
      whenWarm,
    ),
  )
  return {
    value: load.p99,
    facts: { 'p50 ms': load.p50, deliveries: load.count, ...usedFacts(used, load) },
  }
}

/** One person in a hundred rooms: a sync after which nothing is new, and one with a single event. */
export async function syncIncremental(bench: Bench): Promise<Measure> {
  const { base, syncer, senders } = await hundredRooms(bench)
  const { counters } = await bench.server()
  const connection = await RawConnection.open(base)
  const other = await RawConnection.open(base)
  const path = `/_matrix/client/v3/sync?filter=${encodeURIComponent(syncFilter)}&use_state_after=true`
  let since = ''
  const sync = async () => {
    const answer = await call(connection, 'GET', `${path}${since && `&since=${since}`}`, syncer.token)
    since = answer['next_batch'] as string
  }
  let next = 0
  const message = { msgtype: 'm.text', body: 'x'.repeat(200) }
  const send = async () => {
    const { token, roomId } = senders[next++ % senders.length]!
    const txn = `${process.pid}-${Date.now()}-${next}`
    const to = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${txn}`
    await call(other, 'PUT', to, token, message)
  }
  await sync()
  const count = 150 * bench.seconds
  const latencies = { nothing: [] as number[], one: [] as number[] }
  const cpuOf = async (act: () => Promise<void>): Promise<number> => {
    const before = (await counters?.())?.cpuMicroseconds ?? Number.NaN
    for (let i = 0; i < count; i++) await act()
    return (((await counters?.())?.cpuMicroseconds ?? Number.NaN) - before) / count
  }
  const timed = (into: number[]) => async () => {
    const began = performance.now()
    await sync()
    into.push(performance.now() - began)
  }
  // Until the compiler has seen enough of both.
  for (let i = 0; i < count; i++) {
    await send()
    await sync()
  }
  const nothing = await cpuOf(timed(latencies.nothing))
  const sends = await cpuOf(send)
  await sync()
  const both = await cpuOf(async () => {
    await send()
    await timed(latencies.one)()
  })
  connection.close()
  other.close()
  const p50 = percentile(latencies.one, 0.5)
  return {
    // Of a server that is not ours the CPU is unknown: then the time.
    value: Number.isNaN(both) ? p50 * 1000 : both - sends,
    facts: {
      'p50 ms': p50,
      'p99 ms': percentile(latencies.one, 0.99),
      'nothing new: cpu µs': nothing,
      'nothing new: p50 ms': percentile(latencies.nothing, 0.5),
    },
  }
}

async function hundredRooms(bench: Bench) {
  return bench.once('hundred rooms', async () => {
    const { base } = await bench.server()
    const { people } = await crowd(bench)
    const [syncer] = (await registerPeople(base, 1)) as [Person]
    const senders: Sender[] = []
    await inParallel(
      8,
      100,
      async (_, i) => {
        const owner = people[i % people.length]!
        senders[i] = { token: owner.token, roomId: await makeRoom(base, owner, [syncer]) }
      },
      base,
    )
    const message = { msgtype: 'm.text', body: 'x'.repeat(200) }
    const total = 100 * bench.events
    await inParallel(
      64,
      total,
      async (connection, i) => {
        const { token, roomId } = senders[i % 100]!
        const to = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/fill-${i}`
        await call(connection, 'PUT', to, token, message)
      },
      base,
    )
    return { base, syncer, senders }
  })
}

/** Twenty people sign in with a password while sixteen send: what it does to those who send. */
export async function loginStorm(bench: Bench): Promise<Measure> {
  const { base, senders, people } = await crowd(bench)
  const job = {
    kind: 'send' as const,
    base,
    senders: senders.slice(0, 16),
    warmupMs,
    durationMs: bench.seconds * 1000,
  }
  const alone = await runLoad(job)
  let logins: Promise<number[]> = Promise.resolve([])
  const storm = await runLoad(job, () => {
    logins = Promise.all(people.slice(0, 20).map(person => signIn(base, person)))
  })
  const took = await logins
  return {
    value: storm.p99 / alone.p99,
    facts: {
      'p99 ms alone': alone.p99,
      'p99 ms beside': storm.p99,
      'events/s alone': alone.perSecond,
      'events/s beside': storm.perSecond,
      'last login ms': Math.max(...took),
    },
  }
}

async function signIn(base: string, { userId, password }: Person): Promise<number> {
  const began = performance.now()
  const connection = await RawConnection.open(base)
  await call(connection, 'POST', '/_matrix/client/v3/login', undefined, {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: userId },
    password,
  })
  connection.close()
  return performance.now() - began
}

/** From the start of the process to the first 200, over a folder with events in it; then what it holds at rest. */
export async function coldStart(bench: Bench): Promise<Measure> {
  const folder = await bench.once('cold folder', async () => {
    const path = await benchFolder('cold')
    bench.atEnd(() => removeFolder(path))
    const server = await startServer({ folder: path })
    const { people, roomsOf } = await populate(server.base, 16, 8)
    await inParallel(
      32,
      Math.max(1_000, bench.events * 10),
      async (connection, i) => {
        const to = `/_matrix/client/v3/rooms/${encodeURIComponent(roomsOf(i % 16)[0]!)}/send/m.room.message/c${i}`
        await call(connection, 'PUT', to, people[i % 16]!.token, { msgtype: 'm.text', body: 'x'.repeat(200) })
      },
      server.base,
    )
    await server.stop()
    return path
  })
  const server = await startServer({ folder })
  await new Promise(resolve => setTimeout(resolve, 1_000))
  const { residentBytes } = await server.counters()
  await server.stop()
  return {
    value: server.startMs,
    facts: { 'idle MB': residentBytes / 2 ** 20, 'events stored': Math.max(1_000, bench.events * 10) },
  }
}

export type { Syncer }
