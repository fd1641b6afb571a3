/** Health and audit reach a collector whole, in order, and without anybody's name. */
import test, { type ExecutionContext } from 'ava'
import { openAudit } from '../../server/accounts/audit.ts'
import { openSyslog } from '../../server/health/syslog.ts'
import { auditLine } from '../../server/health/syslog-line.ts'
import { deliver, type SyslogFailed } from '../../server/health/syslog-transport.ts'
import { checkAuditChain } from '../../server/protocol/audit-chain.ts'
import { MemoryEngine } from '../../server/store/memory-engine.ts'
import { sha256 } from '../support/primitives.ts'
import { startCollector } from './collector.ts'
import { dayMs, hourMs, openTestStore, start, watched } from './watched.ts'

async function reporting(t: ExecutionContext, engine = new MemoryEngine()) {
  const { health, store, time, found, pass } = await watched(engine)
  const collector = await startCollector()
  t.teardown(() => collector.close())
  const audit = openAudit(store, () => time.now)
  const open = () =>
    openSyslog({
      store,
      clock: () => time.now,
      hostname: 'clinic.example',
      version: '0.1.0',
      audit: options => audit.list(options),
      findings: options => health.log(options),
      deliver: lines => deliver(collector.at, lines),
    })
  const act = (action: string, target: string, actor = '@root:clinic.example') =>
    store.transact('audit', tx => audit.record(tx, { actor, action, target, detail: { note: 'Dr Who' } }))
  return { health, time, found, pass, collector, audit, act, open, syslog: await open() }
}

const line = '<109>1 2027-03-01T00:00:00.000Z clinic.example letro 1 audit [a@1 b="c"] {}'

test('what was found and what was done arrive as RFC 5424 lines in RFC 5425 frames', async t => {
  const { health, found, collector, act, syslog } = await reporting(t)
  found.push({ code: 'peer.unreachable', severity: 'alarm', subject: 'court.example', facts: { length: 3 } })
  await health.look()
  await act('account.lock', '@alice:clinic.example')
  await syslog.send()
  t.like(collector.lines[0], {
    facility: 3,
    severity: 1,
    time: '2027-03-01T00:00:00.000Z',
    hostname: 'clinic.example',
    messageId: 'health',
    message: {
      number: 1,
      change: 'found',
      code: 'peer.unreachable',
      subject: 'court.example',
      facts: { length: 3 },
    },
  })
  t.like(collector.lines[1], { facility: 13, severity: 5, messageId: 'audit' })
  t.like(collector.lines[1]!.message, { sequence: 1, action: 'account.lock' })
})

test('a person is a pseudonym, the same in every line; servers and machines are named', async t => {
  const { collector, act, syslog } = await reporting(t)
  await act('account.lock', '@alice:clinic.example')
  await act('account.unlock', '@alice:clinic.example', 'token')
  await act('account.lock', '@bob:clinic.example')
  await act('peer.pin', 'court.example')
  await act('room.something', '!secret:clinic.example')
  await syslog.send()
  const targets = collector.lines.map(({ message }) => message.target)
  t.is(targets[0], targets[1])
  t.not(targets[0], targets[2])
  t.is(targets[3], 'court.example')
  t.is(collector.lines[1]!.message.actor, 'token')
  for (const { raw } of collector.lines) t.notRegex(raw, /alice|bob|root|Dr Who|secret|@|!/)
})

test('another server has other pseudonyms', t => {
  const entry = {
    sequence: 1,
    ts: start,
    actor: '@root:a.example',
    action: 'x',
    previous: 'p',
    hash: 'h',
  }
  const line = (byte: number) =>
    auditLine(entry, { hostname: 'a.example', version: '1', pseudonymKey: new Uint8Array(32).fill(byte) })
  t.not(line(1), line(2))
})

test('what the collector holds shows whether the audit was cut or changed later', async t => {
  const { collector, act, audit, syslog } = await reporting(t)
  for (let i = 0; i < 5; i++) await act('account.lock', `@p${i}:clinic.example`)
  await syslog.send()
  const kept = await audit.list({ limit: 10 })
  t.is(checkAuditChain(kept, sha256).kind, 'whole')
  t.deepEqual(
    collector.lines.map(({ message }) => [message.sequence, message.previous, message.hash]),
    kept.map(({ sequence, previous, hash }) => [sequence, previous, hash]),
  )
})

