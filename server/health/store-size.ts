/** How large the store is on disk, and when all of it was last read and found whole. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { cleanScrub } from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'
import type { Reading } from './finding.ts'

export function openStoreSize(store: Store, folder: string): Reading {
  return async () => {
    const [sizeBytes, clean] = await Promise.all([
      sizeOf(folder),
      store.read(view => view.get(cleanScrub.key())),
    ])
    return {
      size_bytes: sizeBytes,
      epoch: store.epoch,
      ...(clean === undefined ? {} : { found_whole_ts: clean.at, rows: clean.rows }),
    }
  }
}

/** LevelDB removes files while we look: what is gone takes no room. */
async function sizeOf(folder: string): Promise<number> {
  const files = await readdir(folder, { withFileTypes: true, recursive: true })
  const sizes = await Promise.all(
    files
      .filter(file => file.isFile())
      .map(file =>
        stat(join(file.parentPath, file.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
