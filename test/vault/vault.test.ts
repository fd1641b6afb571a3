/** The vault over an IndexedDB in memory: what it keeps, what opens it, what it does with a damaged disk. */
import 'fake-indexeddb/auto'
import test from 'ava'
import { type IDBPDatabase, openDB } from 'idb'
import { openMachine } from '../../pwa/e2ee/machine.ts'
import { randomBytes } from '../../pwa/e2ee/primitives.ts'
import type { VaultWarning } from '../../pwa/vault/errors.ts'
import { Vault, type VaultOptions } from '../../pwa/vault/vault.ts'
import type { Opener } from '../../pwa/vault/vault-key.ts'
import { conformance } from './conformance.ts'

const passkey: Opener = { kind: 'passkey', credentialId: 'cred', prfOutput: new Uint8Array(32).fill(7) }
const recoveryKey: Opener = { kind: 'recovery-key', recoveryKey: new Uint8Array(32).fill(9) }
const passphrase: Opener = { kind: 'passphrase', passphrase: 'correct horse battery' }

let made = 0

conformance(test, 'sealed', async () => (await Vault.create(place().options, [passkey])).records)
conformance(test, 'in memory', async () => (await Vault.inMemory(place().options)).records)

test('what was stored is there after a lock and an unlock, by every way in', async t => {
  const { options } = place()
  const vault = await Vault.create(options, [passkey, recoveryKey, passphrase])
  await vault.records.commit([{ collection: 'room', id: '!a', value: { topic: 'secret' } }])
  vault.lock()
  for (const opener of [passkey, recoveryKey, passphrase]) {
    const opened = await Vault.unlock(options, opener)
    t.deepEqual(await opened.records.get('room', '!a'), { topic: 'secret' }, opener.kind)
    opened.lock()
  }
})

test('a wrong secret opens nothing, and says which it was', async t => {
  const { options } = place()
  ;(await Vault.create(options, [passkey, passphrase])).lock()
  const wrong: [Opener, string][] = [
    [{ ...passkey, prfOutput: new Uint8Array(32) }, 'WRONG_KEY'],
    [{ ...passkey, credentialId: 'other' }, 'NO_SUCH_WAY_IN'],
    [recoveryKey, 'NO_SUCH_WAY_IN'],
    [{ kind: 'passphrase', passphrase: 'correct horse batterY' }, 'WRONG_KEY'],
  ]
  for (const [opener, code] of wrong) await t.throwsAsync(Vault.unlock(options, opener), { code })
  await t.throwsAsync(Vault.unlock(place().options, passkey), { code: 'NO_VAULT' })
})

test('the same passphrase from another keyboard opens the vault', async t => {
  const { options } = place()
  ;(await Vault.create(options, [{ kind: 'passphrase', passphrase: 'cafe\u0301 au lait' }])).lock()
  const opened = await Vault.unlock(options, { kind: 'passphrase', passphrase: 'caf\u00e9\u00a0au lait' })
  t.is(opened.isInMemory, false)
})

test('a secret that is too weak, or none at all, makes no way in', async t => {
  const { options } = place()
  const bad: [Opener, string][] = [
    [{ kind: 'passphrase', passphrase: 'ninechars' }, 'PASSPHRASE_TOO_SHORT'],
    [{ kind: 'passphrase', passphrase: '😀😀😀😀😀' }, 'PASSPHRASE_TOO_SHORT'],
    [{ kind: 'passphrase', passphrase: 'x'.repeat(1025) }, 'PASSPHRASE_TOO_LONG'],
    [{ kind: 'recovery-key', recoveryKey: new Uint8Array(16) }, 'BAD_RECOVERY_KEY'],
    [{ ...passkey, prfOutput: new Uint8Array(0) }, 'BAD_PRF_OUTPUT'],
  ]
  for (const [opener, code] of bad) await t.throwsAsync(Vault.create(options, [opener]), { code })
  await t.throwsAsync(Vault.create(options, []), { code: 'LAST_WAY_IN' })
  t.is(await Vault.waysIn(options), null)
})

test('a vault is never made over another one', async t => {
  const { options } = place()
  const vault = await Vault.create(options, [passkey])
  await t.throwsAsync(Vault.create(options, [recoveryKey]), { code: 'VAULT_EXISTS' })
  t.deepEqual(
    (await vault.waysIn()).map(way => way.kind),
    ['passkey'],
  )
})

