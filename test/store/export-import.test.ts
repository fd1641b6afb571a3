/** Rows that leave a store and come into a new one: consistent, the same, in a new epoch; and what is not whole is refused. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { accountDataTable, eventSkeletons, repairs } from '../../server/store/catalogue.ts'
import { checkFolder } from '../../server/store/check.ts'
import { nextEpoch } from '../../server/store/epoch.ts'
import { exportFolder, exportRows } from '../../server/store/export.ts'
import { openGroupCommit } from '../../server/store/group-commit.ts'
import { chunksDigest, StoreImport } from '../../server/store/import.ts'
import { epochSize, LevelEngine, openLevelStore } from '../../server/store/level-engine.ts'
import { type RowChunk, rowChunks, rowsOf } from '../../server/store/row-chunks.ts'
import type { Position, Store } from '../../server/store/store.ts'

const folder = test.macro(async (t, run: (t: ExecutionContext, folder: string) => Promise<void>) => {
  const made = await mkdtemp(join(tmpdir(), 'letro-export-'))
  try {
    await run(t, made)
  } finally {
    await rm(made, { recursive: true, force: true })
  }
})

const now = Date.UTC(2026, 10, 21)

async function fill(store: Store, from: number, upTo: number): Promise<void> {
  for (let i = from; i < upTo; i += 500) {
    await store.transact('test', tx => {
      for (let k = i; k < Math.min(upTo, i + 500); k++) {
        const text = JSON.stringify({ k, text: `line ${k} ünïcode \u{1f680}` })
        tx.put(eventSkeletons.key((epochSize + k) as Position), text)
      }
    })
  }
}

async function listOf(chunks: AsyncIterable<RowChunk>): Promise<RowChunk[]> {
  const list: RowChunk[] = []
  for await (const chunk of chunks) list.push(chunk)
  return list
}

async function bringIn(target: string, chunks: readonly RowChunk[], digest: string, rows: number) {
  const importing = await StoreImport.begin(target)
  try {
    for (const [i, { after, upTo, body }] of chunks.entries()) {
      await importing.replace(after, upTo, rowsOf(body, after, upTo)!, i === 0)
    }
    const head = { sequence: 7, position: epochSize + 10_000, chain: 1 }
    return await importing.finish({ head, epoch: 1, rows, digest, report: { backup: 'b' } }, now)
  } finally {
    await importing.close()
  }
}

const digestOf = (chunks: readonly RowChunk[]) => {
  const digest = chunksDigest()
  for (const { id } of chunks) digest.add(id)
  return digest.digest()
}
const count = (chunks: readonly RowChunk[]) => chunks.reduce((sum, { rows }) => sum + rows, 0)

test('an export shows one moment, whatever is written meanwhile', folder, async (t, path) => {
  const engine = new LevelEngine(join(path, 'store'))
  const store = await openGroupCommit(engine)
  await fill(store, 0, 6_000)
  const rows = await exportRows(engine)
  await fill(store, 3_000, 9_000)
  const chunks = await listOf(rows.chunks())
  await rows.close()
  t.true(chunks.length > 2)
  t.is(count(chunks), 6_001)
  t.is(rows.epoch, 1)
  t.is(rows.head.sequence, 13)
  await store.close()
})

test('what is brought in is the same, checks as sound, and begins a new epoch', folder, async (t, path) => {
  const store = await openLevelStore(join(path, 'one'))
  await fill(store, 0, 5_000)
  await store.transact('test', tx =>
    tx.put(accountDataTable.key('@a:x', '', '\u00ff\u0000odd'), { content: {}, position: 1 as Position }),
  )
  await store.close()
  const rows = await exportFolder(join(path, 'one'))
  const chunks = await listOf(rows.chunks())
  await rows.close()
  const { epoch } = await bringIn(join(path, 'two'), chunks, digestOf(chunks), count(chunks))
  t.is(epoch, nextEpoch(1, now))
  const report = await checkFolder(join(path, 'two'))
  t.deepEqual(report.findings, [])
  t.is(report.epoch, epoch)
  const again = await openLevelStore(join(path, 'two'))
  const [row] = await again.read(view => view.getMany([repairs.key(epoch)]))
  t.is(row?.reason, 'restore')
  t.is((await again.read(view => view.range(eventSkeletons.under()))).length, 5_000)
  t.truthy(await again.read(view => view.get(accountDataTable.key('@a:x', '', '\u00ff\u0000odd'))))
  await again.transact('test', tx => {
    tx.sequence(next => t.true(next() > epoch * epochSize))
  })
  await again.close()
})

test('pieces that did not change have the same id, and replace nothing else', folder, async (t, path) => {
  const engine = new LevelEngine(join(path, 'one'))
  const store = await openGroupCommit(engine)
  await fill(store, 0, 20_000)
  const first = await exportRows(engine)
  const before = await listOf(first.chunks())
  await first.close()
  await store.transact('test', tx => {
    tx.put(eventSkeletons.key((epochSize + 10_000) as Position), 'changed')
    tx.delete(eventSkeletons.key((epochSize + 10_001) as Position))
  })
  await fill(store, 20_000, 20_100)
  const second = await exportRows(engine)
  const after = await listOf(second.chunks())
  await second.close()
  await store.close()
  const known = new Set(before.map(({ id }) => id))
  const changed = after.filter(({ id }) => !known.has(id))
  t.true(changed.length <= 3, `${changed.length} of ${after.length} pieces`)
  t.true(after.length > 6)

  const importing = await StoreImport.begin(join(path, 'two'))
  for (const { after: low, upTo, body } of before) {
    await importing.replace(low, upTo, rowsOf(body, low, upTo)!, true)
  }
  for (const { after: low, upTo, body } of changed) {
    await importing.replace(low, upTo, rowsOf(body, low, upTo)!, false)
  }
  const head = { sequence: 7, position: epochSize + 30_000, chain: 1 }
  await importing.finish({ head, epoch: 1, rows: count(after), digest: digestOf(after), report: {} }, now)
  t.deepEqual((await checkFolder(join(path, 'two'))).findings, [])
})

test('a missing or a foreign piece is noticed, and the folder is no store', folder, async (t, path) => {
  const store = await openLevelStore(join(path, 'one'))
  await fill(store, 0, 9_000)
  await store.close()
  const rows = await exportFolder(join(path, 'one'))
  const chunks = await listOf(rows.chunks())
  await rows.close()
  const target = join(path, 'two')
  const without = chunks.filter((_, i) => i !== 1)
  await t.throwsAsync(bringIn(target, without, digestOf(chunks), count(chunks)), { code: 'STORE_DAMAGED' })
  const refused = await t.throwsAsync(openLevelStore(target), { code: 'STORE_DAMAGED' })
  t.regex(refused!.message, /head file/)
})

test('a body that lies about its rows is no piece', async t => {
  const [chunk] = await listOf(
    rowChunks(
      (async function* () {
        yield [['rsb', 'two'] as const, ['rsc', 'three'] as const]
      })(),
    ),
  )
  const { body } = chunk!
  t.is(rowsOf(body, '', null)?.length, 2)
  t.is(rowsOf(body.subarray(0, body.length - 1), '', null), null)
  t.is(rowsOf(body, 'rsb', null), null)
  t.is(rowsOf(body, '', 'rsb'), null)
  t.is(rowsOf(Buffer.from('000000ff'), '', null), null)
})

test('an epoch is never given twice by one backup that is restored twice', t => {
  const first = nextEpoch(3, now)
  t.true(nextEpoch(3, now + 5 * 3_600_000) > first)
  t.is(nextEpoch(first, now), first + 1)
  t.is(nextEpoch(3, 0), 4)
  t.true(nextEpoch(1, Date.UTC(2055, 0, 1)) * epochSize < 2 ** 52)
})
