/** What is done to whole folders of files on their way into an image. */
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, lutimesSync, mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Files, links and folders below `folder`, as paths from it, in the order of their bytes. No link is followed. */
export function entriesOf(folder: string): string[] {
  const found: string[] = []
  const open = existsSync(folder) ? [''] : []
  for (let inside = open.pop(); inside !== undefined; inside = open.pop()) {
    for (const entry of readdirSync(join(folder, inside), { withFileTypes: true })) {
      const path = join(inside, entry.name)
      found.push(path)
      if (entry.isDirectory()) open.push(path)
    }
  }
  return found.sort()
}

/** Removes what `isWanted` does not want, and folders that are empty then. */
export function keepOnly(folder: string, isWanted: (path: string) => boolean): void {
  for (const path of entriesOf(folder).reverse()) {
    const whole = join(folder, path)
    const stat = lstatSync(whole, { throwIfNoEntry: false })
    if (!stat) continue
    if (stat.isDirectory()) {
      if (readdirSync(whole).length === 0 && !isWanted(path)) rmSync(whole, { recursive: true })
    } else if (!isWanted(path)) rmSync(whole)
  }
}

export function remove(root: string, paths: readonly string[]): void {
  for (const path of paths) rmSync(join(root, path), { recursive: true, force: true })
}

/** With modes, owners and links as they are; a folder is laid over one that is there. */
export function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  // Node's own copy fails where a folder is there already, and knows nothing of owners.
  execFileSync('cp', ['--archive', '--no-target-directory', from, to])
}

/** When a file was written says nothing about what it is. */
export function setAllTimes(folder: string, epoch: number): void {
  for (const path of ['', ...entriesOf(folder)]) lutimesSync(join(folder, path), epoch, epoch)
}

/** Where a chain of links within `root` ends: a path from `root`; null where nothing is there. */
export function resolveIn(root: string, path: string): string | null {
  let current = path
  for (let hops = 0; hops < 20; hops++) {
    const stat = lstatSync(join(root, current), { throwIfNoEntry: false })
    if (!stat) return null
    if (!stat.isSymbolicLink()) return current
    const target = readlinkSync(join(root, current))
    current = target.startsWith('/') ? target.slice(1) : join(dirname(current), target)
  }
  return null
}
