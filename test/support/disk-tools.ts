/**
 * The tools that know real disks (sfdisk, mkfs.vfat, fsck.vfat, mtools): the machine's own, else unpacked once from Debian's
 * packages into a cache, never installed. Null where they cannot be had.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'

const cache = resolve('node_modules/.cache/disk-tools')
const packages = ['fdisk', 'libfdisk1', 'dosfstools', 'mtools']
const names = [
  'sfdisk',
  'mkfs.vfat',
  'fsck.vfat',
  'mcopy',
  'mdel',
  'mdir',
  'mmd',
  'mshowfat',
  'mtype',
] as const
export type ToolName = (typeof names)[number]

export interface DiskTools {
  /** What it prints. Throws where it fails. */
  run(tool: ToolName, args: readonly string[], input?: string | Buffer): Buffer
  /** Its exit code, and what it prints. */
  ask(tool: ToolName, args: readonly string[]): { readonly code: number; readonly text: string }
}

export function findDiskTools(): DiskTools | null {
  const found =
    names.every(name => where(name) !== null) || (unpack() && names.every(name => where(name) !== null))
  return found ? { run, ask } : null
}

function where(name: ToolName): string | null {
  const folders = [
    ...['usr/sbin', 'usr/bin', 'sbin', 'bin'].map(folder => join(cache, folder)),
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
    '/sbin',
  ]
  return folders.map(folder => join(folder, name)).find(path => existsSync(path)) ?? null
}

function run(tool: ToolName, args: readonly string[], input: string | Buffer = ''): Buffer {
  return execFileSync(where(tool)!, args, { input, env: environment(), stdio: ['pipe', 'pipe', 'pipe'] })
}

function ask(tool: ToolName, args: readonly string[]): { code: number; text: string } {
  try {
    return { code: 0, text: run(tool, args).toString() }
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: Buffer; stderr: Buffer }
    return { code: status ?? 255, text: `${stdout}${stderr}` }
  }
}

function environment(): NodeJS.ProcessEnv {
  const library = join(cache, 'usr/lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`)
  return {
    ...process.env,
    LC_ALL: 'C',
    MTOOLS_SKIP_CHECK: '1',
    LD_LIBRARY_PATH: existsSync(library) ? library : '',
  }
}

/** Tests that run side by side: who is first puts it in its place. */
function unpack(): boolean {
  if (!existsSync('/usr/bin/apt-get')) return false
  const work = `${cache}.${process.pid}`
  mkdirSync(work, { recursive: true })
  try {
    execFileSync('apt-get', ['download', ...packages], { cwd: work, stdio: 'ignore' })
    for (const name of readdirSync(work).filter(file => file.endsWith('.deb')))
      execFileSync('dpkg', ['-x', join(work, name), join(work, 'root')])
    renameSync(join(work, 'root'), cache)
  } catch {
    // None to be had, or another test was first.
  }
  rmSync(work, { recursive: true, force: true })
  return existsSync(join(cache, 'usr'))
}
