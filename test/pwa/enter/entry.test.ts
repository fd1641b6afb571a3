/** The way in, act by act: where each leads, and what is kept when it fails in between. */
import test from 'ava'
import type { Stage } from '../../../pwa/views/enter/stage.ts'
import { amal, EntryWorld } from './entry-world.ts'

const dayMs = 86_400_000
const link = `abcdefghijklmnop.${'A'.repeat(43)}.token`

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code
}

async function invited(world: EntryWorld): Promise<(keep?: boolean) => Promise<void>> {
  await world.entry.openInvitation('enrol_secret')
  const at = world.entry.stage.value as Extract<Stage, { kind: 'invitation' }>
  return (keep = true) => world.entry.enrol(at.secret, at.invitation, 'Laptop', keep)
}

test('a browser without an account starts at the beginning', async t => {
  const world = new EntryWorld()
  await world.entry.arrive()
  t.is(world.stage, 'start')
})

test('an invitation becomes a vault, an identity and a recovery key, and then the rooms', async t => {
  const world = new EntryWorld()
  world.arrival = { kind: 'invitation', secret: 'enrol_secret' }
  await world.entry.arrive()
  const at = world.entry.stage.value as Extract<Stage, { kind: 'invitation' }>
  await world.entry.enrol(at.secret, at.invitation, '', true)
  t.deepEqual(world.entry.stage.value, { kind: 'recovery-key', recoveryKey: 'EsUE tfEG' })
  t.deepEqual(world.vault?.openers, ['passkey key-1'])
  t.deepEqual(world.identityPasskeys, ['key-1'], 'the passkey opens secret storage as well')
  await world.entry.identity.lastStep()
  t.is(world.stage, 'inside')
})

test('where the PRF output comes on get alone, a second gesture is asked for', async t => {
  const world = new EntryWorld()
  world.key.prf = 'on get'
  await (await invited(world))()
  t.is(world.stage, 'recovery-key')
  t.true(world.calls.includes('ask passkey'))
})

test('without PRF a passphrase seals the vault, and the identity is made without the passkey', async t => {
  const world = new EntryWorld()
  world.key.prf = null
  await (await invited(world))()
  const at = world.entry.stage.value as Extract<Stage, { kind: 'passphrase' }>
  t.is(at.kind, 'passphrase')
  t.is(world.vault, null)
  await world.entry.choosePassphrase(at.signedIn, 'four words of mine')
  t.deepEqual(world.vault!.openers, ['passphrase four words of mine'])
  t.is(world.stage, 'recovery-key')
  t.deepEqual(world.identityPasskeys, [])
})

test('on a shared computer nothing is written', async t => {
  const world = new EntryWorld()
  await (await invited(world))(false)
  t.true(world.vault!.inMemory)
  t.is(world.stage, 'recovery-key')
})

test('a declined passkey leaves the invitation as it was', async t => {
  const world = new EntryWorld()
  const enrol = await invited(world)
  world.isDeclining = true
  await t.throwsAsync(enrol(), { code: 'PASSKEY_DECLINED' })
  t.is(world.stage, 'invitation')
  t.false(world.calls.includes('completeInvitation'))
})

for (const step of ['create', 'begin'] as const) {
  test(`when the link is used up and ${step} fails, signing in goes on from there`, async t => {
    const world = new EntryWorld()
    const enrol = await invited(world)
    world.refusals.set(step, 'VAULT_FULL')
    await enrol()
    const at = world.entry.stage.value as Extract<Stage, { kind: 'start' }>
    t.is(at.kind, 'start')
    t.is(codeOf(at.error), 'VAULT_FULL')
    await world.entry.signInWithPasskey(true)
    t.is(world.stage, 'recovery-key')
  })
}

test('an identity that could not be made says why, and is made when it is tried again', async t => {
  const world = new EntryWorld()
  const enrol = await invited(world)
  world.refusals.set('setUpIdentity', 'OFFLINE')
  await enrol()
  const at = world.entry.stage.value as Extract<Stage, { kind: 'setting-up' }>
  t.is(at.kind, 'setting-up')
  t.is(codeOf(at.error), 'OFFLINE')
  await world.entry.goOn()
  t.is(world.stage, 'recovery-key')
  t.deepEqual(world.identityPasskeys, ['key-1'], 'the gesture was not forgotten')
})

