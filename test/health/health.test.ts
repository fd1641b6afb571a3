/** What is found is reported while it is the case, and told once. */
import test from 'ava'
import type { Finding } from '../../server/health/finding.ts'
import { MemoryEngine } from '../../server/store/memory-engine.ts'
import { dayMs, hourMs, minuteMs, start, watched } from './watched.ts'

const filling: Finding = { code: 'disk.filling', severity: 'warning', facts: { days_left: 20 } }
const full: Finding = { code: 'disk.full-soon', severity: 'alarm', facts: { days_left: 2 } }
const external: Finding = { code: 'external.ends-soon', severity: 'note', facts: { people: 1 } }

const said = (told: readonly { code: string; change: string }[]) =>
  told.map(({ code, change }) => `${change} ${code}`)

test('where nothing is found, the state is ok', async t => {
  const { health } = await watched()
  t.deepEqual(await health.look(), { ts: start, state: 'ok', findings: [], readings: {} })
})

test('the worst finding stands first and is the state', async t => {
  const { health, found } = await watched()
  found.push(external, filling, full)
  const { state, findings } = await health.look()
  t.is(state, 'alarm')
  t.deepEqual(
    findings.map(({ code }) => code),
    ['disk.full-soon', 'disk.filling', 'external.ends-soon'],
  )
})

test('a warning is told once, however often it is found', async t => {
  const { health, found, told, pass } = await watched()
  found.push(filling)
  for (let i = 0; i < 50; i++) {
    await health.look()
    pass(hourMs)
  }
  t.deepEqual(said(told), ['found disk.filling'])
})

test('a note is reported and told nobody', async t => {
  const { health, found, told } = await watched()
  found.push(external)
  t.is((await health.look()).state, 'note')
  t.deepEqual(told, [])
})

test('what grows worse is told again, what grows better is not', async t => {
  const { health, found, told } = await watched()
  found.push({ ...filling, severity: 'warning' })
  await health.look()
  found[0] = { ...filling, severity: 'alarm' }
  await health.look()
  found[0] = { ...filling, severity: 'warning' }
  await health.look()
  t.deepEqual(
    told.map(({ severity }) => severity),
    ['warning', 'alarm'],
  )
})

test('what is over leaves the report at once, and is told when it stayed away', async t => {
  const { health, found, told, pass } = await watched()
  found.push(filling)
  await health.look()
  found.length = 0
  pass(minuteMs)
  t.is((await health.look()).state, 'ok')
  t.deepEqual(said(told), ['found disk.filling'])
  pass(15 * minuteMs)
  await health.look()
  t.deepEqual(said(told), ['found disk.filling', 'over disk.filling'])
  t.deepEqual(said(await health.log({ limit: 10 })), ['found disk.filling', 'over disk.filling'])
})

test('of what came and went the newest thousand are kept', async t => {
  const { health, found, pass } = await watched()
  for (let i = 0; i < 502; i++) {
    found.push(filling)
    await health.look()
    found.length = 0
    pass(minuteMs)
    await health.look()
    pass(15 * minuteMs)
    await health.look()
  }
  const log = await health.log({ limit: 2_000 })
  t.is(log.length, 1_000)
  t.is(log.at(-1)!.number, 1_004)
})

test('what comes and goes each minute rings nobody each minute', async t => {
  const { health, found, told, pass } = await watched()
  for (let i = 0; i < 60; i++) {
    found.length = 0
    if (i % 2 === 0) found.push(filling)
    await health.look()
    pass(minuteMs)
  }
  t.deepEqual(said(told), ['found disk.filling'])
})

test('two peers that cannot be reached are two findings', async t => {
  const { health, found, told } = await watched()
  const away = (subject: string): Finding => ({
    code: 'peer.unreachable',
    severity: 'warning',
    subject,
    facts: {},
  })
  found.push(away('a.example'), away('b.example'))
  t.is((await health.look()).findings.length, 2)
  t.deepEqual(
    told.map(({ subject }) => subject),
    ['a.example', 'b.example'],
  )
})

test('a restart tells nothing again, and knows since when', async t => {
  const engine = new MemoryEngine()
  const first = await watched(engine, [filling])
  await first.health.look()
  const second = await watched(engine, [filling])
  second.pass(dayMs)
  const { findings } = await second.health.look()
  t.deepEqual(second.told, [])
  t.is(findings[0]!.sinceTs, start)
})

test('a source that fails is a finding, and what it said before stands', async t => {
  const { health, found, told, pass } = await watched()
  let fails = false
  health.addSource('frail', async () => {
    if (fails) throw new Error('no')
    return [full]
  })
  await health.look()
  fails = true
  pass(hourMs)
  found.push(external)
  const { findings } = await health.look()
  t.deepEqual(
    findings.map(({ code, subject }) => [code, subject]),
    [
      ['disk.full-soon', undefined],
      ['health.source-failed', 'frail'],
      ['external.ends-soon', undefined],
    ],
  )
  t.deepEqual(said(told), ['found disk.full-soon', 'found health.source-failed'])
})

test('a source that never answers holds up nobody', async t => {
  const { health, found } = await watched()
  health.addSource('hung', () => new Promise(() => {}))
  health.addReading('hung', () => new Promise(() => {}))
  health.addReading('quick', async () => ({ size: 1 }))
  found.push(external)
  const { findings, readings } = await health.look()
  t.deepEqual(
    findings.map(({ code }) => code),
    ['health.source-failed', 'external.ends-soon'],
  )
  t.deepEqual(readings, { quick: { size: 1 } })
})

test('a reading that is not there is absent', async t => {
  const { health } = await watched()
  health.addReading('temperature', async () => null)
  t.deepEqual((await health.look()).readings, {})
})

test('a report is at most a minute old', async t => {
  const { health, found, pass } = await watched()
  await health.report()
  found.push(filling)
  t.is((await health.report()).state, 'ok')
  pass(minuteMs)
  t.is((await health.report()).state, 'warning')
})
