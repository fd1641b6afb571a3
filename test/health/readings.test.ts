/** Disk and its forecast, the machine, write latency: numbers in, findings out. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { outputOf } from '../../server/health/child-program.ts'
import { openDisk } from '../../server/health/disk.ts'
import { daysUntilFull, growthPerDay } from '../../server/health/growth.ts'
import { openMachine, probeMachine } from '../../server/health/machine.ts'
import type { MachineAnswer } from '../../server/health/machine-probe.ts'
import { openWriteLatency } from '../../server/health/write-latency.ts'
import { until } from '../support/until.ts'
import { dayMs, hourMs, minuteMs, openTestStore, start } from './watched.ts'

const gibibyte = 1024 ** 3

async function diskOf(sizeBytes: number, availableBytes: number) {
  const use = { sizeBytes, availableBytes }
  return { use, disk: openDisk({ store: await openTestStore(), use: async () => use }) }
}

for (const { name, size, available, code } of [
  { name: 'a large disk with a tenth left', size: 2000, available: 200, code: undefined },
  { name: 'a large disk with 10 GiB left', size: 2000, available: 10, code: 'disk.filling' },
  { name: 'a large disk with 1 GiB left', size: 2000, available: 1, code: 'disk.full-soon' },
  { name: 'a small disk that is half empty', size: 4, available: 2, code: undefined },
  { name: 'a small disk with a thirtieth left', size: 30, available: 1, code: 'disk.full-soon' },
  { name: 'a full disk', size: 100, available: 0, code: 'disk.full-soon' },
]) {
  test(`${name}: ${code ?? 'nothing to say'}`, async t => {
    const { disk } = await diskOf(size * gibibyte, available * gibibyte)
    t.is((await disk.source(start))[0]?.code, code as never)
  })
}

test('a disk that grows says in how many days it is full', async t => {
  const { disk, use } = await diskOf(1000 * gibibyte, 500 * gibibyte)
  for (let day = 0; day < 10; day++) {
    await disk.sample(start + day * dayMs)
    await disk.sample(start + day * dayMs + hourMs)
    use.availableBytes -= 20 * gibibyte
  }
  use.availableBytes = 300 * gibibyte
  const [finding] = await disk.source(start + 10 * dayMs)
  t.is(finding?.code, 'disk.filling')
  t.is(finding?.facts['days_left'], 15)
  t.is(finding?.facts['bytes_per_day'], 20 * gibibyte)
})

test('a day on which somebody copied much does not move the forecast', t => {
  const days = Array.from({ length: 14 }, (_, day) => ({
    day,
    usedBytes: day * 100 + (day > 6 ? 50_000 : 0),
  }))
  t.true(growthPerDay(days)! < 8_000)
  t.is(growthPerDay(days.slice(0, 2)), null)
  t.is(daysUntilFull(1_000, 100), 10)
  t.is(daysUntilFull(1_000, 0), null)
  t.is(daysUntilFull(1_000, -5), null)
  t.is(daysUntilFull(1_000, null), null)
})

test('samples of days to come are forgotten, and so are those of a hundred days ago', async t => {
  const { disk, use } = await diskOf(1000 * gibibyte, 500 * gibibyte)
  await disk.sample(start + 400 * dayMs)
  use.availableBytes = 499 * gibibyte
  await disk.sample(start)
  await disk.sample(start + dayMs)
  await disk.sample(start + 2 * dayMs)
  t.is((await disk.reading(start + 2 * dayMs))?.['bytes_per_day'], 0)
})

function machine(answer: MachineAnswer | null) {
  const time = { now: 0 }
  const asked: boolean[] = []
  const opened = openMachine({
    monotonic: () => time.now,
    memoryNow: () => null,
    probe: async ({ disks }) => {
      asked.push(disks)
      return answer
    },
  })
  return { ...opened, time, asked }
}

test('short memory, heat and a failing disk are found', async t => {
  const { source } = machine({
    memory: { totalBytes: 1000, availableBytes: 10 },
    temperatureCelsius: 90,
    disks: [
      { device: '/dev/sda', failing: true },
      { device: '/dev/sdb', failing: false },
    ],
  })
  t.deepEqual(
    (await source(start)).map(({ code, severity, subject }) => [code, severity, subject]),
    [
      ['memory.short', 'alarm', undefined],
      ['temperature.high', 'warning', undefined],
      ['smart.failing', 'alarm', '/dev/sda'],
    ],
  )
})

test('memory is what the system says now, not what the last look saw', async t => {
  let availableBytes = 500
  const { memory, source } = openMachine({
    monotonic: () => 0,
    memoryNow: () => ({ totalBytes: 1000, availableBytes }),
    probe: async () => ({ memory: { totalBytes: 1000, availableBytes: 900 } }),
  })
  t.like(await memory(start), { available_bytes: 500 })
  t.deepEqual(await source(start), [])
  availableBytes = 10
  t.like(await memory(start), { available_bytes: 10 })
  t.like((await source(start))[0], { code: 'memory.short', severity: 'alarm' })
})

test('a look that failed is no answer for the next minutes: it is taken again soon', async t => {
  const answers: (MachineAnswer | null)[] = [null, { memory: { totalBytes: 10, availableBytes: 5 } }]
  const time = { now: 0 }
  const { memory } = openMachine({
    monotonic: () => time.now,
    memoryNow: () => null,
    probe: async () => answers.shift() ?? null,
  })
  t.is(await memory(start), null)
  t.is(await memory(start), null, 'but not at once')
  time.now += 20_000
  t.like(await memory(start), { total_bytes: 10 })
})

test('what the machine does not say is absent, not zero', async t => {
  for (const answer of [null, {}] as const) {
    const { source, memory, temperature, disks } = machine(answer)
    t.deepEqual(await source(start), [])
    t.is(await memory(start), null)
    t.is(await temperature(start), null)
    t.is(await disks(start), null)
  }
})

test('the machine is asked every five minutes, its disks once a day', async t => {
  const { source, memory, asked, time } = machine({ disks: [{ device: '/dev/sda', failing: true }] })
  await Promise.all([source(0), memory(0)])
  t.deepEqual(asked, [true])
  time.now += 5 * minuteMs
  t.is((await source(0)).length, 1)
  t.deepEqual(asked, [true, false])
  time.now += dayMs
  await source(0)
  t.deepEqual(asked, [true, false, true])
})

test('this machine says how much memory it has', async t => {
  const answer = await probeMachine({ disks: false })
  t.true(answer!.memory!.totalBytes > answer!.memory!.availableBytes)
})

test('a program that hangs is ended, with the one that it started', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'letro-health-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const pidFile = join(folder, 'pid')
  t.is(await outputOf('sh', ['-c', `sleep 1000 & echo $! > ${pidFile}; wait`], 300), null)
  const pid = Number(await readFile(pidFile, 'utf8'))
  await until(async () => !(await isRunning(pid)))
  t.is(await outputOf('no-such-program-here', [], 1_000), null)
  t.is(await outputOf('sh', ['-c', 'exit 3'], 1_000), null)
  t.is(await outputOf('sh', ['-c', 'echo fine'], 1_000), 'fine\n')
})

test('a slow disk is found from the fifth write on, and one slow write is not', async t => {
  const time = { now: 0 }
  const writes = openWriteLatency(() => time.now)
  const write = (ms: number) =>
    writes.measure(async () => {
      time.now += ms
    })
  t.is(await writes.reading(0), null)
  for (const ms of [4, 4, 4, 9_000, 4]) await write(ms)
  t.deepEqual(await writes.source(0), [])
  for (const ms of [800, 900, 700, 600, 800]) await write(ms)
  t.like((await writes.source(0))[0], { code: 'store.slow', severity: 'warning', facts: { median_ms: 800 } })
  t.deepEqual(await writes.reading(0), { last_ms: 800, median_ms: 650, worst_ms: 9_000 })
})

/** A process that ended and that nobody has asked about yet is still listed, as a zombie. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
  return !/\) Z/.test(stat)
}
