import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { watchLocalRequests } from '../../server/admin-api/local-requests.ts'
import { listenAtSocket } from '../../server/http/server.ts'
import {
  type AuditEntry,
  chainAuditEntry,
  checkAuditChain,
  checkAuditContinues,
  emptyAuditTip,
} from '../../server/protocol/audit-chain.ts'
import type { UserId } from '../../server/protocol/ids.ts'
import { auditTable } from '../../server/store/catalogue.ts'
import { openLevelStore } from '../../server/store/level-engine.ts'
import { storeFolder } from '../../server/store/level-folder.ts'
import { MemoryEngine } from '../../server/store/memory-engine.ts'
import type { Position } from '../../server/store/store.ts'
import { FaultEngine } from '../store/fault-engine.ts'
import { until } from '../support/until.ts'
import { openHarness } from './harness.ts'

const sha256 = (message: Uint8Array | string) => createHash('sha256').update(message).digest()

function chain(length: number): AuditEntry[] {
  const entries: AuditEntry[] = []
  let tip = emptyAuditTip
  for (let i = 0; i < length; i++) {
    const entry = chainAuditEntry(
      tip,
      {
        actor: '@root:clinic.example',
        action: 'account.lock',
        target: `@p${i}:clinic.example`,
        detail: { i },
      },
      1000 + i,
      sha256,
    )
    entries.push(entry)
    tip = entry
  }
  return entries
}

test('a whole chain is whole; whatever is removed, changed or moved is found at its place', t => {
  const whole = chain(10)
  t.like(checkAuditChain(whole, sha256), { kind: 'whole', entries: 10 })
  t.like(checkAuditChain([], sha256), { kind: 'whole', entries: 0 })
  for (let i = 0; i < 10; i++) {
    if (i < 9) t.like(checkAuditChain(whole.toSpliced(i, 1), sha256), { kind: 'broken', sequence: i + 1 })
    const changes: Partial<AuditEntry>[] = [
      { actor: '@mallory:clinic.example' },
      { action: 'account.unlock' },
      { target: '@other:clinic.example' },
      { ts: 5 },
      { ts: 5.5 },
      { detail: { i: 99 } },
      { detail: { i: 0.5 } },
      { hash: 'A'.repeat(43) },
      { previous: 'B'.repeat(43) },
      { sequence: 77 },
    ]
    for (const change of changes) {
      const verdict = checkAuditChain(whole.with(i, { ...whole[i]!, ...change }), sha256)
      t.like(verdict, { kind: 'broken', sequence: i + 1 }, JSON.stringify(change))
    }
    const moved = whole.with(i, whole[(i + 1) % 10]!).with((i + 1) % 10, whole[i]!)
    t.is(checkAuditChain(moved, sha256).kind, 'broken')
  }
})

test('a cut end and a rewritten chain are found by an earlier export', t => {
  const before = chain(8)
  t.is(checkAuditContinues(before, chain(8)), null)
  t.is(checkAuditContinues(before.slice(0, 5), chain(8)), null)
  t.is(checkAuditContinues([], chain(8)), null)
  t.like(checkAuditContinues(before, before.slice(0, 6)), { kind: 'broken', sequence: 8 })
  const rewritten: AuditEntry[] = []
  let tip = emptyAuditTip
  for (const { actor, action, ts } of before) {
    const entry = chainAuditEntry(tip, { actor, action }, ts, sha256)
    rewritten.push(entry)
    tip = entry
  }
  t.is(checkAuditChain(rewritten, sha256).kind, 'whole')
  t.like(checkAuditContinues(before, rewritten), { kind: 'broken', sequence: 8 })
})

test('acts of many people at once stand in one chain, in the order of their batches, also after a restart', async t => {
  const h = await openHarness()
  const people = await Promise.all(Array.from({ length: 8 }, (_, i) => h.member(`p${i}`)))
  await Promise.all(people.map(({ userId }) => h.accounts.people.setLocked('test', userId, true)))
  t.like(await h.accounts.audit.check(), { kind: 'whole', entries: 16 })
  await h.close()
  const after = await openHarness({ engine: h.engine })
  await Promise.all(people.map(({ userId }) => after.accounts.people.setLocked('test', userId, false)))
  t.like(await after.accounts.audit.check(), { kind: 'whole', entries: 24 })
  await after.close()
})

