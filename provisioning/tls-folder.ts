/**
 * `<data>/tls`: the certificate that the server keeps itself. The folder is 0700, each file 0600, and belongs to whom the
 * data folder belongs.
 *
 *     authority.pem, authority-key.pem   the private authority, where there is one
 *     authority-before.pem, …-key.pem    the one in whose place it came
 *     key.pem                            the key in use, and behind it the one to come
 *     certificate.pem                    the certificate in use, and what vouches for it
 *     next.json                          what is to take its place, while other servers learn its key
 *     lock                               the process that is changing something here
 *
 * Each file is written whole or not at all, and a key always before its certificate. The server takes from key.pem the key
 * that fits the certificate (server/tls-files.ts), so that there is no moment at which the two do not fit together:
 * what changes the server's certificate is the one rename of certificate.pem.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import {
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Issued } from './certificate.ts'
import { underLock } from './folder-lock.ts'

/** A key whose certificate is to take the place of the one in use. */
export interface Next {
  /** Base64 of SHA-256 over the SubjectPublicKeyInfo; the key itself stands in key.pem. */
  readonly spkiSha256: string
  /** PEM, with its chain. null: not issued yet. */
  readonly certificate: string | null
  /** Since when the running server names the key in its card. null: it has not said so yet. */
  readonly publishedTs: number | null
}

type FileName =
  | 'authority.pem'
  | 'authority-key.pem'
  | 'authority-before.pem'
  | 'certificate.pem'
  | 'key.pem'
  | 'next.json'

export class TlsFolder {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /**
   * One at a time: two commands, or a command and the server's renewal, would each leave half of what it wants.
   * Throws FolderLocked.
   */
  async locked<T>(change: () => T | Promise<T>): Promise<T> {
    this.#make()
    return underLock(join(this.path, 'lock'), change)
  }

  authority(): Issued | null {
    const certificate = this.#read('authority.pem')
    const key = this.#read('authority-key.pem')
    return certificate !== null && key !== null ? { certificate, key } : null
  }

  /** The authority's certificate alone, which anybody may have. */
  authorityCertificate(): X509Certificate | null {
    const pem = this.#read('authority.pem')
    return pem === null ? null : new X509Certificate(pem)
  }

  /** The one in whose place the present one came. */
  authorityBefore(): X509Certificate | null {
    const pem = this.#read('authority-before.pem')
    return pem === null ? null : new X509Certificate(pem)
  }

  /** The certificate in use and what vouches for it, PEM. */
  chain(): string | null {
    return this.#read('certificate.pem')
  }

  /** All keys in PEM form; throws where one cannot be read. */
  keys(): string[] {
    const blocks = this.#read('key.pem')?.match(
      /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?-----END \1-----\n?/g,
    )
    return (blocks ?? []).map(pemOf)
  }

  /** The key of the certificate in use; null: there is no certificate, or none that fits. */
  keyInUse(): string | null {
    const chain = this.chain()
    return chain === null ? null : this.keyFor(new X509Certificate(chain))
  }

  keyFor(certificate: X509Certificate): string | null {
    return this.keys().find(key => certificate.checkPrivateKey(createPrivateKey(key))) ?? null
  }

  next(): Next | null {
    const text = this.#read('next.json')
    if (text === null) return null
    try {
      const { spkiSha256, certificate, publishedTs } = JSON.parse(text) as Partial<Next>
      if (typeof spkiSha256 === 'string') {
        return { spkiSha256, certificate: certificate ?? null, publishedTs: publishedTs ?? null }
      }
    } catch {}
    throw new Error(
      `${join(this.path, 'next.json')} is damaged. Remove it: the certificate in use stays in use.`,
    )
  }

  keyOfNext(next: Next): string | null {
    return this.keys().find(key => spkiSha256Of(key) === next.spkiSha256) ?? null
  }

  /** Key first: a crash in between leaves a key without an authority, which nobody has heard of. */
  writeAuthority({ certificate, key }: Issued): void {
    this.#write('authority-key.pem', key)
    this.#write('authority.pem', certificate)
  }

  writeKeys(keys: readonly string[]): void {
    this.#write('key.pem', keys.join(''))
  }

  /** The server answers with it from now on: one of key.pem must fit. */
  writeChain(chain: string): void {
    if (this.keyFor(new X509Certificate(chain)) === null)
      throw new Error('no key in key.pem fits the certificate')
    this.#write('certificate.pem', chain)
  }

  writeNext(next: Next): void {
    this.#write('next.json', `${JSON.stringify(next)}\n`)
  }

  dropNext(): void {
    const path = join(this.path, 'next.json')
    if (!statSync(path, { throwIfNoEntry: false })) return
    rmSync(path)
    this.#syncFolder()
  }

  /** Takes a file of before out of the way, for whoever wants it back. */
  keepAside(name: FileName, as: string): void {
    const path = join(this.path, name)
    if (!statSync(path, { throwIfNoEntry: false })) return
    renameSync(path, join(this.path, as))
    this.#syncFolder()
  }

  #read(name: FileName): string | null {
    try {
      return readFileSync(join(this.path, name), 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
      throw error
    }
  }

  /** Whole or not at all, and there after a power cut. */
  #write(name: FileName, text: string): void {
    this.#make()
    const path = join(this.path, name)
    const file = openSync(`${path}.new`, 'w', 0o600)
    try {
      writeFileSync(file, text)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    giveTo(this.path, `${path}.new`)
    renameSync(`${path}.new`, path)
    this.#syncFolder()
  }

  #make(): void {
    if (mkdirSync(this.path, { recursive: true, mode: 0o700 }) !== undefined)
      giveTo(dirname(this.path), this.path)
  }

  #syncFolder(): void {
    const folder = openSync(this.path, 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  }
}

/** Root, who types commands, does not take the server its files. */
function giveTo(like: string, path: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(like)
  chownSync(path, uid, gid)
}

/** Base64 of SHA-256 over the key's SubjectPublicKeyInfo: what peers pin. */
export function spkiSha256Of(key: string | KeyObject): string {
  const publicKey = typeof key === 'string' ? createPublicKey(createPrivateKey(key)) : key
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64')
}

/** One form for all, whatever it came in. */
function pemOf(key: string): string {
  return createPrivateKey(key).export({ type: 'pkcs8', format: 'pem' }).toString()
}
