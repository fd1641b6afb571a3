/** What a hostile server can put into a step of ours: it is refused with a code or passed over, and leaves nothing behind. */
import test from 'ava'
import fc from 'fast-check'
import { encodeBase64 } from '#protocol/base64.ts'
import type { JsonObject } from '#protocol/json.ts'
import { restoreBackup } from '../../pwa/e2ee/backup-restore.ts'
import { parseCoseKey, rawEcdsaSignature } from '../../pwa/e2ee/cose-key.ts'
import { E2eeError } from '../../pwa/e2ee/errors.ts'
import { receiveIdentities } from '../../pwa/e2ee/identity.ts'
import { createBackup, receiveBackupInfo } from '../../pwa/e2ee/key-backup.ts'
import { enrolmentOf, receivePasskeyLists } from '../../pwa/e2ee/passkey-device.ts'
import { curve25519KeyPair, ready } from '../../pwa/e2ee/primitives.ts'
import type { Step } from '../../pwa/e2ee/records.ts'
import { receiveSecretRequest } from '../../pwa/e2ee/secret-sharing.ts'
import { defaultKeyOf, keyFromPasskey, openSecrets, StorageKey } from '../../pwa/e2ee/secret-storage.ts'
import { receiveInvite } from '../../pwa/e2ee/signed-invite.ts'
import { acceptVerification } from '../../pwa/e2ee/verification/flow.ts'
import { parseQr } from '../../pwa/e2ee/verification/qr.ts'
import { receiveVerificationEvent } from '../../pwa/e2ee/verification/received.ts'
import { chooseFrom, isOurOffer, sasOffer } from '../../pwa/e2ee/verification/sas.ts'
import { alice, answer, bob, Host, Person } from './identity-world.ts'

test.before(() => ready)

/** JSON under the names that the code looks for, so that the rubbish gets past the first check. */
const names = fc.constantFrom(
  ...['user_id', 'usage', 'keys', 'signatures', 'ed25519:x', 'methods', 'from_device', 'transaction_id'],
  ...['timestamp', 'method', 'commitment', 'key', 'mac', 'rooms', 'sessions', 'session_data', 'auth_data'],
  ...['ephemeral', 'ciphertext', 'iv', 'encrypted', 'version', 'action', 'name', 'request_id', 'secret'],
  ...['requesting_device_id', 'algorithm', 'public_key', 'passkeys', 'serial', 'credential_id', '__proto__'],
  ...[alice, bob, 'constructor', 'm.relates_to', 'event_id', 'rel_type', 'hashes', 'passphrase'],
)
const { json } = fc.letrec<{ json: unknown }>(tie => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, 0, -1, 1.5, 1e300, '', 'A'.repeat(43), 'AAAA', '!', alice, 'm.sas.v1'),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(names, tie('json'), { maxKeys: 6 }),
  ),
}))
const object = fc.dictionary(names, json, { maxKeys: 8 }) as fc.Arbitrary<JsonObject>

/** The records as they were, whether it was refused or passed over. */
async function leavesNothing(host: Host, work: (step: Step) => Promise<unknown> | unknown): Promise<boolean> {
  const before = JSON.stringify([...host.records])
  try {
    await host.run(async step => void (await work(step)))
  } catch (error) {
    if (!(error instanceof E2eeError)) throw error
  }
  return JSON.stringify([...host.records]) === before
}

const types = ['request', 'ready', 'start', 'accept', 'key', 'mac', 'done', 'cancel', 'x'] as const

const inputs: [string, (step: Step, host: Host, rubbish: JsonObject) => Promise<unknown> | unknown][] = [
  ['identities', (step, host, o) => receiveIdentities(step, host, o)],
  [
    'identities of a known person',
    (step, host, o) =>
      receiveIdentities(step, host, { ...answer(new Person(bob)), self_signing_keys: { [bob]: o } }),
  ],
  ['a backup', (step, host, o) => receiveBackupInfo(step, host, { version: '2', auth_data: {}, ...o })],
  [
    'backed-up sessions',
    async (step, _host, o) => restoreBackup(step, { rooms: { '!r:x': { sessions: { x: o } } } }),
  ],
  ['a request for a secret', (step, host, o) => receiveSecretRequest(step, host, alice, o)],
  ['an invite', step => receiveInvite(step, { roomId: '!r:x', sender: bob, userId: alice, content: {} })],
  [
    'a signed invite',
    (step, _host, o) =>
      receiveInvite(step, {
        roomId: '!r:x',
        sender: bob,
        userId: alice,
        content: { 'org.letro.invite_signature': o },
      }),
  ],
  ['account data', (step, host, o) => openSecrets(step, host, StorageKey.random(host), o)],
  ['a stored key', (_step, _host, o) => keyFromPasskey('k', { 'org.letro.prf': o }, 'x', new Uint8Array(32))],
  ...types.map((type): (typeof inputs)[number] => [
    `m.key.verification.${type}`,
    (step, host, o) =>
      receiveVerificationEvent(step, host, {
        sender: alice,
        type: `m.key.verification.${type}`,
        content: o,
        room: null,
      }),
  ]),
]

