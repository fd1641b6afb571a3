/** Files that are there whole or not at all: written under another name, synced, renamed, the folder synced. */
import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * After a crash the old file is there, or the new one; perhaps with FILE.new beside it, which the next write replaces.
 * @param mode as it says, whatever the umask: units that write for others have one that keeps everything to themselves
 */
export function writeWhole(path: string, text: string, mode = 0o600): void {
  const temporary = `${path}.new`
  rmSync(temporary, { force: true })
  const file = openSync(temporary, 'wx', mode)
  try {
    // Not writeSync: what a full disk takes of it may be a part.
    writeFileSync(file, text)
    fchmodSync(file, mode)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  syncFolder(dirname(path))
}

export function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
