/**
 * The load generator: its own process, so that its CPU is not the server's. Takes one job over IPC, answers
 * with what it saw, ends.
 */
import { fork } from 'node:child_process'
import { RawConnection } from './raw-client.ts'
import { percentile } from './statistics.ts'

export type Job =
  /** Everybody sends one event after the other for that long. */
  | { kind: 'send'; base: string; senders: Sender[]; warmupMs: number; durationMs: number }
  /** Everybody syncs again and again without waiting. */
  | { kind: 'sync'; base: string; syncers: Syncer[]; warmupMs: number; durationMs: number }
  /** A PUT of about 400 bytes, again and again. */
  | { kind: 'null'; base: string; path: string; clients: number; warmupMs: number; durationMs: number }
  /** `perSecond` events into rooms in which the syncers wait; latency is from sending to the syncer's answer. */
  | {
      kind: 'fanout'
      base: string
      senders: Sender[]
      syncers: Syncer[]
      perSecond: number
      warmupMs: number
      durationMs: number
    }

export interface Sender {
  readonly token: string
  readonly roomId: string
}

export interface Syncer {
  readonly token: string
  readonly filter: string
}

export interface LoadResult {
  readonly count: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly failures: number
  readonly cpuMicroseconds: number
}

/** `whenWarm` is called as the measured part begins. */
export function runLoad(job: Job, whenWarm?: () => void): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL(import.meta.url), ['load'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    child.once('error', reject)
    child.on('exit', code => code !== 0 && reject(new Error(`the load generator ended with ${code}`)))
    child.on('message', message => {
      if (message === 'warm') whenWarm?.()
      else resolve(message as LoadResult)
    })
    child.send(job)
  })
}

// ── in the generator's process ───────────────────────────────────────────────────────────────────────

const messageBody = JSON.stringify({
  algorithm: 'm.megolm.v1.aes-sha2',
  ciphertext: 'A'.repeat(300),
  session_id: 'W9EFSbn0AsDPvcvYPA1yrSCMcnWsNlaTk1pLnLBvGPs',
})
const nullBody = JSON.stringify({ padding: 'x'.repeat(385) })

class Meter {
  readonly latencies: number[] = []
  failures = 0
  #since = Number.POSITIVE_INFINITY
  #cpu: NodeJS.CpuUsage | undefined
  #until = Number.POSITIVE_INFINITY

  begin(): void {
    this.#since = performance.now()
    this.#cpu = process.cpuUsage()
    process.send!('warm')
  }

  end(): void {
    this.#until = performance.now()
  }

