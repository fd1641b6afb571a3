/**
 * The folder of material from elsewhere (vectors, the specification's schemas), for the interop stage.
 *
 * `SHARED_FOLDER` names it; otherwise it lies beside the repository, or beside a folder above it.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

export function sharedFolder(): string {
  const named = process.env['SHARED_FOLDER']
  if (named) return named
  for (
    let folder = join(import.meta.dirname, '../..');
    folder !== dirname(folder);
    folder = dirname(folder)
  ) {
    const shared = join(folder, 'shared')
    if (existsSync(join(shared, 'vectors'))) return shared
  }
  throw new Error('the folder shared/ with its vectors is not here; name it with SHARED_FOLDER')
}
