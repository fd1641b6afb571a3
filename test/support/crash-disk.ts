/**
 * A disk that remembers every write and flush, and shows what it may hold after the power went: all that was flushed, and of
 * what came after the last flush any part, in any order, sectors torn from each other.
 *
 * The image is a real one: GPT by sfdisk, vfat by mkfs.vfat (FAT16, for it is small: 32 bits differ in the width of the table). This machine's kernel need not know vfat: what the EFI partition
 * goes through is done by mtools, and what that changed on the disk is taken for the write. So within one step no order is
 * assumed at all, which is less than the kernel keeps.
 */
import { closeSync, copyFileSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { type BlockDevice, openBlockDevice } from '../../appliance/update/block-device.ts'
import { type Esp, type EspFile, parseEspName } from '../../appliance/update/esp.ts'
import type { DiskTools } from './disk-tools.ts'

const MiB = 1024 * 1024
const sector = 512
export const espPlace = { start: MiB, size: 4 * MiB } as const
const partitionBytes = MiB
const folder = '::/EFI/Linux'

type Entry = { readonly offset: number; readonly bytes: Buffer } | 'flush'
/** Less than one; the same for the same seed. */
export type Random = () => number

export class CrashDisk {
  readonly path: string
  readonly log: Entry[] = []
  readonly #tools: DiskTools
  readonly #base: Buffer

  private constructor(path: string, tools: DiskTools) {
    this.path = path
    this.#tools = tools
    this.#base = readFileSync(path)
  }

  /** With these ids for slot A, and what `fill` puts on it before anything is remembered. */
  static make(
    path: string,
    tools: DiskTools,
    ids: { readonly root: string; readonly verity: string },
    fill: (disk: CrashDisk) => void,
  ): CrashDisk {
    writeFileSync(path, Buffer.alloc(espPlace.start + espPlace.size + 6 * partitionBytes))
    const line = (name: string, size: number, more = '') => `size=${size / MiB}MiB,name=${name}${more}\n`
    const others = ['root-a', 'verity-a', 'root-b', 'verity-b', 'data'].map(name =>
      line(
        name,
        partitionBytes,
        name === 'root-a' ? `,uuid=${ids.root}` : name === 'verity-a' ? `,uuid=${ids.verity}` : '',
      ),
    )
    tools.run(
      'sfdisk',
      [path],
      `label: gpt\nfirst-lba: 2048\n${line('esp', espPlace.size, ',type=U')}${others.join('')}`,
    )
    const sectors = ['--offset', String(espPlace.start / sector), '-F', '16', '-s', '1']
    tools.run('mkfs.vfat', [...sectors, path, String(espPlace.size / 1024)])
    const disk = new CrashDisk(path, tools)
    tools.run('mmd', ['-i', disk.espImage, '::/EFI', folder])
    fill(disk)
    return new CrashDisk(path, tools)
  }

  /** As mtools names it. */
  get espImage(): string {
    return `${this.path}@@${espPlace.start}`
  }

  put(name: string, bytes: Buffer): void {
    this.#tools.run('mcopy', ['-i', this.espImage, '-', `${folder}/${name}`], bytes)
  }

  write(offset: number, bytes: Uint8Array): void {
    const file = openSync(this.path, 'r+')
    writeSync(file, bytes, 0, bytes.length, offset)
    closeSync(file)
  }

  /** @param start of the partition on the disk */
  async open(start: number, size?: number): Promise<BlockDevice> {
    const device = await openBlockDevice(this.path, 'write', size === undefined ? undefined : { start, size })
    return {
      size: device.size,
      read: (offset, length) => device.read(offset, length),
      write: async (offset, bytes) => {
        this.log.push({ offset: start + offset, bytes: Buffer.from(bytes) })
        await device.write(offset, bytes)
      },
      flush: async () => {
        await device.flush()
        this.log.push('flush')
      },
      close: () => device.close(),
    }
  }

  /**
   * The EFI partition as the updater uses it. A name and the allocation table are written in the order of esp.ts, with a
   * flush between; `inOrder: false` is a file system that keeps none.
   */
  esp({ inOrder }: { readonly inOrder: boolean }): Esp {
    const image = ['-i', this.espImage]
    const read = (name: string) => this.#tools.run('mtype', [...image, `${folder}/${name}`])
    return {
      list: async () => {
        const listed = this.#tools.run('mdir', [...image, '-b', folder]).toString()
        const names = listed.split('\n').map(line => line.trim().replace(/^.*\//, ''))
        return names.flatMap((name): EspFile[] => {
          const parsed = parseEspName(name)
          return parsed ? [{ ...parsed, size: read(name).length }] : []
        })
      },
      freeBytes: async () => 8 * MiB,
      read: async name => read(name),
      remove: async name => {
        const changed = this.#changing(() => this.#tools.run('mdel', [...image, `${folder}/${name}`]))
        this.#remember(changed, inOrder ? 'names first' : 'no order')
      },
      allocate: async (name, size) => {
        const changed = this.#changing(() => this.put(name, Buffer.alloc(size)))
        this.#remember(changed, inOrder ? 'table first' : 'no order')
      },
      write: async (name, offset, bytes) => {
        const changed = this.#changing(() => this.#writeInPlace(name, offset, bytes))
        this.#remember(changed, 'no order')
      },
    }
  }

  /** What the disk may hold after a cut behind the first `length` entries of the log. */
  after(length: number, random: Random): Buffer {
    const disk = Buffer.from(this.#base)
    const done = this.log.slice(0, length)
    const flushed = done.lastIndexOf('flush') + 1
    for (const entry of done.slice(0, flushed)) if (entry !== 'flush') entry.bytes.copy(disk, entry.offset)
    const kept = random()
    for (const entry of shuffled(done.slice(flushed), random)) {
      if (entry === 'flush') continue
      for (let at = 0; at < entry.bytes.length; at += sector) {
        if (random() > kept) continue
        entry.bytes.subarray(at, at + sector).copy(disk, entry.offset + at)
      }
    }
    return disk
  }

  /** Another disk that begins with these contents. */
  static from(path: string, contents: Buffer, tools: DiskTools): CrashDisk {
    writeFileSync(path, contents)
    return new CrashDisk(path, tools)
  }

  /** The EFI partition alone, for fsck. */
  copyEsp(to: string): void {
    const file = openSync(this.path, 'r')
    const bytes = Buffer.alloc(espPlace.size)
    readSync(file, bytes, 0, bytes.length, espPlace.start)
    closeSync(file)
    writeFileSync(to, bytes)
  }

  copyTo(path: string): void {
    copyFileSync(this.path, path)
  }

  #changing(act: () => unknown): { offset: number; bytes: Buffer }[] {
    const before = readFileSync(this.path).subarray(0, espPlace.start + espPlace.size)
    act()
    const after = readFileSync(this.path).subarray(0, before.length)
    const changed: { offset: number; bytes: Buffer }[] = []
    for (let at = espPlace.start; at < before.length; at += MiB) {
      if (before.subarray(at, at + MiB).equals(after.subarray(at, at + MiB))) continue
      for (let offset = at; offset < at + MiB; offset += sector) {
        const bytes = after.subarray(offset, offset + sector)
        if (!before.subarray(offset, offset + sector).equals(bytes))
          changed.push({ offset, bytes: Buffer.from(bytes) })
      }
    }
    return changed
  }

  #remember(
    changed: readonly { offset: number; bytes: Buffer }[],
    order: 'names first' | 'table first' | 'no order',
  ): void {
    const { tableEnds } = this.#fat
    const table = changed.filter(({ offset }) => offset < tableEnds)
    const names = changed.filter(({ offset }) => offset >= tableEnds)
    if (order === 'no order') this.log.push(...changed, 'flush')
    else if (order === 'names first') this.log.push(...names, 'flush', ...table, 'flush')
    else this.log.push(...table, 'flush', ...names, 'flush')
  }

  /** Where the parts of the file system are, by its boot sector. */
  get #fat() {
    const boot = this.#base.subarray(espPlace.start, espPlace.start + sector)
    const tableEnds = espPlace.start + (boot.readUInt16LE(14) + boot[16]! * boot.readUInt16LE(22)) * sector
    const rootFolderBytes = boot.readUInt16LE(17) * 32
    return { tableEnds, data: tableEnds + rootFolderBytes, clusterBytes: boot[13]! * sector }
  }

  /** Into the clusters that the file has. */
  #writeInPlace(name: string, offset: number, bytes: Uint8Array): void {
    const shown = this.#tools.run('mshowfat', ['-i', this.espImage, `${folder}/${name}`]).toString()
    const { data, clusterBytes } = this.#fat
    const clusters = [...shown.matchAll(/<(\d+)(?:-(\d+))?>/g)].flatMap(([, first, last]) =>
      Array.from({ length: Number(last ?? first) - Number(first) + 1 }, (_, i) => Number(first) + i),
    )
    for (let done = 0; done < bytes.length; ) {
      const at = offset + done
      const within = at % clusterBytes
      const length = Math.min(clusterBytes - within, bytes.length - done)
      const cluster = clusters[Math.floor(at / clusterBytes)]!
      this.write(data + (cluster - 2) * clusterBytes + within, bytes.subarray(done, done + length))
      done += length
    }
  }
}

/** mulberry32. */
export function randomFrom(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const mixed = [...items]
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[mixed[i], mixed[j]] = [mixed[j]!, mixed[i]!]
  }
  return mixed
}
