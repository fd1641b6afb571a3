import test from 'ava'
import { encodeBase64 } from '#protocol/base64.ts'
import type { JsonObject } from '#protocol/json.ts'
import { signOwnDevice } from '../../pwa/e2ee/cross-signing.ts'
import { decryptFromBackup, encryptForBackup } from '../../pwa/e2ee/ecies-backup.ts'
import {
  type BackedUpSession,
  backUpNextBatch,
  backupRefused,
  backupUploaded,
  createBackup,
  importBackupSecret,
  markForBackup,
  pendingBackups,
  readBackup,
  receiveBackupInfo,
  restoreBackup,
} from '../../pwa/e2ee/key-backup.ts'
import { signAsDevice } from '../../pwa/e2ee/own-device.ts'
import { curve25519KeyPair, encodeSecret, randomBytes, ready } from '../../pwa/e2ee/primitives.ts'
import { readSecret } from '../../pwa/e2ee/secrets.ts'
import { alice, Host } from './identity-world.ts'

test.before(() => ready)

const room = '!room:letro.test'

function session(more: Partial<BackedUpSession> = {}): BackedUpSession {
  const exported = randomBytes(165)
  exported.set([1, 0, 0, 0, 7])
  return {
    roomId: room,
    sessionId: encodeBase64(exported.slice(133)),
    firstMessageIndex: 7,
    forwardedCount: 0,
    senderKey: encodeBase64(randomBytes(32)),
    senderEd25519Key: encodeBase64(randomBytes(32)),
    forwardingChain: [],
    sessionKey: encodeSecret(exported),
    sharedHistory: true,
    ...more,
  }
}

async function withBackup() {
  const host = await new Host(alice, 'A').withIdentity()
  const body = await host.run(step => createBackup(step, host))
  const info = { ...body, version: '1' }
  await host.run(step => receiveBackupInfo(step, host, info))
  return { host, info }
}

/** Backs up these sessions; the request that went out. */
async function backUp(host: Host, ...sessions: BackedUpSession[]) {
  const byId = new Map(sessions.map(one => [one.sessionId, { ...one, authentic: true }]))
  for (const one of sessions) await host.run(step => markForBackup(step, host, one.roomId, one.sessionId))
  await host.run(step =>
    backUpNextBatch(step, host, async (_step, _room, sessionId) => byId.get(sessionId) ?? null),
  )
  return host.take('backup-keys')[0]
}

async function restore(host: Host, answer: JsonObject) {
  const restored: (BackedUpSession & { authentic: false })[] = []
  const result = await host.run(step =>
    restoreBackup(step, answer, async (_step, one) => void restored.push(one)),
  )
  return { ...result, sessions: restored }
}

test('what was backed up is restored as it was, and not as authentic', async t => {
  const { host } = await withBackup()
  const one = session()
  const request = await backUp(host, one)
  t.is(request!.version, '1')
  const { sessions, restored } = await restore(host, request!.body)
  t.is(restored, 1)
  t.deepEqual(sessions, [{ ...one, authentic: false }])
})

test('a batch is made once, confirmed, and repeated for what was stored anew in between', async t => {
  const { host } = await withBackup()
  const [one, two] = [session(), session()]
  const request = await backUp(host, one, two)
  t.is(await backUp(host), undefined)
  await host.run(step => markForBackup(step, host, room, one.sessionId))
  await host.run(step => backupUploaded(step, request!.id))
  t.is(await host.run(step => pendingBackups(step)), 1)
  t.deepEqual(
    Object.keys(
      ((await backUp(host, one))!.body['rooms'] as Record<string, { sessions: JsonObject }>)[room]!.sessions,
    ),
    [one.sessionId],
  )
})

test('when the server has another version by now, everything waits', async t => {
  const { host, info } = await withBackup()
  const one = session()
  const request = await backUp(host, one)
  await host.run(step => backupRefused(step, request!.id))
  t.is(await backUp(host, one), undefined)
  await host.run(step => receiveBackupInfo(step, host, { ...info, version: '2' }))
  t.is((await backUp(host, one))?.version, '2')
})

test('a new version gets every session that is here', async t => {
  const { host, info } = await withBackup()
  const one = session()
  await host.run(step => step.put('inbound-group-session', 'x', { room_id: room, session_id: one.sessionId }))
  await host.run(step => receiveBackupInfo(step, host, { ...info, version: '2' }))
  t.is(await host.run(step => pendingBackups(step)), 1)
})

test('a backup that nobody of ours signed is not written to until its key is here', async t => {
  const host = await new Host(alice, 'A').withIdentity()
  const { privateKey, publicKey } = curve25519KeyPair()
  const info = {
    algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2',
    version: '1',
    auth_data: { public_key: encodeBase64(publicKey) },
  }
  await host.run(step => receiveBackupInfo(step, host, info))
  const one = session()
  t.is(await backUp(host, one), undefined)
  await t.throwsAsync(
    host.run(step => importBackupSecret(step, encodeSecret(randomBytes(32)))),
    { code: 'SECRET_MISMATCH' },
  )
  await host.run(step => importBackupSecret(step, encodeSecret(privateKey)))
  t.truthy(await backUp(host, one))
})

