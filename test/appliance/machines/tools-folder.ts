/** Makes the tools folder: Debian 13's QEMU, firmware and TPM, unpacked and never installed. Kept until its list changes. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tools } from './tools.ts'

const suite = 'trixie'
const packages = [
  'dosfstools',
  'fdisk',
  'libc-bin',
  // To let KVM prove itself.
  'linux-image-cloud-amd64',
  'mtools',
  'ovmf',
  'qemu-system-x86',
  'qemu-utils',
  'swtpm',
]

/** @throws with the reason, where they cannot be made */
export function makeTools(cache: string): Tools {
  const [root, made] = [join(cache, 'machines'), join(cache, 'machines.made')]
  const wanted = createHash('sha256')
    .update([suite, ...packages].join('\n'))
    .digest('hex')
  if (!existsSync(made) || readFileSync(made, 'utf8') !== wanted) {
    if (process.platform !== 'linux' || process.arch !== 'x64')
      throw new Error('The machines of these tests run on Linux on amd64 alone.')
    if (process.getuid?.() !== 0) throw new Error('This unpacks Debian packages and runs as root alone.')
    mkdirSync(cache, { recursive: true })
    for (const old of [made, root, `${root}.new`]) rmSync(old, { recursive: true, force: true })
    installMmdebstrap()
    run('mmdebstrap', [
      ...['--variant=extract', '--components=main', '--aptopt=APT::Install-Recommends "false"'],
      ...[`--include=${packages.join(',')}`, suite, `${root}.new`],
    ])
    renameSync(`${root}.new`, root)
    writeFileSync(made, wanted)
  }
  return new Tools(root)
}

function installMmdebstrap(): void {
  if (spawnSync('mmdebstrap', ['--version']).status === 0) return
  run('apt-get', ['update', '-qq'])
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'mmdebstrap'])
}

function run(program: string, args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', env })
  if (status === 0) return
  const why = (stderr ?? '').trim().split('\n').slice(-5).join('\n') || error?.message
  throw new Error(`${program} failed, without which there are no machines to test in:\n${why}`)
}