test('a further browser signs in, and the same gesture opens the identity', async t => {
  const world = new EntryWorld()
  world.identity = 'locked'
  world.identityPasskeys = ['key-1']
  await world.entry.signInWithPasskey(true)
  t.is(world.stage, 'inside')
  t.deepEqual(
    world.calls.filter(name => name.endsWith('passkey')),
    ['use passkey'],
    'one gesture',
  )
})

test('a passkey that does not open the identity leaves the recovery key and other devices', async t => {
  const world = new EntryWorld()
  world.identity = 'locked'
  await world.entry.signInWithPasskey(true)
  t.is(world.stage, 'open-identity')
  await t.throwsAsync(world.entry.identity.openWithRecoveryKey('wrong'), { code: 'STORAGE_KEY_WRONG' })
  t.is(world.stage, 'open-identity')
  await world.entry.identity.openWithRecoveryKey('EsUE tfEG')
  t.is(world.stage, 'inside')
})

test('another device that confirms this one opens the way', async t => {
  const world = new EntryWorld()
  world.identity = 'locked'
  await world.entry.signInWithPasskey(true)
  world.identity = 'ready'
  await world.tell({ kind: 'identity' })
  t.is(world.stage, 'inside')
})

test('nothing is said of the identity before the server answered', async t => {
  const world = new EntryWorld()
  world.identity = 'unknown'
  const entering = world.entry.signInWithPasskey(true)
  await new Promise(resolve => setImmediate(resolve))
  t.is(world.stage, 'setting-up')
  world.identity = 'none'
  await world.tell({ kind: 'identity' })
  await entering
  t.is(world.stage, 'recovery-key')
})

test('a locked vault opens with its passkey, and by nothing else', async t => {
  const world = new EntryWorld()
  world.leftHere(['passkey key-1'], 'DEVICE')
  world.identity = 'ready'
  await world.entry.arrive()
  t.is(world.stage, 'locked')
  await t.throwsAsync(world.entry.unlock({ kind: 'passphrase', passphrase: 'a guess' }), {
    code: 'NO_SUCH_WAY_IN',
  })
  t.is(world.stage, 'locked')
  await world.entry.unlockWithPasskey(['key-1'])
  t.is(world.stage, 'inside')
})

test('the device that is here signs in again as itself', async t => {
  const world = new EntryWorld()
  world.leftHere(['passkey key-1'], 'DEVICE')
  world.identity = 'ready'
  await world.entry.arrive()
  await world.entry.unlockWithPasskey(['key-1'])
  await world.tell({ kind: 'session-ended', why: 'expired' })
  t.is(world.stage, 'ended')
  world.entry.readOn()
  t.is(world.stage, 'inside')
  await world.entry.signInWithPasskey(true)
  t.is(world.vault!.session!.deviceId, 'DEVICE')
  t.is(world.ended, null)
  t.is(world.stage, 'inside')
})

test('an expired session takes no other person’s passkey', async t => {
  const world = new EntryWorld()
  world.leftHere(['passkey key-1'], 'DEVICE', 'open')
  world.identity = 'ready'
  await world.entry.arrive()
  world.owner = '@jonas:clinic.example'
  await t.throwsAsync(world.entry.signInWithPasskey(true), { code: 'OTHER_ACCOUNT' })
  t.true(world.calls.includes('signOut DEVICE'), 'the session that was opened ends')
  t.is(world.account, amal)
  t.is(world.vault!.session!.accessToken, 't')
})

test('what an earlier device left is not replaced without a yes', async t => {
  const world = new EntryWorld()
  world.leftHere(['passkey an old one'], 'OLD')
  await (await invited(world))()
  const at = world.entry.stage.value as Extract<Stage, { kind: 'sealed' }>
  t.is(at.kind, 'sealed')
  t.is(world.vault!.session!.deviceId, 'OLD')
  t.false(world.calls.includes('wipe'))
  await world.entry.replaceSealed(at.signedIn)
  t.deepEqual(world.vault!.openers, ['passkey key-1'])
  t.is(world.stage, 'recovery-key')
})

test('it may be left as it is, and then this session keeps nothing', async t => {
  const world = new EntryWorld()
  world.leftHere(['passkey an old one'], 'OLD')
  await (await invited(world))()
  const at = world.entry.stage.value as Extract<Stage, { kind: 'sealed' }>
  await world.entry.leaveSealed(at.signedIn)
  t.true(world.vault!.inMemory)
  t.false(world.calls.includes('wipe'))
})

test('an open vault of another device is not taken for that of the one that signs in', async t => {
  const world = new EntryWorld()
  world.leftHere(['passkey key-1'], 'OLD', 'open')
  await (await invited(world))()
  t.is(world.stage, 'sealed')
  t.is(world.vault!.session!.deviceId, 'OLD')
})