test('the signature of a device of ours counts once our identity signed that device', async t => {
  const host = await new Host(alice, 'A').withIdentity()
  const other = new Host(alice, 'OTHER')
  const list = host.records.get(`device-list\n${alice}`)!['devices'] as JsonObject
  await host.knows(alice, list['A'] as JsonObject, other.deviceKeys)
  const authData = signAsDevice<JsonObject>(other, { public_key: encodeBase64(randomBytes(32)) })
  const info = {
    algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2',
    version: '1',
    auth_data: authData,
  }
  const trusted = async () => (await host.run(step => receiveBackupInfo(step, host, info)))!.trusted
  t.false(await trusted())
  await host.run(step => signOwnDevice(step, host, 'OTHER'))
  t.true(await trusted())
})

test('another public key makes the old key worthless; no backup ends it', async t => {
  const { host, info } = await withBackup()
  await host.run(step =>
    receiveBackupInfo(step, host, {
      ...info,
      version: '2',
      auth_data: { public_key: encodeBase64(randomBytes(32)) },
    }),
  )
  t.is(await host.run(step => readSecret(step, 'm.megolm_backup.v1')), null)
  await host.run(step => receiveBackupInfo(step, host, null))
  t.is(await host.run(step => readBackup(step)), null)
})

for (const [what, info, code] of [
  ['of another algorithm', { algorithm: 'org.example' }, 'BACKUP_UNKNOWN_ALGORITHM'],
  ['without a key', { auth_data: {} }, 'BACKUP_MALFORMED'],
  ['with a key of a wrong length', { auth_data: { public_key: 'AAAA' } }, 'BACKUP_MALFORMED'],
  ['without a version', { version: 1 }, 'BACKUP_MALFORMED'],
] as [string, JsonObject, string][]) {
  test(`a backup ${what} is refused and the one that we know stays`, async t => {
    const { host, info: good } = await withBackup()
    await t.throwsAsync(
      host.run(step => receiveBackupInfo(step, host, { ...good, ...info })),
      { code },
    )
    t.is((await host.run(step => readBackup(step)))?.version, '1')
  })
}

test('a broken session is counted and passed over, the rest is restored', async t => {
  const { host } = await withBackup()
  const [one, two] = [session(), session()]
  const { body } = (await backUp(host, one, two))!
  const rooms = body['rooms'] as Record<string, { sessions: Record<string, JsonObject> }>
  const good = rooms[room]!.sessions[two.sessionId]!
  const data = good['session_data'] as Record<string, string>
  const spoilt: [string, unknown][] = [
    ['none', undefined],
    ['no data', {}],
    ['text', { ...good, session_data: 'x' }],
    ['cut off', { ...good, session_data: { ...data, ciphertext: data['ciphertext']!.slice(0, 40) } }],
    ['other mac', { ...good, session_data: { ...data, mac: 'AAAAAAAAAAA' } }],
    ['zero key', { ...good, session_data: { ...data, ephemeral: 'A'.repeat(43) } }],
    ['long', { ...good, session_data: { ...data, ciphertext: 'A'.repeat(40_000) } }],
    // A good session under the id of another one.
    ['relabelled', rooms[room]!.sessions[one.sessionId]],
  ]
  for (const [what, value] of spoilt) {
    const sessions = { [one.sessionId]: value as JsonObject, [two.sessionId]: good }
    const swapped =
      what === 'relabelled' ? { [session().sessionId]: value as JsonObject, [two.sessionId]: good } : sessions
    const result = await restore(host, { rooms: { [room]: { sessions: swapped } } })
    t.like(result, { restored: 1, refused: 1 }, what)
  }
  await t.throwsAsync(restore(host, { rooms: [] }), { code: 'BACKUP_MALFORMED' })
})

for (const [what, change] of [
  ['not JSON', null],
  ['another algorithm', { algorithm: 'x' }],
  ['no sender', { sender_key: 1 }],
  ['no claimed key', { sender_claimed_keys: {} }],
  ['a short session key', { session_key: 'AAAA' }],
] as [string, JsonObject | null][]) {
  test(`a session that holds ${what} is refused`, async t => {
    const { host } = await withBackup()
    const one = session()
    const { body } = (await backUp(host, one))!
    const rooms = body['rooms'] as Record<string, { sessions: Record<string, JsonObject> }>
    const good = rooms[room]!.sessions[one.sessionId]!
    const secret = (await host.run(step => readSecret(step, 'm.megolm_backup.v1')))!
    const key = Buffer.from(secret, 'base64')
    const plain = JSON.parse(
      new TextDecoder().decode(await decryptFromBackup(key, good['session_data'] as JsonObject)),
    )
    const text = change ? JSON.stringify({ ...plain, ...change }) : 'nonsense'
    const session_data = await encryptForBackup(
      curve25519KeyPair(key).publicKey,
      randomBytes(32),
      new TextEncoder().encode(text),
    )
    const result = await restore(host, {
      rooms: { [room]: { sessions: { [one.sessionId]: { ...good, session_data } } } },
    })
    t.like(result, { restored: 0, refused: 1 })
  })
}
