/** A clock that jumps: found, and nothing that cannot be taken back is done by it. */
import test from 'ava'
import { openClockWatch } from '../../server/health/clock.ts'
import { MemoryEngine } from '../../server/store/memory-engine.ts'
import { dayMs, hourMs, minuteMs, openTestStore, start } from './watched.ts'

async function clocked(engine = new MemoryEngine(), now = start) {
  const time = { now, steady: 0 }
  const synchronised: { is: boolean | null } = { is: null }
  const machine: { doubts: boolean | null } = { doubts: null }
  const store = await openTestStore(engine)
  const watch = await openClockWatch({
    store,
    clock: () => time.now,
    monotonic: () => time.steady,
    synchronised: async () => synchronised.is,
    machineDoubts: async () => machine.doubts,
  })
  const pass = (ms: number) => {
    time.now += ms
    time.steady += ms
    watch.compare()
  }
  return {
    time,
    watch,
    machine,
    synchronised,
    pass,
    codes: async () => codesOf(await watch.source(time.now)),
  }
}

const codesOf = (findings: readonly { code: string; severity: string }[]) =>
  findings.map(({ code, severity }) => `${code} ${severity}`)

test('a clock that goes as time goes is nothing to tell', async t => {
  const { watch, pass, codes } = await clocked()
  for (let i = 0; i < 100; i++) pass(hourMs)
  t.deepEqual(await codes(), [])
  t.false(watch.isInDoubt)
})

test('a jump forward by a day is an alarm, and the clock is in doubt for an hour', async t => {
  const { time, watch, pass, codes } = await clocked()
  time.now += dayMs
  t.true(watch.isInDoubt)
  t.deepEqual(await codes(), ['clock.jumped alarm'])
  pass(hourMs - 1)
  t.true(watch.isInDoubt)
  pass(1)
  t.false(watch.isInDoubt)
  t.deepEqual(await codes(), ['clock.jumped alarm'])
  pass(dayMs)
  t.deepEqual(await codes(), [])
})

test('a jump that is taken back ends the doubt', async t => {
  const { time, watch } = await clocked()
  time.now += 365 * dayMs
  t.true(watch.isInDoubt)
  time.now -= 365 * dayMs
  t.false(watch.isInDoubt)
})

test('a few seconds are a warning, and no doubt', async t => {
  const { time, watch, codes } = await clocked()
  time.now += 20_000
  t.deepEqual(await codes(), ['clock.jumped warning'])
  t.false(watch.isInDoubt)
})

test('a clock that goes back is found, and is behind what was stored', async t => {
  const { time, watch, pass, codes } = await clocked()
  pass(minuteMs)
  await watch.remember()
  time.now -= 2 * hourMs
  t.deepEqual(await codes(), ['clock.jumped alarm', 'clock.behind alarm'])
  t.false(watch.isInDoubt)
})

test('a start with a clock of years ago says so, until the time is right', async t => {
  const engine = new MemoryEngine()
  const before = await clocked(engine)
  await before.watch.remember()
  const { time, watch, pass, codes } = await clocked(engine, Date.UTC(2000, 0, 1))
  await watch.remember()
  t.deepEqual(await codes(), ['clock.behind alarm'])
  pass(minuteMs)
  await watch.remember()
  t.deepEqual(await codes(), ['clock.behind alarm'])
  time.now = start + hourMs
  t.false((await codes()).includes('clock.behind alarm'))
})

test('a start in a far year is in doubt, and is not remembered', async t => {
  const engine = new MemoryEngine()
  const before = await clocked(engine)
  await before.watch.remember()
  const wrong = await clocked(engine, Date.UTC(2099, 0, 1))
  t.true(wrong.watch.isInDoubt)
  t.deepEqual(await wrong.codes(), ['clock.jumped warning'])
  await wrong.watch.remember()
  const right = await clocked(engine, start + hourMs)
  t.deepEqual(await right.codes(), [])
})

test('what the machine itself doubts stays in doubt until somebody there says that it is right', async t => {
  const engine = new MemoryEngine()
  await (await clocked(engine)).watch.remember()
  const { watch, machine, pass, codes } = await clocked(engine, Date.UTC(2038, 0, 1))
  machine.doubts = true
  await watch.remember()
  for (let i = 0; i < 48; i++) pass(hourMs)
  await watch.remember()
  t.true(watch.isInDoubt)
  t.deepEqual(await codes(), ['clock.jumped warning'])
  t.deepEqual(await (await clocked(engine, start + hourMs)).codes(), [], 'it was not remembered')
  machine.doubts = null
  await watch.remember()
  t.true(watch.isInDoubt, 'a report that cannot be read ends nothing')
  machine.doubts = false
  await watch.remember()
  t.false(watch.isInDoubt)
  t.deepEqual(await codes(), [])
})

test('a time that was stored by a wrong clock is corrected when the clock is known to be right', async t => {
  const engine = new MemoryEngine()
  const wrong = await clocked(engine, Date.UTC(2099, 0, 1))
  await wrong.watch.remember()
  const { watch, synchronised, codes } = await clocked(engine)
  t.deepEqual(await codes(), ['clock.behind alarm'])
  synchronised.is = true
  t.deepEqual(await codes(), [])
  await watch.remember()
  synchronised.is = null
  t.deepEqual(await codes(), [])
})

test('a clock that nothing keeps right is a warning; where nobody can say, nothing is said', async t => {
  const { synchronised, codes } = await clocked()
  t.deepEqual(await codes(), [])
  synchronised.is = false
  t.deepEqual(await codes(), ['clock.not-synchronised warning'])
})