test('ways in are added, exchanged and removed, but never the last one', async t => {
  const { options } = place()
  const vault = await Vault.create(options, [passkey])
  await vault.records.commit([{ collection: 'room', id: 'a', value: { n: 1 } }])
  const second = await vault.setWayIn({ ...passkey, credentialId: 'second' })
  await vault.setWayIn(recoveryKey)
  await vault.setWayIn({ kind: 'recovery-key', recoveryKey: new Uint8Array(32).fill(1) })
  const ways = (await Vault.waysIn(options))!
  t.deepEqual(
    ways.map(way => [way.kind, way.kind === 'passkey' ? way.credentialId : '']),
    [
      ['passkey', 'cred'],
      ['passkey', 'second'],
      ['recovery-key', ''],
    ],
  )
  t.notRegex(JSON.stringify(ways), /salt|wrapped/)
  await vault.removeWayIn(ways[0]!.id)
  await vault.removeWayIn(ways[2]!.id)
  await t.throwsAsync(vault.removeWayIn(second.id), { code: 'LAST_WAY_IN' })
  await t.throwsAsync(vault.removeWayIn('none'), { code: 'NO_SUCH_WAY_IN' })
  vault.lock()
  await t.throwsAsync(Vault.unlock(options, passkey), { code: 'NO_SUCH_WAY_IN' })
  await t.throwsAsync(Vault.unlock(options, recoveryKey), { code: 'NO_SUCH_WAY_IN' })
  const opened = await Vault.unlock(options, { ...passkey, credentialId: 'second' })
  t.deepEqual(await opened.records.get('room', 'a'), { n: 1 })
})

test('two changes of the ways in at once lose neither', async t => {
  const { options } = place()
  const vault = await Vault.create(options, [passkey])
  await Promise.all([vault.setWayIn(recoveryKey), vault.setWayIn({ ...passkey, credentialId: 'second' })])
  t.is((await vault.waysIn()).length, 3)
})

test('a wrap cannot be weakened, exchanged or moved', async t => {
  const { options, database } = place()
  ;(await Vault.create(options, [passkey, passphrase])).lock()
  const db = await database()
  const header = await db.get('header', 'header')
  const [ofPasskey, ofPassphrase] = header.wraps
  const forged: [object, Opener, string][] = [
    [{ ...ofPasskey, credentialId: 'other' }, { ...passkey, credentialId: 'other' }, 'WRONG_KEY'],
    [{ ...ofPasskey, salt: ofPassphrase.salt }, passkey, 'WRONG_KEY'],
    [{ ...ofPasskey, wrapped: ofPassphrase.wrapped }, passkey, 'WRONG_KEY'],
    [{ ...ofPasskey, wrapped: '' }, passkey, 'WRONG_KEY'],
    [{ ...ofPassphrase, operations: 1 }, passphrase, 'WRONG_KEY'],
    [{ ...ofPassphrase, memoryBytes: 2 ** 40 }, passphrase, 'HEADER_BROKEN'],
    [{ ...ofPassphrase, operations: -1 }, passphrase, 'HEADER_BROKEN'],
    [{ ...ofPasskey, kind: 'door' }, passkey, 'HEADER_BROKEN'],
  ]
  for (const [wrap, opener, code] of forged) {
    await db.put('header', { version: 1, wraps: [wrap] }, 'header')
    await t.throwsAsync(Vault.unlock(options, opener), { code }, JSON.stringify(wrap))
  }
  for (const broken of [
    7,
    null,
    [],
    {},
    { version: 1 },
    { version: 1, wraps: 'x' },
    { version: 0, wraps: [] },
  ]) {
    await db.put('header', broken, 'header')
    await t.throwsAsync(Vault.unlock(options, passkey), { code: 'HEADER_BROKEN' })
  }
  await db.put('header', { ...header, version: 2 }, 'header')
  await t.throwsAsync(Vault.unlock(options, passkey), { code: 'VAULT_NEWER' })
  await db.put('header', { version: 1, wraps: [null, { kind: 'passkey' }, ofPasskey] }, 'header')
  t.truthy(await Vault.unlock(options, passkey), 'a damaged wrap takes no other with it')
})

test('nothing on the disk shows a name, an id or a word', async t => {
  const { options, database } = place()
  const vault = await Vault.create(options, [passkey])
  await vault.records.commit([
    { collection: 'timeline', id: '!room:clinic.example|$event', value: { body: 'meet at noon' } },
    { collection: 'search', id: '!room:clinic.example', value: new TextEncoder().encode('meet at noon') },
  ])
  const db = await database()
  const all = [await db.getAllKeys('records'), await db.getAll('records')].flat()
  t.is(all.length, 4)
  const text = all.map(each => Buffer.from(each as ArrayBuffer).toString('latin1')).join('\n')
  for (const word of ['clinic', 'noon', 'timeline', 'search', 'event']) t.false(text.includes(word))
  t.notRegex(JSON.stringify([vault, vault.records]), /key|7,7/i)
})

