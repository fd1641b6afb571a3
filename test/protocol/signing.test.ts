import { readFileSync } from 'node:fs'
import test from 'ava'
import { decodeBase64, encodeBase64 } from '../../server/protocol/base64.ts'
import type { Pdu } from '../../server/protocol/event.ts'
import { contentHash, hasExpectedContentHash } from '../../server/protocol/event-hash.ts'
import {
  checkEventSignature,
  requiredSigners,
  signEvent,
  withContentHash,
} from '../../server/protocol/event-signing.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { redact } from '../../server/protocol/redaction.ts'
import { roomVersion } from '../../server/protocol/room-versions.ts'
import { checkSignature, type KeyId, parseKeyId, signJson } from '../../server/protocol/signing.ts'
import { sha256, signingKey, verify } from '../support/primitives.ts'

const vectors = JSON.parse(readFileSync(new URL('../vectors/signatures.json', import.meta.url), 'utf8')) as {
  seed: string
  server: ServerName
  keyId: KeyId
  json: { object: JsonObject; signature: string }[]
  events: { event: JsonObject; hash: string; signature: string }[]
}
const { server, keyId } = vectors
const { sign, publicKey } = signingKey(decodeBase64(vectors.seed)!)
const keys = (id: KeyId) => (id === keyId ? publicKey : undefined)
// The vectors are from room version 1, whose redaction keeps what version 10 keeps of these events.
const rules = roomVersion('10')!

for (const [i, { object, signature }] of vectors.json.entries()) {
  test(`JSON signing vector ${i + 1} has the specification's signature`, t => {
    const signed = signJson(object, server, keyId, sign)
    t.is(signed.signatures[server]?.[keyId], signature)
    t.deepEqual(checkSignature(signed, server, keys, verify), { kind: 'valid' })
  })
}

for (const [i, { event, hash, signature }] of vectors.events.entries()) {
  test(`event signing vector ${i + 1} has the specification's hash and signature`, t => {
    t.is(contentHash(event, sha256), hash)
    const signed = signEvent(withContentHash(event, sha256), rules, server, keyId, sign)
    t.is(signed.signatures[server]?.[keyId], signature)
    t.true(hasExpectedContentHash(signed, sha256))
    t.deepEqual(checkEventSignature(signed, rules, server, keys, verify), { kind: 'valid' })
  })
}

const message = vectors.events[1]!.event
const signedMessage = signEvent(withContentHash(message, sha256), rules, server, keyId, sign)

test('a signature survives redaction, and the content hash shows that content is gone', t => {
  const redacted = redact(signedMessage, rules)
  t.deepEqual(checkEventSignature(redacted, rules, server, keys, verify), { kind: 'valid' })
  t.false(hasExpectedContentHash(redacted, sha256))
})

test('changed content leaves the signature valid and breaks the hash', t => {
  const changed = { ...signedMessage, content: { body: 'something else' } }
  t.deepEqual(checkEventSignature(changed, rules, server, keys, verify), { kind: 'valid' })
  t.false(hasExpectedContentHash(changed, sha256))
})

test('a changed sender, time or hash breaks the signature', t => {
  for (const change of [{ sender: '@v:domain' }, { origin_server_ts: 1 }, { hashes: { sha256: 'AAAA' } }]) {
    const check = checkEventSignature({ ...signedMessage, ...change }, rules, server, keys, verify)
    t.deepEqual(check, { kind: 'invalid', keyId })
  }
})

test('unsigned data may change freely', t => {
  const aged = { ...signedMessage, unsigned: { age: 5 } }
  t.deepEqual(checkEventSignature(aged, rules, server, keys, verify), { kind: 'valid' })
  t.true(hasExpectedContentHash(aged, sha256))
})

test('a content hash is compared by its bytes, however it is spelled', t => {
  const { sha256: spelled } = signedMessage.hashes as { sha256: string }
  t.true(hasExpectedContentHash({ ...signedMessage, hashes: { sha256: `${spelled}=` } }, sha256))
  t.false(hasExpectedContentHash({ ...signedMessage, hashes: { sha256: '' } }, sha256))
  t.false(hasExpectedContentHash({ ...signedMessage, hashes: {} }, sha256))
})

test('without the entity, or without an algorithm that we know, an object is unsigned', t => {
  for (const signatures of [
    undefined,
    {},
    { other: { [keyId]: 'x' } },
    { [server]: { 'rsa:1': 'x' } },
    { [server]: 'x' },
  ]) {
    t.deepEqual(checkSignature({ a: 1, signatures }, server, keys, verify), { kind: 'unsigned' })
  }
})

test('an entity named like what every object inherits has not signed', t => {
  t.deepEqual(checkSignature({ signatures: {} }, 'constructor', keys, verify), { kind: 'unsigned' })
})

test('a signature under an unknown key is skipped, alone it is not enough', t => {
  const signed = signJson({ a: 1 }, server, 'ed25519:2' as KeyId, sign)
  t.deepEqual(checkSignature(signed, server, keys, verify), {
    kind: 'unknown-keys',
    keyIds: ['ed25519:2' as KeyId],
  })
  t.deepEqual(checkSignature(signJson(signed, server, keyId, sign), server, keys, verify), { kind: 'valid' })
})

test('a bad signature under one known key is not outweighed by a good one under another', t => {
  const good = signJson({ a: 1 }, server, keyId, sign)
  const signatures = {
    [server]: { ...good.signatures[server], 'ed25519:2': encodeBase64(new Uint8Array(64)) },
  }
  const check = checkSignature({ ...good, signatures }, server, () => publicKey, verify)
  t.deepEqual(check, { kind: 'invalid', keyId: 'ed25519:2' as KeyId })
})

test('what is not base64 is no signature', t => {
  const check = checkSignature({ signatures: { [server]: { [keyId]: 'not base64!' } } }, server, keys, verify)
  t.deepEqual(check, { kind: 'invalid', keyId })
})

test('signing keeps the signatures of others and our own under other keys', t => {
  const first = signJson({ a: 1 }, 'other', keyId, sign)
  const second = signJson(first, server, 'ed25519:old' as KeyId, sign)
  const third = signJson(second, server, keyId, sign)
  t.deepEqual(Object.keys(third.signatures).sort(), [server, 'other'].sort())
  t.deepEqual(Object.keys(third.signatures[server]!).sort(), ['ed25519:1', 'ed25519:old'])
})

test('a key id is ed25519, a colon and a name', t => {
  for (const good of ['ed25519:1', 'ed25519:a_b', 'ed25519:JLAFKJWSCS']) t.truthy(parseKeyId(good))
  for (const bad of ['ed25519:', 'ed25519', 'curve25519:1', ':1', 'ed25519:a\n', 1, null])
    t.is(parseKeyId(bad), null)
})

function member(content: JsonObject): Pdu {
  return { type: 'm.room.member', sender: '@a:one', state_key: '@b:two', content } as unknown as Pdu
}

test("an event must bear the signature of its sender's server", t => {
  t.deepEqual(requiredSigners(member({ membership: 'invite' })), ['one' as ServerName])
})

test('rooms/v12 (5.2.1): a restricted join must bear the signature of the server that authorised it', t => {
  const join = member({ membership: 'join', join_authorised_via_users_server: '@c:three' })
  t.deepEqual(requiredSigners(join), ['one', 'three'] as ServerName[])
})

test('a third-party invite needs no signature of the sender, another server may send it', t => {
  t.deepEqual(requiredSigners(member({ membership: 'invite', third_party_invite: { signed: {} } })), [])
  t.deepEqual(requiredSigners(member({ membership: 'join', third_party_invite: {} })), ['one' as ServerName])
})
