/**
 * `npm run image [-- OPTIONS]`: from this tree to a disk image and an update file.
 *
 *   --keys DIR       sign with these (keys.ts says which); without it throw-away ones: a DEVELOPMENT image
 *   --version V      default: package.json's          --counter N     the anti-rollback counter
 *   --out DIR        default: dist/image              --cache DIR     default: ~/.cache/letro-image
 *   --fresh          take Debian's packages anew instead of those of the last build
 *   --formats LIST   of raw, zst, qcow2, ova (default: zst); raw is always kept
 *   --overlay DIR    lay these files over the root; for tests, with development keys alone
 *   --keep-root DIR  leave the root filesystem's files there        --root DIR  take them from there: another release
 *                    of the same tree in half the time; for tests, with development keys alone
 */
import { createPrivateKey } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { writeUpdateFile } from '../update/write-update-file.ts'
import { baseRoot } from './base-root.ts'
import { writeChecksums } from './checksums.ts'
import { makeDisk } from './disk.ts'
import { type Format, makeFormat, parseFormats } from './formats.ts'
import { developmentKeys, givenKeys, type Keys, publicKeys } from './keys.ts'
import { architecture, product, rollbackCounter } from './layout.ts'
import { makeProgram } from './program-tree.ts'
import { makeAnotherRelease, makeRoot } from './root-tree.ts'
import { BuildFailed, Log, run } from './run.ts'
import { isPartOfImage, type Lock, sbom } from './sbom.ts'
import { seal, sizeOf } from './seal.ts'
import { hostMustDo, Tools } from './tools.ts'

const source = join(import.meta.dirname, '../..')

export interface BuildOptions {
  readonly out: string
  readonly cache: string
  readonly keys: string | null
  readonly version: string
  readonly counter: number
  readonly fresh: boolean
  readonly overlays: readonly string[]
  /** Another release's files, which are taken away. */
  readonly root: string | null
  readonly keepRoot: string | null
}

export interface Built {
  readonly name: string
  readonly disk: string
  readonly update: string
  readonly sbom: string
  /** Kernel image before it was signed: what anybody can rebuild and compare. */
  readonly unsignedUki: string
  readonly tools: Tools
  readonly keys: Keys
  readonly epoch: number
}

/** @throws BuildFailed */
export async function buildImage(options: BuildOptions, log: Log): Promise<Built> {
  const { out, cache, version, counter, overlays } = options
  hostMustDo(cache)
  const tools = await Tools.ready(cache, log)
  const keys =
    options.keys === null
      ? await developmentKeys(join(source, 'keys/development'), tools, log)
      : givenKeys(options.keys)
  if ((overlays.length > 0 || options.root !== null) && !keys.development)
    throw new BuildFailed('--overlay and --root are for tests: they need development keys.')
  const epoch = Number(await run('git', ['log', '-1', '--format=%ct'], { log, cwd: source }))
  const work = join(out, 'work')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })

  const base = await baseRoot(tools, cache, options.fresh, epoch, log)
  const release = { version, counter, development: keys.development }
  if (options.root === null) {
    log.step('The app')
    await run(process.execPath, ['scripts/build.ts', '--if-changed'], { log, cwd: source })
    log.step('The program and its packages')
    const made = await makeProgram(tools, cache, work, release, publicKeys(keys), log)
    log.step('The root filesystem')
    cpSync(base.tar, join(work, 'base.tar'))
    const laidOver = [join(source, 'appliance/rootfs'), ...overlays]
    await makeRoot({ tools, log, base: join(work, 'base.tar'), work, ...made, overlays: laidOver, release })
  } else {
    renameSync(options.root, join(work, 'root'))
    makeAnotherRelease(join(work, 'root'), overlays, release)
  }
  log.step('Hash tree, kernel image, signatures')
  const sealed = await seal(tools, work, keys, epoch)
  log.step('The disk')
  const disk = await makeDisk(tools, work, sealed, keys, version, epoch)
  const name = `${product}-${version}-${architecture}`
  log.step('The update file')
  const update = join(out, `${name}.update`)
  await writeUpdateFile(
    update,
    { version, architecture, minimumVersion: '0.0.1', counter, rootHash: sealed.rootHash },
    { root: sealed.root, verity: sealed.verity, uki: sealed.uki },
    [createPrivateKey(readFileSync(join(keys.folder, 'update-current.key')))],
  )
  const raw = join(out, `${name}.img`)
  renameSync(disk, raw)
  log.step(
    `root ${sizeOf(sealed.root)}, hash tree ${sizeOf(sealed.verity)}, kernel image ${sizeOf(sealed.uki)}, update ${sizeOf(update)}`,
  )
  const bill = join(out, `${name}.cdx.json`)
  const lock = JSON.parse(readFileSync(join(source, 'package-lock.json'), 'utf8')) as Lock
  const debian = [...base.packages, ...tools.packages.filter(isPartOfImage)]
  writeFileSync(bill, `${JSON.stringify(sbom(version, epoch, lock, debian), null, 1)}\n`)
  const unsignedUki = join(out, `${name}.unsigned.efi`)
  renameSync(sealed.unsignedUki, unsignedUki)
  if (options.keepRoot !== null) {
    rmSync(options.keepRoot, { recursive: true, force: true })
    renameSync(join(work, 'root'), options.keepRoot)
  }
  rmSync(work, { recursive: true, force: true })
  return { name, disk: raw, update, sbom: bill, unsignedUki, tools, keys, epoch }
}

