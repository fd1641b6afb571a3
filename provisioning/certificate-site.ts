/** The site that a data folder belongs to, as far as its certificate is concerned. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isObject } from '#protocol/json.ts'
import { parseName } from './certificate-names.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { TlsFolder } from './tls-folder.ts'

export interface CertificateSite {
  readonly folder: TlsFolder
  /** Those by which people and other servers reach it. */
  readonly names: readonly string[]
  /** Other servers may have pinned the key of its certificate: they must learn a new one before it is used. */
  readonly isPinned: boolean
}

/** @param given `--name`, for a site that has not been started yet */
export function certificateSite(data: string, given: readonly string[] = []): CertificateSite {
  if (!statSync(data, { throwIfNoEntry: false })?.isDirectory()) {
    throw new CommandFailed(
      `There is no folder ${data}. --data is server.data of letro.toml; before the first start, letro init makes it.`,
      exitCodes.impossible,
    )
  }
  const card = readCard(join(data, 'keys', 'site-card.json'))
  const names = given.length > 0 ? given.map(nameOf) : card.names
  return { folder: new TlsFolder(join(data, 'tls')), names: [...new Set(names)], isPinned: card.isPinned }
}

export function needNames({ names }: CertificateSite): readonly string[] {
  if (names.length > 0) return names
  throw new CommandFailed(
    'This server was never started, so its names are not known here yet. Give them with --name: the host of server.origin, and the server name where it is another one.',
    exitCodes.usage,
  )
}

/** Our own card: whoever could forge it here could do anything. */
function readCard(file: string): { names: string[]; isPinned: boolean } {
  let card: unknown
  try {
    card = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { names: [], isPinned: false }
  }
  if (!isObject(card)) return { names: [], isPinned: false }
  const { server_name: serverName, origins, address, keys } = card
  const hosts = [
    typeof serverName === 'string' ? serverName.replace(/:[0-9]+$/, '') : null,
    isObject(address) && typeof address['host'] === 'string' ? address['host'] : null,
    ...(Array.isArray(origins) ? origins.map(hostOf) : []),
  ]
  const tls = isObject(keys) ? keys['tls'] : null
  return {
    names: hosts.flatMap(host => (host === null ? [] : (parseName(host) ?? []))),
    isPinned: Array.isArray(tls) && tls.length > 0,
  }
}

function hostOf(origin: unknown): string | null {
  if (typeof origin !== 'string' || !URL.canParse(origin)) return null
  const { protocol, hostname } = new URL(origin)
  return protocol === 'https:' ? hostname : null
}

function nameOf(text: string): string {
  const name = parseName(text)
  if (name === null) {
    throw new CommandFailed(`--name ${text} is no DNS name and no IP address.`, exitCodes.usage)
  }
  return name
}
