/**
 * The fault table on real LevelDB files: each fault is detected or harmless, never silent, and repair
 * brings the store back with nothing in it that was not written.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { repairs } from '../../server/store/catalogue.ts'
import { checkFolder } from '../../server/store/check.ts'
import { jsonTable } from '../../server/store/key.ts'
import { epochSize, openLevel, openLevelStore } from '../../server/store/level-engine.ts'
import { filesOnDisk, readManifest } from '../../server/store/leveldb-files.ts'
import { repairFolder } from '../../server/store/repair.ts'
import { type Store, StoreError } from '../../server/store/store.ts'
import { StoreHost } from '../../server/store/store-host.ts'

interface Event {
  readonly n: number
  readonly body: string
}
const events = jsonTable<Event>()('zf', 'fault table: events', ['position'])

const groups = 400
const eventsPerGroup = 6
const total = groups * eventsPerGroup

const eventOf = (n: number): Event => ({ n, body: `${(n * 2654435761) >>> 0}`.repeat(4) })

async function fill(store: Store, from: number, count: number): Promise<void> {
  for (let n = from; n < from + count; n += eventsPerGroup) {
    await store.transact('o', tx => {
      for (let k = 0; k < eventsPerGroup; k++) tx.put(events.key(n + k), eventOf(n + k))
      tx.sequence(next => next())
    })
  }
}

let scratch: string
/** All rows in the log; and one with half of the rows in table files. */
let inLog: string
let inTables: string

test.before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'letro-faults-'))
  inLog = join(scratch, 'in-log')
  const first = await openLevelStore(inLog)
  await fill(first, 0, total)
  await first.close()

  inTables = join(scratch, 'in-tables')
  await cp(inLog, inTables, { recursive: true })
  // Opening turns the log into a table; what follows stands in the next log.
  const second = await openLevelStore(inTables)
  await fill(second, total, total / 2)
  await second.close()
})

test.after.always(() => rm(scratch, { recursive: true, force: true }))

let copies = 0
async function copyOf(fixture: string): Promise<{ folder: string; db: string }> {
  const folder = join(scratch, `copy-${copies++}`)
  await cp(fixture, folder, { recursive: true })
  return { folder, db: join(folder, 'db') }
}

async function fileIn(db: string, pattern: RegExp): Promise<string> {
  const names = (await readdir(db)).filter(name => pattern.test(name)).sort()
  return join(db, names.at(-1)!)
}

async function flip(path: string, at: number, bit = 3): Promise<void> {
  const bytes = await readFile(path)
  bytes[at] = bytes[at]! ^ (1 << bit)
  await writeFile(path, bytes)
}

/** How many acknowledged events are there; a wrong one is an error of its own. */
async function count(store: Store, expected: number): Promise<number> {
  const found = await store.read(view =>
    view.getMany(Array.from({ length: expected }, (_, n) => events.key(n))),
  )
  return found.filter((event, n) => {
    if (event === undefined) return false
    if (JSON.stringify(event) !== JSON.stringify(eventOf(n))) throw new Error(`event ${n} is wrong`)
    return true
  }).length
}

type Verdict = 'detected' | 'harmless' | 'silent'

/** What the server does: open, serve, and let the scrub look at everything. */
async function verdict(folder: string, expected: number): Promise<Verdict> {
  const host = await StoreHost.open(folder)
  try {
    if (host.state.kind === 'maintenance') return 'detected'
    const { store } = host.state as { store: Store }
    const report = await host.check()
    if (report.findings.length > 0) return 'detected'
    return (await count(store, expected)) === expected ? 'harmless' : 'silent'
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_DAMAGED') return 'detected'
    throw error
  } finally {
    await host.close()
  }
}

interface Case {
  readonly name: string
  readonly fixture: 'log' | 'tables'
  readonly harm: (db: string, folder: string) => Promise<void>
  readonly verdict: Verdict
  /** Acknowledged events that must still be there after repair. */
  readonly keeps: number
}

