/**
 * Makes the certificate with which a server without a configured one answers other servers. The server runs this in a
 * process of its own: `node make-certificate.ts FOLDER NAME…`
 *
 * In FOLDER (0700, every file 0600): `authority.pem` and `authority-key.pem`, `certificate.pem` (with the authority behind
 * it) and `key.pem`. Authority and key are kept where they are there already, so that a certificate that is made again
 * is the same one to all who pinned its key or its authority.
 *
 * Each file is written whole or not at all, a key always before its certificate: after a crash in between the next run
 * goes on with what is there.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { type Issued, issueAuthority, issueLeaf, newKey } from './certificate.ts'
import { exitCodes } from './exit-codes.ts'

const [folder, ...names] = process.argv.slice(2)
if (folder === undefined || names.length === 0) {
  process.stderr.write('make-certificate FOLDER NAME…\n')
  process.exitCode = exitCodes.usage
} else {
  try {
    make(folder, names.map(nameOf), Date.now())
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exitCode = exitCodes.impossible
  }
}

function make(folder: string, names: readonly string[], now: number): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const authority = keptAuthority(folder) ?? newAuthority(folder, names, now)
  const key = readIfThere(join(folder, 'key.pem')) ?? newKey()
  const certificate = issueLeaf(authority, key, names, now)
  write(folder, 'key.pem', key)
  write(folder, 'certificate.pem', certificate + authority.certificate)
}

function keptAuthority(folder: string): Issued | null {
  const certificate = readIfThere(join(folder, 'authority.pem'))
  const key = readIfThere(join(folder, 'authority-key.pem'))
  return certificate !== null && key !== null ? { certificate, key } : null
}

function newAuthority(folder: string, names: readonly string[], now: number): Issued {
  const made = issueAuthority(names, now)
  write(folder, 'authority-key.pem', made.key)
  write(folder, 'authority.pem', made.certificate)
  return made
}

/** An IPv6 address stands in brackets where a port could follow. DNS names know no capitals. */
function nameOf(text: string): string {
  const bare = text.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (isIP(bare) === 0 && !/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(bare)) {
    throw new Error(`${text} is no DNS name and no IP address`)
  }
  return bare
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** Whole or not at all, and there after a power cut. */
function write(folder: string, name: string, text: string): void {
  const path = join(folder, name)
  const file = openSync(`${path}.new`, 'w', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}.new`, path)
  const within = openSync(folder, 'r')
  try {
    fsyncSync(within)
  } finally {
    closeSync(within)
  }
}
