/**
 * What the kernel starts from: systemd, udev, libraries and the few modules that reach a disk, taken from the root
 * filesystem that they are to open. There is no shell in it and nothing to ask: it opens the root by its hash, or ends.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dependencies, isEarly, withNeeded } from './hardware.ts'
import { keepNeededLibraries } from './libraries.ts'
import { kernelVersion } from './root-tree.ts'
import type { Tools } from './tools.ts'
import { copy, entriesOf, keepOnly, remove, setAllTimes } from './trees.ts'

const programs = [
  'dmsetup',
  'init',
  'kmod',
  'modprobe',
  'mount',
  'switch_root',
  'systemctl',
  'systemd-notify',
  'systemd-tmpfiles',
  'systemd-tty-ask-password-agent',
  'udevadm',
  'umount',
]
/** Opened by name by systemd and by what reads the disk. */
const openedLater = [
  'libcryptsetup.so',
  'libkmod.so',
  'libtss2-',
  'libmount',
  'libblkid',
  'libseccomp',
  'libnss_files',
]
/** Of /usr/lib/systemd: what only the system that is opened runs. */
const notYet =
  /^usr\/lib\/systemd\/systemd-(?:networkd|resolved|logind|hostnamed|localed|timedated|timesyncd|cryptsetup|pcrlock|measure|sbsign|keyutil|storagetm|nspawn|socket-proxyd|ssh-proxy|network-generator|networkd-wait-online|quotacheck|rfkill|update-done|user-|xdg-|pstore|random-seed|backlight|binfmt|growfs|makefs|initctl|sysv-install)/

