/** The backup file: what it carries, what it refuses, and that nothing is stored of one that is refused. */
import 'fake-indexeddb/auto'
import test from 'ava'
import { restoreBackup, writeBackup } from '../../pwa/vault/backup-file.ts'
import { MemoryRecords } from '../../pwa/vault/memory-records.ts'
import type { VaultRecords, VaultWrite } from '../../pwa/vault/records.ts'
import { Vault } from '../../pwa/vault/vault.ts'
import type { Opener } from '../../pwa/vault/vault-key.ts'

const passkey: Opener = { kind: 'passkey', credentialId: 'cred', prfOutput: new Uint8Array(32).fill(7) }
const recoveryKey: Opener = { kind: 'recovery-key', recoveryKey: new Uint8Array(32).fill(9) }
const passphrase: Opener = { kind: 'passphrase', passphrase: 'correct horse battery' }

test('what one device wrote, another restores, and trusts what its own passkey opened: by PRF, recovery key or passphrase', async t => {
  const file = await backup(await filled(), [passkey, recoveryKey, passphrase])
  for (const opener of [passkey, recoveryKey, passphrase]) {
    const target = await Vault.create({ name: `restored ${opener.kind}`, warn: () => {} }, [recoveryKey])
    t.deepEqual(await restoreBackup(target.records, file, opener), {
      records: opener.kind === 'passkey' ? 1204 : 1203,
    })
    const isOurs = opener.kind === 'passkey'
    const source = isOurs ? 'owner' : 'file'
    t.deepEqual(await target.records.get('inbound-group-session', '!r|s7'), { ...session(7), source })
    t.deepEqual(await target.records.get('identity', '@a'), isOurs ? { verified: true } : undefined)
    t.deepEqual(
      await target.records.get('timeline', 'b'),
      isOurs ? { body: 'hi' } : { body: 'hi', fromFile: true },
    )
    t.is((await target.records.entries('inbound-group-session')).length, 1200)
    t.deepEqual(await target.records.getBytes('timeline', 'picture'), new Uint8Array(300_000).fill(3))
    t.deepEqual(await target.records.get('draft', 'a'), { body: 'unsent' })
    t.deepEqual(await target.records.entries('vault'), [])
    target.lock()
  }
})

test('the device’s own keys and ratchets stay where they are', async t => {
  const target = new MemoryRecords()
  await restoreBackup(target, await backup(await filled(), [recoveryKey]), recoveryKey)
  for (const store of ['account', 'olm-session', 'outbound-group-session', 'request', 'engine'])
    t.deepEqual(await target.entries(store), [], store)
})

test('what this device knows itself is not overwritten, unless somebody merges it', async t => {
  const file = await backup(await filled(), [recoveryKey])
  const target = new MemoryRecords()
  await target.commit([
    { collection: 'draft', id: 'a', value: { body: 'newer' } },
    { collection: 'timeline', id: 'picture', value: new Uint8Array([1]) },
  ])
  await restoreBackup(target, file, recoveryKey)
  t.deepEqual(await target.get('draft', 'a'), { body: 'newer' })
  t.deepEqual(await target.getBytes('timeline', 'picture'), new Uint8Array([1]))
  await restoreBackup(target, file, recoveryKey, {
    merge: (store, _, here, there) => (store === 'draft' ? there : here),
  })
  t.deepEqual(await target.get('draft', 'a'), { body: 'unsent' })
})

test('nothing in the file is readable without a way in', async t => {
  const file = await backup(await filled(), [recoveryKey])
  const text = Buffer.from(await file.arrayBuffer()).toString('latin1')
  for (const word of ['unsent', 'inbound', 'session', 'correct']) t.false(text.includes(word), word)
  const wrong: [Opener, string][] = [
    [{ ...recoveryKey, recoveryKey: new Uint8Array(32) }, 'WRONG_KEY'],
    [passphrase, 'NO_SUCH_WAY_IN'],
  ]
  for (const [opener, code] of wrong)
    await t.throwsAsync(restoreBackup(new MemoryRecords(), file, opener), { code })
  await t.throwsAsync(backup(new MemoryRecords(), []), { code: 'LAST_WAY_IN' })
})

