/**
 * `letro backup create --offline`: a full backup of a server that does not run, from its data folder alone. The store's lock is held
 * meanwhile, so no server starts over it, and none can be running.
 */
import { createPrivateKey, sign } from 'node:crypto'
import { createWriteStream, readFileSync } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { ServerName } from '#protocol/ids.ts'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { type KeyId, signJson } from '#protocol/signing.ts'
import { BackupError } from '../server/backup/backup-error.ts'
import { backupName, newChain } from '../server/backup/names.ts'
import { forWhom } from '../server/backup/recipients.ts'
import { seal } from '../server/backup/seal.ts'
import { type BackupSource, backupBytes } from '../server/backup/write-backup.ts'
import { exportFolder } from '../server/store/export.ts'
import { storeFolder } from '../server/store/level-folder.ts'
import { StoreError } from '../server/store/store.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { tell } from './terminal.ts'

export interface OfflineOptions {
  readonly data?: string
  readonly out?: string
  readonly recipient?: readonly string[]
  readonly passphraseFile?: string
  readonly json?: boolean
}

export async function createOffline(options: OfflineOptions): Promise<void> {
  if (options.data === undefined)
    throw new CommandFailed('Which server? Name its data folder with --data.', exitCodes.usage)
  const data = resolve(options.data)
  const site = siteIn(data)
  const now = Date.now()
  const file = resolve(options.out ?? backupName(newChain(site.serverName, now), 0))
  try {
    const whom = await forWhom(data, {
      recipients: options.recipient ?? [],
      passphraseFile: options.passphraseFile ?? null,
    })
    if (!whom) {
      throw new CommandFailed(
        'Nobody said for whom to encrypt: this data folder knows no key. Give --recipient age1… or --passphrase-file FILE.',
        exitCodes.usage,
      )
    }
    const rows = await exportFolder(storeFolder(data))
    try {
      const plain = backupBytes({ ...site, dataFolder: data, rows, configuration: {} }, { now })
      await pipeline(seal(plain, whom), createWriteStream(`${file}.part`, { mode: 0o600, flush: true }))
    } finally {
      await rows.close()
    }
    await rename(`${file}.part`, file)
  } catch (error) {
    await rm(`${file}.part`, { force: true })
    throw inWords(error, data, file)
  }
  const { size } = await stat(file)
  tell(
    options,
    { file, bytes: size },
    `Written whole: ${file}. Try it: letro backup verify ${file} --key FILE`,
  )
}

/** Who this is, and the key with which its backups are signed (server/server-keys.ts). */
function siteIn(data: string): Pick<BackupSource, 'serverName' | 'release' | 'card' | 'sign'> {
  const card = readJson(join(data, 'keys', 'site-card.json'))
  const { name } = readJson(join(data, 'identity.json'))
  const { current, keys } = readJson(join(data, 'keys', 'event-signing.json'))
  const key = isObject(keys) ? keys[String(current)] : undefined
  if (!isObject(key) || typeof key['seed'] !== 'string' || typeof name !== 'string') throw notLetro(data)
  // RFC 8410's frame around the seed is what node:crypto reads.
  const frame = Buffer.from('302e020100300506032b657004220420', 'hex')
  const der = Buffer.concat([frame, Buffer.from(key['seed'], 'base64')])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return {
    serverName: name,
    release: String(readJson(join(import.meta.dirname, '../package.json'))['version']),
    card,
    sign: object =>
      signJson(object, name as ServerName, current as KeyId, bytes => sign(null, bytes, privateKey)),
  }
}

function readJson(file: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (isObject(parsed)) return parsed
  } catch {}
  throw notLetro(file)
}

function notLetro(path: string): CommandFailed {
  return new CommandFailed(
    `${path} is not there, or cannot be read: --data is the data folder of a server that was started once, and this must be typed as its user, or as root.`,
    exitCodes.impossible,
  )
}

function inWords(error: unknown, data: string, file: string): unknown {
  if (error instanceof BackupError) return new CommandFailed(error.message, exitCodes.unsound)
  if (error instanceof StoreError && error.code === 'STORE_LOCKED') {
    return new CommandFailed(
      `The server runs, or another command has ${data} open. Leave out --offline: a running server makes its own backup.`,
      exitCodes.inUse,
    )
  }
  if (error instanceof StoreError) {
    return new CommandFailed(
      `The data is damaged, and was not backed up (${error.code}). Look with: letro store check --data ${data}`,
      exitCodes.unsound,
    )
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOSPC')
    return new CommandFailed(`The disk of ${file} is full. Nothing was kept.`, exitCodes.impossible)
  if (/^E[A-Z]+$/.test(code))
    return new CommandFailed(`${file} cannot be written (${code}).`, exitCodes.impossible)
  return error
}
