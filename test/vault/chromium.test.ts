import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Browser, Page } from 'playwright-core'
import type { OwnerNotice, OwnerState } from '../../pwa/worker/owner.ts'
import { type BundledPage, serveBundle } from '../support/bundled-page.ts'
import { launchKillable } from '../support/killable-chromium.ts'
import { patienceMs, until } from '../support/until.ts'
import { launchChromium, Visitor } from '../support/visitor.ts'
import type { tested } from './page/page.ts'

const account = '@amal:clinic.example'
const recoveryKey = {
  kind: 'recovery-key',
  recoveryKey: bytes(Array.from({ length: 32 }, (_, i) => i)),
} as const
const passphrase = { kind: 'passphrase', passphrase: 'correct horse battery' } as const

let chromium: Browser
let bundle: BundledPage

test.before(async () => {
  ;[chromium, bundle] = await Promise.all([launchChromium(), serveBundle('test/vault/page')])
})
test.after.always(async () => {
  await chromium?.close()
  await bundle?.close()
})

for (const withoutSharedWorker of [false, true]) {
  const kind = withoutSharedWorker ? 'a worker for each tab' : 'a shared worker'

  test(`${kind}: the passkey’s PRF opens the vault after a reload, and the page keeps no secret`, async t => {
    const visitor = await Visitor.open(chromium, 'en', { prf: true })
    const { page } = visitor
    t.like(await open(page, withoutSharedWorker), { vault: 'none', waysIn: [] })
    const { credentialId } = await run(page, 'createPasskey')
    t.deepEqual(await run(page, 'create', credentialId, []), { passkey: true, left: 0 })
    t.like(await run(page, 'call', 'state'), { vault: 'open', inMemory: false })

    await page.goto('about:blank')
    t.like(await open(page, withoutSharedWorker), {
      vault: 'locked',
      waysIn: [{ kind: 'passkey', credentialId }],
    })
    t.like(await run(page, 'unlockWithPasskey'), { vault: 'open' })
    t.deepEqual(visitor.complaints, [])
    await visitor.close()
  })
}

test('a passkey without PRF: a device passphrase opens the vault', async t => {
  const visitor = await Visitor.open(chromium, 'en', { prf: false })
  const { page } = visitor
  await open(page)
  const { credentialId, prfOnCreate } = await run(page, 'createPasskey')
  t.false(prfOnCreate)
  t.deepEqual(await run(page, 'create', credentialId, [passphrase]), { passkey: false, left: 0 })
  await page.goto('about:blank')
  t.like(await open(page), { vault: 'locked', waysIn: [{ kind: 'passphrase' }] })
  const wrong = { ...passphrase, passphrase: 'another horse battery' }
  t.deepEqual(await run(page, 'call', 'unlock', wrong), { refused: 'WRONG_KEY' })
  t.like(await run(page, 'call', 'unlock', passphrase), { vault: 'open' })
  await visitor.close()
})

test('a lost passkey: the recovery key opens the vault, and a new passkey takes its place', async t => {
  const visitor = await Visitor.open(chromium, 'en', { prf: true })
  const { page } = visitor
  await open(page)
  const lost = await run(page, 'createPasskey')
  await run(page, 'create', lost.credentialId, [recoveryKey])
  await run(page, 'call', 'write', [{ collection: 'draft', id: 'a', value: { body: 'kept' } }])
  const [credential] = await visitor.credentials()
  await visitor.cdp.send('WebAuthn.removeCredential', {
    authenticatorId: visitor.authenticator,
    credentialId: credential!.credentialId,
  })
  await page.goto('about:blank')
  await open(page)
  t.deepEqual(await run(page, 'unlockWithPasskey'), { refused: 'NotAllowedError' })
  t.deepEqual(await run(page, 'call', 'read', { store: 'draft', ids: ['a'] }), { refused: 'VAULT_LOCKED' })
  t.like(await run(page, 'call', 'unlock', recoveryKey), { vault: 'open' })

  const found = await run(page, 'createPasskey')
  const state = (await run(page, 'setPasskey', found.credentialId)) as OwnerState
  const old = state.waysIn.find(way => way.kind === 'passkey' && way.credentialId === lost.credentialId)!
  await run(page, 'call', 'removeWayIn', old.id)
  await run(page, 'call', 'lock')
  t.like(await run(page, 'unlockWithPasskey'), { vault: 'open' })
  t.deepEqual(await run(page, 'call', 'read', { store: 'draft', ids: ['a'] }), [{ body: 'kept' }])
  await visitor.close()
})

