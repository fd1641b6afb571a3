/** Our identity where things go wrong in between: crashes, a server that asks, is away, or has something else by now. */
import test, { type ExecutionContext } from 'ava'
import { ApiError } from '../../../pwa/api/api-error.ts'
import { readIdentity } from '../../../pwa/e2ee/identity.ts'
import { InboundGroupSession } from '../../../pwa/e2ee/inbound-group-session.ts'
import { readBackup } from '../../../pwa/e2ee/key-backup.ts'
import { OutboundGroupSession } from '../../../pwa/e2ee/outbound-group-session.ts'
import { randomBytes, ready } from '../../../pwa/e2ee/primitives.ts'
import { keepSession } from '../../../pwa/e2ee/room-sessions.ts'
import { backupSecret, readSecret } from '../../../pwa/e2ee/secrets.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { Passkey } from '../../support/passkey.ts'
import { TrustDevice, TrustServer } from './world.ts'

const [alice, bob] = ['@alice:letro.test', '@bob:letro.test']
const uploadPath = '/_matrix/client/v3/keys/device_signing/upload'

test.before(() => ready)

async function world() {
  const server = new TrustServer()
  const device = await TrustDevice.open(server, alice, 'A')
  return { server, device }
}

const passkey = (credentialId: string) => ({
  kind: 'passkey' as const,
  credentialId,
  prfOutput: new Uint8Array(32).fill(credentialId.length),
})
const masterAt = (server: TrustServer) => server.crossSigning.master_keys[alice]
const masterHere = (device: TrustDevice) =>
  device.machine.run(async step => (await readIdentity(step, alice))?.master ?? null)
const withoutSignatures = (key: JsonObject | null | undefined) => {
  const { signatures: _, ...rest } = key ?? {}
  return rest
}

async function isReady(t: ExecutionContext, { server, device }: Awaited<ReturnType<typeof world>>) {
  await server.settle()
  t.is((await device.calls.identity(null)).state, 'ready')
  t.deepEqual(withoutSignatures(await masterHere(device)), withoutSignatures(masterAt(server)))
}

test('nothing is made while the server is away, and it is said', async t => {
  const { server, device } = await world()
  t.is((await device.calls.identity(null)).state, 'unknown')
  server.isDown = true
  await t.throwsAsync(device.calls.setUpIdentity({ prf: null, auth: null }), { code: 'OFFLINE' })
  server.isDown = false
  await server.settle()
  t.is((await device.calls.identity(null)).state, 'none')
  await device.calls.setUpIdentity({ prf: null, auth: null })
  await isReady(t, { server, device })
})

test('a server that asks for confirmation gets the very same keys with it', async t => {
  const { server, device } = await world()
  const bodies: JsonObject[] = []
  server.onRequest = (path, body) => {
    if (path !== uploadPath) return
    bodies.push(body)
    if (!body['auth']) throw new ApiError('CONFIRMATION_NEEDED', 'is it you?', { status: 401 })
  }
  await t.throwsAsync(device.calls.setUpIdentity({ prf: null, auth: null }), { code: 'CONFIRMATION_NEEDED' })
  t.is((await device.calls.identity(null)).state, 'none')
  await device.calls.setUpIdentity({ prf: null, auth: { type: 'x' } })
  const [first, second] = bodies
  t.deepEqual({ ...first, auth: { type: 'x' } }, second)
  await isReady(t, { server, device })
})

for (const [when, kills] of [
  ['took it', (device: TrustDevice, path: string) => path === uploadPath && killNextCommit(device)],
  ['was asked for a backup', (_: TrustDevice, path: string) => path.endsWith('room_keys/version') && fail()],
  ['was asked for the storage', (_: TrustDevice, path: string) => path.endsWith('default_key') && fail()],
] as const) {
  test(`a new identity, and it ends when the server ${when}: it goes on there, and no second one is made`, async t => {
    const { server, device } = await world()
    server.onRequest = path => kills(device, path)
    await t.throwsAsync(device.calls.setUpIdentity({ prf: null, auth: null }), { message: 'killed' })
    const taken = masterAt(server)
    t.truthy(taken)
    server.onRequest = path => {
      if (path === uploadPath) throw new Error('a second identity was sent')
    }
    const again = device.restarted()
    await again.trust.lookAfter()
    // The recovery key was never shown: a view asks for it all again.
    t.is((await again.calls.identity(null)).state, 'none')
    const { recoveryKey } = await again.calls.setUpIdentity({ prf: null, auth: null })
    t.deepEqual(withoutSignatures(masterAt(server)), withoutSignatures(taken))
    await isReady(t, { server, device: again })
    t.like(await again.calls.identity(null), { hasRecoveryKey: true })
    const other = await TrustDevice.open(server, alice, 'OTHER')
    await other.calls.openIdentity({ kind: 'recovery-text', text: recoveryKey })
    await isReady(t, { server, device: other })
  })
}

