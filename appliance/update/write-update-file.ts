/**
 * Makes an update file. The image build calls it; the same parts, facts and keys give the same bytes.
 *
 * Parts are streamed, read twice: once for the manifest, once into the file. A part that changes in between is noticed.
 * The file has its name only once it is whole and synced.
 */
import { createHash, type KeyObject } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { head } from './head.ts'
import {
  type Manifest,
  manifestText,
  type Part,
  type PartName,
  parseManifest,
  partNames,
  product,
} from './manifest.ts'

export interface ReleaseFacts {
  readonly version: string
  readonly architecture: string
  readonly minimumVersion: string
  readonly counter: number
  /** Hex. */
  readonly rootHash: string
}

/** @param parts files: the root filesystem, its verity tree, the signed kernel image; @param keys private, Ed25519 */
export async function writeUpdateFile(
  file: string,
  release: ReleaseFacts,
  parts: Readonly<Record<PartName, string>>,
  keys: readonly KeyObject[],
): Promise<Manifest> {
  if (keys.length === 0) throw new TypeError('an update file needs a key to sign it')
  const described: Part[] = []
  for (const name of partNames) described.push({ name, ...(await measure(parts[name])) })
  const manifest = checked({ ...release, product, parts: described } as unknown as Manifest)
  const unfinished = `${file}.part`
  const out = await open(unfinished, 'w', 0o644)
  try {
    await out.write(head(manifest, keys))
    for (const part of manifest.parts) await copy(parts[part.name], out, part)
    await out.sync()
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  } finally {
    await out.close()
  }
  await rename(unfinished, file)
  return manifest
}

/** What no machine would read is not written. */
function checked(manifest: Manifest): Manifest {
  try {
    return parseManifest(manifestText(manifest))
  } catch (error) {
    throw new TypeError(`the release's facts make no manifest: ${JSON.stringify(manifest)}`, { cause: error })
  }
}

async function measure(path: string): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256')
  let size = 0
  for await (const piece of createReadStream(path)) {
    hash.update(piece as Buffer)
    size += (piece as Buffer).length
  }
  return { size, sha256: hash.digest('hex') }
}

async function copy(path: string, out: FileHandle, part: Part): Promise<void> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) {
    hash.update(piece as Buffer)
    await out.writeFile(piece as Buffer)
  }
  if (hash.digest('hex') !== part.sha256) throw new Error(`${path} changed while it was being read`)
}