test('a vault that fails otherwise is never taken for one that is sealed', async t => {
  const world = new EntryWorld()
  world.leftHere(['passkey key-1'], 'OLD')
  world.refusals.set('unlock', 'OWNER_GONE')
  await t.throwsAsync(world.entry.signInWithPasskey(true), { code: 'OWNER_GONE' })
  t.false(world.calls.includes('wipe'))
})

test('a revoked device says so, and forgets whose it was', async t => {
  const world = new EntryWorld()
  world.leftHere(['passkey key-1'], 'DEVICE', 'open')
  world.identity = 'ready'
  await world.entry.arrive()
  world.vault = null
  await world.tellState()
  await world.tell({ kind: 'session-ended', why: 'revoked' })
  t.deepEqual(world.entry.stage.value, { kind: 'ended', why: 'revoked' })
  t.is(world.account, null)
  await world.entry.arrive()
  t.is(world.stage, 'ended', 'what is shown first does not undo it')
  await world.entry.forgetThisDevice()
  t.is(world.stage, 'start')
})

test('another tab locks and opens for all', async t => {
  const world = new EntryWorld()
  world.leftHere(['passkey key-1'], 'DEVICE', 'open')
  world.identity = 'ready'
  await world.entry.arrive()
  t.is(world.stage, 'inside')
  world.vault!.state = 'locked'
  await world.tellState()
  t.is(world.stage, 'locked')
  world.vault!.state = 'open'
  await world.tellState()
  t.is(world.stage, 'inside')
})

test('a device link signs in once, however often the passkey is declined', async t => {
  const world = new EntryWorld()
  world.identity = 'locked'
  world.isDeclining = true
  await t.throwsAsync(world.entry.enterWithDeviceLink(link, 'Phone'), { code: 'PASSKEY_DECLINED' })
  world.isDeclining = false
  await world.entry.enterWithDeviceLink(link, 'Phone')
  t.is(world.calls.filter(name => name === 'signIn').length, 1)
  t.true(world.calls.includes('completeDeviceLink'))
  t.deepEqual(world.identityPasskeys, ['key-1'], 'the new passkey opens secret storage as well')
  t.is(world.stage, 'inside')
})

test('a passkey that was synced to the linked device is used, not made', async t => {
  const world = new EntryWorld()
  world.identity = 'locked'
  world.refusals.set('create passkey', 'PASSKEY_EXISTS')
  await world.entry.enterWithDeviceLink(link, 'Phone')
  t.false(world.calls.includes('completePasskey'))
  t.deepEqual(world.vault!.openers, ['passkey key-1'])
  t.is(world.stage, 'inside')
})

test('a link that the server meddled with leaves the other ways, and says why', async t => {
  const world = new EntryWorld()
  world.identity = 'locked'
  world.refusals.set('completeDeviceLink', 'LINK_OTHER_KEYS')
  await world.entry.enterWithDeviceLink(link, 'Phone')
  const at = world.entry.stage.value as Extract<Stage, { kind: 'open-identity' }>
  t.is(at.kind, 'open-identity')
  t.is(codeOf(at.error), 'LINK_OTHER_KEYS')
})

test('a malformed link asks nothing of the server', async t => {
  const world = new EntryWorld()
  await t.throwsAsync(world.entry.enterWithDeviceLink('rubbish', 'Phone'), { code: 'LINK_MALFORMED' })
  t.deepEqual(world.calls, [])
})

test('a device without contact for too long opens once the server answered', async t => {
  const world = new EntryWorld()
  world.lockAfterDays = 14
  world.leftHere(['passkey key-1'], 'DEVICE', 'open')
  world.identity = 'ready'
  await world.entry.arrive()
  const connection = { code: null, firstSyncDone: true }
  await world.tell({
    kind: 'connection',
    connection: { ...connection, state: 'online', lastTs: world.now },
  })
  world.now += 14 * dayMs
  await world.tell({ kind: 'connection', connection: { ...connection, state: 'offline', lastTs: 0 } })
  t.is(world.stage, 'locked', 'while it is open as well')
  await world.entry.unlockWithPasskey(['key-1'])
  t.deepEqual(world.entry.stage.value, { kind: 'overdue', days: 14 })
  await world.tell({
    kind: 'connection',
    connection: { ...connection, state: 'online', lastTs: world.now },
  })
  t.is(world.stage, 'inside')
})