export function parseOptions(args: readonly string[]): { build: BuildOptions; formats: readonly Format[] } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keys: { type: 'string' },
      version: { type: 'string' },
      counter: { type: 'string' },
      out: { type: 'string' },
      cache: { type: 'string' },
      fresh: { type: 'boolean' },
      formats: { type: 'string' },
      overlay: { type: 'string', multiple: true },
      root: { type: 'string' },
      'keep-root': { type: 'string' },
    },
  })
  const own = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as { version: string }
  const version = values.version ?? own.version
  if (!/^[0-9]+\.[0-9]+\.[0-9]+$/.test(version))
    throw new BuildFailed(`--version ${version}: three numbers, such as 1.4.0`)
  const counter = values.counter === undefined ? rollbackCounter : Number(values.counter)
  if (!Number.isSafeInteger(counter) || counter < 1)
    throw new BuildFailed(`--counter ${values.counter}: a whole number from 1`)
  const overlays = (values.overlay ?? []).map(path => resolve(path))
  for (const path of overlays) if (!existsSync(path)) throw new BuildFailed(`--overlay: there is no ${path}`)
  const folder = (path: string | undefined) => (path === undefined ? null : resolve(path))
  const root = folder(values.root)
  if (root !== null && !existsSync(root)) throw new BuildFailed(`--root: there is no ${root}`)
  return {
    build: {
      out: resolve(values.out ?? join(source, 'dist/image')),
      cache: resolve(values.cache ?? join(homedir(), '.cache/letro-image')),
      keys: folder(values.keys),
      version,
      counter,
      fresh: values.fresh ?? false,
      overlays,
      root,
      keepRoot: folder(values['keep-root']),
    },
    formats: parseFormats(values.formats ?? 'zst'),
  }
}

if (import.meta.main) {
  try {
    const { build, formats } = parseOptions(process.argv.slice(2))
    const log = new Log(join(build.out, 'build.log'))
    const built = await buildImage(build, log)
    const files = [built.update, built.sbom, built.unsignedUki]
    for (const format of formats) {
      log.step(`Format: ${format}`)
      files.push(await makeFormat(built.tools, built.disk, format, built.epoch))
    }
    writeChecksums(build.out, built.name, files, built.keys)
    log.step(`Done. In ${build.out}:`)
    for (const file of files) console.log(`        ${basename(file)}  ${sizeOf(file)}`)
  } catch (error) {
    console.error(
      `\nNo image was built. ${error instanceof BuildFailed ? error.message : String((error as Error).stack)}`,
    )
    process.exitCode = 1
  }
}
