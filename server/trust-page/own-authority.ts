/** What the trust page and the sheets are about: the private authority in `<data>/tls`, where people are answered by it. */
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fingerprintWords } from '../protocol/fingerprint-words.ts'
import type { TrustAuthority } from './page.ts'

/** null: there is none, or it cannot be read. */
export function readAuthority(tlsFolder: string): TrustAuthority | null {
  try {
    const der = new Uint8Array(new X509Certificate(readFileSync(join(tlsFolder, 'authority.pem'))).raw)
    const digest = createHash('sha256').update(der).digest()
    return {
      der,
      fingerprint: digest.toString('hex').toUpperCase(),
      words: fingerprintWords(der, message => createHash('sha256').update(message).digest()),
    }
  } catch {
    return null
  }
}