for (const [what, work] of inputs) {
  test(`rubbish for ${what} is refused or passed over, and leaves nothing`, async t => {
    const host = await new Host(alice, 'A').withIdentity()
    await host.run(async step =>
      receiveBackupInfo(step, host, { ...(await createBackup(step, host)), version: '1' }),
    )
    await fc.assert(
      fc.asyncProperty(object, rubbish => leavesNothing(host, step => work(step, host, rubbish))),
      { numRuns: 60 },
    )
    t.pass()
  })
}

for (const type of types.slice(1)) {
  test(`rubbish for m.key.verification.${type} in the middle of a verification cancels it at most`, async t => {
    const content = { from_device: 'B', methods: ['m.sas.v1'], transaction_id: 'x', timestamp: 0 }
    const receive = (host: Host, kind: string, more: JsonObject) =>
      host.run(step =>
        receiveVerificationEvent(step, host, {
          sender: alice,
          type: `m.key.verification.${kind}`,
          content: { ...more, transaction_id: 'x' },
          room: null,
        }),
      )
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 3 }), object, async (depth, rubbish) => {
        const host = new Host(alice, 'A')
        host.now = 0
        await receive(host, 'request', content)
        if (depth > 0) await host.run(step => acceptVerification(step, host, 'x'))
        if (depth > 1)
          await receive(host, 'start', { ...sasOffer, from_device: 'B' } as unknown as JsonObject)
        if (depth > 2) {
          const key = encodeBase64(curve25519KeyPair().publicKey)
          await receive(host, 'key', { key })
        }
        // A start that offers everything and carries rubbish beside it.
        const more = type === 'start' ? { ...(sasOffer as unknown as JsonObject), ...rubbish } : rubbish
        await receive(host, type, { ...more, from_device: 'B' })
        return [...host.records].every(
          ([name, value]) => name === 'verification\nx' && value['version'] === 1,
        )
      }),
      { numRuns: 60 },
    )
    t.pass()
  })
}

test('rubbish in the keys of a device says nothing of passkeys', async t => {
  const viewer = new Host(alice, 'A')
  const them = new Person(bob)
  await viewer.learns(them)
  await fc.assert(
    fc.asyncProperty(object, object, async (list, assertion) => {
      const more = { 'org.letro.passkeys': list, 'org.letro.passkey_assertion': assertion }
      await viewer.knows(bob, new Host(bob, 'B', JSON.parse(JSON.stringify(more), integers)).deviceKeys)
      await viewer.run(step => receivePasskeyLists(step, bob))
      const verdict = await viewer.run(step => enrolmentOf(step, bob, 'B', { rpId: 'x', origins: ['x'] }))
      return verdict.kind === 'invalid'
    }),
    { numRuns: 60 },
  )
  t.pass()
})

/** What is signed holds no fractions. */
function integers(_name: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) ? 1 : value
}

test('parsers of bytes and offers take anything', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), object, (bytes, offer) => {
      for (const parse of [parseQr, parseCoseKey]) {
        for (const input of [bytes, Uint8Array.from([0x4d, 0x41, 0x54, 0x52, 0x49, 0x58, 2, ...bytes])]) {
          try {
            parse(input)
          } catch (error) {
            if (!(error instanceof E2eeError)) throw error
          }
        }
      }
      rawEcdsaSignature(bytes)
      chooseFrom(offer)
      isOurOffer(offer)
      defaultKeyOf(offer)
    }),
    { numRuns: 500 },
  )
  t.pass()
})
