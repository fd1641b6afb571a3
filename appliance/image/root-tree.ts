/**
 * The root filesystem: Debian's packages, of which little stays, our files over them, and the program.
 *
 * What goes is decided by what stays: programs by name (programs.ts), kernel modules by what servers have
 * (hardware.ts), libraries because a program that stayed needs them.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { dependencies, isKept, withNeeded } from './hardware.ts'
import { product } from './layout.ts'
import { keepNeededLibraries } from './libraries.ts'
import { type Release, writeRelease } from './program-tree.ts'
import { programs } from './programs.ts'
import type { Log } from './run.ts'
import type { Tools } from './tools.ts'
import { copy, entriesOf, keepOnly, remove, resolveIn } from './trees.ts'

/** What a running system never looks at. */
const unused = [
  'boot',
  'home',
  'media',
  'opt',
  'srv',
  'root',
  'usr/games',
  'usr/include',
  'usr/lib/apt',
  'usr/lib/cpp',
  'usr/lib/dpkg',
  'usr/lib/init',
  'usr/lib/kernel',
  'usr/lib/locale',
  'usr/lib/lsb',
  'usr/lib/mime',
  'usr/lib/openssh/ssh-keysign',
  'usr/lib/openssh/ssh-pkcs11-helper',
  'usr/lib/openssh/ssh-sk-helper',
  'usr/lib/systemd/system-generators/systemd-sysv-generator',
  'usr/lib/systemd/system-generators/systemd-rc-local-generator',
  'usr/lib/systemd/system-generators/systemd-getty-generator',
  'usr/lib/systemd/system-generators/systemd-debug-generator',
  'usr/lib/systemd/system-generators/systemd-run-generator',
  'usr/lib/systemd/system-generators/systemd-ssh-generator',
  'usr/lib/systemd/system-generators/systemd-system-update-generator',
  'usr/lib/systemd/system-generators/systemd-hibernate-resume-generator',
  'usr/lib/systemd/systemd-sulogin-shell',
  'usr/lib/systemd/systemd-storagetm',
  'usr/lib/systemd/user',
  'usr/lib/systemd/user-generators',
  'usr/lib/udev/hwdb.d',
  'usr/lib/udev/hwdb.bin',
  'usr/lib/x86_64-linux-gnu/perl',
  'usr/lib/x86_64-linux-gnu/perl-base',
  'usr/lib/x86_64-linux-gnu/gconv',
  'usr/lib/x86_64-linux-gnu/security',
  'usr/local',
  'usr/share',
  'var',
  'etc/alternatives',
  'etc/apt',
  'etc/bash.bashrc',
  'etc/cron.daily',
  'etc/default',
  'etc/dhcp',
  'etc/dpkg',
  'etc/init.d',
  'etc/logrotate.d',
  'etc/network',
  'etc/pam.conf',
  'etc/profile',
  'etc/profile.d',
  'etc/rc0.d',
  'etc/rc1.d',
  'etc/rc2.d',
  'etc/rc3.d',
  'etc/rc4.d',
  'etc/rc5.d',
  'etc/rc6.d',
  'etc/rcS.d',
  'etc/security',
  'etc/shells',
  'etc/skel',
  'etc/ssh',
  'etc/update-motd.d',
  'etc/group-',
  'etc/passwd-',
  'etc/shadow-',
  'etc/gshadow-',
] as const

/** Of /usr/share, which goes as a whole. */
const shared = [
  'usr/share/consolefonts',
  'usr/share/dbus-1',
  'usr/share/zoneinfo',
  'usr/share/terminfo/l/linux',
  'usr/share/terminfo/v/vt220',
  'usr/share/keymaps',
] as const

/** Libraries that are opened by name while a program runs: nothing in a file says so. */
const openedLater = [
  'libcryptsetup.so',
  'libkmod.so',
  'libtss2-',
  'libnss_',
  'libfdisk.so',
  'libip4tc',
  'libpwquality',
  'libqrencode',
  'libseccomp',
  'libblkid',
  'libmount',
  'libdw',
  'libelf',
  'libidn2',
  'libcryptsetup-token',
  'cryptsetup/libcryptsetup-token',
  'libgcc_s',
  'libarchive',
  'libbpf',
  'libaudit',
  'libcap',
  'libacl',
  'libz',
  'liblz',
  'libxz',
  'libcrypto',
  'libssl',
  'ossl-modules/',
]

export interface RootParts {
  readonly tools: Tools
  readonly log: Log
  /** Debian's packages, unpacked by mmdebstrap. */
  readonly base: string
  readonly work: string
  /** /usr/lib/letro of the image. */
  readonly program: string
  /** Node's binary, stripped. */
  readonly node: string
  /** appliance/rootfs, and what tests lay over it. */
  readonly overlays: readonly string[]
  readonly release: Release
}

