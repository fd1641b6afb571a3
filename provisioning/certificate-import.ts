/**
 * `letro certificate import`, and the same by the administration: takes what an authority issued, as PEM or PKCS #12, into the server's folder.
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

/** What somebody brings: PEM, DER or PKCS #12. */
export interface Brought {
  /** For sentences. */
  readonly name: string
  readonly bytes: Buffer
  /** A file of its own with the private key. */
  readonly key?: { readonly name: string; readonly pem: string }
  /** Asked where something in it is locked; rejects where nobody can say. */
  readonly passphrase: (question: string, name: string) => Promise<string>
}

export async function importCertificate(
  site: CertificateSite,
  file: string,
  options: ImportOptions,
  now: number,
): Promise<Imported> {
  const { key } = options
  const brought: Brought = {
    name: file,
    bytes: readWhole(file),
    ...(key === undefined ? {} : { key: { name: key, pem: readWhole(key).toString('latin1') } }),
    passphrase: async (question, name) => {
      const given = await passphraseFrom(options, question)
      if (given === null) throw noPassphrase(name)
      return given
    },
  }
  return takeIn(site, await readChain(site, brought, now), options.now ?? false, now)
}

/** What was brought, in order and with its key; throws ChainRefused with all that speaks against it. Changes nothing. */
export async function readChain(site: CertificateSite, brought: Brought, now: number): Promise<Chain> {
  const names = needNames(site)
  const { certificates, keys } = await readBrought(brought)
  const chain = chainOf(certificates, [...keys, ...site.folder.keys()])
  const complaints = complaintsAbout(chain, names, now)
  if (complaints.length > 0) throw new ChainRefused(complaints)
  return chain
}

/** Into the folder. */
export function takeIn(site: CertificateSite, chain: Chain, atOnce: boolean, now: number): Imported {
  const { folder } = site

  const inUse = folder.keyInUse()
  if (inUse !== null && inUse !== chain.key && site.isPinned && !atOnce && !hasEnded(folder.chain()!, now)) {
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
  brought: Brought,
): Promise<{ certificates: readonly X509Certificate[]; keys: readonly string[] }> {
  const { name: file, bytes, key: keyFile, passphrase: ask } = brought
  const text = bytes.toString('latin1')
  const keys = keyFile === undefined ? [] : await keysIn(keyFile.pem, keyFile.name, ask)
  if (text.includes('-----BEGIN ')) {
    const certificates = certificatesIn(text)
    return { certificates, keys: [...keys, ...(await keysIn(text, file, ask))] }
  }
  const single = certificateFromDer(bytes)
  if (single) return { certificates: [single], keys }
  const passphrase = await ask(`Passphrase of ${file}: `, file)
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
async function keysIn(pem: string, file: string, ask: Brought['passphrase']): Promise<string[]> {
  const blocks = pem.match(/-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?-----END \1-----/g) ?? []
  let passphrase: string | undefined
  const keys: string[] = []
  for (const block of blocks) {
    if (/ENCRYPTED/.test(block)) {
      passphrase ??= await ask(`Passphrase of the key in ${file}: `, file)
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

export function readWhole(file: string): Buffer {
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
    `${file} is no PEM, so it is read as PKCS #12, which a passphrase locks; and there is no terminal to ask at. Give it with --passphrase-file FILE or --passphrase-fd N.`,
    exitCodes.usage,
  )
}
