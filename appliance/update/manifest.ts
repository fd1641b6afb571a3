/**
 * The manifest of an update file: what it is, for which machines, and what its parts must be.
 *
 * Pure. It is read only after a trusted key has signed it, and still held to its form: what is accepted here decides how
 * many bytes go to which partition.
 */
import { canonicalJson } from '#protocol/canonical-json.ts'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { UpdateError } from './update-error.ts'
import { parseVersion, type Version } from './version.ts'

export const product = 'letro'

/** In this order in the file. */
export const partNames = ['root', 'verity', 'uki'] as const
export type PartName = (typeof partNames)[number]

export interface Part {
  readonly name: PartName
  readonly size: number
  /** Hex. */
  readonly sha256: string
}

export interface Manifest {
  readonly product: string
  readonly version: Version
  readonly architecture: string
  /** The oldest version that this may be applied on. */
  readonly minimumVersion: Version
  /** Never goes back: a machine takes no update whose counter is below one that it accepted before. */
  readonly counter: number
  /** Of the verity tree, hex: it names the partitions. */
  readonly rootHash: string
  readonly parts: readonly [Part, Part, Part]
}

export function manifestText(manifest: Manifest): string {
  return canonicalJson({ ...manifest, parts: manifest.parts.map(part => ({ ...part })) })
}

/** Throws UPDATE_MALFORMED. Members that are not known here are let be: a later release may add some. */
export function parseManifest(text: string): Manifest {
  const read = parseObject(text)
  // One text, one meaning: no member twice, no other spelling.
  if (canonicalJson(read) !== text) throw malformed('it is not canonical JSON')
  const version = parseVersion(read['version'])
  const minimumVersion = parseVersion(read['minimumVersion'])
  const { product, architecture, counter, rootHash, parts } = read
  if (typeof product !== 'string') throw malformed('product')
  if (!version) throw malformed('version')
  if (!minimumVersion) throw malformed('minimumVersion')
  if (typeof architecture !== 'string') throw malformed('architecture')
  if (typeof counter !== 'number' || counter < 1) throw malformed('counter')
  if (!isSha256(rootHash)) throw malformed('rootHash')
  if (!Array.isArray(parts) || parts.length !== partNames.length) throw malformed('parts')
  const [root, verity, uki] = partNames.map((name, i) => parsePart(parts[i], name)) as [Part, Part, Part]
  return { product, version, architecture, minimumVersion, counter, rootHash, parts: [root, verity, uki] }
}

/** What partitions and kernel image are found by: half of the root hash each. */
export function partitionIds(rootHash: string): { readonly root: string; readonly verity: string } {
  return { root: uuid(rootHash.slice(0, 32)), verity: uuid(rootHash.slice(32, 64)) }
}

function uuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function parsePart(value: unknown, name: PartName): Part {
  const read = isObject(value) ? value : {}
  const { size, sha256 } = read
  if (read['name'] !== name) throw malformed(`parts: ${name}`)
  if (typeof size !== 'number' || size < 1) throw malformed(`parts: size of ${name}`)
  if (!isSha256(sha256)) throw malformed(`parts: sha256 of ${name}`)
  return { name, size, sha256 }
}

function isSha256(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}

function parseObject(text: string): JsonObject {
  try {
    const read: unknown = JSON.parse(text)
    if (isObject(read)) return read
  } catch {}
  throw malformed('it is not JSON')
}

function malformed(what: string): UpdateError {
  return new UpdateError(
    'UPDATE_MALFORMED',
    `The update file is signed, but this version cannot read its description (${what}). Apply an update between this version and that one first.`,
  )
}
