/**
 * For whom backups are encrypted: public keys in the configuration; or a passphrase in a file that it names; or the
 * public key that `letro backup key` left here. The private key never comes to the server.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupError } from './backup-error.ts'
import type { Recipients } from './seal.ts'
import { writeWhole } from './write-whole.ts'

export interface RecipientSettings {
  readonly recipients: readonly string[]
  readonly passphraseFile: string | null
}

export interface ForWhom extends Recipients {
  readonly from: 'configuration' | 'passphrase' | 'key-command'
  /** Two with the same digest open with the same key. */
  readonly digest: string
}

/** With the other keys: so that it is in the backup, and a restored server goes on backing up. */
const fileOf = (dataFolder: string) => join(dataFolder, 'keys', 'backup-recipients.json')

/** null: nobody said. */
export async function forWhom(dataFolder: string, settings: RecipientSettings): Promise<ForWhom | null> {
  if (settings.recipients.length > 0) return ofRecipients(settings.recipients, 'configuration')
  if (settings.passphraseFile !== null) return ofPassphrase(settings.passphraseFile)
  const kept = await keptRecipients(dataFolder)
  return kept.length > 0 ? ofRecipients(kept, 'key-command') : null
}

export async function keepRecipients(dataFolder: string, recipients: readonly string[]): Promise<void> {
  for (const recipient of recipients) await requireRecipient(recipient)
  await mkdir(join(dataFolder, 'keys'), { recursive: true, mode: 0o700 })
  await writeWhole(fileOf(dataFolder), `${JSON.stringify({ recipients })}\n`)
}

async function keptRecipients(dataFolder: string): Promise<readonly string[]> {
  try {
    const { recipients } = JSON.parse(await readFile(fileOf(dataFolder), 'utf8')) as { recipients: string[] }
    return recipients
  } catch {
    return []
  }
}

async function ofRecipients(recipients: readonly string[], from: ForWhom['from']): Promise<ForWhom> {
  for (const recipient of recipients) await requireRecipient(recipient)
  return { recipients, from, digest: digestOf([...recipients].sort().join('\n')) }
}

async function ofPassphrase(file: string): Promise<ForWhom> {
  let passphrase: string
  try {
    passphrase = (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw new BackupError(
      'BACKUP_NOT_CONFIGURED',
      `backup.passphrase_file = ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
      { cause: error },
    )
  }
  if (passphrase.length < 16) {
    throw new BackupError(
      'BACKUP_NOT_CONFIGURED',
      `The passphrase in ${file} has fewer than 16 characters: whoever gets hold of a backup could try them all. Use a longer one, or a key (letro backup key).`,
    )
  }
  return { recipients: [], passphrase, from: 'passphrase', digest: digestOf(`passphrase ${passphrase}`) }
}

/** A slip of the pen would make backups that nobody can open; age's keys carry a checksum. */
export async function requireRecipient(recipient: string): Promise<void> {
  // Loaded when somebody says for whom: every start would wait for the tables of its ciphers.
  const { Encrypter } = await import('age-encryption')
  try {
    new Encrypter().addRecipient(recipient)
  } catch (error) {
    throw new BackupError(
      'BACKUP_NOT_CONFIGURED',
      `"${recipient.slice(0, 80)}" is no public key of age (age1…), or has a typing mistake. A private key (AGE-SECRET-KEY-1…) does not belong on this server.`,
      { cause: error },
    )
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}
