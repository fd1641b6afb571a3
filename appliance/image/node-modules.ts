/** The packages of the image's program: taken from the lock file; what the bundle has no need of goes, their licences stay. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Log, run } from './run.ts'
import { copy, keepOnly } from './trees.ts'

/** They bring native code, which they look for beside themselves: bundles import them. */
export const packagesApart = ['classic-level', 'sharp'] as const

/** Their files are read while the server runs. */
const packagesRead = [
  '@fontsource/ibm-plex-mono',
  '@fontsource/ibm-plex-sans',
  '@fontsource/ibm-plex-sans-arabic',
] as const

/** From the lock file alone, once for each. No install script runs: none of ours needs one. */
export async function productionPackages(source: string, cache: string, log: Log): Promise<string> {
  const lock = readFileSync(join(source, 'package-lock.json'))
  const kept = join(cache, `packages-${createHash('sha256').update(lock).digest('hex').slice(0, 16)}`)
  if (existsSync(kept)) return join(kept, 'node_modules')
  const fresh = `${kept}.new`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  for (const name of ['package.json', 'package-lock.json']) copy(join(source, name), join(fresh, name))
  const platform = ['--os=linux', '--cpu=x64', '--libc=glibc']
  await run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', ...platform], {
    log,
    cwd: fresh,
  })
  renameSync(fresh, kept)
  return join(kept, 'node_modules')
}

/** What the bundled program finds at run time, as paths in `node_modules`: those apart, all that they need, and those read. */
export function packagesAtRunTime(folder: string): readonly string[] {
  const found = new Set<string>(packagesRead)
  const add = (name: string, by: string | null): void => {
    const nested = by === null ? name : `${by}/node_modules/${name}`
    const path = existsSync(join(folder, nested)) ? nested : name
    // What is for other machines is not installed.
    if (found.has(path) || !existsSync(join(folder, path))) return
    found.add(path)
    const manifest = JSON.parse(readFileSync(join(folder, path, 'package.json'), 'utf8')) as {
      readonly [member in 'dependencies' | 'optionalDependencies']?: Readonly<Record<string, string>>
    }
    for (const need of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }))
      add(need, path)
  }
  for (const name of packagesApart) add(name, null)
  return [...found].sort()
}

/** Of the rest, the terms under which it is in the bundle and in the app. */
export function pruneNodeModules(folder: string): void {
  const kept = packagesAtRunTime(folder).map(path => `${path}/`)
  const isOther = (path: string) =>
    /(?:^|\/)prebuilds\/(?!linux-x64(?:\/|$))/.test(path) || /\.musl\.node$|linuxmusl/.test(path)
  const isForDevelopers =
    /(?:^|\/)(?:test|tests|example|examples|docs|benchmark|\.github)\/|\.(?:map|d\.ts|d\.mts|d\.cts|markdown|flow|c|cc|h|gyp|gypi)$|(?:^|\/)(?:README|CHANGELOG|HISTORY)[^/]*$/i
  keepOnly(
    folder,
    path =>
      isLicence(path) ||
      (kept.some(name => path.startsWith(name)) && !isOther(path) && !isForDevelopers.test(path)),
  )
}

/** A text of its own, and none of a package's modules that is called so. */
function isLicence(path: string): boolean {
  return (
    /(?:^|\/)(?:un)?(?:licen[cs]es?|copying|copyright|notice)[^/]*$/i.test(path) &&
    !/\.[cm]?[jt]s$/.test(path)
  )
}