for (const withoutSharedWorker of [false, true]) {
  const kind = withoutSharedWorker ? 'a worker for each tab' : 'a shared worker'

  test(`${kind}: two tabs share one vault`, async t => {
    const visitor = await Visitor.open(chromium)
    const first = visitor.page
    const second = await visitor.newPage()
    await open(first, withoutSharedWorker)
    await run(first, 'call', 'create', [passphrase])
    t.like(await open(second, withoutSharedWorker), { vault: 'open' }, 'the second needs no unlocking')
    const write = (page: Page, id: string) =>
      run(page, 'call', 'write', [{ collection: 'draft', id, value: { id } }])
    await Promise.all(Array.from({ length: 40 }, (_, i) => write(i % 2 ? first : second, `${i}`)))
    t.is(((await run(second, 'call', 'list', { store: 'draft' })) as unknown[]).length, 40)
    t.deepEqual(await run(second, 'call', 'list', { store: 'account' }), { refused: 'NO_SUCH_STORE' })

    await first.close()
    const state = await untilState(second, ({ vault }) => vault === (withoutSharedWorker ? 'locked' : 'open'))
    t.is(state.vault, withoutSharedWorker ? 'locked' : 'open', 'keys die with the worker that held them')
    t.like(await run(second, 'call', 'unlock', passphrase), { vault: 'open' })
    t.is(((await run(second, 'call', 'list', { store: 'draft' })) as unknown[]).length, 40)
    await run(second, 'call', 'wipe')
    t.like(await run(second, 'call', 'state'), { vault: 'none' })
    await visitor.close()
  })
}

test('a tab whose worker is of another kind waits, says so, and takes over', async t => {
  const visitor = await Visitor.open(chromium)
  const old = await visitor.newPage()
  await open(old)
  await run(old, 'call', 'create', [passphrase])
  const { page } = visitor
  await page.goto(bundle.url)
  // As after a release: the tab that was open before has a worker that this one cannot reach.
  const opened = run(page, 'open', account, true)
  await until(
    () => page.evaluate("tested.notices.some(notice => notice.kind === 'waiting')") as Promise<boolean>,
  )
  await old.close()
  t.like(await opened, { vault: 'locked' })
  t.like(await run(page, 'call', 'unlock', passphrase), { vault: 'open' })
  t.is(typeof (await run(page, 'askForPersistence')), 'boolean')
  await visitor.close()
})

test('a call that was under way when its worker died is refused, not forgotten', async t => {
  const visitor = await Visitor.open(chromium)
  const leader = visitor.page
  await open(leader, true)
  await run(leader, 'call', 'create', [passphrase])
  const follower = await visitor.newPage()
  await open(follower, true)
  const writing = run(follower, 'writeUntilRefused')
  await until(() => follower.evaluate('tested.written > 20') as Promise<boolean>)
  await leader.close()
  t.is(await writing, 'OWNER_GONE')
  const { waysIn, vault } = await untilState(follower, state => state.vault === 'locked')
  t.is(vault, 'locked')
  t.is(waysIn.length, 1)
  t.like(await run(follower, 'call', 'unlock', passphrase), { vault: 'open' })
  const written = (await follower.evaluate('tested.written')) as number
  const [draft] = (await run(follower, 'call', 'read', { store: 'draft', ids: ['n'] })) as { n: number }[]
  t.true(draft!.n >= written, 'what was acknowledged is there')
  await visitor.close()
})

test('a full disk stops writing, says so, and loses nothing', async t => {
  const visitor = await Visitor.open(chromium)
  const { page, cdp } = visitor
  const body = 'x'.repeat(200_000)
  const write = (id: string) => run(page, 'call', 'write', [{ collection: 'setting', id, value: { body } }])
  const setQuota = (quotaSize?: number) =>
    cdp.send('Storage.overrideQuotaForOrigin', {
      origin: new URL(bundle.url).origin,
      ...(quotaSize && { quotaSize }),
    })
  // Before the first write: the browser remembers for a while how much room there was.
  await setQuota(3_000_000)
  await open(page)
  await run(page, 'call', 'create', [passphrase])
  let written = 0
  let answer = await write('0')
  while (answer === undefined && written < 100) answer = await write(`${++written}`)
  t.deepEqual(answer, { refused: 'VAULT_FULL' })
  t.true(written > 1)
  // What the browser tidies up meanwhile must not make room.
  await setQuota(1_000)
  t.deepEqual(await run(page, 'call', 'write', [{ collection: 'draft', id: 'small', value: {} }]), {
    refused: 'VAULT_FULL',
  })
  // What the browser remembers of the room that there was may let one more look go well.
  t.true((await untilState(page, state => state.full, 'resume')).full)
  const notices = (await page.evaluate('tested.notices')) as { kind: string; warning?: { kind: string } }[]
  const warned = notices.filter(({ kind }) => kind === 'warning').map(({ warning }) => warning?.kind)
  t.deepEqual([...new Set(warned)], ['full'])
  const stored = (await run(page, 'call', 'list', { store: 'setting' })) as [string, { body: string }][]
  t.is(stored.length, written, 'all that was acknowledged, and nothing else')
  t.true(stored.every(([, value]) => value.body === body))

  await setQuota()
  t.false((await untilState(page, state => !state.full, 'resume')).full)
  t.is(await write('again'), undefined)
  await visitor.close()
})

