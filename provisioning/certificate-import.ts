/**
 * `letro certificate import`: takes what an authority issued, as PEM or PKCS #12, into the server's folder.
 *
 * All that speaks against it is said at once, and then nothing was changed. What is accepted comes in by one rename
 * (tls-folder.ts). A new key is told to other servers first, unless nobody pins this one.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import {
  type Chain,
  ChainRefused,
  certificatesIn,
  chainOf,
  chainPem,
  complaintsAbout,
} from './certificate-chain.ts'
import { type CertificateSite, needNames } from './certificate-site.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { type PassphraseOptions, passphraseFrom } from './passphrase.ts'
import { Pkcs12Wrong, readPkcs12 } from './pkcs12.ts'
import { announceKey } from './renewal.ts'

export interface ImportOptions extends PassphraseOptions {
  readonly key?: string
  /** Use a new key at once. */
  readonly now?: boolean
}

export interface Imported extends Chain {
  /** `waiting`: other servers learn the key first. */
  readonly state: 'in-use' | 'waiting'
}

const maxFileBytes = 1024 * 1024

export async function importCertificate(
  site: CertificateSite,
  file: string,
  options: ImportOptions,
  now: number,
): Promise<Imported> {
  const { folder } = site
  const names = needNames(site)
  const brought = await readBrought(file, options)
  const chain = chainOf(brought.certificates, [...brought.keys, ...folder.keys()])
  const complaints = complaintsAbout(chain, names, now)
  if (complaints.length > 0) throw new ChainRefused(complaints)

  const inUse = folder.keyInUse()
  if (
    inUse !== null &&
    inUse !== chain.key &&
    site.isPinned &&
    !options.now &&
    !hasEnded(folder.chain()!, now)
  ) {
    announceKey(folder, chain.key, chainPem(chain))
    return { ...chain, state: 'waiting' }
  }
  // The new key stands beside the old one until its certificate is there: a crash in between changes nothing.
  if (!folder.keys().includes(chain.key)) folder.writeKeys([...folder.keys(), chain.key])
  folder.writeChain(chainPem(chain))
  folder.dropNext()
  folder.writeKeys([chain.key])
  return { ...chain, state: 'in-use' }
}

function hasEnded(chain: string, now: number): boolean {
  return now > Date.parse(new X509Certificate(chain).validTo)
}

async function readBrought(
  file: string,
  options: ImportOptions,
): Promise<{ certificates: readonly X509Certificate[]; keys: readonly string[] }> {
  const bytes = readWhole(file)
  const text = bytes.toString('latin1')
  const keys =
    options.key === undefined
      ? []
      : await keysIn(readWhole(options.key).toString('latin1'), options.key, options)
  if (text.includes('-----BEGIN ')) {
    const certificates = certificatesIn(text)
    return { certificates, keys: [...keys, ...(await keysIn(text, file, options))] }
  }
  const single = certificateFromDer(bytes)
  if (single) return { certificates: [single], keys }
  const passphrase = await passphraseFrom(options, `Passphrase of ${file}: `)
  if (passphrase === null) throw noPassphrase(file)
  try {
    const { key, certificates } = readPkcs12(bytes, passphrase)
    return { certificates, keys: key === null ? keys : [...keys, key] }
  } catch (error) {
    if (error instanceof Pkcs12Wrong) throw new CommandFailed(`${file}: ${error.message}`, exitCodes.unsound)
    throw error
  }
}

function certificateFromDer(bytes: Buffer): X509Certificate | null {
  try {
    return new X509Certificate(bytes)
  } catch {
    return null
  }
}

/** In one form for all, PKCS #8 without a passphrase: the folder itself is closed to others. */
async function keysIn(pem: string, file: string, options: ImportOptions): Promise<string[]> {
  const blocks = pem.match(/-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?-----END \1-----/g) ?? []
  let passphrase: string | undefined
  const keys: string[] = []
  for (const block of blocks) {
    if (/ENCRYPTED/.test(block)) {
      const given = passphrase ?? (await passphraseFrom(options, `Passphrase of the key in ${file}: `))
      if (given === null) throw noPassphrase(file)
      passphrase = given
    }
    try {
      const key = createPrivateKey({ key: block, ...(passphrase === undefined ? {} : { passphrase }) })
      keys.push(key.export({ type: 'pkcs8', format: 'pem' }).toString())
    } catch {
      throw new CommandFailed(
        passphrase === undefined
          ? `${file}: the private key in it cannot be read.`
          : `${file}: the passphrase does not open the private key.`,
        exitCodes.unsound,
      )
    }
  }
  return keys
}

function readWhole(file: string): Buffer {
  try {
    const stat = statSync(file)
    if (!stat.isFile()) throw new CommandFailed(`${file} is no file.`, exitCodes.impossible)
    if (stat.size > maxFileBytes) {
      throw new CommandFailed(
        `${file} is too large to be a certificate (${stat.size} bytes).`,
        exitCodes.unsound,
      )
    }
    return readFileSync(file)
  } catch (error) {
    if (error instanceof CommandFailed) throw error
    const code = error instanceof Error && 'code' in error ? error.code : ''
    throw new CommandFailed(
      code === 'ENOENT' ? `There is no file ${file}.` : `${file} cannot be read (${code}).`,
      exitCodes.impossible,
    )
  }
}

function noPassphrase(file: string): CommandFailed {
  return new CommandFailed(
    `${file} is locked by a passphrase, and there is no terminal to ask at. Give it with --passphrase-file FILE or --passphrase-fd N.`,
    exitCodes.usage,
  )
}
