/** A machine's disk while the machine is off: its partitions, and bytes of them read and changed, as an attacker or rot would. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tools } from './tools.ts'

const sector = 512
const MiB = 1024 * 1024

export interface Partition {
  /** GPT label. */
  readonly name: string
  readonly startBytes: number
  readonly sizeBytes: number
}

export class DiskImage {
  readonly #tools: Tools
  readonly #folder: string
  readonly #disk: string

  /** @param folder the machine's */
  constructor(tools: Tools, folder: string) {
    this.#tools = tools
    this.#folder = folder
    this.#disk = join(folder, 'disk.qcow2')
  }

  partition(name: string): Partition {
    const found = this.#partitions().find(each => each.name === name)
    if (!found) throw new Error(`${this.#disk} has no partition ${name}.`)
    return found
  }

  /** Turns over one bit of every byte in a stretch of a partition. */
  corrupt(name: string, offsetBytes: number, lengthBytes: number): void {
    const at = this.partition(name).startBytes + offsetBytes
    const bytes = this.#read(at, lengthBytes).map(byte => byte ^ 1)
    this.#write(at, bytes)
  }

  /** Changes one file on the ESP in place. */
  changeOnEsp(path: string, change: (bytes: Buffer) => Buffer): void {
    const { startBytes, sizeBytes } = this.partition('esp')
    const esp = this.#temporary('esp.img')
    const file = this.#temporary('esp-file')
    writeFileSync(esp, this.#read(startBytes, sizeBytes))
    this.#tools.run('mcopy', ['-n', '-i', esp, `::${path}`, file])
    writeFileSync(file, change(readFileSync(file)))
    this.#tools.run('mcopy', ['-o', '-i', esp, file, `::${path}`])
    this.#write(startBytes, readFileSync(esp))
    for (const each of [esp, file]) rmSync(each)
  }

  /** Names in the ESP's folder of kernel images. */
  get kernelImages(): string[] {
    const { startBytes, sizeBytes } = this.partition('esp')
    const esp = this.#temporary('esp.img')
    writeFileSync(esp, this.#read(startBytes, sizeBytes))
    const listed = this.#tools.run('mdir', ['-b', '-i', esp, '::EFI/Linux'])
    rmSync(esp)
    return listed
      .split('\n')
      .map(line => line.slice(line.lastIndexOf('/') + 1).trim())
      .filter(Boolean)
  }

  /** Spec: UEFI 2.10, 5.3.3 (the table's entries: 128 bytes each, from the third sector on). */
  #partitions(): Partition[] {
    const table = this.#read(2 * sector, 128 * 128)
    return Array.from({ length: 128 }, (_, i) => table.subarray(i * 128, (i + 1) * 128))
      .filter(entry => entry.subarray(0, 16).some(byte => byte !== 0))
      .map(entry => {
        const [first, last] = [Number(entry.readBigUInt64LE(32)), Number(entry.readBigUInt64LE(40))]
        const name = entry.subarray(56).toString('utf16le').replace(/\0.*$/s, '')
        return { name, startBytes: first * sector, sizeBytes: (last - first + 1) * sector }
      })
  }

  #read(at: number, length: number): Buffer {
    const file = this.#temporary('read')
    const [first, behind] = [Math.floor(at / MiB), Math.ceil((at + length) / MiB)]
    this.#tools.run('qemu-img', [
      ...['dd', '-f', 'qcow2', '-O', 'raw', `bs=${MiB}`, `skip=${first}`],
      // Counted from the beginning of the disk.
      ...[`count=${behind}`, `if=${this.#disk}`, `of=${file}`],
    ])
    const bytes = readFileSync(file)
    rmSync(file)
    return bytes.subarray(at - first * MiB, at - first * MiB + length)
  }

  #write(at: number, bytes: Uint8Array): void {
    const file = this.#temporary('write')
    writeFileSync(file, bytes)
    const command = `write -q -s ${file} ${at} ${bytes.length}`
    this.#tools.run('qemu-io', ['-f', 'qcow2', '-c', command, this.#disk])
    rmSync(file)
  }

  #temporary(name: string): string {
    return join(this.#folder, `${name}.tmp`)
  }
}