/** @returns `initrd` in `work`: cpio, compressed */
export async function makeInitrd(tools: Tools, work: string, root: string, epoch: number): Promise<string> {
  const folder = join(work, 'initrd.d')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const link of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${link}`, join(folder, link))
  for (const empty of ['dev', 'etc', 'proc', 'run', 'sys', 'sysroot', 'tmp', 'usr/lib64', 'var'])
    mkdirSync(join(folder, empty), { recursive: true })
  symlinkSync('/run', join(folder, 'var/run'))
  for (const name of programs)
    for (const place of ['usr/bin', 'usr/sbin'])
      if (existsSync(join(root, place, name))) copy(join(root, place, name), join(folder, place, name))
  for (const path of [
    'usr/lib/systemd',
    'usr/lib/udev',
    'usr/lib/modprobe.d',
    'usr/lib/x86_64-linux-gnu',
    'usr/lib64',
  ])
    copy(join(root, path), join(folder, path))
  for (const path of ['usr/lib/tmpfiles.d', 'usr/lib/sysctl.d'])
    if (existsSync(join(root, path))) mkdirSync(join(folder, path), { recursive: true })
  // What the boot stub hands over has to outlive the initrd: without its signature no TPM opens the data.
  const stub = 'usr/lib/tmpfiles.d/20-systemd-stub.conf'
  copy(join(root, stub), join(folder, stub))
  for (const path of ['etc/passwd', 'etc/group', 'etc/ld.so.cache', 'etc/nsswitch.conf'])
    if (existsSync(join(root, path))) copy(join(root, path), join(folder, path))
  writeFileSync(join(folder, 'etc/machine-id'), '')
  const os = readFileSync(join(root, 'usr/lib/os-release'), 'utf8')
  writeFileSync(join(folder, 'usr/lib/os-release'), os)
  symlinkSync('../usr/lib/os-release', join(folder, 'etc/os-release'))
  symlinkSync('os-release', join(folder, 'etc/initrd-release'))
  symlinkSync('usr/lib/systemd/systemd', join(folder, 'init'))
  remove(folder, ['usr/lib/systemd/boot', 'usr/lib/systemd/catalog', 'usr/lib/systemd/system-preset'])
  // Ours belong to the system that is opened, not to what opens it.
  keepOnly(
    join(folder, 'usr/lib/systemd/system'),
    path => !path.includes('letro') && !/^(?:efi|tmp|var[^/]*)\.mount/.test(path),
  )
  keepOnly(folder, path => !notYet.test(path))
  await keepNeededLibraries(tools, work, 'initrd.d', openedLater)

  const version = kernelVersion(tools)
  const from = join(root, 'usr/lib/modules', version)
  const to = join(folder, 'usr/lib/modules', version)
  const needs = dependencies(readFileSync(join(from, 'modules.dep'), 'utf8'))
  for (const module of withNeeded(needs, isEarly))
    copy(join(from, 'kernel', module), join(to, 'kernel', module))
  for (const name of ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'])
    copy(join(from, name), join(to, name))
  // Compressed once, with all the rest: a kernel that unpacks each by itself takes longer to start.
  await tools.run(work, 'sh', ['-ec', 'find initrd.d -name "*.ko.xz" -exec xz -d {} +'])
  await tools.run(work, 'depmod', ['-b', '/work/initrd.d', version])
  mkdirSync(join(folder, 'usr/lib/modules-load.d'), { recursive: true })
  writeFileSync(join(folder, 'usr/lib/modules-load.d/root.conf'), 'dm_verity\nerofs\n')

  askEarly(folder)
  setAllTimes(folder, epoch)
  writeFileSync(join(work, 'initrd.list'), `${['.', ...entriesOf(folder)].join('\n')}\n`)
  await tools.run(work, 'sh', [
    '-ec',
    'cd initrd.d; cpio --quiet --reproducible --owner=0:0 -H newc -o < ../initrd.list > ../initrd.cpio; cd ..; zstd -q -f -19 -T2 --no-progress initrd.cpio -o initrd; rm initrd.cpio',
  ])
  return join(work, 'initrd')
}

/** What udev is asked about before the root is there: consoles, memory banks and counters lead to no disk, and each event runs through all rules. */
function askEarly(folder: string): void {
  const needless =
    'bdi clockevents event_source graphics input leds mem memory misc net tty vc vtconsole workqueue'
  const drop = join(folder, 'etc/systemd/system/systemd-udev-trigger.service.d')
  const options = [
    '--type=all --action=add --prioritized-subsystem=module,block,tpmrm',
    ...needless.split(' ').map(name => `--subsystem-nomatch=${name}`),
  ]
  mkdirSync(drop, { recursive: true })
  writeFileSync(
    join(drop, 'early.conf'),
    `[Service]\nExecStart=\nExecStart=-udevadm trigger ${options.join(' ')}\n`,
  )
}

/** Intel's and AMD's corrections of their processors, loaded before anything else. */
export async function makeMicrocode(tools: Tools, work: string, epoch: number): Promise<string> {
  const folder = join(work, 'microcode.d')
  const place = join(folder, 'kernel/x86/microcode')
  mkdirSync(place, { recursive: true })
  for (const [from, name] of [
    ['intel-ucode', 'GenuineIntel.bin'],
    ['amd-ucode', 'AuthenticAMD.bin'],
  ] as const) {
    const source = join(tools.root, 'usr/lib/firmware', from)
    const files = readdirSync(source)
      .filter(file => /^[0-9a-f]{2}-[0-9a-f]{2}-[0-9a-f]{2}$|\.bin$/.test(file))
      .sort()
    // Several names of one content: processors are named in it as well.
    const contents = new Map(
      files.map(file => readFileSync(join(source, file))).map(each => [each.toString('latin1'), each]),
    )
    writeFileSync(join(place, name), Buffer.concat([...contents.values()]))
  }
  setAllTimes(folder, epoch)
  writeFileSync(join(work, 'microcode.list'), `${['.', ...entriesOf(folder)].join('\n')}\n`)
  await tools.run(work, 'sh', [
    '-ec',
    'cd microcode.d; cpio --quiet --reproducible --owner=0:0 -H newc -o < ../microcode.list > ../microcode',
  ])
  return join(work, 'microcode')
}
