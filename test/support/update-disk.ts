/**
 * An appliance made of files, for the updater: a disk image with the appliance's partitions, a folder as EFI partition, and
 * update files of any kind. Everything is small; nothing of the updater is replaced but what is under it.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { openBlockDevice } from '../../appliance/update/block-device.ts'
import { openEsp } from '../../appliance/update/esp.ts'
import type { Machine } from '../../appliance/update/machine.ts'
import { partitionIds } from '../../appliance/update/manifest.ts'
import type { Release } from '../../appliance/update/release.ts'
import { keyName } from '../../appliance/update/update-keys.ts'
import { Updater, type UpdaterDeps } from '../../appliance/update/updater.ts'
import { parseVersion, type Version } from '../../appliance/update/version.ts'
import { type ReleaseFacts, writeUpdateFile } from '../../appliance/update/write-update-file.ts'

const MiB = 1024 * 1024
const sector = 512

/** As the image and the first boot make them; sizes are a test's. */
export const layout = ['esp', 'root-a', 'verity-a', 'root-b', 'verity-b', 'data'].map((name, i) => ({
  name,
  start: (1 + i) * MiB,
  size: MiB,
}))
const diskBytes = 8 * MiB

/** What a release consists of. */
export interface TestRelease {
  readonly facts: ReleaseFacts
  readonly parts: { readonly root: Buffer; readonly verity: Buffer; readonly uki: Buffer }
}

export function makeRelease(version: string, facts: Partial<ReleaseFacts> = {}): TestRelease {
  const rootHash = createHash('sha256').update(`root of ${version}`).digest('hex')
  const uki = Buffer.concat([Buffer.from('MZ'), randomBytes(60_001), Buffer.from(` roothash=${rootHash} `)])
  return {
    facts: { version, architecture: 'amd64', minimumVersion: '1.0.0', counter: 1, rootHash, ...facts },
    parts: { root: randomBytes(300_000), verity: randomBytes(50_000), uki },
  }
}

export interface TestKey {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

export const releaseKey: TestKey = generateKeyPairSync('ed25519')

export async function makeUpdateFile(
  path: string,
  { facts, parts }: TestRelease,
  keys: readonly TestKey[] = [releaseKey],
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'letro-parts-'))
  const files = { root: join(folder, 'root'), verity: join(folder, 'verity'), uki: join(folder, 'uki') }
  for (const name of ['root', 'verity', 'uki'] as const) await writeFile(files[name], parts[name])
  await writeUpdateFile(
    path,
    facts,
    files,
    keys.map(key => key.privateKey),
  )
  await rm(folder, { recursive: true })
  return path
}

export class TestAppliance {
  readonly folder: string
  /** What runs, in slot A. */
  installed: TestRelease
  bootId = 'boot-1'
  restarts = 0
  now = Date.parse('2026-11-21T12:00:00')

  private constructor(folder: string, installed: TestRelease) {
    this.folder = folder
    this.installed = installed
  }

  /** With `installed` in slot A, blessed, and slot B empty. */
  static async make(installed: TestRelease): Promise<TestAppliance> {
    const appliance = new TestAppliance(await mkdtemp(join(tmpdir(), 'letro-appliance-')), installed)
    await makeDisk(appliance.disk, installed)
    await mkdir(join(appliance.espFolder, 'EFI/Linux'), { recursive: true })
    await writeFile(appliance.image(`letro_${installed.facts.version}+3.efi`), installed.parts.uki)
    await writeFile(appliance.image(`letro_${installed.facts.version}.good`), '')
    for (const place of [appliance.spool, appliance.stick]) await mkdir(place)
    return appliance
  }

  get disk(): string {
    return join(this.folder, 'disk')
  }
  get espFolder(): string {
    return join(this.folder, 'efi')
  }
  get spool(): string {
    return join(this.folder, 'spool')
  }
  get stick(): string {
    return join(this.folder, 'stick')
  }
  get recordFile(): string {
    return join(this.folder, 'settings/update.json')
  }
  get release(): Release {
    const { version, counter, architecture } = this.installed.facts
    return { product: 'letro', version: version as Version, counter, architecture }
  }

  image(name: string): string {
    return join(this.espFolder, 'EFI/Linux', name)
  }

  images(): Promise<string[]> {
    return readdir(join(this.espFolder, 'EFI/Linux')).then(names => names.sort())
  }

  machine(): Machine {
    const running = this.installed
    return {
      esp: openEsp(this.espFolder),
      bootId: async () => this.bootId,
      runningPartitions: async () => this.#numbersOf(running),
      openDisk: access => openBlockDevice(this.disk, access),
      openPartition: partition => openBlockDevice(this.disk, 'write', partition),
      restart: async () => {
        this.restarts++
      },
    }
  }

  updater(changes: Partial<UpdaterDeps> = {}): Promise<Updater> {
    return Updater.open({
      machine: this.machine(),
      release: this.release,
      trusted: new Map([[keyName(releaseKey.publicKey), releaseKey.publicKey]]),
      recordFile: this.recordFile,
      folders: [this.spool, this.stick],
      clock: () => this.now,
      report: () => {},
      ...changes,
    })
  }

  /** Everything that an update could change, to be compared. */
  async contents(): Promise<Record<string, string>> {
    const names = await this.images()
    const files = [this.disk, ...names.map(name => this.image(name))]
    const hashes = await Promise.all(
      files.map(async file =>
        createHash('sha256')
          .update(await readFile(file))
          .digest('hex'),
      ),
    )
    return Object.fromEntries(files.map((file, i) => [file, hashes[i]!]))
  }