const cases: Case[] = [
  {
    name: 'no fault at all',
    fixture: 'tables',
    harm: async () => {},
    verdict: 'harmless',
    keeps: total * 1.5,
  },
  {
    name: 'one bit flipped in the middle of the log',
    fixture: 'log',
    harm: async db => {
      const path = await fileIn(db, /\.log$/)
      await flip(path, (await readFile(path)).length >> 1)
    },
    verdict: 'detected',
    // Only the row that was hit: the others of its batch have checksums of their own.
    keeps: total - 1,
  },
  {
    name: 'the length of a record in the middle of the log damaged',
    fixture: 'log',
    harm: async db => {
      const path = await fileIn(db, /\.log$/)
      const bytes = await readFile(path)
      // Whatever starts there, the rest of its 32 KiB block may be unreadable.
      bytes.fill(0xff, 5 * 32768 + 4, 5 * 32768 + 6)
      await writeFile(path, bytes)
    },
    verdict: 'detected',
    keeps: total - 32768 / 60,
  },
  {
    name: 'the last record of the log damaged',
    fixture: 'log',
    harm: async db => {
      const path = await fileIn(db, /\.log$/)
      await flip(path, (await readFile(path)).length - 40)
    },
    verdict: 'detected',
    keeps: total - eventsPerGroup,
  },
  {
    name: 'the log cut to half',
    fixture: 'log',
    harm: async db => {
      const path = await fileIn(db, /\.log$/)
      await truncate(path, (await readFile(path)).length >> 1)
    },
    verdict: 'detected',
    keeps: total * 0.45,
  },
  {
    name: 'the log cut in the middle of its last record',
    fixture: 'log',
    harm: async db => {
      const path = await fileIn(db, /\.log$/)
      await truncate(path, (await readFile(path)).length - 10)
    },
    verdict: 'detected',
    keeps: total - eventsPerGroup,
  },
  {
    name: 'the log emptied',
    fixture: 'tables',
    harm: async db => truncate(await fileIn(db, /\.log$/), 0),
    verdict: 'detected',
    keeps: total,
  },
  {
    name: 'the log deleted',
    fixture: 'tables',
    harm: async db => rm(await fileIn(db, /\.log$/)),
    verdict: 'detected',
    keeps: total,
  },
  {
    name: 'a torn write after the last record, as a crash leaves it',
    fixture: 'log',
    harm: async db => {
      const path = await fileIn(db, /\.log$/)
      await writeFile(
        path,
        Buffer.concat([await readFile(path), Buffer.from('a1b2c3d4\x40\x00\x01torn', 'latin1')]),
      )
    },
    verdict: 'harmless',
    keeps: total,
  },
  {
    name: 'a table file deleted',
    fixture: 'tables',
    harm: async db => rm(await fileIn(db, /\.ldb$/)),
    verdict: 'detected',
    keeps: total / 2,
  },
  {
    name: 'a table file cut',
    fixture: 'tables',
    harm: async db => {
      const path = await fileIn(db, /\.ldb$/)
      await truncate(path, (await readFile(path)).length - 1000)
    },
    verdict: 'detected',
    keeps: total,
  },
  {
    name: 'the MANIFEST gone',
    fixture: 'tables',
    harm: async db => rm(await fileIn(db, /^MANIFEST/)),
    verdict: 'detected',
    keeps: total * 1.5,
  },
  {
    name: 'a bit flipped in the MANIFEST',
    fixture: 'tables',
    harm: async db => flip(await fileIn(db, /^MANIFEST/), 30),
    verdict: 'detected',
    keeps: total * 1.5,
  },
  {
    name: 'CURRENT empty',
    fixture: 'tables',
    harm: async db => truncate(join(db, 'CURRENT'), 0),
    verdict: 'detected',
    keeps: total * 1.5,
  },
  {
    name: 'CURRENT gone',
    fixture: 'tables',
    harm: async db => rm(join(db, 'CURRENT')),
    verdict: 'detected',
    keeps: total * 1.5,
  },
  {
    name: 'the whole database gone',
    fixture: 'tables',
    harm: async db => rm(db, { recursive: true }),
    verdict: 'detected',
    keeps: 0,
  },
  {
    name: 'the head file gone',
    fixture: 'tables',
    harm: async (_db, folder) => rm(join(folder, 'head')),
    verdict: 'detected',
    keeps: total * 1.5,
  },
  {
    name: 'one slot of the head file torn',
    fixture: 'tables',
    harm: async (_db, folder) => flip(join(folder, 'head'), 20),
    verdict: 'harmless',
    keeps: total * 1.5,
  },
  {
    name: 'both slots of the head file damaged',
    fixture: 'tables',
    harm: async (_db, folder) => {
      await flip(join(folder, 'head'), 20)
      await flip(join(folder, 'head'), 4096 + 20)
    },
    verdict: 'detected',
    keeps: total * 1.5,
  },
  {
    name: 'an older copy of the database put back',
    fixture: 'tables',
    harm: async db => {
      await rm(db, { recursive: true })
      await cp(join(inLog, 'db'), db, { recursive: true })
    },
    verdict: 'detected',
    keeps: total,
  },
  {
    name: 'a row deleted behind the journal',
    fixture: 'log',
    harm: async db => {
      const level = await openLevel(db)
      await level.put(events.key(77), '000000not what was written')
      await level.close()
    },
    verdict: 'detected',
    keeps: total - 1,
  },
]

