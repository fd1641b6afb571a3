/**
 * Data that was restored beside the data in use (`<data>/restored`) takes its place, at a start and before anything is opened.
 *
 * `replacing.json` is the order to do it: written when the restored data is whole and checked, removed when all is in its place.
 * First what is there goes into `before-restore-…`, then what was restored comes in. Each is a rename, and what was done
 * already is passed over: cut off anywhere, the next start goes on. What was there is kept until the next restore.
 */
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  keptAside,
  replacingFile,
  restoredFolder,
  stagingFolder,
  uploadedFolder,
} from './backup/data-files.ts'
import { writeDurably } from './server-keys.ts'

interface Order {
  readonly aside: string
  readonly out: readonly string[]
  /** null: not all is out yet. */
  readonly in: readonly string[] | null
}

/** What belongs to this machine or to no data at all. */
const staying = new Set([
  restoredFolder,
  uploadedFolder,
  replacingFile,
  `${replacingFile}.new`,
  stagingFolder,
  'maintenance.token',
  'admin.sock',
])

/** From now on the next start does it. */
export async function orderReplacing(dataFolder: string, now: number): Promise<void> {
  const stamp = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const names = await readdir(dataFolder)
  for (const old of names.filter(isKeptAside))
    await rm(join(dataFolder, old), { recursive: true, force: true })
  const out = names.filter(name => !staying.has(name) && !isKeptAside(name))
  await writeOrder(dataFolder, { aside: `${keptAside}${stamp}`, out, in: null })
}

/** Answers whether there was something to do. */
export async function replaceWithRestored(dataFolder: string): Promise<boolean> {
  let order = await readOrder(dataFolder)
  if (!order) return false
  const aside = join(dataFolder, order.aside)
  const restored = join(dataFolder, restoredFolder)
  await mkdir(aside, { recursive: true, mode: 0o700 })
  if (order.in === null) {
    for (const name of order.out) await renameIfThere(join(dataFolder, name), join(aside, name))
    order = { ...order, in: await readdir(restored) }
    await writeOrder(dataFolder, order)
  }
  for (const name of order.in!) await renameIfThere(join(restored, name), join(dataFolder, name))
  await rm(restored, { recursive: true, force: true })
  await rm(join(dataFolder, uploadedFolder), { recursive: true, force: true })
  await rm(join(dataFolder, replacingFile))
  return true
}

export function isKeptAside(name: string): boolean {
  return name.startsWith(keptAside)
}

const writeOrder = (dataFolder: string, order: Order) =>
  writeDurably(join(dataFolder, replacingFile), `${JSON.stringify(order)}\n`)

async function readOrder(dataFolder: string): Promise<Order | null> {
  try {
    return JSON.parse(await readFile(join(dataFolder, replacingFile), 'utf8')) as Order
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return null
    throw error
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  if (await stat(from).catch(() => null)) await rename(from, to)
}
