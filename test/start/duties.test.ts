/** The one scheduler of what a server does by itself. */
import test from 'ava'
import { type Duty, startDuties } from '../../server/duties.ts'

const hourMs = 3_600_000

function scheduled(duties: readonly Duty[], reports: string[] = []) {
  const time = { now: 0 }
  const started = startDuties(duties, {
    clock: () => time.now,
    report: message => reports.push(message),
    lookEveryMs: null,
  })
  return { time, reports, ...started }
}

function counted(name: string, everyMs: number): Duty & { runs: number[] } {
  const runs: number[] = []
  return { name, everyMs, runs, run: async now => void runs.push(now) }
}

test('a duty runs at the first look, and again when its time has passed', async t => {
  const hourly = counted('hourly', hourMs)
  const { time, runDue } = scheduled([hourly])
  await runDue()
  time.now += hourMs - 1
  await runDue()
  time.now += 1
  await runDue()
  t.deepEqual(hourly.runs, [0, hourMs])
})

test('a duty that fails is reported, hurts no other, and is tried again', async t => {
  let tries = 0
  const failing: Duty = {
    name: 'a duty',
    everyMs: hourMs,
    run: async () => {
      tries++
      throw new Error('no')
    },
  }
  const other = counted('other', hourMs)
  const { time, runDue, reports } = scheduled([failing, other])
  await runDue()
  time.now += hourMs
  await runDue()
  t.is(tries, 2)
  t.is(other.runs.length, 2)
  t.deepEqual(reports, Array(2).fill('a duty: failed, will be tried again'))
})

test('a clock that was set back puts no duty off', async t => {
  const daily = counted('daily', 24 * hourMs)
  const { time, runDue } = scheduled([daily])
  time.now = 10 * 365 * 24 * hourMs
  await runDue()
  time.now = 0
  await runDue()
  t.is(daily.runs.length, 2)
})

test('two looks at once run a duty once, and a closed scheduler none', async t => {
  const daily = counted('daily', 24 * hourMs)
  const { time, runDue, close } = scheduled([daily])
  await Promise.all([runDue(), runDue()])
  t.is(daily.runs.length, 1)
  await close()
  time.now += 48 * hourMs
  await runDue()
  t.is(daily.runs.length, 1)
})