test('a backup of one profile is restored in another, with another passkey', async t => {
  const [home, ward] = await Promise.all([
    Visitor.open(chromium, 'en', { prf: true }),
    Visitor.open(chromium, 'en', { prf: true }),
  ])
  await open(home.page)
  const { credentialId } = await run(home.page, 'createPasskey')
  await run(home.page, 'create', credentialId, [])
  const drafts = Array.from({ length: 3000 }, (_, i) => ({
    collection: 'draft',
    id: `!r|${i}`,
    value: { body: `draft ${i}`.padEnd(500) },
  }))
  await run(home.page, 'call', 'write', drafts)
  const file = await run(home.page, 'backupFile', passphrase)
  t.true(file.length > 1_000_000)

  await open(ward.page)
  const other = await run(ward.page, 'createPasskey')
  await run(ward.page, 'create', other.credentialId, [])
  const broken = `${file.slice(0, 900_000)}A${file.slice(900_001)}`
  t.deepEqual(await run(ward.page, 'restoreFile', broken, passphrase), { refused: 'BACKUP_BROKEN' })
  t.deepEqual(await run(ward.page, 'call', 'list', { store: 'draft' }), [])
  t.like(await run(ward.page, 'restoreFile', file, passphrase), { records: 3000 })
  const restored = (await run(ward.page, 'call', 'list', { store: 'draft' })) as unknown[]
  t.is(restored.length, 3000)
  const notices = (await ward.page.evaluate('tested.notices')) as OwnerNotice[]
  t.true(notices.some(notice => notice.kind === 'restore' && notice.progress.phase === 'storing'))
  t.log(`main thread blocked for ${(await run(ward.page, 'longestTask')).toFixed(0)} ms at most`)
  await Promise.all([home.close(), ward.close()])
})

test('a browser that is killed in the middle of a write leaves all of a commit or none', async t => {
  const profile = await mkdtemp(join(tmpdir(), 'letro-vault-'))
  t.teardown(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }))
  let acknowledged = -1
  for (let round = 0; round < 3; round++) {
    const { page, kill } = await launchKillable(profile)
    t.teardown(kill)
    const state = await open(page)
    await run(
      page,
      'call',
      state.vault === 'none' ? 'create' : 'unlock',
      round === 0 ? [passphrase] : passphrase,
    )
    if (round > 0) {
      const [draft, outbox] = (await Promise.all(
        ['draft', 'setting'].map(store => run(page, 'call', 'read', { store, ids: ['n'] })),
      )) as { n: number }[][]
      t.is(draft![0]!.n, outbox![0]!.n, 'both stores of one commit')
      t.true(draft![0]!.n >= acknowledged, 'and nothing that was acknowledged is lost')
      t.deepEqual(
        ((await page.evaluate('tested.notices')) as OwnerNotice[]).filter(({ kind }) => kind === 'warning'),
        [],
      )
    }
    const enough = Promise.withResolvers<void>()
    await page.exposeFunction('acknowledge', (n: number) => {
      acknowledged = n
      if (n >= 20 * (round + 1)) enough.resolve()
    })
    // It ends with the browser, and only then.
    run(page, 'writeForEver', acknowledged + 1).catch(enough.reject)
    await enough.promise
    await kill()
  }
})

/** Bytes do not cross into the page as they are: a list does, and is made bytes there. */
function bytes(list: number[]): Uint8Array {
  return list as never
}

/** Calls the page under test. */
function run<K extends keyof typeof tested>(
  page: Page,
  name: K,
  ...given: (typeof tested)[K] extends (...args: infer A) => unknown ? A : never
): Promise<Awaited<(typeof tested)[K] extends (...args: never[]) => infer R ? R : never>> {
  return page.evaluate(
    ([name, given]) => {
      const revive = (value: unknown): unknown => {
        if (Array.isArray(value)) return value.map(revive)
        const opener = value as { recoveryKey?: number[] } | null
        return opener?.recoveryKey ? { ...opener, recoveryKey: new Uint8Array(opener.recoveryKey) } : value
      }
      const page = (globalThis as unknown as { tested: Record<string, (...given: unknown[]) => unknown> })
        .tested
      return page[name]!(...given.map(revive))
    },
    [name, given] as const,
  ) as never
}

async function untilState(
  page: Page,
  condition: (state: OwnerState) => boolean,
  call: 'state' | 'resume' = 'state',
): Promise<OwnerState> {
  for (let i = 0; ; i++) {
    const state = (await run(page, 'call', call)) as OwnerState
    if (condition(state) || i === patienceMs / 50) return state
    await page.waitForTimeout(50)
  }
}

/** A browser with a profile of its own, all of whose processes die at once. */
async function open(page: Page, withoutSharedWorker = false) {
  await page.goto(bundle.url)
  return run(page, 'open', account, withoutSharedWorker)
}