for (const { name, fixture, harm, verdict: expected, keeps } of cases) {
  test(`${name}: ${expected}`, async t => {
    const { folder, db } = await copyOf(fixture === 'log' ? inLog : inTables)
    await harm(db, folder)
    // A check before the server saw it, on a copy, so that the server sees the same.
    const other = await copyOf(folder)
    const report = await checkFolder(other.folder)
    t.is(report.findings.length > 0, expected === 'detected', JSON.stringify(report.findings))

    const acknowledged = fixture === 'log' ? total : total * 1.5
    t.is(await verdict(folder, acknowledged), expected)
    if (expected !== 'detected') return

    // The server looked at it several times before somebody repairs: nothing may be lost by that.
    for (let look = 0; look < 4; look++) t.is(await verdict(folder, acknowledged), 'detected')
    const repaired = await repairFolder(folder)
    t.true(repaired.epoch > 1)
    t.deepEqual((await checkFolder(folder)).findings, [])
    const store = await openLevelStore(folder)
    t.is(store.epoch, repaired.epoch)
    t.is(store.durablePosition as number, repaired.epoch * epochSize)
    const kept = await count(store, acknowledged)
    t.true(kept >= keeps, `${kept} of ${acknowledged} events are there, expected ${keeps}`)
    const row = await store.read(view => view.get(repairs.key(repaired.epoch)))
    t.is(row?.reason, 'repair')
    // It is a store like any other again.
    await fill(store, acknowledged, eventsPerGroup)
    await store.close()
    t.is(await verdict(folder, kept === acknowledged ? acknowledged + eventsPerGroup : 0), 'harmless')
  })
}

test('every flipped bit in a table file that LevelDB may read is found by a check, and repair loses no more than its block', async t => {
  const { tables } = await filesOnDisk(join(inTables, 'db'))
  const name = [...tables.values()][0]!
  const { length } = await readFile(join(inTables, 'db', name))
  // Anywhere, and the end, where filter, index and footer stand.
  const places = [
    ...Array.from({ length: 40 }, (_, i) => Math.floor(((i + 0.5) / 40) * length)),
    ...[1, 8, 20, 45, 47, 60, 100, 200, 400].map(fromEnd => length - fromEnd),
  ]
  let detected = 0
  let harmless = 0
  const { folder, db } = await copyOf(inTables)
  const path = join(db, name)
  const good = await readFile(path)
  const { tables: live } = await readManifest(db)
  t.is([...live.values()].includes(good.length), true)
  for (const [i, place] of places.entries()) {
    await flip(path, place, i % 8)
    const { findings } = await checkFolder(folder)
    if (findings.length > 0) {
      detected++
      if (i % 10 === 0) {
        const copy = await copyOf(folder)
        const repaired = await repairFolder(copy.folder)
        t.deepEqual((await checkFolder(copy.folder)).findings, [])
        const store = await openLevelStore(copy.folder)
        const kept = await count(store, total * 1.5)
        t.true(kept >= total * 1.5 - 200, `place ${place}: ${kept} kept`)
        t.true(kept === total * 1.5 || Object.keys(repaired.blocksDropped).length > 0)
        await store.close()
      }
    } else {
      harmless++
      const copy = await copyOf(folder)
      const store = await openLevelStore(copy.folder)
      t.is(await count(store, total * 1.5), total * 1.5, `a silent loss at ${place}`)
      await store.close()
    }
    // The check opened nothing, so the file is as it was but for the one bit.
    await writeFile(path, good)
    // Only the footer's padding has no checksum, and nothing reads it.
    if (findings.length === 0) t.true(place >= length - 48 && place < length - 8, `${place} of ${length}`)
  }
  t.log(`${detected} of ${places.length} flips detected, ${harmless} harmless`)
})

test('a crash while a repair is swapped in is finished by the next opening', async t => {
  const { folder, db } = await copyOf(inLog)
  const path = await fileIn(db, /\.log$/)
  await flip(path, (await readFile(path)).length >> 1)
  await repairFolder(folder)
  // As if the process had died before `repaired` took the place of `db`.
  const again = join(scratch, 'swap')
  await cp(folder, again, { recursive: true })
  const head = { sequence: groups + 2, position: 2 * epochSize, chain: 2 }
  await writeFile(join(again, 'db', 'complete'), JSON.stringify({ epoch: 2, head }))
  await cp(join(again, 'db'), join(again, 'repaired'), { recursive: true })
  await rm(join(again, 'db'), { recursive: true })
  const store = await openLevelStore(again)
  t.is(store.epoch, 2)
  t.true((await count(store, total)) >= total - 1)
  await store.close()
  t.false((await readdir(again)).includes('repaired'))
})

