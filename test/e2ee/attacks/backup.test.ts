/** Attack 6 of the list: whoever knows a backup's public key, the server before all, can put sessions into it. */
import test from 'ava'
import { encodeBase64 } from '#protocol/base64.ts'
import type { JsonObject } from '#protocol/json.ts'
import { encryptForBackup } from '../../../pwa/e2ee/ecies-backup.ts'
import { createBackup, receiveBackupInfo, restoreBackup } from '../../../pwa/e2ee/key-backup.ts'
import { decodeSecret, encodeSecret, randomBytes, ready } from '../../../pwa/e2ee/primitives.ts'
import { alice, Host } from '../identity-world.ts'

test.before(() => ready)

test('attack 6: a session that the server put into the backup is never authentic, whatever it says of itself', async t => {
  const host = await new Host(alice, 'A').withIdentity()
  const body = await host.run(step => createBackup(step, host))
  await host.run(step => receiveBackupInfo(step, host, { ...body, version: '1' }))
  const { public_key } = body['auth_data'] as { public_key: string }
  // A session of the server's own making, in the name of a device that Alice trusts.
  const exported = randomBytes(165)
  exported.set([1, 0, 0, 0, 0])
  const claims = {
    algorithm: 'm.megolm.v1.aes-sha2',
    authentic: true,
    is_verified: true,
    forwarding_curve25519_key_chain: [],
    sender_key: encodeBase64(randomBytes(32)),
    sender_claimed_keys: { ed25519: host.account.ed25519Key },
    session_key: encodeSecret(exported),
  }
  const session_data = await encryptForBackup(
    decodeSecret(public_key)!,
    randomBytes(32),
    new TextEncoder().encode(JSON.stringify(claims)),
  )
  const backedUp = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data }
  const sessionId = encodeBase64(exported.slice(133))
  const answer: JsonObject = { rooms: { '!r:letro.test': { sessions: { [sessionId]: backedUp } } } }
  const authentic: boolean[] = []
  await host.run(step =>
    restoreBackup(step, answer, async (_step, session) => void authentic.push(session.authentic)),
  )
  t.deepEqual(authentic, [false])
})