test('a person of a demonstration is signed in by one click, and again after a reload', async t => {
  const world = new EntryWorld()
  world.demo = [amal]
  world.identity = 'locked'
  await world.entry.signInDemo(amal)
  t.is(world.stage, 'inside')
  t.deepEqual(world.vault!.openers, ['recovery-text EsUE tfEG'])
  world.vault!.state = 'locked'
  await world.entry.arrive()
  t.is(world.stage, 'inside')
})

test('a server that hangs keeps nobody from the lock screen, and from what is behind it', async t => {
  const world = new EntryWorld()
  world.leftHere(['passphrase seven ducks'], 'PHONE')
  world.identity = 'ready'
  world.hangs = true
  void world.entry.arrive()
  await new Promise(resolve => setTimeout(resolve))
  t.is(world.stage, 'locked')
  await world.entry.unlock({ kind: 'passphrase', passphrase: 'seven ducks' })
  t.is(world.stage, 'inside')
})

test('a link of a demonstration signs in whom it names, and nobody elsewhere', async t => {
  const world = new EntryWorld()
  world.arrival = { kind: 'demo', localpart: 'amal' }
  await world.entry.arrive()
  t.is(world.stage, 'start')
  t.false(world.calls.includes('demoSignIn'))
  world.demo = [amal]
  world.identity = 'locked'
  world.arrival = { kind: 'demo', localpart: 'amal' }
  await world.entry.arrive()
  t.is(world.stage, 'inside')
})

test('on iOS the app is installed first, with the code at hand', async t => {
  const world = new EntryWorld()
  world.mustInstall = true
  await world.entry.openInvitation('enrol_secret')
  t.deepEqual(world.entry.stage.value, { kind: 'install', secret: 'enrol_secret' })
  await world.entry.showInvitation('enrol_secret')
  t.is(world.stage, 'invitation')
})

test('what is left to say is said once, and a touch of the passkey confirms the device', async t => {
  const world = new EntryWorld()
  world.facts = { mayConfirm: true, isOnlyPasskey: true, isKept: false, rings: false }
  await (await invited(world))()
  await world.entry.identity.lastStep()
  t.is(world.stage, 'last-step')
  world.isDeclining = true
  await t.throwsAsync(world.entry.identity.confirmDevice(), { code: 'PASSKEY_DECLINED' })
  t.is(world.stage, 'last-step')
  world.isDeclining = false
  await world.entry.identity.confirmDevice()
  t.is(world.stage, 'inside')
})

test('a link that cannot be opened now is kept, and an account that is here as well', async t => {
  const world = new EntryWorld()
  world.leftHere(['passkey key-1'], 'DEVICE')
  world.arrival = { kind: 'invitation', secret: 'enrol_secret' }
  world.refusals.set('beginInvitation', 'OFFLINE')
  await world.entry.arrive()
  const at = world.entry.stage.value as Extract<Stage, { kind: 'invitation-failed' }>
  t.is(at.kind, 'invitation-failed')
  t.is(at.secret, 'enrol_secret')
  await world.entry.resume()
  t.is(world.stage, 'locked')
  t.is(world.account, amal)
  await world.entry.followInvitation(at.secret)
  t.is(world.stage, 'invitation')
})

const omar = '@omar:clinic.example'

for (const state of ['locked', 'open'] as const) {
  test(`somebody else’s invitation is not used in a browser that keeps an account, ${state}`, async t => {
    const world = new EntryWorld()
    world.leftHere(['passkey key-1'], 'DEVICE', state)
    world.identity = 'ready'
    world.invited = omar
    world.arrival = { kind: 'invitation', secret: 'enrol_secret' }
    await world.entry.arrive()
    t.deepEqual(world.entry.stage.value, { kind: 'occupied', by: amal })
    await world.entry.resume()
    t.is(world.stage, state === 'open' ? 'inside' : 'locked')
    t.is(world.account, amal)
    t.is(world.vault!.session!.deviceId, 'DEVICE')
  })
}

test('a device link of somebody else signs in and out again, and makes no passkey', async t => {
  const world = new EntryWorld()
  world.leftHere(['passkey key-1'], 'DEVICE')
  world.owner = omar
  await t.throwsAsync(world.entry.enterWithDeviceLink(link, 'Phone'), { code: 'BROWSER_OCCUPIED' })
  t.true(world.calls.includes('signOut DEVICE1'))
  t.false(world.calls.includes('beginPasskey'))
  t.is(world.account, amal)
})