test('a repair without enough space says how much it needs and changes nothing', async t => {
  const mount = smallDisk(8)
  if (mount === undefined) {
    t.log('skipped: mounting a tmpfs needs root')
    return t.pass()
  }
  try {
    const folder = join(mount, 'store')
    await cp(inLog, folder, { recursive: true })
    await truncate(join(folder, 'db', 'CURRENT'), 0)
    const before = await readdir(join(folder, 'db'))
    await t.throwsAsync(repairFolder(folder), { code: 'STORE_FULL', message: /needs \d+ MiB/ })
    t.deepEqual(await readdir(join(folder, 'db')), before)
  } finally {
    execFileSync('umount', ['-l', mount])
  }
})

test('on a full disk nothing acknowledged is lost, reads go on, and the store goes on by itself', async t => {
  const mount = smallDisk(96)
  if (mount === undefined) {
    t.log('skipped: mounting a tmpfs needs root')
    return t.pass()
  }
  try {
    const folder = join(mount, 'store')
    const store = await openLevelStore(folder, { retryMs: 20, minimumFreeBytes: 48 * 2 ** 20 })
    t.teardown(() => store.close().catch(() => {}))
    const ballast = join(mount, 'ballast')
    await writeFile(ballast, Buffer.alloc(64 * 2 ** 20, 1))
    let written = 0
    const failure = await t.throwsAsync(
      (async () => {
        for (; written < 4000; written++) await writeLarge(store, written)
      })(),
    )
    t.is((failure as StoreError).code, 'STORE_FULL')
    t.true(written > 100)
    const missing = async (): Promise<number> => {
      const found = await store.read(view =>
        view.getMany(Array.from({ length: written }, (_, n) => events.key(n))),
      )
      return found.filter((event, n) => event?.n !== n).length
    }
    t.is(await missing(), 0)
    await t.throwsAsync(writeLarge(store, written), { code: 'STORE_FULL' })
    await rm(ballast)
    const deadline = Date.now() + 10_000
    for (;;) {
      try {
        await writeLarge(store, written)
        break
      } catch (error) {
        if ((error as StoreError).code !== 'STORE_FULL' || Date.now() > deadline) throw error
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    }
    written++
    t.is(await missing(), 0)
    await store.close()
    t.deepEqual((await checkFolder(folder)).findings, [])
  } finally {
    execFileSync('umount', ['-l', mount])
  }
})

function writeLarge(store: Store, n: number): Promise<void> {
  return store.transact('o', tx => {
    tx.put(events.key(n), { n, body: randomBytes(24_000).toString('base64') })
    tx.sequence(next => next())
  })
}

let mounts = 0
function smallDisk(mebibytes: number): string | undefined {
  const mount = join(scratch, `disk-${mounts++}`)
  try {
    execFileSync('mkdir', [mount])
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', mount], { stdio: 'ignore' })
    return mount
  } catch {
    return undefined
  }
}

test('data of a newer release is refused, with what to do', async t => {
  const { schemaRow } = await import('../../server/store/catalogue.ts')
  const { folder } = await copyOf(inLog)
  const store = await openLevelStore(folder)
  await store.transact('o', tx => tx.put(schemaRow.key(), { writer: 9, oldestReader: 8 }))
  await store.close()
  await t.throwsAsync(openLevelStore(folder), { code: 'STORE_NEWER', message: /install the newer release/ })
})

test('a release reads data of a newer one that allows it', async t => {
  const { schemaRow } = await import('../../server/store/catalogue.ts')
  const { folder } = await copyOf(inLog)
  const store = await openLevelStore(folder)
  await store.transact('o', tx => tx.put(schemaRow.key(), { writer: 9, oldestReader: 1 }))
  await store.close()
  const again = await openLevelStore(folder)
  t.deepEqual(await again.read(view => view.get(schemaRow.key())), { writer: 9, oldestReader: 1 })
  await again.close()
})

test('a folder has one owner at a time', async t => {
  const { folder } = await copyOf(inLog)
  const store = await openLevelStore(folder)
  await t.throwsAsync(openLevelStore(folder), { code: 'STORE_LOCKED' })
  await t.throwsAsync(checkFolder(folder), { code: 'STORE_LOCKED' })
  await t.throwsAsync(repairFolder(folder), { code: 'STORE_LOCKED' })
  await t.throwsAsync(StoreHost.open(folder), { code: 'STORE_LOCKED' })
  await store.close()
  t.deepEqual((await checkFolder(folder)).findings, [])
})

test('copies of what was opened do not pile up', async t => {
  const { folder } = await copyOf(inLog)
  for (let i = 0; i < 6; i++) await (await openLevelStore(folder)).close()
  const kept = await readdir(join(folder, 'aside'))
  t.is(kept.length, 3)
  t.true(kept.every(name => name.endsWith('-served')))
})

test('a new folder is new, and a check says so', async t => {
  const folder = join(scratch, 'new')
  await mkdir(folder)
  t.true((await checkFolder(folder)).isNew)
  const store = await openLevelStore(folder)
  t.is(store.epoch, 1)
  await store.close()
  t.false((await checkFolder(folder)).isNew)
})
