import test from 'ava'
import { encodeBase64 } from '#protocol/base64.ts'
import type { JsonObject } from '#protocol/json.ts'
import { restoreBackup, restoreWholeBackup } from '../../pwa/e2ee/backup-restore.ts'
import { signOwnDevice } from '../../pwa/e2ee/cross-signing.ts'
import { decryptFromBackup, encryptForBackup } from '../../pwa/e2ee/ecies-backup.ts'
import { InboundGroupSession } from '../../pwa/e2ee/inbound-group-session.ts'
import {
  backUpNextBatch,
  createBackup,
  importBackupSecret,
  pendingBackups,
  readBackup,
  receiveBackupAnswer,
  receiveBackupInfo,
} from '../../pwa/e2ee/key-backup.ts'
import { OutboundGroupSession } from '../../pwa/e2ee/outbound-group-session.ts'
import { signAsDevice } from '../../pwa/e2ee/own-device.ts'
import { curve25519KeyPair, encodeSecret, randomBytes, ready } from '../../pwa/e2ee/primitives.ts'
import { keepSession, type RoomSession, readSession } from '../../pwa/e2ee/room-sessions.ts'
import { readSecret } from '../../pwa/e2ee/secrets.ts'
import { alice, bob, Host } from './identity-world.ts'

test.before(() => ready)

const room = '!room:letro.test'
type Rooms = Record<string, { sessions: Record<string, JsonObject> }>

function session(more: Partial<RoomSession> = {}): RoomSession {
  const outbound = OutboundGroupSession.create(randomBytes)
  return {
    roomId: room,
    sessionId: outbound.id,
    key: InboundGroupSession.fromSessionKey(outbound.sessionKey()).exportFrom(7),
    source: 'owner',
    senderUserId: bob,
    senderDeviceId: 'B',
    senderCurve25519Key: encodeBase64(randomBytes(32)),
    senderEd25519Key: encodeBase64(randomBytes(32)),
    givenBy: null,
    isHistoryShared: true,
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

/** Keeps these sessions and backs them up; the request that went out. */
async function backUp(host: Host, ...sessions: RoomSession[]) {
  for (const one of sessions) await host.run(step => keepSession(step, one))
  await host.run(step => backUpNextBatch(step, host))
  return host.take('backup-keys')[0]
}

/** Restores on another device of ours. */
async function restore(host: Host, answer: JsonObject) {
  const other = new Host(alice, 'OTHER')
  for (const name of ['secret\nm.megolm_backup.v1', 'key-backup\nbackup']) {
    other.records.set(name, host.records.get(name)!)
  }
  const result = await other.run(step => restoreBackup(step, answer))
  const kept = await other.run(step => step.entries('inbound-group-session'))
  return { ...result, other, sessions: kept.map(([, record]) => record) }
}

test('what was backed up is restored, as of the backup and of nobody', async t => {
  const { host } = await withBackup()
  const one = session()
  const request = await backUp(host, one)
  t.is(request!.version, '1')
  t.like(Object.values((request!.body['rooms'] as Rooms)[room]!.sessions)[0], {
    first_message_index: 7,
    forwarded_count: 0,
    is_verified: true,
  })
  const { sessions, restored, other } = await restore(host, request!.body)
  t.is(restored, 1)
  const expected = { ...one, source: 'backup', senderUserId: null, senderDeviceId: null }
  t.deepEqual(sessions, [{ algorithm: 'm.megolm.v1.aes-sha2', ...expected }])
  // It is not backed up a second time.
  t.is(await other.run(step => pendingBackups(step)), 0)
})

test('a session from the backup does not take the place of one from its owner', async t => {
  const { host } = await withBackup()
  const one = session()
  const request = await backUp(host, one)
  await host.run(step => restoreBackup(step, request!.body))
  t.like(await host.run(step => readSession(step, room, one.sessionId)), {
    source: 'owner',
    senderUserId: bob,
  })
})

test('a batch is made once, confirmed, and repeated for what was stored anew in between', async t => {
  const { host } = await withBackup()
  const [one, two] = [session({ source: 'backup' }), session()]
  const request = await backUp(host, one, two)
  t.is(await backUp(host), undefined)
  await host.run(step => keepSession(step, { ...one, source: 'owner' }))
  await host.run(step => receiveBackupAnswer(step, request!.id, {}))
  t.is(await host.run(step => pendingBackups(step)), 1)
  const again = (await backUp(host))!.body['rooms'] as Rooms
  t.deepEqual(Object.keys(again[room]!.sessions), [one.sessionId])
})

test('when the server has another version by now, everything waits', async t => {
  const { host, info } = await withBackup()
  const one = session()
  const request = await backUp(host, one)
  await host.run(step => receiveBackupAnswer(step, request!.id, null))
  t.is(await backUp(host, one), undefined)
  await host.run(step => receiveBackupInfo(step, host, { ...info, version: '2' }))
  t.is((await backUp(host, one))?.version, '2')
})

test('a new version gets every session that is here', async t => {
  const { host, info } = await withBackup()
  const request = await backUp(host, session())
  await host.run(step => receiveBackupAnswer(step, request!.id, {}))
  t.is(await host.run(step => pendingBackups(step)), 0)
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

test('a backup of many sessions is taken in many steps, with progress, and goes on after a break', async t => {
  const { host } = await withBackup()
  const sessions = Array.from({ length: 250 }, (_, i) =>
    session({ roomId: i < 120 ? room : '!two:letro.test' }),
  )
  for (const one of sessions) await host.run(step => keepSession(step, one))
  const rooms: Rooms = {}
  for (let batch = 0; batch < 3; batch++) {
    await host.run(step => backUpNextBatch(step, host))
    const request = host.take('backup-keys')[0]!
    for (const [roomId, of] of Object.entries(request.body['rooms'] as Rooms)) {
      rooms[roomId] = { sessions: { ...rooms[roomId]?.sessions, ...of.sessions } }
    }
    await host.run(step => receiveBackupAnswer(step, request.id, {}))
  }
  const other = new Host(alice, 'OTHER')
  for (const name of ['secret\nm.megolm_backup.v1', 'key-backup\nbackup']) {
    other.records.set(name, host.records.get(name)!)
  }
  const kept = async () => (await other.run(step => step.entries('inbound-group-session'))).length
  let steps = 0
  const breaking = restoreWholeBackup(
    input => {
      if (++steps === 3) throw new Error('the tab was closed')
      return other.run(input)
    },
    { rooms },
  )
  await t.throwsAsync(breaking, { message: 'the tab was closed' })
  t.is(await kept(), 120)
  const progress: number[] = []
  const count = await restoreWholeBackup(
    input => other.run(input),
    { rooms },
    (done, total) => progress.push(done, total),
  )
  t.deepEqual(count, { restored: 250, refused: 0 })
  t.deepEqual(progress, [0, 250, 100, 250, 120, 250, 220, 250, 250, 250])
  t.is(await kept(), 250)
})

for (const [what, change] of [
  ['not JSON', null],
  ['another algorithm', { algorithm: 'x' }],
  ['no sender', { sender_key: 1 }],
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
