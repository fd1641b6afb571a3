/**
 * A small FAT16 file system with files in its top folder, as one image: to be written to a stick, or given to a virtual machine as a
 * second disk.
 *
 * Spec: Microsoft FAT32 File System Specification 1.03 (FAT16 with long names). Only what a stick of ours needs: no folders, no
 * partition table, nothing is ever changed in it. The libraries that exist for this are toys or wrap a C library.
 */
export interface ImageFile {
  /** ASCII: letters, digits, dots, dashes, underscores. */
  readonly name: string
  readonly bytes: Uint8Array
}

const sector = 512
const reserved = 1
const rootEntries = 512
const rootSectors = (rootEntries * 32) / sector
/** Below 4085 it would be FAT12, above 65524 FAT32: the number alone says which. */
const fewestClusters = 8192
const mostClusters = 65_524
const endOfChain = 0xffff

/** @throws RangeError where they do not fit */
export function fatImage(label: string, files: readonly ImageFile[], now: Date): Buffer {
  const clustersOf = ({ bytes }: ImageFile) => Math.ceil(bytes.length / sector)
  const needed = files.reduce((sum, file) => sum + clustersOf(file), 0)
  const clusters = Math.max(fewestClusters, needed)
  const entries = 1 + files.reduce((sum, { name }) => sum + 1 + Math.ceil(name.length / 13), 0)
  if (clusters > mostClusters || entries > rootEntries)
    throw new RangeError('the files do not fit into one image')
  const fatSectors = Math.ceil(((clusters + 2) * 2) / sector)
  const rootAt = (reserved + 2 * fatSectors) * sector
  const dataAt = rootAt + rootSectors * sector
  const image = Buffer.alloc(dataAt + clusters * sector)
  writeBootSector(image, label, fatSectors, image.length / sector, now)

  const fat = Buffer.alloc(fatSectors * sector)
  fat.writeUInt16LE(0xfff8, 0)
  fat.writeUInt16LE(endOfChain, 2)
  let cluster = 2
  let entryAt = rootAt
  entryAt += writeEntry(image, entryAt, {
    name: label.padEnd(11),
    attributes: 0x08,
    cluster: 0,
    size: 0,
    now,
  })
  for (const [i, file] of files.entries()) {
    const count = clustersOf(file)
    const short = shortName(file.name, i)
    entryAt += writeLongName(image, entryAt, file.name, short)
    const first = count === 0 ? 0 : cluster
    entryAt += writeEntry(image, entryAt, {
      name: short,
      attributes: 0x20,
      cluster: first,
      size: file.bytes.length,
      now,
    })
    image.set(file.bytes, dataAt + (cluster - 2) * sector)
    for (let n = 1; n <= count; n++, cluster++)
      fat.writeUInt16LE(n === count ? endOfChain : cluster + 1, cluster * 2)
  }
  for (const copy of [0, 1]) fat.copy(image, (reserved + copy * fatSectors) * sector)
  return image
}

function writeBootSector(image: Buffer, label: string, fatSectors: number, sectors: number, now: Date): void {
  image.set([0xeb, 0x3c, 0x90])
  image.write('LETRO   ', 3, 'latin1')
  image.writeUInt16LE(sector, 11)
  image[13] = 1
  image.writeUInt16LE(reserved, 14)
  image[16] = 2
  image.writeUInt16LE(rootEntries, 17)
  if (sectors < 0x10000) image.writeUInt16LE(sectors, 19)
  else image.writeUInt32LE(sectors, 32)
  image[21] = 0xf8
  image.writeUInt16LE(fatSectors, 22)
  image.writeUInt16LE(32, 24)
  image.writeUInt16LE(64, 26)
  image[36] = 0x80
  image[38] = 0x29
  image.writeUInt32LE(Math.floor(now.getTime() / 1000) >>> 0, 39)
  image.write(label.padEnd(11), 43, 'latin1')
  image.write('FAT16   ', 54, 'latin1')
  image.writeUInt16LE(0xaa55, 510)
}

interface Entry {
  /** Eleven characters. */
  readonly name: string
  readonly attributes: number
  readonly cluster: number
  readonly size: number
  readonly now: Date
}

function writeEntry(image: Buffer, at: number, { name, attributes, cluster, size, now }: Entry): number {
  image.write(name, at, 11, 'latin1')
  image[at + 11] = attributes
  const time = (now.getUTCHours() << 11) | (now.getUTCMinutes() << 5) | (now.getUTCSeconds() >> 1)
  const date = ((now.getUTCFullYear() - 1980) << 9) | ((now.getUTCMonth() + 1) << 5) | now.getUTCDate()
  image.writeUInt16LE(time, at + 14)
  image.writeUInt16LE(date, at + 16)
  image.writeUInt16LE(date, at + 18)
  image.writeUInt16LE(time, at + 22)
  image.writeUInt16LE(date, at + 24)
  image.writeUInt16LE(cluster, at + 26)
  image.writeUInt32LE(size, at + 28)
  return 32
}

/** Where the thirteen characters of a part stand in its entry. */
const places = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]

/** The last part comes first. */
function writeLongName(image: Buffer, at: number, name: string, short: string): number {
  const parts = Math.ceil(name.length / 13)
  let sum = 0
  for (const character of short) sum = (((sum & 1) << 7) + (sum >> 1) + character.charCodeAt(0)) & 0xff
  for (let part = parts; part >= 1; part--) {
    const entry = at + (parts - part) * 32
    image[entry] = part | (part === parts ? 0x40 : 0)
    image[entry + 11] = 0x0f
    image[entry + 13] = sum
    for (const [i, place] of places.entries()) {
      const index = (part - 1) * 13 + i
      const code = index < name.length ? name.charCodeAt(index) : index === name.length ? 0 : 0xffff
      image.writeUInt16LE(code, entry + place)
    }
  }
  return parts * 32
}

/** Never seen where long names are read; one of its own for each file. */
function shortName(name: string, index: number): string {
  const extension =
    /\.([^.]*)$/
      .exec(name)?.[1]
      ?.toUpperCase()
      .replaceAll(/[^A-Z0-9]/g, '')
      .slice(0, 3) ?? ''
  return `FILE~${index + 1}`.padEnd(8) + extension.padEnd(3)
}