test('a record that was changed, moved or exchanged is reported and set aside, and the rest opens', async t => {
  const { options, warnings, database } = place()
  const vault = await Vault.create(options, [passkey])
  const ids = ['a', 'b', 'c', 'd', 'e', 'f']
  const value = (id: string) => ({ is: id })
  const rows = new Map<string, Bytes>()
  const db = await database()
  for (const id of ids) {
    const before = await rowKeys(db)
    await vault.records.commit([{ collection: 'draft', id, value: value(id) }])
    rows.set(id, (await rowKeys(db)).find(row => !before.some(each => same(each, row)))!)
  }
  const sealed = async (id: string) => (await db.get('records', rows.get(id)!)) as Uint8Array
  const flipped = await sealed('b')
  flipped[30]! ^= 1
  await db.put('records', flipped, rows.get('b')!)
  await db.put('records', (await sealed('c')).slice(0, 20), rows.get('c')!)
  await db.put('records', await sealed('e'), rows.get('d')!)
  await db.put('records', 'not bytes', rows.get('f')!)

  t.deepEqual(await vault.records.getMany('draft', ['b', 'e']), [undefined, value('e')])
  t.deepEqual(warnings, [{ kind: 'broken-record', store: 'draft', id: 'b' }])
  t.is((await db.getAll('broken')).length, 1)
  t.deepEqual(
    (await vault.records.entries('draft')).map(([id]) => id),
    ['a', 'e'],
  )
  t.is(warnings.length, 4)
  t.is((await db.getAll('broken')).length, 4, 'kept for who can mend it')
  t.is(await vault.records.get('draft', 'b'), undefined)
  t.is(warnings.length, 4, 'and reported once')
  await vault.records.commit([{ collection: 'draft', id: 'b', value: value('new') }])
  t.deepEqual(await vault.records.get('draft', 'b'), value('new'))
})

test('a broken account, room or identity throws: without it the engine would begin anew', async t => {
  for (const collection of ['account', 'room', 'identity']) {
    const { options, warnings, database } = place()
    const vault = await Vault.create(options, [passkey])
    await vault.records.commit([{ collection, id: 'a', value: { n: 1 } }])
    const db = await database()
    for (const row of await db.getAllKeys('records')) await db.put('records', new Uint8Array(50), row)
    await vault.records.commit([{ collection, id: 'b', value: { n: 2 } }])
    await t.throwsAsync(vault.records.get(collection, 'a'), { code: 'RECORD_BROKEN' })
    await t.throwsAsync(vault.records.getMany(collection, ['b', 'a']), { code: 'RECORD_BROKEN' })
    t.deepEqual(await vault.records.entries(collection), [['b', { n: 2 }]], 'the rest opens')
    t.is((await db.getAll('broken')).length, 0, 'it stays where it is')
    t.deepEqual(warnings[0], { kind: 'broken-record', store: collection, id: 'a' })
    await vault.keepBroken(collection, 'a')
    await vault.keepBroken(collection, 'b')
    await t.throwsAsync(vault.records.get(collection, 'a'), { code: 'RECORD_BROKEN' })
    await vault.records.commit([{ collection, id: 'a', value: null }])
    t.is(await vault.records.get(collection, 'a'), undefined, 'until somebody gives it up')
    t.deepEqual(await vault.records.get(collection, 'b'), { n: 2 }, 'what is whole stays')
    t.is((await db.getAll('broken')).length, 1, 'a copy of what was broken is kept')
  }
})

test.serial('a write that fails changes nothing; a full disk stops writing until there is room', async t => {
  const { options, warnings } = place()
  const vault = await Vault.create(options, [passkey])
  await vault.records.commit([{ collection: 'room', id: 'a', value: { n: 1 } }])
  const restore = failPuts('QuotaExceededError')
  const two = [
    { collection: 'room', id: 'a', value: { n: 2 } },
    { collection: 'request', id: 'r', value: { n: 2 } },
  ]
  await t.throwsAsync(vault.records.commit(two), { code: 'VAULT_FULL' })
  await t.throwsAsync(vault.records.commit(two), { code: 'VAULT_FULL' })
  t.false(await vault.resume())
  t.true(vault.full)
  restore()
  await t.throwsAsync(vault.records.commit(two), { code: 'VAULT_FULL' }, 'until somebody made room')
  t.deepEqual(warnings, [{ kind: 'full' }], 'said once')
  t.deepEqual(await vault.records.get('room', 'a'), { n: 1 }, 'what was there can be read')
  await vault.records.commit([{ collection: 'room', id: 'a', value: null }])
  t.is(await vault.records.get('room', 'a'), undefined, 'and deleted')
  t.true(await vault.resume())
  await vault.records.commit(two)
  t.deepEqual(await vault.records.get('request', 'r'), { n: 2 })

  const again = failPuts('UnknownError')
  await t.throwsAsync(vault.records.commit([{ collection: 'room', id: 'a', value: { n: 3 } }]), {
    code: 'STORAGE_FAILED',
  })
  again()
  t.deepEqual(await vault.records.get('room', 'a'), { n: 2 })
})

