/** How large the store is on disk, and when all of it was last read and found whole. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { cleanScrub } from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'
import type { Reading } from './finding.ts'

/** Thousands of files are no question for every minute. */
const freshMs = 10 * 60_000

export function openStoreSize(store: Store, folder: string, monotonic: () => number): Reading {
  let measured: { readonly at: number; readonly sizeBytes: Promise<number> } | null = null
  return async () => {
    const at = monotonic()
    if (!measured || at - measured.at >= freshMs) measured = { at, sizeBytes: sizeOf(folder) }
    const [sizeBytes, clean] = await Promise.all([
      measured.sizeBytes,
      store.read(view => view.get(cleanScrub.key())),
    ])
    return {
      size_bytes: sizeBytes,
      epoch: store.epoch,
      ...(clean === undefined ? {} : { found_whole_ts: clean.at, rows: clean.rows }),
    }
  }
}

/** LevelDB removes files while we look: what is gone takes no room. One after another, for it commits on the same threads. */
async function sizeOf(folder: string): Promise<number> {
  const files = await readdir(folder, { withFileTypes: true, recursive: true })
  let sum = 0
  for (const file of files) {
    if (!file.isFile()) continue
    sum += await stat(join(file.parentPath, file.name)).then(
      ({ size }) => size,
      () => 0,
    )
  }
  return sum
}