  /** As firmware and boot loader do: the newest kernel image that is one and has tries left, and the slot that it names. */
  async boot(releases: readonly TestRelease[]): Promise<TestRelease | null> {
    const table = await readTable(this.disk)
    const disk = await readFile(this.disk)
    const names = (await this.images()).filter(name => name.endsWith('.efi') && !/\+0/.test(name))
    const byVersion = (name: string) => name.replace(/^letro_|(\+.*)?\.efi$/g, '')
    names.sort((a, b) => byVersion(b).localeCompare(byVersion(a), 'en', { numeric: true }))
    for (const name of names) {
      const uki = await readFile(this.image(name))
      if (uki.toString('latin1', 0, 2) !== 'MZ') continue
      const release = releases.find(each => each.parts.uki.equals(uki))
      return release && isWhole(disk, table, release) ? release : null
    }
    return null
  }

  /** As it is in this moment: what a power cut would leave of files. */
  copy(): TestAppliance {
    const copy = new TestAppliance(mkdtempSync(join(tmpdir(), 'letro-appliance-')), this.installed)
    cpSync(this.folder, copy.folder, { recursive: true })
    return copy
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }

  async #numbersOf({ facts }: TestRelease): Promise<number[]> {
    const ids = Object.values(partitionIds(facts.rootHash))
    return (await readTable(this.disk)).filter(({ id }) => ids.includes(id)).map(({ number }) => number)
  }
}

/** Both parts are found by the root hash, and are those of the release. */
export function isWhole(disk: Buffer, table: readonly TablePartition[], release: TestRelease): boolean {
  const ids = partitionIds(release.facts.rootHash)
  return (['root', 'verity'] as const).every(name => {
    const place = table.find(({ id }) => id === ids[name])
    const part = release.parts[name]
    return place !== undefined && disk.subarray(place.start, place.start + part.length).equals(part)
  })
}

export interface TablePartition {
  readonly number: number
  readonly id: string
  readonly start: number
}

/** A reader of its own, of the first copy alone, as a kernel reads it. Throws where it is not good. */
async function readTable(path: string): Promise<TablePartition[]> {
  const disk = await readFile(path)
  const header = disk.subarray(sector, sector + 92)
  const entries = disk.subarray(2 * sector, 2 * sector + 128 * 128)
  const bare = Buffer.from(header)
  bare.writeUInt32LE(0, 16)
  if (crc32(bare) !== header.readUInt32LE(16) || crc32(entries) !== header.readUInt32LE(88))
    throw new Error('the partition table is damaged')
  return layout.map((_, i) => {
    const entry = entries.subarray(i * 128, i * 128 + 128)
    return {
      number: i + 1,
      id: idOf(entry.subarray(16, 32)),
      start: Number(entry.readBigUInt64LE(32)) * sector,
    }
  })
}

async function makeDisk(path: string, installed: TestRelease): Promise<void> {
  const disk = Buffer.alloc(diskBytes)
  const ids = partitionIds(installed.facts.rootHash)
  const entries = Buffer.alloc(128 * 128)
  for (const [i, { name, start, size }] of layout.entries()) {
    const entry = entries.subarray(i * 128, i * 128 + 128)
    randomBytes(16).copy(entry)
    const id =
      name === 'root-a' ? bytesOf(ids.root) : name === 'verity-a' ? bytesOf(ids.verity) : randomBytes(16)
    id.copy(entry, 16)
    entry.writeBigUInt64LE(BigInt(start / sector), 32)
    entry.writeBigUInt64LE(BigInt((start + size) / sector - 1), 40)
    entry.write(name, 56, 'utf16le')
  }
  const last = diskBytes / sector - 1
  const header = (here: number, other: number, entriesAt: number) => {
    const bytes = Buffer.alloc(sector)
    bytes.write('EFI PART')
    bytes.writeUInt32LE(0x10000, 8)
    bytes.writeUInt32LE(92, 12)
    for (const [offset, value] of [
      [24, here],
      [32, other],
      [40, 34],
      [48, last - 33],
      [72, entriesAt],
    ] as const)
      bytes.writeBigUInt64LE(BigInt(value), offset)
    bytes.writeUInt32LE(128, 80)
    bytes.writeUInt32LE(128, 84)
    bytes.writeUInt32LE(crc32(entries), 88)
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 92)), 16)
    return bytes
  }
  header(1, last, 2).copy(disk, sector)
  entries.copy(disk, 2 * sector)
  entries.copy(disk, (last - 32) * sector)
  header(last, 1, last - 32).copy(disk, last * sector)
  installed.parts.root.copy(disk, layout[1]!.start)
  installed.parts.verity.copy(disk, layout[2]!.start)
  await writeFile(path, disk)
}

function idOf(bytes: Buffer): string {
  const hex = Buffer.concat([
    Buffer.from(bytes.subarray(0, 4)).reverse(),
    Buffer.from(bytes.subarray(4, 6)).reverse(),
    Buffer.from(bytes.subarray(6, 8)).reverse(),
    bytes.subarray(8),
  ]).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function bytesOf(id: string): Buffer {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  for (const [from, to] of [
    [0, 4],
    [4, 6],
    [6, 8],
  ] as const)
    bytes.subarray(from, to).reverse()
  return bytes
}

export function version(text: string): Version {
  return parseVersion(text)!
}