test('an act that was refused leaves no entry', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  const before = (await h.accounts.audit.list({ limit: 100 })).length
  await t.throwsAsync(h.accounts.people.setKind('test', '@nobody:clinic.example' as UserId, 'member'))
  await t.throwsAsync(h.accounts.people.setExpiry('test', alice.userId, h.now + 1000))
  t.is((await h.accounts.audit.list({ limit: 100 })).length, before)
  await h.close()
})

for (const fault of ['before', 'after'] as const) {
  test(`a write that fails ${fault} it lands: the chain and the caches go on from what is durable`, async t => {
    const faults = new FaultEngine(new MemoryEngine())
    const h = await openHarness({ faults })
    const alice = await h.member('alice')
    const whoami = '/_matrix/client/v3/account/whoami'
    t.is((await h.get(whoami, alice.token)).status, 200)
    faults.next = fault
    await t.throwsAsync(h.accounts.people.setLocked('test', alice.userId, true))
    const locked = (await h.accounts.people.get(alice.userId))!.locked === true
    t.is(locked, fault === 'after')
    t.is((await h.get(whoami, alice.token)).status, locked ? 401 : 200)
    await h.accounts.people.setLocked('test', alice.userId, false)
    t.is((await h.get(whoami, alice.token)).status, 200)
    t.like(await h.accounts.audit.check(), { kind: 'whole', entries: locked ? 3 : 2 })
    await h.close()
  })
}

