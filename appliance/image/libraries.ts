/** Which shared libraries a tree of programs needs: those that the programs name, those that these name, and so on. */
import { closeSync, openSync, readSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Tools } from './tools.ts'
import { entriesOf, keepOnly, resolveIn } from './trees.ts'

const libraries = 'usr/lib/x86_64-linux-gnu'
const places = ['usr/bin', 'usr/sbin', 'usr/lib/systemd', 'usr/lib/udev', 'usr/lib/openssh', 'usr/lib/letro']

/** @param tree a folder in `work` @param openedLater beginnings of libraries that are opened by name: nothing in a file says so */
export async function keepNeededLibraries(
  tools: Tools,
  work: string,
  tree: string,
  openedLater: readonly string[],
): Promise<void> {
  const root = join(work, tree)
  const all = entriesOf(join(root, libraries)).filter(path => /\.so(\.|$)/.test(path))
  const starts = all.filter(path => openedLater.some(name => path.startsWith(name)))
  const programs = places
    .flatMap(place => entriesOf(join(root, place)).map(path => join(place, path)))
    .filter(path => isProgram(join(root, path)))
  const needed = new Set(starts)
  let open = [...programs, ...starts.map(path => join(libraries, path))]
  while (open.length > 0) {
    const names = await neededBy(tools, work, tree, open)
    const found = all.filter(path => names.has(basename(path)) && !needed.has(path))
    for (const path of found) needed.add(path)
    open = found.map(path => join(libraries, path))
  }
  const kept = new Set(needed)
  for (const path of needed) {
    const real = resolveIn(root, join(libraries, path))
    if (real) kept.add(real.slice(libraries.length + 1))
  }
  keepOnly(join(root, libraries), path => kept.has(path))
}

function isProgram(file: string): boolean {
  const head = Buffer.alloc(4)
  try {
    const handle = openSync(file, 'r')
    readSync(handle, head)
    closeSync(handle)
  } catch {
    return false
  }
  return head.toString('latin1') === '\x7fELF'
}

async function neededBy(
  tools: Tools,
  work: string,
  tree: string,
  files: readonly string[],
): Promise<ReadonlySet<string>> {
  const out = await tools.run(work, 'readelf', ['-dW', ...files.map(path => `/work/${tree}/${path}`)])
  return new Set([...out.matchAll(/\(NEEDED\).*\[(.+?)\]/g)].map(match => match[1]!))
}
