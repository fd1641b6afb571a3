import test from 'ava'
import type { JsonObject } from '#protocol/json.ts'
import { standingOf } from '../../pwa/e2ee/identity.ts'
import { randomBytes, ready } from '../../pwa/e2ee/primitives.ts'
import {
  defaultKeyOf,
  encodeRecoveryKey,
  keyFromPasskey,
  keyFromPassphrase,
  keyFromRecoveryKey,
  openSecrets,
  parseRecoveryKey,
  removePasskey,
  StorageKey,
  storeSecrets,
} from '../../pwa/e2ee/secret-storage.ts'
import { alice, Host, Person } from './identity-world.ts'

test.before(() => ready)

/** Account data after a first device stored its secrets. */
async function stored() {
  const host = await new Host(alice, 'A').withIdentity()
  const key = StorageKey.random(host)
  const description = await key.describe(host)
  await host.run(step => storeSecrets(step, host, key, description))
  const accountData = Object.fromEntries(host.take('account-data').map(({ type, body }) => [type, body]))
  return { host, key, description, accountData }
}

test('a new device with the recovery key has the secrets, and its identity is verified', async t => {
  const { host, key, accountData } = await stored()
  const fresh = new Host(alice, 'NEW')
  const record = host.records.get(`identity\n${alice}`)!
  await fresh.run(step => step.put('identity', alice, { ...record, verifiedKey: null }))
  const found = defaultKeyOf(accountData)!
  const opened = await keyFromRecoveryKey(
    found.keyId,
    found.description,
    key.toRecoveryKey().toString().replaceAll(' ', '\n'),
  )
  const taken = await fresh.run(step => openSecrets(step, fresh, opened, accountData))
  t.is(taken.length, 3)
  t.is(await fresh.run(step => standingOf(step, fresh, alice)), 'verified')
})

test('secrets of another identity are refused, and none of them is taken', async t => {
  const { key, accountData } = await stored()
  const fresh = new Host(alice, 'NEW')
  await fresh.learns(new Person(alice))
  await t.throwsAsync(
    fresh.run(step => openSecrets(step, fresh, key, accountData)),
    { code: 'SECRET_MISMATCH' },
  )
  t.is([...fresh.records.keys()].filter(name => name.startsWith('secret')).length, 0)
})

for (const [what, spoil, code] of [
  ['a changed letter', { ciphertext: 'AAAA' }, 'STORED_SECRET_BAD_MAC'],
  ['another initialisation vector of a wrong length', { iv: 'AAAA' }, 'STORED_SECRET_MALFORMED'],
  ['no MAC', { mac: undefined }, 'STORED_SECRET_MALFORMED'],
  ['no base64', { ciphertext: '!' }, 'STORED_SECRET_MALFORMED'],
] as [string, JsonObject, string][]) {
  test(`a stored secret with ${what} is refused`, async t => {
    const { host, key } = await stored()
    const content = await key.encrypt(host, 'm.cross_signing.master', 'secret')
    t.is(await key.decrypt('m.cross_signing.master', content), 'secret')
    const encrypted = (content['encrypted'] as Record<string, JsonObject>)[key.keyId]!
    const spoilt = { encrypted: { [key.keyId]: { ...encrypted, ...spoil } } }
    await t.throwsAsync(key.decrypt('m.cross_signing.master', spoilt), { code })
  })
}

test('a secret stored under one name is not one of another name', async t => {
  const { host, key } = await stored()
  const content = await key.encrypt(host, 'm.cross_signing.master', 'secret')
  await t.throwsAsync(key.decrypt('m.cross_signing.self_signing', content), {
    code: 'STORED_SECRET_BAD_MAC',
  })
})

test('padded base64 opens too; a copy under another key stays', async t => {
  const { host, key } = await stored()
  const content = await key.encrypt(host, 'x', 'secret', { encrypted: { other: { mac: 'x' } } })
  const all = content['encrypted'] as Record<string, Record<string, string>>
  t.deepEqual(all['other'], { mac: 'x' })
  const padded = Object.fromEntries(
    Object.entries(all[key.keyId]!).map(([name, text]) => [
      name,
      text.padEnd(-(-text.length >> 2) << 2, '='),
    ]),
  )
  t.is(await key.decrypt('x', { encrypted: { [key.keyId]: padded } }), 'secret')
})

test('the wrong key is noticed before anything is decrypted', async t => {
  const { key, description, host } = await stored()
  const other = encodeRecoveryKey(randomBytes(32))
  await t.throwsAsync(keyFromRecoveryKey(key.keyId, description, other), { code: 'STORAGE_KEY_WRONG' })
  const foreign = { ...description, algorithm: 'org.example' }
  await t.throwsAsync(keyFromRecoveryKey(key.keyId, foreign, key.toRecoveryKey()), {
    code: 'STORAGE_KEY_UNKNOWN_ALGORITHM',
  })
  t.true(await key.matches({ algorithm: 'm.secret_storage.v1.aes-hmac-sha2' }))
  t.false(await StorageKey.random(host).matches(description))
})

