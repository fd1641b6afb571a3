/** Maintenance: a store that is damaged is not served, and comes back after a repair. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { cleanScrub, journal, journalBase } from '../../server/store/catalogue.ts'
import { openGroupCommit } from '../../server/store/group-commit.ts'
import { textTable } from '../../server/store/key.ts'
import { LevelEngine, openLevel, openLevelStore } from '../../server/store/level-engine.ts'
import { Scrubber } from '../../server/store/scrub.ts'
import type { Finding, Store } from '../../server/store/store.ts'
import { StoreHost } from '../../server/store/store-host.ts'

const notes = textTable('zh', 'host test: notes', ['u32'])

async function written(count: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'letro-host-'))
  const store = await openLevelStore(folder)
  for (let n = 0; n < count; n++) {
    await store.transact('o', tx => {
      tx.put(notes.key(n), `note ${n} `.repeat(20))
      tx.sequence(next => next())
    })
  }
  await store.close()
  return folder
}

/** A row with a good place and a wrong checksum: what rot inside LevelDB looks like from above. */
async function rotRow(folder: string, n: number): Promise<void> {
  const level = await openLevel(join(folder, 'db'))
  await level.put(notes.key(n), '000000rotten')
  await level.close()
}

function serving(host: StoreHost): Store {
  const { state } = host
  if (state.kind !== 'serving') throw new Error(`it is in ${state.kind}`)
  return state.store
}

test('rot that a read meets: maintenance, check, repair, and serving again', async t => {
  const folder = await written(50)
  await rotRow(folder, 7)
  const host = await StoreHost.open(folder)
  const heard: (readonly Finding[])[] = []
  host.onMaintenance(findings => heard.push(findings))
  const store = serving(host)
  t.regex((await store.read(view => view.get(notes.key(6))))!, /note 6/)
  await t.throwsAsync(
    store.read(view => view.get(notes.key(7))),
    { code: 'STORE_DAMAGED' },
  )
  t.is(host.state.kind, 'maintenance')
  t.is(heard.length, 1)
  t.regex(heard[0]![0]!.message, /host test: notes/)
  // Nothing is served any more, sound rows neither.
  await t.throwsAsync(
    store.read(view => view.get(notes.key(6))),
    { code: 'STORE_DAMAGED' },
  )
  await t.throwsAsync(
    store.transact('o', tx => tx.put(notes.key(1), 'x')),
    { code: 'STORE_DAMAGED' },
  )

  const steps = new Set<string>()
  const report = await host.check(progress => steps.add(progress.step))
  t.is(report.findings.length, 1)
  t.true(steps.has('rows'))
  // It does not serve again before something was done, a restart included.
  t.is((await host.reopen()).kind, 'maintenance')
  const repaired = await host.repair()
  t.deepEqual(repaired.rowsDropped, { 'host test: notes': 1 })
  t.is((await host.reopen()).kind, 'serving')
  const again = serving(host)
  t.is(again.epoch, 2)
  // The form that the row had before, because that is still in the log.
  t.regex((await again.read(view => view.get(notes.key(7))))!, /note 7/)
  t.regex((await again.read(view => view.get(notes.key(8))))!, /note 8/)
  t.deepEqual((await host.check()).findings, [])
  await host.close()
  t.is(host.state.kind, 'closed')
  await rm(folder, { recursive: true })
})

test('damage found at opening: maintenance with what was found, and the folder stays locked', async t => {
  const folder = await written(50)
  await rm(join(folder, 'head'))
  const host = await StoreHost.open(folder)
  t.is(host.state.kind, 'maintenance')
  await t.throwsAsync(openLevelStore(folder), { code: 'STORE_LOCKED' })
  t.is((await host.reopen()).kind, 'maintenance')
  await host.repair()
  t.is((await host.reopen()).kind, 'serving')
  await t.throwsAsync(host.repair(), { message: /needs no repair/ })
  await host.close()
  await (await openLevelStore(folder)).close()
  await rm(folder, { recursive: true })
})

test('a check of a serving store reads everything and leaves it serving', async t => {
  const folder = await written(1200)
  const host = await StoreHost.open(folder)
  const report = await host.check()
  t.deepEqual(report.findings, [])
  t.true(report.rows >= 2400)
  t.is(host.state.kind, 'serving')
  const store = serving(host)
  // The journal begins anew at what was verified.
  t.true((await store.read(view => view.range(journal.under()))).length < 20)
  await store.transact('o', tx => tx.put(notes.key(1), 'x'))
  await host.close()
  const again = await openLevelStore(folder)
  t.is(await again.read(view => view.get(notes.key(1))), 'x')
  await again.close()
  await rm(folder, { recursive: true })
})

test('a check of a serving store that finds rot ends the serving', async t => {
  const folder = await written(20)
  await rotRow(folder, 3)
  const host = await StoreHost.open(folder)
  const report = await host.check()
  t.is(report.findings.length, 1)
  t.is(host.state.kind, 'maintenance')
  await host.close()
  await rm(folder, { recursive: true })
})

test('what an area can recompute is part of a scrub', async t => {
  const folder = await written(20)
  const host = await StoreHost.open(folder, {
    checks: [
      (rows, getMany) =>
        rows.flatMap(({ table, key, value }): Finding[] => {
          if (table !== 'host test: notes') return []
          t.deepEqual(getMany([key]), [value])
          return (value as string).startsWith('note 13 ') ? [{ kind: 'event', message: 'Thirteen.' }] : []
        }),
    ],
  })
  t.deepEqual((await host.check()).findings, [{ kind: 'event', message: 'Thirteen.' }])
  t.is(host.state.kind, 'maintenance')
  await host.close()
  await rm(folder, { recursive: true })
})

test('the journal is trimmed when it is long, and a trimmed one still notices loss', async t => {
  const folder = await written(300)
  const engine = new LevelEngine(folder)
  const store = await openGroupCommit(engine)
  const findings: Finding[] = []
  const scrubber = new Scrubber(engine, store, { onDamage: found => findings.push(...found) })
  await scrubber.trimJournal(1000)
  t.true((await store.read(view => view.range(journal.under()))).length > 300)
  await scrubber.trimJournal(100)
  t.true((await store.read(view => view.range(journal.under()))).length < 10)
  const base = await store.read(view => view.get(journalBase.key()))
  t.true(base!.sequence > 300)
  t.deepEqual((await scrubber.scrub({})).findings, [])
  t.truthy(await store.read(view => view.get(cleanScrub.key())))
  await scrubber.stop()
  await store.close()
  t.deepEqual(findings, [])

  for (let n = 0; n < 2; n++) {
    const again = await openLevelStore(folder)
    await again.transact('o', tx => tx.put(notes.key(1000 + n), 'y'))
    await again.close()
  }
  const db = join(folder, 'db')
  const log = (await readdir(db)).find(name => name.endsWith('.log'))!
  const bytes = await readFile(join(db, log))
  await writeFile(join(db, log), bytes.subarray(0, 0))
  await t.throwsAsync(openLevelStore(folder), { code: 'STORE_DAMAGED' })
  await rm(folder, { recursive: true })
})
