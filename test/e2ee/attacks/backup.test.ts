/** Attack 6 of the list: whoever knows a backup's public key, the server before all, can put sessions into it. */
import test from 'ava'
import { encodeBase64 } from '#protocol/base64.ts'
import type { JsonObject } from '#protocol/json.ts'
import { restoreBackup } from '../../../pwa/e2ee/backup-restore.ts'
import { encryptForBackup } from '../../../pwa/e2ee/ecies-backup.ts'
import { InboundGroupSession } from '../../../pwa/e2ee/inbound-group-session.ts'
import { createBackup, receiveBackupInfo } from '../../../pwa/e2ee/key-backup.ts'
import { OutboundGroupSession } from '../../../pwa/e2ee/outbound-group-session.ts'
import { decodeSecret, randomBytes, ready } from '../../../pwa/e2ee/primitives.ts'
import { decryptRoomEvents } from '../../../pwa/e2ee/room-decryption.ts'
import { readSession } from '../../../pwa/e2ee/room-sessions.ts'
import { alice, bob, Host } from '../identity-world.ts'

const room = '!r:letro.test'

test.before(() => ready)

test('attack 6: a session that the server put into the backup is never authentic, whatever it says of itself', async t => {
  const host = await new Host(alice, 'A').withIdentity()
  const body = await host.run(step => createBackup(step, host))
  await host.run(step => receiveBackupInfo(step, host, { ...body, version: '1' }))
  const { public_key } = body['auth_data'] as { public_key: string }
  // A session of the server's own making, in the name of a device that Alice trusts.
  const session = OutboundGroupSession.create(randomBytes)
  const sessionId = session.id
  const claims = {
    algorithm: 'm.megolm.v1.aes-sha2',
    authentic: true,
    is_verified: true,
    forwarding_curve25519_key_chain: [],
    sender_key: encodeBase64(randomBytes(32)),
    sender_claimed_keys: { ed25519: host.account.ed25519Key },
    session_key: InboundGroupSession.fromSessionKey(session.sessionKey()).export(),
  }
  const session_data = await encryptForBackup(
    decodeSecret(public_key)!,
    randomBytes(32),
    new TextEncoder().encode(JSON.stringify(claims)),
  )
  const backedUp = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data }
  const answer: JsonObject = { rooms: { [room]: { sessions: { [sessionId]: backedUp } } } }
  t.deepEqual(await host.run(step => restoreBackup(step, answer)), { restored: 1, refused: 0 })
  const kept = await host.run(step => readSession(step, room, sessionId))
  t.like(kept, { source: 'backup', senderUserId: null, senderDeviceId: null })

  // What is written with it is shown, and shown as not authentic.
  const encrypted = await session.encrypt(
    new TextEncoder().encode(
      JSON.stringify({ type: 'm.room.message', content: { body: 'pay Mallory' }, room_id: room }),
    ),
  )
  const event = {
    event_id: '$e',
    sender: bob,
    type: 'm.room.encrypted',
    origin_server_ts: 1,
    content: {
      algorithm: 'm.megolm.v1.aes-sha2',
      session_id: sessionId,
      ciphertext: encodeBase64(encrypted.message),
    },
  }
  const [result] = await host.run(step => decryptRoomEvents(step, host, room, [event]))
  t.like(result, { kind: 'decrypted', shield: 'not-authentic', source: 'backup' })
})
