/**
 * A machine with a disk, as far as appliance/disk asks for one: partitions, a LUKS header with keyslots and tokens, a TPM, a file system that is
 * mounted or not. The power can be cut before or after any program that changes something; what lies on the disk stays, the rest is gone.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Machine } from '../../appliance/disk/machine.ts'
import { paths } from '../../appliance/paths.ts'
import type { Ran } from '../../appliance/program.ts'

export class PowerCut extends Error {}

interface Header {
  label: string
  readonly slots: Map<number, string>
  readonly tokens: Map<
    number,
    { type: string; keyslots: string[]; 'tpm2-pcrs'?: readonly number[] | undefined }
  >
}

const rootHash = `${'ab'.repeat(16)}${'cd'.repeat(16)}`
const device = '/dev/vda6'
const ok: Ran = { code: 0, stdout: '', stderr: '' }
const failed = (code: number): Ran => ({ code, stdout: '', stderr: 'no' })

export class FakeDisk {
  readonly folder: string
  readonly machine: Machine
  // On the disk.
  hasData = false
  header: Header | null = null
  fileSystem: 'none' | 'ext4' | 'broken' = 'none'
  tpm: string | null = 'tpm-1'
  sizeBytes = 20 * 1024 ** 3
  // Gone with the power.
  mapped = false
  mounted = false
  /** Programs that changed something, in order. */
  readonly acts: string[] = []
  /** The power goes at this act: before or after it was done. */
  cutAt: { readonly act: number; readonly when: 'before' | 'after' } | null = null

  private constructor(folder: string) {
    this.folder = folder
    const inFolder = Object.entries(paths).map(([name, path]) => [name, join(folder, path)])
    this.machine = {
      root: folder,
      paths: Object.fromEntries(inFolder) as Machine['paths'],
      run: async (program, args, options) => this.#run(program, args, String(options?.input ?? '')),
    }
    this.#write('/proc/cmdline', `roothash=${rootHash} quiet`)
    this.#write('/efi/loader/loader.conf', 'timeout 0\nsecure-boot-enroll if-safe\n')
    this.#write('/efi/EFI/Linux/letro_1.0.0+3.efi', 'kernel image')
    mkdirSync(join(folder, paths.run), { recursive: true })
    mkdirSync(join(folder, paths.data), { recursive: true })
    this.powerOn()
  }

  static async make(): Promise<FakeDisk> {
    return new FakeDisk(await mkdtemp(join(tmpdir(), 'letro-disk-')))
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** What was only in memory is gone. */
  powerOn(): void {
    this.mapped = false
    this.mounted = false
    this.cutAt = null
    rmSync(join(this.folder, paths.run), { recursive: true, force: true })
    mkdirSync(join(this.folder, paths.run), { recursive: true })
    this.#showMapping()
    const version = '/sys/class/tpm/tpm0/tpm_version_major'
    if (this.tpm === null) rmSync(join(this.folder, version), { force: true })
    else this.#write(version, '2\n')
  }

  setEfiFlag(name: 'SecureBoot' | 'SetupMode', on: boolean): void {
    const file = `/sys/firmware/efi/efivars/${name}-8be4df61-93ca-11d2-aa0d-00e098032b8c`
    this.#write(file, Buffer.from([6, 0, 0, 0, on ? 1 : 0]))
  }

  #run(program: string, args: readonly string[], input: string): Ran {
    const line = `${program} ${args.join(' ')}`
    if (program === 'lsblk') return { ...ok, stdout: JSON.stringify(this.#devices()) }
    if (/ (?:isLuks|luksDump|show|is-active|settle|--test-passphrase)\b/.test(line)) {
      return this.#do(program, args, input)
    }
    const act = this.acts.push(`${program} ${args[0] ?? ''}`)
    if (this.cutAt?.act === act && this.cutAt.when === 'before') throw new PowerCut(line)
    const ran = this.#do(program, args, input)
    if (this.cutAt?.act === act) throw new PowerCut(line)
    return ran
  }

  #do(program: string, args: readonly string[], input: string): Ran {
    switch (program) {
      case 'systemd-repart':
        this.hasData = true
        return ok
      case 'cryptsetup':
        return this.#cryptsetup(args, input)
      case 'systemd-cryptenroll':
        return this.#enroll(args)
      case 'mkfs.ext4':
        this.fileSystem = 'ext4'
        return ok
      case 'e2fsck':
        return this.fileSystem === 'ext4' ? ok : failed(4)
      case 'wipefs':
        this.header = null
        return ok
      case 'systemctl':
        return this.#systemctl(args)
      default:
        return ok
    }
  }

  #systemctl(args: readonly string[]): Ran {
    const isMount = args.includes('var-lib-letro.mount')
    if (args[0] === 'start' && isMount) this.mounted = this.mapped && this.fileSystem === 'ext4'
    if (args[0] === 'stop' && isMount) this.mounted = false
    if (args[0] === 'is-active') return this.mounted ? ok : failed(3)
    return ok
  }

  #cryptsetup(args: readonly string[], input: string): Ran {
    const [verb] = args
    const { header } = this
    if (verb === 'luksFormat') {
      this.header = { label: '', slots: new Map([[0, input]]), tokens: new Map() }
      this.fileSystem = 'none'
      return ok
    }
    if (verb === 'close') {
      this.mapped = false
      this.#showMapping()
      return ok
    }
    if (!this.hasData || !header) return failed(1)
    switch (verb) {
      case 'isLuks':
        return ok
      case 'luksDump':
        return { ...ok, stdout: args.includes('--dump-json-metadata') ? asJson(header) : asText(header) }
      case 'luksAddKey': {
        if (![...header.slots.values()].includes(input)) return failed(2)
        header.slots.set(Number(args[args.indexOf('--key-slot') + 1]), readFileSync(args.at(-1)!, 'utf8'))
        return ok
      }
      case 'luksKillSlot':
        if (![...header.slots.values()].includes(input)) return failed(2)
        header.slots.delete(Number(args.at(-1)))
        return ok
      case 'token':
        if (args[1] === 'import') header.tokens.set(nextToken(header), JSON.parse(input))
        else header.tokens.delete(Number(args[args.indexOf('--token-id') + 1]))
        return ok
      case 'config':
        header.label = args[args.indexOf('--label') + 1]!
        return ok
      case 'erase':
        header.slots.clear()
        return ok
      case 'open': {
        const isByTpm = args.includes('--token-only')
        const opens = isByTpm ? this.#tpmOpens(header) : [...header.slots.values()].includes(input)
        if (!opens) return failed(2)
        if (!args.includes('--test-passphrase')) this.mapped = true
        this.#showMapping()
        return ok
      }
      default:
        return failed(1)
    }
  }

  #tpmOpens(header: Header): boolean {
    const token = [...header.tokens.values()].find(({ type }) => type === 'systemd-tpm2')
    return token !== undefined && header.slots.get(Number(token.keyslots[0])) === this.tpm
  }

  /** As systemd-cryptenroll does it: what is there under the same policy counts as done, whatever chip it was. */
  #enroll(args: readonly string[]): Ran {
    const { header, tpm } = this
    if (!header) return failed(1)
    const value = (option: string) => args.find(arg => arg.startsWith(option))?.slice(option.length)
    const old = [...header.tokens].filter(([, { type }]) => type === 'systemd-tpm2')
    const file = value('--unlock-key-file=')
    const pcrs = value('--tpm2-pcrs=')?.split('+').map(Number)
    if (file !== undefined) {
      if (tpm === null || ![...header.slots.values()].includes(readFileSync(file, 'utf8'))) return failed(1)
      if (old.some(([, token]) => String(token['tpm2-pcrs']) === String(pcrs))) return ok
      const slot = Array.from({ length: 32 }, (_, i) => i).find(i => !header.slots.has(i))!
      header.slots.set(slot, tpm)
      header.tokens.set(nextToken(header), {
        type: 'systemd-tpm2',
        keyslots: [String(slot)],
        'tpm2-pcrs': pcrs,
      })
    }
    for (const [number, { keyslots }] of old) {
      header.tokens.delete(number)
      for (const each of keyslots) header.slots.delete(Number(each))
    }
    return ok
  }

  #devices() {
    const part = (number: number, partlabel: string, partuuid: string, size: number) => ({
      path: `/dev/vda${number}`,
      type: 'part',
      size,
      partlabel,
      partuuid,
      mountpoints: [null],
    })
    const MiB = 1024 * 1024
    const children = [
      part(1, 'esp', '11111111-0000-4000-8000-000000000000', 512 * MiB),
      part(2, 'root-a', 'abababab-abab-abab-abab-abababababab', 1024 * MiB),
      part(3, 'verity-a', 'cdcdcdcd-cdcd-cdcd-cdcd-cdcdcdcdcdcd', 32 * MiB),
      ...(this.hasData
        ? [
            part(4, 'root-b', '22222222-0000-4000-8000-000000000000', 1024 * MiB),
            part(5, 'verity-b', '33333333-0000-4000-8000-000000000000', 32 * MiB),
            { ...part(6, 'data', '44444444-0000-4000-8000-000000000000', 1), path: device },
          ]
        : []),
    ]
    return {
      blockdevices: [
        { path: '/dev/vda', type: 'disk', size: this.sizeBytes, 'log-sec': 512, ro: false, children },
      ],
    }
  }

  #showMapping(): void {
    const file = join(this.folder, '/dev/mapper/letro-data')
    if (this.mapped) this.#write('/dev/mapper/letro-data', '')
    else rmSync(file, { force: true })
  }

  #write(path: string, content: string | Buffer): void {
    const file = join(this.folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
}

function nextToken({ tokens }: Header): number {
  return Math.max(-1, ...tokens.keys()) + 1
}

function asText({ label }: Header): string {
  return `LUKS header information\nVersion:       \t2\nUUID:          \t5f0c\nLabel:         \t${label || '(no label)'}\n`
}

function asJson({ slots, tokens }: Header): string {
  return JSON.stringify({
    keyslots: Object.fromEntries([...slots.keys()].map(slot => [slot, { type: 'luks2' }])),
    tokens: Object.fromEntries(tokens),
  })
}