function fail(): never {
  throw new Error('killed')
}

/** The next commit of the engine is the one that would adopt the identity. */
function killNextCommit(device: TrustDevice): void {
  device.device.records.failure = new Error('killed')
}

test('two tabs that set up at once make one identity', async t => {
  const { server, device } = await world()
  const [one, two] = await Promise.allSettled([
    device.calls.setUpIdentity({ prf: null, auth: null }),
    device.calls.setUpIdentity({ prf: null, auth: null }),
  ])
  t.is(one.status, 'fulfilled')
  t.like(two, { status: 'rejected', reason: { code: 'IDENTITY_EXISTS' } })
  await isReady(t, { server, device })
})

test('another device was faster: what this one had made is dropped', async t => {
  const { server, device } = await world()
  server.onRequest = path => {
    if (path === uploadPath) throw new ApiError('OFFLINE', 'away')
  }
  await t.throwsAsync(device.calls.setUpIdentity({ prf: null, auth: null }), { code: 'OFFLINE' })
  server.onRequest = () => {}
  const other = await TrustDevice.open(server, alice, 'OTHER')
  const { recoveryKey } = await other.calls.setUpIdentity({ prf: null, auth: null })
  const taken = masterAt(server)
  await t.throwsAsync(device.calls.setUpIdentity({ prf: null, auth: null }), { code: 'IDENTITY_EXISTS' })
  await device.calls.openIdentity({ kind: 'recovery-text', text: recoveryKey })
  await isReady(t, { server, device })
  t.deepEqual(withoutSignatures(masterAt(server)), withoutSignatures(taken))
})

test('a reset makes a new identity, storage and backup; the old recovery key opens nothing', async t => {
  const { server, device } = await world()
  const { recoveryKey: old } = await device.calls.setUpIdentity({ prf: null, auth: null })
  const before = masterAt(server)
  const { recoveryKey } = await device.calls.resetIdentity({ prf: null, auth: null })
  t.not(recoveryKey, old)
  t.notDeepEqual(withoutSignatures(masterAt(server)), withoutSignatures(before))
  await isReady(t, { server, device })
  t.is(server.backups.length, 2)
  const other = await TrustDevice.open(server, alice, 'OTHER')
  await server.settle()
  const open = (text: string) => other.calls.openIdentity({ kind: 'recovery-text', text })
  await t.throwsAsync(open(old), { code: 'STORAGE_KEY_WRONG' })
  await open(recoveryKey)
  await isReady(t, { server, device: other })
})

test('a passkey that is let in before a sync brings the new recovery key takes nothing from this device', async t => {
  const { server, device } = await world()
  const { recoveryKey: old } = await device.calls.setUpIdentity({ prf: passkey('first'), auth: null })
  await server.settle()
  device.lagBehind(true)
  const { recoveryKey } = await device.calls.newRecoveryKey(null)
  await device.calls.addPasskeyToIdentity(passkey('second'))
  for (const isLagging of [true, false]) {
    if (!isLagging) device.lagBehind(false)
    device.trust.synced()
    await server.settle()
    t.deepEqual((await device.calls.identity(null)).passkeys, ['second'], `lagging: ${isLagging}`)
    const isHere = (key: string) => device.calls.checkRecoveryKey({ group: 1, text: key.split(' ')[1]! })
    t.true(await isHere(recoveryKey))
    t.false(await isHere(old))
  }
})

test('what was opened before a sync tells of it is not taken for another one', async t => {
  const { server, device } = await world()
  await device.calls.setUpIdentity({ prf: null, auth: null })
  await server.settle()
  const other = await TrustDevice.open(server, alice, 'OTHER')
  await server.settle()
  other.lagBehind(true)
  const { recoveryKey } = await device.calls.newRecoveryKey(null)
  await server.settle()
  await other.calls.openIdentity({ kind: 'recovery-text', text: recoveryKey })
  other.trust.synced()
  await server.settle()
  t.true(await other.calls.checkRecoveryKey({ group: 1, text: recoveryKey.split(' ')[1]! }))
})

