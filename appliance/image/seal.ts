/**
 * From a root folder to what firmware and kernel check: the root filesystem and its hash tree, and the kernel image
 * that carries the hash, signed.
 *
 * Signatures are deterministic (RSA PKCS #1 v1.5, Ed25519) and their times fixed, so the same keys give the same bytes;
 * without keys, everything but the signatures can be compared.
 */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeInitrd, makeMicrocode } from './initrd.ts'
import type { Keys } from './keys.ts'
import { fixed } from './layout.ts'
import { kernelVersion } from './root-tree.ts'
import type { Tools } from './tools.ts'
import { copy, setAllTimes } from './trees.ts'

export interface Sealed {
  /** Files. */
  readonly root: string
  readonly verity: string
  readonly uki: string
  /** Before signing: what anybody can rebuild and compare. */
  readonly unsignedUki: string
  /** Hex. */
  readonly rootHash: string
}

/**
 * Nothing is typed at boot, and the firmware's measurements say so: the command line is part of what is signed.
 * Panic means restart: a damaged root gives the other slot its turn.
 */
function commandLine(rootHash: string): string {
  return [
    `roothash=${rootHash}`,
    'systemd.verity_root_options=panic-on-corruption',
    'root=/dev/mapper/root',
    'rootfstype=erofs',
    'ro',
    // A power cut inside the partition table: the kernel takes the second one only where it is told to.
    'gpt',
    'rd.shell=0',
    'rd.emergency=reboot',
    'systemd.gpt_auto=0',
    // A credential on the ESP could name units to run as root.
    'systemd.import_credentials=no',
    'systemd.machine_id=firmware',
    'lockdown=confidentiality',
    'module.sig_enforce=1',
    'oops=panic',
    'panic=10',
    'init_on_alloc=1',
    'slab_nomerge',
    // Small processes and a database gain nothing by huge pages, and the kernel keeps some 100 MB free to make them.
    'transparent_hugepage=never',
    'randomize_kstack_offset=on',
    'vsyscall=none',
    'quiet',
    'loglevel=3',
    'systemd.show_status=no',
    'consoleblank=0',
  ].join(' ')
}

export async function seal(tools: Tools, work: string, keys: Keys, epoch: number): Promise<Sealed> {
  const root = join(work, 'root')
  setAllTimes(root, epoch)
  await tools.run(work, 'mkfs.erofs', [
    ...['-zlz4hc,9', '-C65536', '--quiet', `-T${epoch}`, '--all-time'],
    ...[`-U${fixed.rootFilesystemId}`, 'root.erofs', 'root'],
  ])
  const formatted = await tools.run(work, 'veritysetup', [
    ...['format', '--hash=sha256', '--data-block-size=4096', '--hash-block-size=4096'],
    ...[`--salt=${fixed.veritySalt}`, `--uuid=${fixed.verityId}`, 'root.erofs', 'root.verity'],
  ])
  const rootHash = /^Root hash:\s*([0-9a-f]{64})$/m.exec(formatted)?.[1]
  if (!rootHash) throw new Error(`veritysetup says no root hash:\n${formatted}`)

  await makeInitrd(tools, work, root, epoch)
  await makeMicrocode(tools, work, epoch)
  const version = kernelVersion(tools)
  copy(join(tools.root, 'boot', `vmlinuz-${version}`), join(work, 'vmlinuz'))
  writeFileSync(join(work, 'cmdline'), commandLine(rootHash))
  for (const name of ['tpm-policy.key', 'tpm-policy.pem', 'secure-boot.key', 'secure-boot.crt'])
    copy(join(keys.folder, name), join(work, name))
  try {
    await tools.run(
      work,
      '/usr/lib/systemd/ukify',
      [
        ...['build', '--linux=vmlinuz', '--initrd=initrd', '--microcode=microcode', '--cmdline=@cmdline'],
        ...['--os-release=@root/usr/lib/os-release', `--uname=${version}`],
        ...['--pcr-private-key=tpm-policy.key', '--pcr-public-key=tpm-policy.pem'],
        ...[
          '--phases=enter-initrd enter-initrd:leave-initrd enter-initrd:leave-initrd:sysinit enter-initrd:leave-initrd:sysinit:ready',
        ],
        '--output=unsigned.efi',
      ],
      { SOURCE_DATE_EPOCH: String(epoch) },
    )
    await sign(tools, work, 'unsigned.efi', 'signed.efi', epoch)
    copy(join(tools.root, 'usr/lib/systemd/boot/efi/systemd-bootx64.efi'), join(work, 'loader.efi'))
    await sign(tools, work, 'loader.efi', 'loader-signed.efi', epoch)
  } finally {
    for (const name of ['tpm-policy.key', 'secure-boot.key']) rmSync(join(work, name), { force: true })
  }
  return {
    root: join(work, 'root.erofs'),
    verity: join(work, 'root.verity'),
    uki: join(work, 'signed.efi'),
    unsignedUki: join(work, 'unsigned.efi'),
    rootHash,
  }
}

async function sign(tools: Tools, work: string, from: string, to: string, epoch: number): Promise<void> {
  rmSync(join(work, to), { force: true })
  await tools.run(work, 'osslsigncode', [
    ...['sign', '-h', 'sha256', '-certs', 'secure-boot.crt', '-key', 'secure-boot.key'],
    ...['-st', String(epoch), '-in', from, '-out', `${to}.new`],
  ])
  renameSync(join(work, `${to}.new`), join(work, to))
}

/** `name` and how large it is, for people. */
export function sizeOf(file: string): string {
  return `${(statSync(file).size / 1e6).toFixed(1)} MB`
}

export function readPem(file: string): string {
  return readFileSync(file, 'utf8')
}
