/**
 * The certificate with which this server answers: PEM files, read at the start and again when they change or on SIGHUP,
 * so that a renewed certificate counts without a restart.
 *
 * New files count only if they fit together. What is half written, or does not fit, is reported, and the old
 * certificate stays.
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'

export interface TlsPaths {
  readonly certificate: string
  readonly key: string
}

export interface TlsMaterial {
  /** PEM, with its chain. */
  readonly certificate: string
  readonly key: string
  /** Base64 of SHA-256 over the SubjectPublicKeyInfo: what peers pin. */
  readonly spkiSha256: string
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
  let fits: boolean
  try {
    fits = leaf.checkPrivateKey(createPrivateKey(key))
  } catch (error) {
    throw new TlsFilesWrong(`tls.key = ${paths.key} holds no private key in PEM form without a passphrase.`, {
      cause: error,
    })
  }
  if (!fits) throw new TlsFilesWrong(`tls.key = ${paths.key} is not the key of ${paths.certificate}.`)
  const spki = leaf.publicKey.export({ type: 'spki', format: 'der' })
  return {
    certificate,
    key,
    spkiSha256: createHash('sha256').update(spki).digest('base64'),
    notAfterMs: Date.parse(leaf.validTo),
  }
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
