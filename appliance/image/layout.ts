/** Sizes and names of what is built; appliance/README.md draws the disk. */

export const product = 'letro'
export const architecture = 'amd64'
export const suite = 'trixie'

const MiB = 1024 * 1024

export const sectorBytes = 512
/** Where the first partition begins, and what every one is aligned to. */
export const alignBytes = MiB
/** Holds four kernel images: two are there, one is being written, one is room to grow. */
export const espBytes = 512 * MiB
/** Twice what it is: a slot cannot grow once it is on people's disks. */
export const rootBytes = 1024 * MiB
export const verityBytes = 32 * MiB

/** GPT partition types (UAPI discoverable partitions; the data partition is generic on purpose: we open it, nothing else does). */
export const partitionTypes = {
  esp: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  root: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709',
  verity: '2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5',
} as const

/** The same in every build: nothing may depend on when and where it was made. */
export const fixed = {
  diskId: '6C657472-6F00-4000-8000-000000000001',
  espId: '6C657472-6F00-4000-8000-000000000002',
  espSerial: '4c455452',
  rootFilesystemId: '6c657472-6f00-4000-8000-000000000003',
  verityId: '6c657472-6f00-4000-8000-000000000004',
  veritySalt: '6c6574726f2d7665726974792d73616c742d6e6f742d7365637265742d303031',
} as const

/** An older release than one with a higher counter is refused for ever: raised when a release mends a hole that an older one has. */
export const rollbackCounter = 1
