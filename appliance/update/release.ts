/** What this slot is: release.json in the sealed root filesystem. */
import { readFile } from 'node:fs/promises'
import { isObject } from '#protocol/json.ts'
import { parseVersion, type Version } from './version.ts'

export interface Release {
  readonly product: string
  readonly version: Version
  readonly counter: number
  readonly architecture: string
}

/** Throws where it is not there or not whole: an image that was built wrong. */
export async function readRelease(file: string): Promise<Release> {
  const read: unknown = JSON.parse(await readFile(file, 'utf8'))
  const { product, version, counter, architecture } = isObject(read) ? read : {}
  const parsed = parseVersion(version)
  if (
    typeof product !== 'string' ||
    !parsed ||
    !Number.isSafeInteger(counter) ||
    typeof architecture !== 'string'
  )
    throw new TypeError(`${file} does not say which release this is`)
  return { product, version: parsed, counter: counter as number, architecture }
}