test('a cut, changed, reordered, repeated or lengthened file is refused before anything is stored', async t => {
  const bytes = new Uint8Array(await (await backup(await filled(), [recoveryKey])).arrayBuffer())
  const chunks = chunksOf(bytes)
  t.true(chunks.length > 2)
  const opening = bytes.slice(0, bytes.length - chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  const [first, second, ...rest] = chunks as [Uint8Array, Uint8Array, ...Uint8Array[]]
  const other = new Uint8Array(await (await backup(await filled(), [recoveryKey])).arrayBuffer())
  const flipped = (at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
  const huge = bytes.slice()
  huge.set([0xff, 0xff, 0xff, 0xff], opening.length)
  const refused: [name: string, parts: Uint8Array[], code: string][] = [
    ['empty', [], 'NOT_A_BACKUP'],
    ['something else', [new Uint8Array(5000)], 'NOT_A_BACKUP'],
    ['cut in the header', [bytes.slice(0, 60)], 'BACKUP_TRUNCATED'],
    ['no chunk', [opening], 'BACKUP_TRUNCATED'],
    ['cut between chunks', [opening, first], 'BACKUP_TRUNCATED'],
    ['cut in a chunk', [bytes.slice(0, -1)], 'BACKUP_TRUNCATED'],
    ['cut in a length', [opening, first.slice(0, 2)], 'BACKUP_TRUNCATED'],
    ['a chunk left out', [opening, first, ...rest], 'BACKUP_BROKEN'],
    ['two chunks exchanged', [opening, second, first, ...rest], 'BACKUP_BROKEN'],
    ['a chunk repeated', [opening, first, first, second, ...rest], 'BACKUP_BROKEN'],
    ['a chunk of another file', [opening, chunksOf(other)[0]!, second, ...rest], 'BACKUP_BROKEN'],
    ['something after the end', [bytes, new Uint8Array([0])], 'BACKUP_BROKEN'],
    ['the last chunk twice', [bytes, chunks.at(-1)!], 'BACKUP_BROKEN'],
    ['an impossible length', [huge], 'BACKUP_BROKEN'],
    ['a bit in the last chunk', [flipped(bytes.length - 1)], 'BACKUP_BROKEN'],
    ['a bit in the stream’s header', [flipped(opening.length - 1)], 'BACKUP_BROKEN'],
  ]
  for (const [name, parts, code] of refused) {
    const target = new MemoryRecords()
    await t.throwsAsync(restoreBackup(target, new Blob(parts as BlobPart[]), recoveryKey), { code }, name)
    for (const store of ['inbound-group-session', 'draft', 'timeline', 'vault'])
      t.deepEqual(await target.entries(store), [], name)
  }
})

test('a header that was exchanged for another valid one is noticed', async t => {
  const file = new Uint8Array(await (await backup(await filled(), [recoveryKey, passphrase])).arrayBuffer())
  const length = new DataView(file.buffer).getUint32(20)
  const header = JSON.parse(Buffer.from(file.subarray(24, 24 + length)).toString())
  const withHeader = (changed: object) => {
    const text = Buffer.from(JSON.stringify(changed))
    const size = Buffer.alloc(4)
    size.writeUInt32BE(text.length)
    return new Blob([file.subarray(0, 20), size, text, file.subarray(24 + length)])
  }
  const restore = (changed: object) => restoreBackup(new MemoryRecords(), withHeader(changed), recoveryKey)
  await t.notThrowsAsync(restore(header))
  await t.throwsAsync(restore({ ...header, wraps: header.wraps.slice(0, 1) }), { code: 'BACKUP_BROKEN' })
  await t.throwsAsync(restore({ ...header, version: 2 }), { code: 'BACKUP_NEWER' })
  await t.throwsAsync(restore({ ...header, wraps: 1 }), { code: 'BACKUP_BROKEN' })
  await t.throwsAsync(restore({ ...header, wraps: [] }), { code: 'NO_SUCH_WAY_IN' })
  await t.throwsAsync(restore([]), { code: 'BACKUP_BROKEN' })
})

test('an interrupted restore goes on where it was, and says how far it is', async t => {
  const file = await backup(await filled(), [recoveryKey])
  const target = new MemoryRecords()
  const commit = target.commit.bind(target)
  let commits = 0
  target.commit = async writes => {
    if (++commits === 2) throw new Error('the tab was closed')
    await commit(writes)
  }
  await t.throwsAsync(restoreBackup(target, file, recoveryKey), { message: 'the tab was closed' })
  t.is((await target.entries('vault')).length, 1, 'a mark is kept')

  const written: VaultWrite[] = []
  target.commit = async writes => {
    written.push(...writes)
    await commit(writes)
  }
  const progress: string[] = []
  await restoreBackup(target, file, recoveryKey, {
    onProgress: ({ phase, bytes, totalBytes }) => {
      t.true(bytes <= totalBytes)
      progress.push(`${phase}${bytes === totalBytes ? ' done' : ''}`)
    },
  })
  const chunks = chunksOf(new Uint8Array(await file.arrayBuffer())).length
  t.is(progress.length, 2 * chunks)
  t.is(progress[chunks - 1], 'checking done')
  t.is(progress.at(-1), 'storing done')
  t.true(written.length < 1000, 'what was stored is not stored again')
  t.is((await target.entries('inbound-group-session')).length, 1200)
  t.is((await target.entries('vault')).length, 0, 'and the mark is gone')
})

/** A vault with something of everything. */
async function filled(): Promise<VaultRecords> {
  const records = new MemoryRecords()
  const sessions = Array.from({ length: 1200 }, (_, i) => ({
    collection: 'inbound-group-session',
    id: `!r|s${i}`,
    value: session(i),
  }))
  await records.commit([
    ...sessions,
    { collection: 'draft', id: 'a', value: { body: 'unsent' } },
    { collection: 'identity', id: '@a', value: { verified: true } },
    { collection: 'timeline', id: 'b', value: { body: 'hi' } },
    { collection: 'timeline', id: 'picture', value: new Uint8Array(300_000).fill(3) },
    ...['account', 'olm-session', 'outbound-group-session', 'request', 'engine'].map(collection => ({
      collection,
      id: 'x',
      value: { own: true },
    })),
  ])
  return records
}

function session(i: number) {
  return { algorithm: 'm.megolm.v1.aes-sha2', source: 'owner', key: `${i}`.padEnd(300, 'k') }
}

async function backup(records: VaultRecords, openers: readonly Opener[]): Promise<Blob> {
  return new Blob(await Array.fromAsync(writeBackup(records, openers)))
}

function chunksOf(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer)
  const chunks: Uint8Array[] = []
  let at = 24 + view.getUint32(20) + 24
  while (at < file.length) {
    const end = at + 4 + view.getUint32(at)
    chunks.push(file.slice(at, end))
    at = end
  }
  return chunks
}