test('the API exports JSON lines and checks the chain', async t => {
  const h = await openHarness()
  const root = await h.administrator()
  const answer = await h.call('GET', '/_letro/admin/v1/audit/export', undefined, root.token)
  t.regex(answer.headers.get('content-type')!, /jsonl/)
  const lines = (typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
    .trim()
    .split('\n')
  t.like(
    checkAuditChain(
      lines.map(line => JSON.parse(line)),
      sha256,
    ),
    { kind: 'whole', entries: 2 },
  )
  t.like((await h.get('/_letro/admin/v1/audit/check', root.token)).body, { whole: true, entries: 2 })
  const page = await h.get('/_letro/admin/v1/audit?limit=1', root.token)
  t.is(page.body.entries.length, 1)
  t.is(page.body.next_batch, 1)
  const next = await h.get('/_letro/admin/v1/audit?limit=1&from=1', root.token)
  t.is(next.body.entries[0].sequence, 2)
  await h.store.transact('x', tx => tx.delete(auditTable.key(1 as Position)))
  t.like((await h.get('/_letro/admin/v1/audit/check', root.token)).body, { whole: false, sequence: 1 })
  await h.close()
})

test('letro recover-administrator: one link, audited, told; the secret never touches the disk', async t => {
  const data = mkdtempSync(join(tmpdir(), 'letro-'))
  const h = await openHarness()
  const root = await h.administrator('root')
  const reports: string[] = []
  const requests = await watchLocalRequests({
    accounts: h.accounts,
    data,
    clock: () => Date.now(),
    report: message => void reports.push(message),
    everyMs: 50,
  })
  t.teardown(() => requests.close())
  const done = await letro('recover-administrator', '--data', data)
  t.is(done.code, 0, done.stderr)
  const link = done.stdout.trim().split('\n').at(-1)!
  const secret = link.split('#')[1]!
  t.is(link, `${h.accounts.passkeys.origin}/enrol#${secret}`)
  t.like(await h.accounts.enrolment.begin(secret), { userId: root.userId, purpose: 'recover' })
  t.like((await h.accounts.audit.list({ limit: 100 })).at(-1), {
    actor: 'local',
    action: 'administrator.recover',
  })
  const told = await h.accounts.accountData.get(root.userId, null, 'org.letro.administration')
  t.regex(JSON.stringify(told), /administrator.recover/)
  t.deepEqual(readdirSync(join(data, 'requests')), [])
  t.is(statSync(join(data, 'requests')).mode & 0o777, 0o700)
  t.is(
    (await h.get('/_matrix/client/v3/account/whoami', root.token)).status,
    200,
    'nothing ends before it is used',
  )

  await h.administrator('second')
  const which = await letro('recover-administrator', '--data', data)
  t.is(which.code, 1)
  t.regex(which.stderr, /--user: @root:clinic.example, @second:clinic.example/)
  const wrong = await letro('recover-administrator', '--data', data, '--user', '@nobody:clinic.example')
  t.is(wrong.code, 1)
  t.is((await letro('recover-administrator', '--data', data, '--user', 'root')).code, 2)
  t.is((await letro('recover-administrator', '--data', join(data, 'nowhere'))).code, 4)

  // A request that others could have written is not trusted, and neither is nonsense.
  const links = (await h.accounts.enrolment.links()).length
  const file = join(data, 'requests', `${'a'.repeat(32)}.request.json`)
  writeFileSync(
    file,
    JSON.stringify({
      type: 'recover-administrator',
      createdTs: Date.now(),
      userId: root.userId,
      secretHash: 'A'.repeat(43),
    }),
  )
  chmodSync(file, 0o666)
  writeFileSync(join(data, 'requests', `${'b'.repeat(32)}.request.json`), 'nonsense', { mode: 0o600 })
  await until(() => readdirSync(join(data, 'requests')).length === 0)
  t.is((await h.accounts.enrolment.links()).length, links)
  t.is(reports.length, 2)
  await requests.close()

  const stopped = await letro(
    'recover-administrator',
    '--data',
    data,
    '--user',
    root.userId,
    '--wait',
    '0.2',
    '--origin',
    'https://chat.clinic.example/',
  )
  t.is(stopped.code, 0)
  const later = stopped.stdout.trim().split('\n').at(-1)!
  t.regex(later, /^https:\/\/chat\.clinic\.example\/enrol#enrol_/)
  for (const name of readdirSync(join(data, 'requests')))
    t.false(readFileSync(join(data, 'requests', name), 'utf8').includes(later.split('#')[1]!))
  const started = await watchLocalRequests({
    accounts: h.accounts,
    data,
    clock: () => Date.now(),
    report: () => {},
  })
  t.is((await h.accounts.enrolment.begin(later.split('#')[1]!)).userId, root.userId)
  await started.close()
  await h.close()
})

test('letro audit check and export, from a stopped server and from a running one', async t => {
  const data = mkdtempSync(join(tmpdir(), 'letro-'))
  const entries = chain(5)
  const write = async (rows: readonly AuditEntry[]) => {
    const store = await openLevelStore(storeFolder(data))
    await store.transact('x', tx => {
      for (let i = 1; i <= 5; i++) tx.delete(auditTable.key(i as Position))
      for (const entry of rows) tx.put(auditTable.key(entry.sequence as Position), entry)
    })
    return store
  }
  await (await write(entries)).close()
  const file = join(data, 'export.jsonl')
  t.is((await letro('audit', 'export', '--data', data, '--out', file)).code, 0)
  t.is(statSync(file).mode & 0o777, 0o600)
  const whole = await letro('audit', 'check', '--data', data, '--earlier', file)
  t.is(whole.code, 0, whole.stderr)
  t.regex(whole.stdout, /whole: 5 entries/)
  t.is((await letro('audit', 'check', '--file', file)).code, 0)

  await (await write(entries.slice(0, 3))).close()
  const cut = await letro('audit', 'check', '--data', data, '--earlier', file)
  t.is(cut.code, 1)
  t.regex(cut.stdout, /NOT whole/)
  await (await write(entries.toSpliced(2, 1))).close()
  t.regex((await letro('audit', 'check', '--data', data)).stdout, /entry 3 is missing/)
  t.is((await letro('audit', 'check')).code, 2)
  t.is((await letro('audit', 'check', '--file', join(data, 'none'))).code, 4)

  // Running: the data is in use, so the server is asked.
  const held = await openLevelStore(storeFolder(data))
  const h = await openHarness()
  await h.administrator()
  const socket = await listenAtSocket(h.localListener, join(data, 'admin.sock'))
  const running = await letro('audit', 'check', '--data', data, '--json')
  t.like(JSON.parse(running.stdout), { whole: true, entries: 2 }, running.stderr)
  await socket.close(0)
  await held.close()
  await h.close()
})

function letro(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, ['provisioning/letro.ts', ...args], (error, stdout, stderr) => {
      resolve({ code: error ? ((error.code as number | undefined) ?? 1) : 0, stdout, stderr })
    })
  })
}