test('secrets that are not those of our identity are refused, and none is taken', async t => {
  const { server, device } = await world()
  const { recoveryKey } = await device.calls.setUpIdentity({ prf: null, auth: null })
  // What the person types opens the storage; the server has put somebody else's secret, or rubbish, into it.
  const name = `${alice} m.cross_signing.user_signing`
  const stored = server.accountData.get(name)!
  const other = await TrustDevice.open(server, alice, 'OTHER')
  await server.settle()
  const open = () => other.calls.openIdentity({ kind: 'recovery-text', text: recoveryKey })
  server.accountData.set(name, server.accountData.get(`${alice} m.cross_signing.master`)!)
  await t.throwsAsync(open(), { code: 'STORED_SECRET_BAD_MAC' })
  const [keyId] = Object.keys(stored['encrypted'] as JsonObject)
  server.accountData.set(name, { encrypted: { [keyId!]: { iv: 'x' } } })
  await t.throwsAsync(open(), { code: 'STORED_SECRET_MALFORMED' })
  t.is(await other.machine.run(step => readSecret(step, 'm.cross_signing.master')), null)
  t.is((await other.calls.identity(null)).state, 'locked')
  server.accountData.set(name, stored)
  await open()
  await isReady(t, { server, device: other })
})

test('an identity without secret storage cannot be opened, and one that is not there neither', async t => {
  const { server, device } = await world()
  const open = (who: TrustDevice) =>
    who.calls.openIdentity({ kind: 'recovery-key', recoveryKey: randomBytes(32) })
  await t.throwsAsync(open(device), { code: 'IDENTITY_MISSING' })
  await device.calls.setUpIdentity({ prf: null, auth: null })
  server.accountData.clear()
  const other = await TrustDevice.open(server, alice, 'OTHER')
  await server.settle()
  await t.throwsAsync(open(other), { code: 'STORAGE_NOT_SET_UP' })
  t.false((await other.calls.identity(null)).hasRecoveryKey)
})

test('before the first sync nothing is said of what opens an identity, for it is not known', async t => {
  const { server, device } = await world()
  await device.calls.setUpIdentity({ prf: null, auth: null })
  server.accountData.clear()
  const other = await TrustDevice.open(server, alice, 'OTHER')
  await server.settle()
  other.hasSynced = false
  t.is((await other.calls.identity(null)).state, 'unknown')
  other.hasSynced = true
  t.is((await other.calls.identity(null)).state, 'locked')
})

test('a backup that is gone is made anew, its key stored, and every session goes into it', async t => {
  const { server, device } = await world()
  const { recoveryKey } = await device.calls.setUpIdentity({ prf: null, auth: null })
  await device.trust.lookAfter()
  const outbound = OutboundGroupSession.create(randomBytes)
  await device.machine.run(step =>
    keepSession(step, {
      roomId: '!room:letro.test',
      sessionId: outbound.id,
      key: InboundGroupSession.fromSessionKey(outbound.sessionKey()).export(),
      source: 'owner',
      senderUserId: alice,
      senderDeviceId: 'A',
      senderCurve25519Key: 'A'.repeat(43),
      senderEd25519Key: null,
      givenBy: null,
      isHistoryShared: false,
    }),
  )
  server.backups.length = 0
  server.refusesBackup = true
  await server.settle()
  t.is(await device.machine.run(step => readBackup(step)), null)
  server.refusesBackup = false
  const before = server.accountData.get(`${alice} ${backupSecret}`)
  device.trust.synced()
  await device.trust.lookAfter()
  await server.settle()
  t.is(server.backups.length, 1)
  t.is((await device.calls.identity(null)).backup?.waiting, 0)
  t.notDeepEqual(server.accountData.get(`${alice} ${backupSecret}`), before)
  // The new one is what another device finds in secret storage.
  const other = await TrustDevice.open(server, alice, 'OTHER')
  await server.settle()
  await other.calls.openIdentity({ kind: 'recovery-text', text: recoveryKey })
  const secretOf = (each: TrustDevice) => each.machine.run(step => readSecret(step, backupSecret))
  t.is(await secretOf(other), await secretOf(device))
})