test('a locked vault answers nothing and shows nothing', async t => {
  const { options } = place()
  const vault = await Vault.create(options, [passkey])
  await vault.records.commit([{ collection: 'room', id: 'a', value: { n: 1 } }])
  vault.lock()
  const code = 'VAULT_LOCKED'
  await t.throwsAsync(vault.records.get('room', 'a'), { code })
  await t.throwsAsync(vault.records.entries('room'), { code })
  await t.throwsAsync(vault.records.commit([{ collection: 'room', id: 'a', value: null }]), { code })
  await t.throwsAsync(vault.setWayIn(recoveryKey), { code })
  t.throws(() => vault.witness(1), { code })
  const shared = await Vault.inMemory(options)
  shared.lock()
  await t.throwsAsync(shared.records.get('room', 'a'), { code })
})

test('a wiped vault is gone, also when nobody could open it', async t => {
  const { options } = place()
  const vault = await Vault.create(options, [passkey])
  await vault.records.commit([{ collection: 'room', id: 'a', value: { n: 1 } }])
  await vault.wipe()
  t.is(await Vault.waysIn(options), null)
  t.false((await indexedDB.databases()).some(({ name }) => name === options.name))

  const other = place().options
  ;(await Vault.create(other, [passkey])).lock()
  await Vault.wipe(other)
  t.is(await Vault.waysIn(other), null)
})

test('a shared computer keeps nothing on the disk', async t => {
  const { options } = place()
  const vault = await Vault.inMemory(options)
  await vault.records.commit([{ collection: 'room', id: 'a', value: { n: 1 } }])
  t.true(vault.isInMemory)
  const databases = (await indexedDB.databases()).map(({ name }) => name)
  t.false(databases.includes(options.name))
  await t.throwsAsync(vault.setWayIn(passkey), { code: 'SHARED_COMPUTER' })
  t.true(await vault.resume())
  await vault.wipe()
})

test('attack 21: a copy that was put back is noticed by a witness that only this vault can make', async t => {
  const { options, database } = place()
  const engine = { userId: '@amal:clinic.example', deviceId: 'WARD', clock: () => 0, randomBytes }
  const vault = await Vault.create(options, [passkey])
  const machine = await openMachine({ ...engine, records: vault.records })
  const copy = await snapshot(await database())
  await machine.receiveSync({ deviceLists: { changed: ['@amal:clinic.example'] } })
  const witness = vault.witness(machine.generation)
  vault.lock()

  const honest = await Vault.unlock(options, passkey)
  const lastGeneration = honest.generationIn(witness)
  t.is(lastGeneration, machine.generation)
  const same = await openMachine({ ...engine, records: honest.records, lastGeneration })
  t.is(same.generation, lastGeneration, 'nothing happened')
  honest.lock()

  const db = await database()
  await db.clear('records')
  for (const [row, sealed] of copy) await db.put('records', sealed, row)
  const restored = await Vault.unlock(options, passkey)
  const again = await openMachine({
    ...engine,
    records: restored.records,
    lastGeneration: restored.generationIn(witness),
  })
  t.true(again.generation > lastGeneration, 'the engine began new sessions')

  const [generation, mac] = witness.split('.')
  for (const forged of [`9${generation}.${mac}`, `${generation}.`, `${generation}`, '', '1e9.x', `99.${mac}`])
    t.is(restored.generationIn(forged), 0, forged)
  const stranger = await Vault.create(place().options, [passkey])
  t.is(stranger.generationIn(witness), 0)
})

/** A name that no other test uses, and what was warned of there. */
function place() {
  const warnings: VaultWarning[] = []
  const options: VaultOptions = { name: `vault ${made++}`, warn: warning => warnings.push(warning) }
  return { options, warnings, database: () => openDB(options.name) }
}

type Bytes = Uint8Array<ArrayBuffer>

async function rowKeys(db: IDBPDatabase): Promise<Bytes[]> {
  return (await db.getAllKeys('records')).map(row => new Uint8Array(row as ArrayBuffer))
}

async function snapshot(db: IDBPDatabase): Promise<[Bytes, Uint8Array][]> {
  const rows = await rowKeys(db)
  return Promise.all(
    rows.map(async (row): Promise<[Bytes, Uint8Array]> => [row, await db.get('records', row)]),
  )
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b)
}

/** From here on the disk takes nothing. */
function failPuts(name: string): () => void {
  const { put } = IDBObjectStore.prototype
  IDBObjectStore.prototype.put = function failing() {
    const transaction = this.transaction
    transaction.abort()
    throw new DOMException('no', name)
  }
  return () => {
    IDBObjectStore.prototype.put = put
  }
}
