/** What the machine itself allows: fsync, group commit, HTTP without work behind it, an empty Node. */
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { textTable } from '../../server/store/key.ts'
import { openLevelStore } from '../../server/store/level-engine.ts'
import type { Bench, Measure } from './bench.ts'
import { runLoad } from './load.ts'
import { benchFolder, removeFolder } from './server-process.ts'
import { percentile } from './statistics.ts'

/** One writer appends 4 KiB and waits until it is on disk. */
export async function floorFsync({ seconds }: Bench): Promise<Measure> {
  const folder = await benchFolder('fsync')
  const file = await open(join(folder, 'log'), 'w')
  const block = Buffer.alloc(4096, 1)
  const latencies: number[] = []
  const until = performance.now() + Math.min(seconds, 2) * 1000
  while (performance.now() < until) {
    const began = performance.now()
    await file.write(block)
    await file.datasync()
    latencies.push(performance.now() - began)
  }
  await file.close()
  await removeFolder(folder)
  const perSecond = 1000 / (latencies.reduce((sum, each) => sum + each, 0) / latencies.length)
  const p50 = percentile(latencies, 0.5)
  return {
    value: p50,
    facts: { 'p99 ms': percentile(latencies, 0.99), 'fsyncs/s': perSecond },
  }
}

// A table that no catalogue knows, in a store that is thrown away.
const benchTable = textTable('_z', 'bench', ['position', 'u32'])

/** 64 writers, each with four rows of an event's size, durable before the next. */
export async function storeGroup({ seconds }: Bench): Promise<Measure> {
  const folder = await benchFolder('store')
  const store = await openLevelStore(folder)
  let groups = 0
  store.onDurable(() => groups++)
  const row = 'x'.repeat(250)
  const latencies: number[] = []
  const began = process.cpuUsage()
  const started = performance.now()
  const until = started + seconds * 1000
  await Promise.all(
    Array.from({ length: 64 }, async (_, writer) => {
      while (performance.now() < until) {
        const since = performance.now()
        await store.transact(`writer ${writer}`, tx => {
          tx.sequence((next, rows) => {
            const position = next()
            for (let i = 0; i < 4; i++) rows.put(benchTable.key(position, i), row)
          })
        })
        latencies.push(performance.now() - since)
      }
    }),
  )
  const elapsed = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(began)
  await store.close()
  await removeFolder(folder)
  return {
    value: latencies.length / elapsed,
    facts: {
      'p50 ms': percentile(latencies, 0.5),
      'p99 ms': percentile(latencies, 0.99),
      'fsyncs/event': groups / latencies.length,
      'cpu µs/event': (user + system) / latencies.length,
    },
  }
}

export const httpRaw = (bench: Bench) => httpNull(bench, 'raw')
export const httpOurs = (bench: Bench) => httpNull(bench, 'ours')

async function httpNull({ seconds }: Bench, kind: 'raw' | 'ours'): Promise<Measure> {
  const server = fork(new URL('null-server.ts', import.meta.url), [kind])
  const { port } = await message<{ port: number }>(server)
  const cpu = async () => {
    const answer = message<{ cpuMicroseconds: number }>(server)
    server.send('counters')
    return (await answer).cpuMicroseconds
  }
  let before = 0
  const load = await runLoad(
    {
      kind: 'null',
      base: `http://127.0.0.1:${port}`,
      path: '/null/thing',
      clients: 32,
      // The compiler needs a while until it has seen enough.
      warmupMs: 2_000,
      durationMs: seconds * 1000,
    },
    () => void cpu().then(value => (before = value)),
  )
  const used = (await cpu()) - before
  server.kill()
  return {
    value: load.perSecond,
    facts: {
      'p50 ms': load.p50,
      'p99 ms': load.p99,
      'server cpu µs/request': used / load.count,
      'client cpu µs/request': load.cpuMicroseconds / load.count,
    },
  }
}

export async function emptyNode(): Promise<Measure> {
  const began = performance.now()
  spawnSync(process.execPath, ['-e', '0'])
  return { value: performance.now() - began, facts: {} }
}

function message<T>(child: ChildProcess): Promise<T> {
  return new Promise(resolve => child.once('message', resolve as (message: unknown) => void))
}
