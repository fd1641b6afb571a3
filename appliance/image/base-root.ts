/**
 * Debian's packages, unpacked: kept from one build to the next, so that two builds can be of the same packages although
 * the mirror has moved on; `--fresh` takes what the mirror has now. Which ones they are stands beside it.
 */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DebianPackage, readPackages, recordingHooks } from './debian-packages.ts'
import { suite } from './layout.ts'
import { rootPackages } from './packages.ts'
import type { Log } from './run.ts'
import type { Tools } from './tools.ts'

export interface BaseRoot {
  readonly tar: string
  readonly packages: readonly DebianPackage[]
}

export async function baseRoot(
  tools: Tools,
  cache: string,
  fresh: boolean,
  epoch: number,
  log: Log,
): Promise<BaseRoot> {
  const key = createHash('sha256')
    .update([suite, ...rootPackages].join('\n'))
    .digest('hex')
    .slice(0, 16)
  const tar = join(cache, `base-${key}.tar`)
  const list = join(cache, `base-${key}.json`)
  if (fresh || !existsSync(list)) {
    log.step('Packages of Debian 13 (about two minutes)')
    const work = join(cache, 'work')
    rmSync(work, { recursive: true, force: true })
    mkdirSync(work, { recursive: true })
    await tools.run(
      work,
      'mmdebstrap',
      [
        ...['--mode=root', '--variant=essential', '--components=main,non-free-firmware'],
        '--aptopt=APT::Install-Recommends "false"',
        ...recordingHooks('/work', 'base'),
        ...[`--include=${rootPackages.join(',')}`, suite, '/work/base.tar'],
      ],
      { SOURCE_DATE_EPOCH: String(epoch), TMPDIR: '/tmp' },
    )
    const packages = readPackages(work, 'base')
    rmSync(list, { force: true })
    copyFileSync(join(work, 'base.tar'), tar)
    writeFileSync(`${list}.new`, JSON.stringify(packages))
    renameSync(`${list}.new`, list)
    rmSync(work, { recursive: true, force: true })
  }
  return { tar, packages: JSON.parse(readFileSync(list, 'utf8')) as DebianPackage[] }
}
