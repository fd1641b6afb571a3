/** Files of room keys: the published vectors, and files of the Rust SDK, both ways. */
import { OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm'
import test from 'ava'
import { InboundGroupSession } from '../../pwa/e2ee/inbound-group-session.ts'
import { readKeyFile, writeKeyFile } from '../../pwa/e2ee/key-export-file.ts'
import { OutboundGroupSession } from '../../pwa/e2ee/outbound-group-session.ts'
import { curve25519KeyPair, ed25519KeyPair, randomBytes, ready } from '../../pwa/e2ee/primitives.ts'
import { encodeBase64 } from '../../server/protocol/base64.ts'

test.before(() => ready)

test('the Rust SDK reads our file, and we read its', async t => {
  const outbound = OutboundGroupSession.create(randomBytes)
  const sessions = [
    {
      algorithm: 'm.megolm.v1.aes-sha2',
      room_id: '!room:letro.test',
      session_id: outbound.id,
      session_key: InboundGroupSession.fromSessionKey(outbound.sessionKey()).export(),
      sender_key: encodeBase64(curve25519KeyPair().publicKey),
      sender_claimed_keys: { ed25519: encodeBase64(ed25519KeyPair().publicKey) },
      forwarding_curve25519_key_chain: [],
    },
  ]
  const ours = await writeKeyFile(sessions, 'correct horse', randomBytes, 1_000)
  t.like(JSON.parse(OlmMachine.decryptExportedRoomKeys(ours, 'correct horse')), [
    { session_id: outbound.id, session_key: sessions[0]!.session_key },
  ])
  const theirs = OlmMachine.encryptExportedRoomKeys(JSON.stringify(sessions), 'correct horse', 1_000)
  t.like(await readKeyFile(theirs, 'correct horse'), sessions)
  await t.throwsAsync(readKeyFile(theirs, 'wrong horse'), { code: 'KEY_FILE_WRONG_PASSPHRASE' })
})

test('a changed or cut file is refused', async t => {
  const file = await writeKeyFile([{ a: 1 }], 'words', randomBytes, 10)
  const lines = file.split('\n')
  const body = lines[1]!
  const changed = file.replace(body, `${body.slice(0, 60)}${body[60] === 'A' ? 'B' : 'A'}${body.slice(61)}`)
  await t.throwsAsync(readKeyFile(changed, 'words'), { code: 'KEY_FILE_WRONG_PASSPHRASE' })
  for (const bad of [
    '',
    'words',
    lines.slice(0, 2).join('\n'),
    file.replace(body, '???'),
    file.replace(body, 'AAAA'),
  ]) {
    await t.throwsAsync(readKeyFile(bad, 'words'), { code: 'KEY_FILE_MALFORMED' }, JSON.stringify(bad))
  }
})
