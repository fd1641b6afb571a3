/** Backup and restore, beside what the disk takes: 100,000 rows of 1 KiB and media of the same size, full speed; and what people feel at backup.rate. */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { paced, writeBackupFile } from '../../server/backup/backup-file.ts'
import { backupName, newChain } from '../../server/backup/names.ts'
import { restoreBackup } from '../../server/backup/restore.ts'
import { seal } from '../../server/backup/seal.ts'
import { backupBytes } from '../../server/backup/write-backup.ts'
import { eventSkeletons } from '../../server/store/catalogue.ts'
import { exportFolder } from '../../server/store/export.ts'
import { epochSize, openLevelStore } from '../../server/store/level-engine.ts'
import { storeFolder } from '../../server/store/level-folder.ts'
import type { Position } from '../../server/store/store.ts'
import { addMedia, makeData, makeSite, newKeys } from '../../test/backup/backup-data.ts'
import type { Bench, Measure } from './bench.ts'
import { benchFolder, removeFolder } from './server-process.ts'

const rows = 100_000
const rowBytes = 1_024
const mediaFileBytes = 10 * 2 ** 20
const mediaFilesCount = 10
const megabyte = 1e6

/** Pieces of 1 MiB, one after another, synced once. */
export async function floorDisk(): Promise<Measure> {
  const folder = await benchFolder('disk')
  const piece = randomBytes(2 ** 20)
  const began = performance.now()
  const file = await open(join(folder, 'file'), 'w')
  for (let i = 0; i < 256; i++) await file.write(piece)
  await file.sync()
  await file.close()
  const seconds = (performance.now() - began) / 1000
  await removeFolder(folder)
  return { value: (256 * piece.length) / megabyte / seconds, facts: {} }
}

export async function backupCreate(bench: Bench): Promise<Measure> {
  const { data, place, bytes } = await dataToBackUp(bench)
  const began = performance.now()
  const used = process.cpuUsage()
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  const written = await backUp(bench, Number.POSITIVE_INFINITY)
  loop.disable()
  const seconds = (performance.now() - began) / 1000
  const { size } = await stat(join(place, written))
  return {
    value: bytes / megabyte / seconds,
    facts: {
      'file MB': size / megabyte,
      'loop p99 ms': loop.percentile(99) / 1e6,
      'data MB': await sizeOf(data),
      'cpu ms/MB': cpuMs(used) / (bytes / megabyte),
    },
  }
}

export async function backupRestore(bench: Bench): Promise<Measure> {
  const { place, identity, bytes } = await dataToBackUp(bench)
  const name = await bench.once('a backup', () => backUp(bench, Number.POSITIVE_INFINITY))
  const target = await benchFolder('restored')
  await rm(target, { recursive: true })
  const began = performance.now()
  const used = process.cpuUsage()
  await restoreBackup(join(place, name), target, { keys: { identities: [identity] } })
  const seconds = (performance.now() - began) / 1000
  await removeFolder(target)
  return {
    value: bytes / megabyte / seconds,
    facts: { 'rss MB': process.memoryUsage.rss() / megabyte, 'cpu ms/MB': cpuMs(used) / (bytes / megabyte) },
  }
}

/** How long the event loop is away from people while a backup reads as fast as it may by default. */
export async function backupBeside(bench: Bench): Promise<Measure> {
  await dataToBackUp(bench)
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  const until = new AbortController()
  setTimeout(() => until.abort(), bench.seconds * 1_000)
  await backUp(bench, 16 * 2 ** 20, until.signal).catch(() => {})
  loop.disable()
  return { value: loop.percentile(99) / 1e6, facts: { 'max ms': loop.max / 1e6 } }
}

async function dataToBackUp(bench: Bench) {
  return bench.once('data to back up', async () => {
    const folder = await benchFolder('backup')
    bench.atEnd(() => removeFolder(folder))
    const data = join(folder, 'data')
    const site = makeSite('bench.example')
    await makeData(data, site)
    const store = await openLevelStore(storeFolder(data))
    for (let i = 0; i < rows; i += 1_000) {
      await store.transact('bench', tx => {
        for (let k = i; k < i + 1_000; k++) {
          // Text that does not compress to nothing, as events do not.
          tx.put(eventSkeletons.key((epochSize + k) as Position), randomBytes(rowBytes / 2).toString('hex'))
        }
      })
    }
    await store.close()
    for (let i = 0; i < mediaFilesCount; i++) await addMedia(data, randomBytes(mediaFileBytes))
    const place = join(folder, 'place')
    await mkdir(place)
    const bytes = rows * rowBytes + mediaFilesCount * mediaFileBytes
    return { data, place, site, bytes, ...(await newKeys()) }
  })
}

/** The file's name. */
async function backUp(bench: Bench, bytesPerSecond: number, signal?: AbortSignal): Promise<string> {
  const { data, place, site, recipient } = await dataToBackUp(bench)
  const now = Date.now()
  const exported = await exportFolder(storeFolder(data))
  try {
    const source = {
      serverName: site.name,
      release: 'bench',
      dataFolder: data,
      rows: exported,
      configuration: {},
      card: site.card,
      sign: site.sign,
    }
    const plain = backupBytes(source, { now })
    const pace = bytesPerSecond === Number.POSITIVE_INFINITY ? plain : paced(plain, bytesPerSecond, signal)
    const name = backupName(newChain(site.name, now), (await readdir(place)).length % 1_000)
    await writeBackupFile(place, name, seal(pace, { recipients: [recipient] }))
    return name
  } finally {
    await exported.close()
  }
}

/** Of this process; encryption is another one's. */
function cpuMs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size
  }
  return bytes / megabyte
}
