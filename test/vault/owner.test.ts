/** The owner without its worker: what its calls refuse, and that no secret outlives a call. */
import 'fake-indexeddb/auto'
import test from 'ava'
import type { Opener } from '../../pwa/vault/vault-key.ts'
import { carryOut } from '../../pwa/worker/frames.ts'
import { Owner, type Told } from '../../pwa/worker/owner.ts'

let made = 0

test('secrets that come in are wiped, also when they were wrong', async t => {
  const { owner } = open()
  const right = passkey(7)
  await owner.calls.create([right, recoveryKey(1)])
  await owner.calls.lock(null)
  const wrong = passkey(8)
  await t.throwsAsync(owner.calls.unlock(wrong), { code: 'WRONG_KEY' })
  const again = recoveryKey(1)
  await owner.calls.unlock(again)
  const locked = open().owner
  const early = passkey(9)
  await t.throwsAsync(locked.calls.setWayIn(early), { code: 'VAULT_LOCKED' })
  for (const each of [right, wrong, again, early])
    t.deepEqual(
      each.kind === 'passkey' ? each.prfOutput : each.kind === 'recovery-key' && each.recoveryKey,
      new Uint8Array(32),
    )
})

test('every change of state is told, and calls before an unlock are refused', async t => {
  const { owner, notices } = open()
  t.like(await owner.calls.state(null), { vault: 'none' })
  t.false(
    (await indexedDB.databases()).some(({ name }) => name?.includes('person')),
    'asking leaves nothing',
  )
  const refused: [call: string, argument: unknown, code: string][] = [
    ['read', { store: 'draft', ids: ['a'] }, 'VAULT_LOCKED'],
    ['search', { text: 'noon' }, 'VAULT_LOCKED'],
    ['backup', [passkey(7)], 'VAULT_LOCKED'],
    ['rooms', null, 'VAULT_LOCKED'],
    ['unlock', passkey(7), 'NO_VAULT'],
    ['nothing', null, 'NO_SUCH_CALL'],
    ['constructor', null, 'NO_SUCH_CALL'],
  ]
  for (const [call, argument, code] of refused)
    t.like(await carryOut(owner.calls, { id: 1, call, argument }), { id: 1, refusal: { code } }, call)
  await owner.calls.create([passkey(7)])
  const open_: [call: string, argument: unknown, code: string][] = [
    ['create', [passkey(7)], 'VAULT_EXISTS'],
    ['openInMemory', null, 'VAULT_EXISTS'],
    ['send', { roomId: '!a', type: 'm.room.message', content: {} }, 'NO_SESSION'],
    ['read', { store: 'account', ids: ['account'] }, 'NO_SUCH_STORE'],
    ['list', { store: 'secret' }, 'NO_SUCH_STORE'],
    ['write', [{ collection: 'identity', id: '@a', value: {} }], 'NO_SUCH_STORE'],
  ]
  for (const [call, argument, code] of open_)
    t.like(await carryOut(owner.calls, { id: 2, call, argument }), { refusal: { code } }, call)
  await owner.calls.lock(null)
  await owner.calls.wipe(null)
  t.deepEqual(
    notices.map(notice => notice.kind === 'state' && notice.state.vault),
    ['open', 'locked', 'none'],
  )
})

test('a shared computer: everything works, and nothing is kept', async t => {
  const { owner } = open()
  t.like(await owner.calls.openInMemory(null), { vault: 'open', inMemory: true, waysIn: [] })
  await owner.calls.index([{ roomId: '!a', eventId: '$a', timestamp: 1, text: 'meet at noon' }])
  t.is((await owner.calls.search({ text: 'noo' })).found.length, 1)
  await owner.calls.unindex({ roomIds: ['!a'] })
  t.deepEqual(await owner.calls.search({ text: 'noo' }), { found: [], incomplete: false })
  t.like(await owner.calls.lock(null), { vault: 'none' })
})

test('when the browser takes the storage away, the vault is shut', async t => {
  const { owner, account, notices } = open()
  await owner.calls.create([passkey(7)])
  // As the person clears site data, or another tab wipes.
  const gone = indexedDB.deleteDatabase(`org.letro.vault ${account}`)
  await new Promise(resolve => {
    gone.onsuccess = resolve
  })
  t.like(await owner.calls.state(null), { vault: 'none' })
  t.true(notices.some(notice => notice.kind === 'warning' && notice.warning.kind === 'closed'))
})

function open() {
  const notices: Told[] = []
  const account = `@person${made++}:clinic.example`
  return { owner: new Owner(account, notice => notices.push(notice)), notices, account }
}

function passkey(fill: number): Opener {
  return { kind: 'passkey', credentialId: 'cred', prfOutput: new Uint8Array(32).fill(fill) }
}

function recoveryKey(fill: number): Opener {
  return { kind: 'recovery-key', recoveryKey: new Uint8Array(32).fill(fill) }
}
