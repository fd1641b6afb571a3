/**
 * The chroot in which an image is built. Nothing of the host but Node, mmdebstrap and unshare takes part, so that two
 * hosts build the same bytes.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DebianPackage, readPackages, recordingHooks } from './debian-packages.ts'
import { suite } from './layout.ts'
import { toolPackages } from './packages.ts'
import { BuildFailed, type Log, run } from './run.ts'

/** About what the tools, two roots and the outputs take. */
const neededBytes = 8e9

export class Tools {
  readonly root: string
  readonly packages: readonly DebianPackage[]
  readonly #log: Log

  private constructor(root: string, packages: readonly DebianPackage[], log: Log) {
    this.root = root
    this.packages = packages
    this.#log = log
  }

  /**
   * Made once a machine and kept in `cache`, until the list of packages changes.
   * @throws BuildFailed where something of the host is missing
   */
  static async ready(cache: string, log: Log): Promise<Tools> {
    mkdirSync(cache, { recursive: true })
    const root = join(cache, 'tools')
    const made = join(cache, 'tools.made')
    const wanted = createHash('sha256')
      .update([suite, ...toolPackages].join('\n'))
      .digest('hex')
    if (!existsSync(made) || readFileSync(made, 'utf8') !== wanted) {
      log.step('Tools of Debian 13 (once a machine, about three minutes)')
      rmSync(made, { force: true })
      rmSync(root, { recursive: true, force: true })
      rmSync(`${root}.new`, { recursive: true, force: true })
      await run(
        'mmdebstrap',
        [
          '--mode=root',
          '--variant=apt',
          '--components=main,non-free-firmware',
          '--aptopt=APT::Install-Recommends "false"',
          ...recordingHooks(cache, 'tools'),
          `--include=${toolPackages.join(',')}`,
          suite,
          `${root}.new`,
        ],
        { log },
      )
      renameSync(`${root}.new`, root)
      writeFileSync(made, wanted)
    }
    return new Tools(root, readPackages(cache, 'tools'), log)
  }

  /** Runs `program` among the tools with `work` as /work; what it prints. */
  run(
    work: string,
    program: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv = {},
  ): Promise<string> {
    // Mounts of a namespace of its own: none outlives the program.
    const script = `set -e
      for each in proc sys dev; do mount --rbind "/$each" "$1/$each"; done
      mkdir -p "$1/work"; mount --bind "$2" "$1/work"
      tools=$1; shift 2; exec chroot "$tools" /usr/bin/env -C /work "$@"`
    const inside = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', this.root, work]
    return run('unshare', [...inside, program, ...args], { log: this.#log, environment })
  }
}

/** @throws BuildFailed that says what is missing, before anything was begun */
export function hostMustDo(cache: string): void {
  if (process.getuid?.() !== 0) throw new BuildFailed('An image is built as root: sudo npm run image')
  mkdirSync(cache, { recursive: true })
  const { bavail, bsize } = statfsSync(cache)
  if (bavail * bsize < neededBytes) {
    throw new BuildFailed(
      `${cache} has ${(bavail * bsize) / 1e9} GB of space; an image takes ${neededBytes / 1e9} GB to build. Name another folder with --cache.`,
    )
  }
  const missing = ['mmdebstrap', 'unshare', 'git', 'npm'].filter(program => !isThere(program))
  if (missing.length > 0) {
    throw new BuildFailed(
      `Missing on this machine: ${missing.join(', ')}. On Debian: apt-get install mmdebstrap util-linux git npm`,
    )
  }
}

function isThere(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some(folder => existsSync(join(folder, program)))
}