/** @returns the folder `root` in `work` */
export async function makeRoot({
  tools,
  log,
  base,
  work,
  program,
  node,
  overlays,
  release,
}: RootParts): Promise<string> {
  const root = join(work, 'root')
  await tools.run(work, 'mkdir', ['root'])
  await tools.run(work, 'tar', ['-xf', basename(base), '-C', 'root', '--exclude=./dev/*'])
  const licences = licencesIn(root)
  const kept = shared.flatMap(path => (existsSync(join(root, path)) ? [path] : []))
  for (const path of kept) copy(join(root, path), join(work, 'shared', path))
  remove(root, unused)
  for (const path of kept) copy(join(work, 'shared', path), join(root, path))
  rmSync(join(work, 'shared'), { recursive: true, force: true })
  for (const [name, text] of licences) {
    mkdirSync(join(root, 'usr/share/licences'), { recursive: true })
    writeFileSync(join(root, 'usr/share/licences', `${name}.txt`), text)
  }

  const wanted = new Set(Object.values(programs).flat())
  keepOnly(join(root, 'usr/bin'), path => wanted.has(path))
  keepOnly(join(root, 'usr/sbin'), path => wanted.has(path))
  copy(node, join(root, 'usr/bin/node'))
  chmodSync(join(root, 'usr/bin/node'), 0o755)
  copy(program, join(root, 'usr/lib/letro'))
  addKernelModules(tools, root)
  await addFirmware(tools, work, root)
  writeFileSync(join(root, 'usr/lib/os-release'), osRelease(release))
  for (const overlay of overlays) copy(overlay, root)
  for (const empty of ['dev', 'efi', 'proc', 'root', 'run', 'sys', 'tmp', 'var'])
    mkdirSync(join(root, empty), { recursive: true })
  await keepNeededLibraries(tools, work, 'root', openedLater)

  await tools.run(work, 'systemd-sysusers', ['--root=/work/root'])
  await tools.run(work, 'systemctl', ['--root=/work/root', 'preset-all', '--preset-mode=enable-only'])
  await tools.run(work, 'ldconfig', ['-r', '/work/root'])
  remove(root, [
    'etc/ld.so.cache~',
    'var/cache',
    'etc/.pwd.lock',
    'etc/group-',
    'etc/passwd-',
    'etc/shadow-',
    'etc/gshadow-',
  ])
  log.write(`root: ${entriesOf(root).length} entries\n`)
  return root
}

/** The root of another release of the same tree becomes this one's; only what tests lay over it is new. */
export function makeAnotherRelease(root: string, overlays: readonly string[], release: Release): void {
  writeRelease(join(root, 'usr/lib/letro'), release)
  writeFileSync(join(root, 'usr/lib/os-release'), osRelease(release))
  for (const overlay of overlays) copy(overlay, root)
}

/** What the boot loader shows and sorts by; the kernel image carries it as well. */
function osRelease({ version, development }: Release): string {
  const facts = {
    ID: product,
    ID_LIKE: 'debian',
    IMAGE_ID: product,
    IMAGE_VERSION: version,
    NAME: 'Letro',
    PRETTY_NAME: `Letro ${version}${development ? ' DEVELOPMENT' : ''}`,
    VERSION_ID: version,
  }
  return Object.entries(facts)
    .map(([name, value]) => `${name}="${value}"\n`)
    .join('')
}

/** Each package's own words: licences oblige, and people ask. */
function licencesIn(root: string): [name: string, text: string][] {
  const folder = join(root, 'usr/share/doc')
  return entriesOf(folder).flatMap(path => {
    if (!path.endsWith('/copyright')) return []
    const real = resolveIn(root, join('usr/share/doc', path))
    return real ? [[path.split('/')[0]!, readFileSync(join(root, real), 'utf8')]] : []
  })
}

export function kernelVersion(tools: Tools): string {
  const versions = entriesOf(join(tools.root, 'usr/lib/modules')).filter(path => !path.includes('/'))
  if (versions.length !== 1) throw new Error(`the tools hold ${versions.length} kernels`)
  return versions[0]!
}

function addKernelModules(tools: Tools, root: string): void {
  const version = kernelVersion(tools)
  const from = join(tools.root, 'usr/lib/modules', version)
  const to = join(root, 'usr/lib/modules', version)
  const needs = dependencies(readFileSync(join(from, 'modules.dep'), 'utf8'))
  for (const module of withNeeded(needs, isKept))
    copy(join(from, 'kernel', module), join(to, 'kernel', module))
  for (const list of ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'])
    copy(join(from, list), join(to, list))
}

/** Every file that a module which is there names. */
async function addFirmware(tools: Tools, work: string, root: string): Promise<void> {
  const version = kernelVersion(tools)
  await tools.run(work, 'depmod', ['-b', '/work/root', version])
  const modules = entriesOf(join(root, 'usr/lib/modules', version, 'kernel')).filter(path =>
    /\.ko(\.xz)?$/.test(path),
  )
  const paths = modules.map(path => `/work/root/usr/lib/modules/${version}/kernel/${path}`)
  const named = new Set(
    (await tools.run(work, 'modinfo', ['-F', 'firmware', ...paths])).split('\n').filter(Boolean),
  )
  for (const name of [...named].sort()) {
    const real = resolveIn(tools.root, join('usr/lib/firmware', name))
    if (real) copy(join(tools.root, real), join(root, 'usr/lib/firmware', name))
  }
}