test('this device enrolled with a passkey is shown so to others, and a list that has not changed is not signed again', async t => {
  const { server, device } = await world()
  await device.calls.setUpIdentity({ prf: null, auth: null })
  await server.settle()
  const passkey = new Passkey()
  const enrol = async () => {
    const { nonce, challenge } = await device.calls.beginDeviceEnrolment([passkey.listed])
    const { credentialId, ...parts } = passkey.assert(Buffer.from(challenge, 'base64url'))
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
    return {
      nonce,
      credentialId,
      authenticatorData: text(parts.authenticatorData),
      clientDataJson: text(parts.clientDataJson),
      signature: text(parts.signature),
      origin: { rpId: 'letro.test', origins: ['https://letro.test'] },
    }
  }
  const answer = await enrol()
  await t.throwsAsync(device.calls.completeDeviceEnrolment({ ...answer, nonce: 'AAAA' }), {
    code: 'ENROLMENT_NOT_BEGUN',
  })
  await t.throwsAsync(device.calls.completeDeviceEnrolment({ ...answer, signature: '!' }), {
    code: 'ENROLMENT_MALFORMED',
  })
  await t.throwsAsync(device.calls.completeDeviceEnrolment({ ...answer, signature: 'AAAA' }), {
    code: 'PASSKEY_BAD_SIGNATURE',
  })
  await device.calls.completeDeviceEnrolment(answer)
  await server.settle()
  const [ours] = await device.calls.ourDevices(null)
  t.like(ours!.enrolment, { kind: 'enrolled', name: passkey.listed.name, hardwareBound: 'says-it-is' })
  t.is((await device.calls.identity(null)).state, 'ready')
  const list = () => device.machine.run(step => step.get('identity', `passkeys:${alice}`))
  const signed = await list()
  await enrol()
  t.deepEqual(await list(), signed)

  const viewer = await TrustDevice.open(server, bob, 'B')
  await viewer.device.joinRoom('!room:letro.test', [alice, bob])
  t.like((await viewer.calls.person(alice)).devices[0]!.enrolment, { kind: 'enrolled' })
})

test('a person is accepted as they were shown: a key that came meanwhile is not', async t => {
  const { server, device } = await world()
  await device.calls.setUpIdentity({ prf: null, auth: null })
  const viewer = await TrustDevice.open(server, bob, 'B')
  await viewer.device.joinRoom('!room:letro.test', [alice, bob])
  t.is((await viewer.calls.person(alice)).standing, 'pinned')
  await device.calls.resetIdentity({ prf: null, auth: null })
  await server.settle()
  t.is((await viewer.calls.person(alice)).standing, 'changed')
  await device.calls.resetIdentity({ prf: null, auth: null })
  await server.settle()
  await t.throwsAsync(viewer.calls.acceptIdentity(alice), { code: 'IDENTITY_CHANGED' })
  t.is((await viewer.calls.person(alice)).standing, 'changed')
  await viewer.calls.acceptIdentity(alice)
  t.is((await viewer.calls.person(alice)).standing, 'pinned')
  t.is((await viewer.calls.person('@nobody:letro.test')).standing, 'none')
})

test('room keys go into a file under a passphrase and come back, and a wrong passphrase opens nothing', async t => {
  const { device } = await world()
  const outbound = OutboundGroupSession.create(randomBytes)
  await device.machine.run(step =>
    keepSession(step, {
      roomId: '!room:letro.test',
      sessionId: outbound.id,
      key: InboundGroupSession.fromSessionKey(outbound.sessionKey()).export(),
      source: 'owner',
      senderUserId: alice,
      senderDeviceId: 'A',
      senderCurve25519Key: 'A'.repeat(43),
      senderEd25519Key: null,
      givenBy: null,
      isHistoryShared: false,
    }),
  )
  await t.throwsAsync(device.calls.exportKeys({ passphrase: 'short' }), { code: 'PASSPHRASE_TOO_SHORT' })
  const passphrase = 'a long enough passphrase'
  const file = await device.calls.exportKeys({ passphrase })
  const other = await TrustDevice.open(new TrustServer(), bob, 'B')
  await t.throwsAsync(other.calls.importKeys({ file, passphrase: 'another long passphrase' }), {
    code: 'KEY_FILE_WRONG_PASSPHRASE',
  })
  t.deepEqual(await other.calls.importKeys({ file, passphrase }), { imported: 1, total: 1 })
  t.deepEqual(await other.calls.importKeys({ file, passphrase }), { imported: 0, total: 1 })
})
