/**
 * The certificate with which this server answers: PEM files, read at the start and again when they change or on SIGHUP,
 * so that a renewed certificate counts without a restart.
 *
 * New files count only if they fit together. What is half written, or does not fit, is reported, and the old
 * certificate stays.
 *
 * The key file may hold several keys: the one that fits the certificate is in use, and the others are those to come. So a
 * change of key needs no two files to change at one moment: the key is added, peers learn it, and the certificate is
 * replaced by one rename. After a crash at any point a certificate stands beside its key.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'

export interface TlsPaths {
  readonly certificate: string
  readonly key: string
}

export interface TlsMaterial {
  /** PEM, with its chain. */
  readonly certificate: string
  readonly key: string
  /** SHA-256 of the certificate itself, in hexadecimal with colons. */
  readonly fingerprint256: string
  /** Base64 of SHA-256 over the SubjectPublicKeyInfo: what peers pin. */
  readonly spkiSha256: string
  /** The same of the other keys in the file: a certificate to come has one of them. */
  readonly otherSpkiSha256: readonly string[]
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

export class TlsFilesWrong extends Error {}

/** Throws TlsFilesWrong, a sentence for the operator. */
export function readTlsFiles(paths: TlsPaths): TlsMaterial {
  const certificate = read('tls.certificate', paths.certificate)
  const key = read('tls.key', paths.key)
  let leaf: X509Certificate
  try {
    leaf = new X509Certificate(certificate)
  } catch (error) {
    throw new TlsFilesWrong(`tls.certificate = ${paths.certificate} holds no certificate in PEM form.`, {
      cause: error,
    })
  }
  let keys: KeyObject[]
  try {
    keys = privateKeysIn(key)
  } catch (error) {
    throw new TlsFilesWrong(`tls.key = ${paths.key} holds no private key in PEM form without a passphrase.`, {
      cause: error,
    })
  }
  const fitting = keys.find(each => leaf.checkPrivateKey(each))
  if (!fitting) throw new TlsFilesWrong(`tls.key = ${paths.key} is not the key of ${paths.certificate}.`)
  const spkiSha256 = spkiSha256Of(fitting)
  return {
    certificate,
    key: fitting.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint256: leaf.fingerprint256,
    spkiSha256,
    otherSpkiSha256: keys.map(spkiSha256Of).filter(other => other !== spkiSha256),
    notBeforeMs: Date.parse(leaf.validFrom),
    notAfterMs: Date.parse(leaf.validTo),
  }
}

/** Throws where there is none, or one that cannot be read. */
function privateKeysIn(pem: string): KeyObject[] {
  const blocks = pem.match(/-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?-----END \1-----/g) ?? [pem]
  return blocks.map(block => createPrivateKey(block))
}

function spkiSha256Of(key: KeyObject): string {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest('base64')
}

/** Reads again when told to and when the files have changed; returns both ways to say so. */
export function watchTlsFiles(
  paths: TlsPaths,
  changed: (material: TlsMaterial) => Promise<void>,
  report: (message: string) => void,
): { reload(): Promise<void>; close(): void } {
  let seen = stamp(paths)
  const reload = async () => {
    seen = stamp(paths)
    try {
      await changed(readTlsFiles(paths))
    } catch (error) {
      report(error instanceof TlsFilesWrong ? error.message : 'the new certificate could not be used')
    }
  }
  const timer = setInterval(() => {
    if (stamp(paths) !== seen) void reload()
  }, 10_000).unref()
  return { reload, close: () => clearInterval(timer) }
}

function stamp(paths: TlsPaths): string {
  return Object.values(paths)
    .map(path => {
      const stat = statSync(path as string, { throwIfNoEntry: false })
      return stat ? `${stat.mtimeMs} ${stat.size} ${stat.ino}` : 'none'
    })
    .join(' ')
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new TlsFilesWrong(`${name} = ${path} cannot be read (${code}).`, { cause: error })
  }
}