test('nothing is lost while the collector is away, and nothing comes twice when it is back', async t => {
  const { collector, act, syslog, open, pass, time } = await reporting(t)
  await act('account.lock', '@a:clinic.example')
  await syslog.send()
  const { port } = collector.at
  await collector.close()
  for (let i = 0; i < 3; i++) {
    await act('account.unlock', '@a:clinic.example')
    await syslog.send()
  }
  t.deepEqual(await syslog.source(time.now), [])
  pass(2 * hourMs)
  t.like((await syslog.source(time.now))[0], {
    code: 'syslog.behind',
    severity: 'warning',
    facts: { waiting: 3, last_error: 'ECONNREFUSED' },
  })
  pass(dayMs)
  t.is((await syslog.source(time.now))[0]!.severity, 'alarm')
  const back = await startCollector({ port })
  t.teardown(() => back.close())
  await (await open()).send()
  await syslog.send()
  t.deepEqual(
    back.lines.map(({ message }) => message.sequence),
    [2, 3, 4],
  )
  t.deepEqual(await syslog.source(time.now), [])
})

test('more than one batch goes out in its order', async t => {
  const { collector, act, syslog } = await reporting(t)
  for (let i = 0; i < 1_100; i++) await act('account.lock', '@a:clinic.example')
  await syslog.send()
  t.deepEqual(
    collector.lines.map(({ message }) => message.sequence),
    Array.from({ length: 1_100 }, (_, i) => i + 1),
  )
})

test('a collector that drops the connection has confirmed nothing: the batch comes again', async t => {
  const { collector, act, syslog } = await reporting(t)
  await act('account.lock', '@a:clinic.example')
  collector.manner = 'cut'
  await syslog.send()
  collector.manner = 'good'
  await syslog.send()
  t.deepEqual(
    collector.lines.map(({ message }) => message.sequence),
    [1],
  )
})

test('a collector that never gives a receipt is not waited for, and has confirmed nothing', async t => {
  const collector = await startCollector()
  t.teardown(() => collector.close())
  collector.manner = 'mute'
  const error = await t.throwsAsync<SyslogFailed>(deliver(collector.at, ['x'], 200))
  t.is(error?.reason, 'no receipt in time')
})

test('an audit that was rewound by a restore is sent again from its start', async t => {
  const { collector, syslog, act } = await reporting(t)
  await act('account.lock', '@a:clinic.example')
  await act('account.lock', '@b:clinic.example')
  await syslog.send()
  // The same folder as it was before: other entries under the same numbers, an older log.
  const restored = await openTestStore(new MemoryEngine())
  const audit = openAudit(restored, () => start + hourMs)
  await restored.transact('audit', tx => audit.record(tx, { actor: 'local', action: 'store.repaired' }))
  await restored.transact('audit', tx => audit.record(tx, { actor: 'local', action: 'peer.pin' }))
  const { syslogCursorTable } = await import('../../server/store/catalogue.ts')
  await restored.transact('syslog', tx =>
    tx.put(syslogCursorTable.key(), { sequence: 2, hash: collector.lines[1]!.message.hash, finding: 7 }),
  )
  const again = await openSyslog({
    store: restored,
    clock: () => start,
    hostname: 'clinic.example',
    version: '0.1.0',
    audit: options => audit.list(options),
    findings: async () => [],
    deliver: lines => deliver(collector.at, lines),
  })
  await again.send()
  t.deepEqual(
    collector.lines.slice(2).map(({ message }) => message.action),
    ['store.repaired', 'peer.pin'],
  )
})

test('a collector on a network without names is known by its address', async t => {
  const collector = await startCollector({ name: '127.0.0.1' })
  t.teardown(() => collector.close())
  await deliver({ ...collector.at, host: '127.0.0.1' }, [line])
  t.is(collector.lines.length, 1)
  const other = await startCollector({ name: '127.0.0.2' })
  t.teardown(() => other.close())
  const refused = await t.throwsAsync<SyslogFailed>(deliver({ ...other.at, host: '127.0.0.1' }, [line]))
  t.is(refused?.reason, 'ERR_TLS_CERT_ALTNAME_INVALID')
})

test('a collector with another name, or of another authority, gets nothing', async t => {
  const other = await startCollector({ name: 'other.example' })
  t.teardown(() => other.close())
  const wrongName = await t.throwsAsync<SyslogFailed>(deliver(other.at, ['secret']))
  t.is(wrongName?.reason, 'ERR_TLS_CERT_ALTNAME_INVALID')
  const { authority: _, ...unknown } = other.at
  const untrusted = await t.throwsAsync<SyslogFailed>(deliver(unknown, ['secret']))
  t.regex(untrusted?.reason ?? '', /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO/)
  t.deepEqual(other.lines, [])
})