  note(began: number, isGood: boolean): void {
    const now = performance.now()
    if (began < this.#since || now > this.#until) return
    if (isGood) this.latencies.push(now - began)
    else this.failures++
  }

  result(): LoadResult {
    const { user, system } = process.cpuUsage(this.#cpu)
    const count = this.latencies.length
    return {
      count,
      perSecond: (count / (this.#until - this.#since)) * 1000,
      p50: percentile(this.latencies, 0.5),
      p99: percentile(this.latencies, 0.99),
      failures: this.failures,
      cpuMicroseconds: user + system,
    }
  }
}

async function run(job: Job): Promise<LoadResult> {
  const meter = new Meter()
  switch (job.kind) {
    case 'send':
      await loops(meter, job, job.senders.length, async (connection, i) => {
        const sender = job.senders[i]!
        let next = 0
        return () => send(connection, sender, `${i}-${next++}`)
      })
      break
    case 'null':
      await loops(meter, job, job.clients, async connection => {
        return async () => (await connection.request('PUT', job.path, undefined, nullBody)).status === 200
      })
      break
    case 'sync':
      await loops(meter, job, job.syncers.length, async (connection, i) => {
        const { token, filter } = job.syncers[i]!
        let since = ''
        const sync = async () => {
          const path = `/_matrix/client/v3/sync?filter=${encodeURIComponent(filter)}${since && `&since=${since}`}`
          const { status, body } = await connection.request('GET', path, token)
          since = nextBatch(body)
          return status === 200
        }
        await sync()
        return sync
      })
      break
    case 'fanout':
      await fanOut(meter, job)
      break
    default:
      job satisfies never
  }
  return meter.result()
}

const run0 = `${process.pid}-${Date.now()}`

async function send(connection: RawConnection, { token, roomId }: Sender, txn: string): Promise<boolean> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.encrypted/${run0}-${txn}`
  return (await connection.request('PUT', path, token, messageBody)).status === 200
}

function nextBatch(body: string): string {
  return /"next_batch":"([^"]+)"/.exec(body)?.[1] ?? ''
}

/** So many connections, each with one request after the other. */
async function loops(
  meter: Meter,
  { base, warmupMs, durationMs }: { base: string; warmupMs: number; durationMs: number },
  count: number,
  prepare: (connection: RawConnection, i: number) => Promise<() => Promise<boolean>>,
): Promise<void> {
  const connections = await Promise.all(Array.from({ length: count }, () => RawConnection.open(base)))
  const acts = await Promise.all(connections.map(prepare))
  let isOver = false
  setTimeout(() => meter.begin(), warmupMs)
  setTimeout(() => {
    meter.end()
    isOver = true
  }, warmupMs + durationMs)
  await Promise.all(
    acts.map(async act => {
      while (!isOver) {
        const began = performance.now()
        meter.note(began, await act())
      }
    }),
  )
  for (const connection of connections) connection.close()
}

async function fanOut(meter: Meter, job: Extract<Job, { kind: 'fanout' }>): Promise<void> {
  const { base, senders, syncers, perSecond, warmupMs, durationMs } = job
  const sentAt = new Map<string, number>()
  let isOver = false
  const ready: Promise<void>[] = []
  const syncing = syncers.map(({ token, filter }) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    ready.push(promise)
    return (async () => {
      const connection = await RawConnection.open(base)
      const path = `/_matrix/client/v3/sync?filter=${encodeURIComponent(filter)}`
      let since = nextBatch((await connection.request('GET', path, token)).body)
      resolve()
      while (!isOver) {
        const { body } = await connection.request('GET', `${path}&timeout=1000&since=${since}`, token)
        since = nextBatch(body)
        for (const [, key] of body.matchAll(/"bench_key":"([^"]+)"/g)) {
          const began = sentAt.get(key!)
          if (began !== undefined) meter.note(began, true)
        }
      }
      connection.close()
    })()
  })
  await Promise.all(ready)
  const connections = await Promise.all(senders.map(() => RawConnection.open(base)))
  setTimeout(() => meter.begin(), warmupMs)
  const started = performance.now()
  let next = 0
  const total = Math.floor((perSecond * (warmupMs + durationMs)) / 1000)
  await Promise.all(
    senders.map(async ({ token, roomId }, i) => {
      while (next < total) {
        const n = next++
        const due = started + (n * 1000) / perSecond
        const early = due - performance.now()
        if (early > 0) await new Promise(resolve => setTimeout(resolve, early))
        const key = `${run0}-${n}`
        sentAt.set(key, performance.now())
        const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${key}`
        const body = JSON.stringify({ msgtype: 'm.text', body: 'x'.repeat(200), bench_key: key })
        const answer = await connections[i]!.request('PUT', path, token, body)
        if (answer.status !== 200) meter.failures++
      }
    }),
  )
  await new Promise(resolve => setTimeout(resolve, 300))
  meter.end()
  isOver = true
  for (const connection of connections) connection.close()
  await Promise.all(syncing)
}

if (process.argv[2] === 'load' && process.send) {
  process.once('message', message => {
    run(message as Job).then(
      result => process.send!(result, () => process.exit(0)),
      error => {
        console.error(error)
        process.exit(1)
      },
    )
  })
}
