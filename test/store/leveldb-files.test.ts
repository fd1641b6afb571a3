/** LevelDB's formats: read as LevelDB reads them, and whatever bytes come, never an exception of another kind. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { ClassicLevel } from 'classic-level'
import fc from 'fast-check'
import {
  batchRows,
  crc32c,
  FormatError,
  filesOnDisk,
  type RawRow,
  readLog,
  readManifest,
  readTable,
} from '../../server/store/leveldb-files.ts'

test('CRC-32C of the check string', t => {
  // Spec: RFC 3720, appendix B.4, and the catalogue of parametrised CRC algorithms.
  t.is(crc32c(Buffer.from('123456789')), 0xe3069283)
  t.is(crc32c(Buffer.alloc(32)), 0x8a9136aa)
  t.is(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43)
  t.is(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i))), 0x46dd794e)
})

test('tables, logs and MANIFEST hold exactly the rows that LevelDB gives', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'letro-files-'))
  const level = new ClassicLevel<Buffer, Buffer>(folder, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    writeBufferSize: 64 * 1024,
  })
  await level.open()
  let seed = 3
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  for (let i = 0; i < 3000; i++) {
    const key = Buffer.from(`key ${random(500)}`)
    if (random(5) === 0) await level.del(key)
    // Compressible, incompressible, empty, and larger than a log block.
    else
      await level.put(key, Buffer.from(`${i} `.repeat([0, 5, 300, 20_000][random(100) < 2 ? 3 : random(3)]!)))
  }
  const expected = new Map((await level.iterator().all()).map(([k, v]) => [k.toString(), v.toString()]))
  await level.close()

  const newest = new Map<string, RawRow>()
  const take = (row: RawRow): void => {
    const key = row.key.toString()
    if ((newest.get(key)?.sequence ?? -1n) < row.sequence) newest.set(key, row)
  }
  const manifest = await readManifest(folder)
  const onDisk = await filesOnDisk(folder)
  t.true(manifest.tables.size > 1)
  for (const number of manifest.tables.keys()) {
    const bytes = await readFile(join(folder, onDisk.tables.get(number)!))
    t.is(bytes.length, manifest.tables.get(number)!)
    const { damage } = readTable(bytes, rows => rows.forEach(take))
    t.deepEqual(damage, [])
    t.deepEqual(readTable(bytes).damage, [])
  }
  for (const [number, name] of onDisk.logs) {
    if (number < manifest.logNumber) continue
    const log = readLog(await readFile(join(folder, name)))
    t.deepEqual([log.damagedAt, log.tornAt], [[], undefined])
    for (const record of log.records) for (const row of batchRows(record.payload)) take(row)
  }
  const found = [...newest].flatMap(([key, { value }]) => (value === null ? [] : [[key, value.toString()]]))
  t.deepEqual(new Map([...found].sort() as [string, string][]), new Map([...expected].sort()))

  // A table whose index is unreadable still gives its blocks.
  const name = onDisk.tables.get([...manifest.tables.keys()][0]!)!
  const bytes = await readFile(join(folder, name))
  let whole = 0
  readTable(bytes, rows => {
    whole += rows.length
  })
  let scanned = 0
  const { damage } = readTable(bytes.subarray(0, bytes.length - 40), (rows, isCertain) => {
    t.false(isCertain)
    scanned += rows.length
  })
  t.is(damage.length, 1)
  t.true(scanned >= whole)
  await rm(folder, { recursive: true })
})

test('no bytes make a reader throw or stand still', t => {
  const bytes = fc.uint8Array({ maxLength: 400 }).map(array => Buffer.from(array))
  fc.assert(
    fc.property(bytes, input => {
      for (const record of readLog(input).records) batchRows(record.payload)
      readTable(input, () => {})
      batchRows(input)
    }),
    { numRuns: 500 },
  )
  // With a footer, so that more than the footer is looked at.
  const magic = Buffer.from('57fb808b247547db', 'hex')
  fc.assert(
    fc.property(bytes, input => {
      const { damage } = readTable(Buffer.concat([input, Buffer.alloc(40, 1), magic]), () => {})
      t.true(damage.length > 0)
    }),
    { numRuns: 500 },
  )
  t.pass()
})

test('a MANIFEST that cannot be read says what is wrong', async t => {
  await t.throwsAsync(readManifest('/nonexistent'), {
    instanceOf: FormatError,
    message: 'CURRENT is missing',
  })
})
