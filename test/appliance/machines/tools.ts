/**
 * The programs of machines: QEMU, swtpm, mtools, sfdisk out of a folder with Debian 13's packages (tools-folder.ts).
 *
 * They run through that Debian's own loader: with the paths of this machine, without mounts, without root. So a machine of a
 * test is the same on every host, and no older than the system that boots in it.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const libraries = ['usr/lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu/swtpm', 'usr/lib']
const needed = [
  'usr/bin/qemu-system-x86_64',
  'usr/bin/qemu-img',
  'usr/bin/swtpm',
  'usr/bin/mcopy',
  'usr/sbin/mkfs.vfat',
  'usr/sbin/sfdisk',
  'usr/share/OVMF/OVMF_CODE_4M.secboot.fd',
  'usr/share/OVMF/OVMF_VARS_4M.fd',
]

export class Tools {
  readonly folder: string

  /** @throws with the list of what is missing */
  constructor(folder: string) {
    this.folder = folder
    const missing = needed.filter(path => !existsSync(join(folder, path)))
    if (missing.length > 0)
      throw new Error(
        `The tools in ${folder} are incomplete: ${missing.join(', ')}. Remove the folder; it is made anew.`,
      )
  }

  /** Firmware with Secure Boot, and its empty variables: setup mode. */
  get firmware() {
    const at = (name: string) => join(this.folder, 'usr/share/OVMF', name)
    return { code: at('OVMF_CODE_4M.secboot.fd'), variables: at('OVMF_VARS_4M.fd') }
  }

  /** Where QEMU finds its own firmware. */
  get qemuData(): readonly string[] {
    return ['usr/share/qemu', 'usr/share/seabios'].map(path => join(this.folder, path))
  }

  /** Debian's own kernel: with it KVM proves itself. */
  get kernel(): string {
    const boot = join(this.folder, 'boot')
    const name = readdirSync(boot).find(each => each.startsWith('vmlinuz-'))
    if (!name) throw new Error(`There is no kernel in ${boot}.`)
    return join(boot, name)
  }

  /** Starts a program; what it says goes into a file. */
  start(name: string, args: readonly string[], logFile: string): ChildProcess {
    const [program, ...all] = this.#command(name, args)
    const log = openSync(logFile, 'a')
    return spawn(program!, all, { stdio: ['ignore', log, log], env: this.#environment })
  }

  /** Runs a program to its end. @throws with what it complained about */
  run(name: string, args: readonly string[], input?: string): string {
    const [program, ...all] = this.#command(name, args)
    const { status, stdout, stderr, error } = spawnSync(program!, all, {
      encoding: 'utf8',
      env: this.#environment,
      maxBuffer: 64 * 1024 * 1024,
      ...(input === undefined ? {} : { input }),
    })
    if (status !== 0)
      throw new Error(`${name} ${args.join(' ')}: ${stderr || error?.message || `ended with ${status}`}`)
    return stdout
  }

  #command(name: string, args: readonly string[]): string[] {
    const program = ['usr/bin', 'usr/sbin']
      .map(folder => join(this.folder, folder, name))
      .find(path => existsSync(path))
    if (!program) throw new Error(`There is no ${name} in ${this.folder}.`)
    const path = libraries.map(folder => join(this.folder, folder)).join(':')
    const loader = join(this.folder, 'usr/lib64/ld-linux-x86-64.so.2')
    return [loader, '--library-path', path, '--argv0', name, program, ...args]
  }

  get #environment() {
    return {
      ...process.env,
      QEMU_MODULE_DIR: join(this.folder, 'usr/lib/x86_64-linux-gnu/qemu'),
      MTOOLS_SKIP_CHECK: '1',
      TZ: 'UTC',
    }
  }
}
