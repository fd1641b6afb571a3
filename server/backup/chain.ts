/** Which files a backup needs: itself, and those that it builds on, down to the full one. */
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { encodeBase64 } from '../protocol/base64.ts'
import { BackupError } from './backup-error.ts'
import { type BackupHeader, readBackupHeader } from './read-backup.ts'
import type { UnsealKeys } from './unseal.ts'

export interface ChainLink {
  readonly path: string
  readonly header: BackupHeader
  readonly bytes: number
}

/** A chain has a week or so of nights; more is a circle that somebody made. */
const maxLinks = 1_000

/** The full one first. All lie in one folder. */
export async function readChain(path: string, keys: UnsealKeys): Promise<readonly ChainLink[]> {
  const links: ChainLink[] = [await readLink(path, keys)]
  for (;;) {
    const { header } = links[0]!
    const { base } = header
    if (base === null) return links
    if (links.length >= maxLinks) throw missing(base.name)
    const before = await readBase(join(dirname(path), base.name), base.name, keys)
    if (before.header.id !== base.id) {
      throw new BackupError(
        'BACKUP_NO_BASE',
        `${base.name} is another backup than the one that is needed here. Bring the files of one place together again.`,
      )
    }
    if (
      before.header.serverName !== header.serverName ||
      encodeBase64(before.header.card.rootKey) !== encodeBase64(header.card.rootKey)
    ) {
      throw new BackupError(
        'BACKUP_OTHER_SITE',
        `${base.name} is a backup of ${before.header.serverName}, not of ${header.serverName}.`,
      )
    }
    links.unshift(before)
  }
}

async function readLink(path: string, keys: UnsealKeys): Promise<ChainLink> {
  const header = await readBackupHeader(path, keys)
  return { path, header, bytes: (await stat(path)).size }
}

async function readBase(path: string, name: string, keys: UnsealKeys): Promise<ChainLink> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  if (!isThere) throw missing(name)
  return readLink(path, keys)
}

function missing(name: string): BackupError {
  return new BackupError(
    'BACKUP_NO_BASE',
    `This backup builds on ${name}, which is not beside it. Put that file into the same folder, or restore an older backup that is whole.`,
  )
}
