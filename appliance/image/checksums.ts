/** SHA256SUMS of what people download, and its signature by the update key: `openssl pkeyutl -verify -rawin` checks it. */
import { createHash, createPrivateKey, sign } from 'node:crypto'
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Keys } from './keys.ts'

export function writeChecksums(out: string, name: string, files: readonly string[], keys: Keys): void {
  const lines = files.map(file => `${sha256Of(file)}  ${basename(file)}\n`).sort()
  const text = Buffer.from(lines.join(''))
  writeFileSync(join(out, `${name}.SHA256SUMS`), text)
  const key = createPrivateKey(readFileSync(join(keys.folder, 'update-current.key')))
  writeFileSync(join(out, `${name}.SHA256SUMS.sig`), sign(null, text, key))
}

/** Hex. */
export function sha256Of(file: string): string {
  const hash = createHash('sha256')
  const handle = openSync(file, 'r')
  try {
    const piece = Buffer.alloc(1024 * 1024)
    for (;;) {
      const bytes = readSync(handle, piece)
      if (bytes === 0) return hash.digest('hex')
      hash.update(piece.subarray(0, bytes))
    }
  } finally {
    closeSync(handle)
  }
}