test('a passkey opens secret storage with nothing typed, as long as it is listed', async t => {
  const { key, description } = await stored()
  const [prf, otherPrf] = [randomBytes(32), randomBytes(32)]
  const withOne = key.addPasskey(description, 'one', prf)
  const withBoth = key.addPasskey(withOne, 'two', otherPrf)
  for (const [id, output] of [
    ['one', prf],
    ['two', otherPrf],
  ] as const) {
    const opened = await keyFromPasskey(key.keyId, withBoth, id, output)
    t.is(opened.toRecoveryKey(), key.toRecoveryKey())
  }
  const attempts = [
    [withBoth, 'one', otherPrf, 'STORAGE_KEY_WRONG'],
    [removePasskey(withBoth, 'one'), 'one', prf, 'STORAGE_KEY_NO_PASSKEY'],
    [description, 'one', prf, 'STORAGE_KEY_NO_PASSKEY'],
    [withBoth, 'one', prf.subarray(1), 'PRF_BAD_LENGTH'],
  ] as const
  for (const [from, id, output, code] of attempts) {
    await t.throwsAsync(keyFromPasskey(key.keyId, from, id, output), { code })
  }
  // A wrap moved to another key's description or credential id is not one.
  const wraps = withOne['org.letro.prf'] as JsonObject
  const moved = { ...withOne, 'org.letro.prf': { three: wraps['one']! } }
  await t.throwsAsync(keyFromPasskey(key.keyId, moved, 'three', prf), { code: 'STORAGE_KEY_WRONG' })
})

test('a passphrase opens what it was set for; a server cannot make us count for hours', async t => {
  const host = new Host(alice, 'A')
  // Spec: client-server-api#deriving-keys-from-passphrases. Few iterations: the time is not what is tested.
  const passphrase = { algorithm: 'm.pbkdf2', salt: 'MmMsAlty', iterations: 10, bits: 256 }
  const base = { algorithm: 'm.secret_storage.v1.aes-hmac-sha2', passphrase }
  const made = await keyFromPassphrase('k', base, 'مرحبا')
  const description = { ...base, ...(await made.describe(host, { passphrase })) }
  t.is((await keyFromPassphrase('k', description, 'مرحبا')).toRecoveryKey(), made.toRecoveryKey())
  await t.throwsAsync(keyFromPassphrase('k', description, 'marhaba'), { code: 'STORAGE_KEY_WRONG' })
  for (const bad of [
    { iterations: 1e9 },
    { iterations: 0 },
    { iterations: '10' },
    { algorithm: 'md5' },
    { bits: 512 },
  ]) {
    const spoilt = { ...base, passphrase: { ...passphrase, ...bad } }
    await t.throwsAsync(keyFromPassphrase('k', spoilt, 'x'), { code: 'STORAGE_KEY_NO_PASSPHRASE' })
  }
})

test('the recovery key of the specification reads as it says', t => {
  // Spec: appendices#cryptographic-key-representation: 0x8B 0x01, 32 bytes, parity
  const key = Uint8Array.from({ length: 32 }, (_, i) => i + 1)
  const text = encodeRecoveryKey(key)
  t.regex(text, /^(\w{4} )+\w{1,4}$/)
  t.true(text.startsWith('Es'))
  t.deepEqual(parseRecoveryKey(text), key)
  t.deepEqual(parseRecoveryKey(text.replaceAll(' ', '')), key)
})

test('a recovery key with any one letter wrong is refused', t => {
  const text = encodeRecoveryKey(Uint8Array.from({ length: 32 }, (_, i) => 200 - i))
  for (let i = 0; i < text.length; i++) {
    if (text[i] === ' ') continue
    const wrong = text.slice(0, i) + (text[i] === 'a' ? 'b' : 'a') + text.slice(i + 1)
    t.throws(() => parseRecoveryKey(wrong), { code: 'RECOVERY_KEY_MALFORMED' })
  }
  for (const bad of ['', 'Es', '0OIl', 'z'.repeat(1000), text.slice(1), `${text}1`]) {
    t.throws(() => parseRecoveryKey(bad), { code: 'RECOVERY_KEY_MALFORMED' })
  }
})

test('no key shows in JSON', async t => {
  const { key } = await stored()
  t.deepEqual(JSON.parse(JSON.stringify(key)), { keyId: key.keyId })
})
