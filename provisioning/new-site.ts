/**
 * Writes a new site: its data folder with certificate and identity, and letro.toml.
 *
 * Everything is made in a folder beside the data folder, and comes to its place by two renames: the data folder, then
 * letro.toml. Whoever starts the server needs both. What a crash leaves before the second is no site yet, holds
 * nothing that anybody has heard of, and is cleared away by the next run.
 */
import type { X509Certificate } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { firstPeersFile } from '#protocol/first-peers.ts'
import { newKey } from './certificate.ts'
import { ChainRefused, certificatesIn, chainOf, complaintsAbout } from './certificate-chain.ts'
import { importCertificate } from './certificate-import.ts'
import { certificateRequest } from './certificate-request.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { makeCertificate } from './renewal.ts'
import type { SiteAnswers } from './site-answers.ts'
import { siteToml } from './site-toml.ts'
import { TlsFolder } from './tls-folder.ts'

export interface NewSite {
  readonly configFile: string
  readonly data: string
  /** The private authority, where there is one. */
  readonly authority: X509Certificate | null
  /** Where the organisation's authority must issue first: what to send it. */
  readonly requestFile: string | null
}

/** Says so before anybody answers questions in vain. */
export function mustBeNew(configFile: string, data: string): void {
  if (existsSync(configFile)) {
    throw new CommandFailed(
      `${configFile} is there already: this site was set up. Nothing was changed. To set up another one: --config FILE --data FOLDER`,
      exitCodes.unsound,
    )
  }
  if (existsSync(data) && readdirSync(data).length > 0 && !isUnfinished(data)) {
    throw new CommandFailed(
      `${data} holds data already. Nothing was changed. Where it is this site's data, write a letro.toml for it (npm start -- --example-config); otherwise name another folder with --data.`,
      exitCodes.unsound,
    )
  }
}

/** The names by which people and other servers reach it. */
export function siteNames({ serverName, origin, federation }: SiteAnswers): string[] {
  const host = (text: string) => text.replace(/:[0-9]+$/, '')
  return [
    ...new Set([
      new URL(origin).hostname,
      host(serverName),
      ...(federation.address ? [federation.address.host.toLowerCase()] : []),
    ]),
  ]
}

export async function writeSite(
  answers: SiteAnswers,
  configFile: string,
  data: string,
  now: number,
): Promise<NewSite> {
  mustBeNew(configFile, data)
  const staging = join(dirname(data), `.${basename(data)}.letro-init`)
  const newConfig = `${configFile}.new`
  rmSync(staging, { recursive: true, force: true })
  try {
    mkdirSync(dirname(configFile), { recursive: true })
    mkdirSync(staging, { recursive: true, mode: 0o700 })
    const names = siteNames(answers)
    const folder = new TlsFolder(join(staging, 'tls'))
    const request = await putCertificate(answers, folder, names, now)
    if (answers.peers.length > 0)
      writeWhole(join(staging, firstPeersFile), `${JSON.stringify({ peers: answers.peers })}\n`)
    // As server/data-folder.ts reads it: not ready until the first start has made the keys.
    const identity = { name: answers.serverName, createdTs: now, ready: false }
    writeWhole(join(staging, 'identity.json'), `${JSON.stringify({ ...identity, unfinished: true })}\n`)
    writeWhole(newConfig, siteToml(answers, data))

    if (existsSync(data)) {
      if (readdirSync(data).length > 0) rmSync(data, { recursive: true })
      else rmdirSync(data)
    }
    renameSync(staging, data)
    syncFolder(dirname(data))
    renameSync(newConfig, configFile)
    syncFolder(dirname(configFile))
    // From now on nothing clears it away.
    writeWhole(join(data, 'identity.json.new'), `${JSON.stringify(identity)}\n`)
    renameSync(join(data, 'identity.json.new'), join(data, 'identity.json'))
    syncFolder(data)

    const requestFile = request === null ? null : join(dirname(configFile), `${names[0]}.csr`)
    if (requestFile !== null) writeWhole(requestFile, request!)
    return {
      configFile,
      data,
      authority: new TlsFolder(join(data, 'tls')).authorityCertificate(),
      requestFile,
    }
  } catch (error) {
    rmSync(staging, { recursive: true, force: true })
    rmSync(newConfig, { force: true })
    throw inWords(error)
  }
}

/** A request, where the organisation's authority has not issued yet. */
async function putCertificate(
  { certificate, listen }: SiteAnswers,
  folder: TlsFolder,
  names: readonly string[],
  now: number,
): Promise<string | null> {
  switch (certificate.from) {
    case 'own':
      makeCertificate(folder, names, now)
      return null
    case 'organisation': {
      if (certificate.file === undefined) {
        const key = newKey()
        folder.writeKeys([key])
        return certificateRequest(key, names)
      }
      const { file, key, passphraseFile } = certificate
      const options = {
        ...(key === undefined ? {} : { key }),
        ...(passphraseFile === undefined ? {} : { passphraseFile }),
      }
      await importCertificate({ folder, names, isPinned: false }, file, options, now)
      return null
    }
    case 'files':
      checkFiles(certificate, names, now)
      return null
    case 'proxy':
      // Other servers are answered by ourselves.
      if (listen.federation) makeCertificate(folder, names, now)
      return null
    default:
      return certificate satisfies never
  }
}

function checkFiles(
  files: { readonly certificate: string; readonly key: string },
  names: readonly string[],
  now: number,
): void {
  const chain = chainOf(certificatesIn(read(files.certificate)), [read(files.key)])
  const complaints = complaintsAbout(chain, names, now)
  if (complaints.length > 0) throw new ChainRefused(complaints)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    throw new CommandFailed(`${file} cannot be read (${code}).`, exitCodes.impossible)
  }
}

/** Left by a run that was cut off between its two renames: no server was ever started on it. */
function isUnfinished(data: string): boolean {
  const ours = new Set(['identity.json', 'tls', firstPeersFile])
  try {
    const identity = JSON.parse(readFileSync(join(data, 'identity.json'), 'utf8')) as { unfinished?: unknown }
    return identity.unfinished === true && readdirSync(data).every(name => ours.has(name))
  } catch {
    return false
  }
}

function inWords(error: unknown): unknown {
  if (error instanceof ChainRefused) {
    return new CommandFailed(`Nothing was set up.\n\n${error.message}`, exitCodes.unsound)
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const path = error instanceof Error && 'path' in error ? String(error.path) : 'the folder'
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new CommandFailed(
      'The disk is full, and nothing was set up: make room, then try again.',
      exitCodes.impossible,
    )
  }
  if (/^E(?:ACCES|PERM|ROFS|NOTDIR|EXIST|BUSY)$/.test(code)) {
    return new CommandFailed(
      `${path} cannot be written (${code}), and nothing was set up. Name other places with --data and --config, or run this as root.`,
      exitCodes.impossible,
    )
  }
  return error
}

function writeWhole(path: string, text: string): void {
  const file = openSync(path, 'w', 0o600)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
