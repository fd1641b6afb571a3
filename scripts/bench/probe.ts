/**
 * Runs inside the server under test (`node --import`), beside it: counts the writes that ask for an fsync and
 * answers over IPC what the process has used. Changes nothing that the server does.
 *
 * LevelDB's own fsyncs (a new log or table every few megabytes) are not seen from here.
 */
import { open } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { ClassicLevel } from 'classic-level'

export interface ProbeCounters {
  /** Synced LevelDB writes, and fdatasync or fsync of other files. */
  readonly groupSyncs: number
  readonly fileSyncs: number
  readonly cpuMicroseconds: number
  readonly residentBytes: number
  /** Since the counters were last asked for. */
  readonly loopDelayP99Ms: number
}

let groupSyncs = 0
let fileSyncs = 0

type WithWrite = { _write(options: { sync?: boolean }): unknown }
type LevelInside = { _chainedBatch(): WithWrite; _batch(...args: unknown[]): unknown }
const level = ClassicLevel.prototype as unknown as LevelInside
const { _chainedBatch: chainedBatch, _batch: batch } = level
level._chainedBatch = function (this: LevelInside) {
  const made = chainedBatch.call(this)
  const write = made._write.bind(made)
  made._write = options => {
    if (options.sync) groupSyncs++
    return write(options)
  }
  return made
}
level._batch = function (this: LevelInside, ...args: unknown[]) {
  if ((args[1] as { sync?: boolean } | undefined)?.sync) groupSyncs++
  return batch.apply(this, args)
}

const file = await open('/dev/null')
const handle = Object.getPrototypeOf(file) as { datasync(): Promise<void>; sync(): Promise<void> }
await file.close()
for (const name of ['datasync', 'sync'] as const) {
  const original = handle[name]
  handle[name] = function (this: typeof handle) {
    fileSyncs++
    return original.call(this)
  }
}

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()

process.on('message', message => {
  if (message !== 'counters') return
  const { user, system } = process.cpuUsage()
  const counters: ProbeCounters = {
    groupSyncs,
    fileSyncs,
    cpuMicroseconds: user + system,
    residentBytes: process.memoryUsage.rss(),
    loopDelayP99Ms: delay.percentile(99) / 1e6,
  }
  delay.reset()
  process.send!(counters)
})
// The parent's channel must not keep a stopping server alive.
process.channel?.unref()
