/** A data folder with a store, keys and media, as a server leaves it, and a backup of it without a server. */
import { createHash, sign as edSign, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import type { ExecutionContext } from 'ava'
import { writeBackupFile } from '../../server/backup/backup-file.ts'
import { backupName, newChain } from '../../server/backup/names.ts'
import { seal } from '../../server/backup/seal.ts'
import { type BackupSource, backupBytes, type WriteOptions } from '../../server/backup/write-backup.ts'
import { buildCard } from '../../server/protocol/card.ts'
import type { ServerName, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { type KeyId, signJson } from '../../server/protocol/signing.ts'
import { privateKeyOf } from '../../server/server-keys.ts'
import { eventSkeletons, mediaTable } from '../../server/store/catalogue.ts'
import { exportFolder } from '../../server/store/export.ts'
import { epochSize, openLevelStore } from '../../server/store/level-engine.ts'
import { storeFolder } from '../../server/store/level-folder.ts'
import type { Position } from '../../server/store/store.ts'

export const now = Date.UTC(2026, 10, 21, 2)

export interface Site {
  readonly name: ServerName
  readonly card: JsonObject
  sign(object: JsonObject): JsonObject
}

export function makeSite(name: string): Site {
  const root = privateKeyOf(randomBytes(32))
  const signing = privateKeyOf(randomBytes(32))
  const keyId = 'ed25519:a_1' as KeyId
  const serverName = name as ServerName
  const card = buildCard(
    {
      serverName,
      rpId: name,
      origins: [`https://${name}`],
      address: { host: name, port: 8448 },
      eventSigning: [{ id: keyId, publicKey: signing.publicKey }],
      tlsSpkiSha256: [],
    },
    null,
    { publicKey: root.publicKey, sign: bytes => edSign(null, bytes, root.key) },
    now,
  )
  return {
    name: serverName,
    card,
    sign: object => signJson(object, name, keyId, bytes => edSign(null, bytes, signing.key)),
  }
}

export async function withFolder(t: ExecutionContext, run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'letro-backup-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await run(folder)
}

export async function makeData(data: string, site: Site): Promise<void> {
  await mkdir(join(data, 'keys'), { recursive: true, mode: 0o700 })
  await writeFile(join(data, 'identity.json'), JSON.stringify({ name: site.name, ready: true }))
  await writeFile(join(data, 'keys', 'event-signing.json'), '{"secret":"of the server"}')
  await writeFile(join(data, 'maintenance.token'), 'not for a backup')
}

export async function addEvents(data: string, from: number, upTo: number): Promise<void> {
  const store = await openLevelStore(storeFolder(data))
  for (let i = from; i < upTo; i += 500) {
    await store.transact('test', tx => {
      for (let k = i; k < Math.min(upTo, i + 500); k++) {
        tx.put(eventSkeletons.key((epochSize + k) as Position), JSON.stringify({ k, of: 'an event' }))
      }
    })
  }
  await store.close()
}

export async function addMedia(data: string, bytes: Buffer): Promise<string> {
  const id = randomBytes(18).toString('base64url')
  const folder = join(data, 'media', id.slice(0, 2), id.slice(2, 4))
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, id), bytes)
  const store = await openLevelStore(storeFolder(data))
  const row = {
    state: 'there',
    userId: '@a:x' as UserId,
    createdTs: now,
    contentType: 'application/octet-stream',
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  } as const
  await store.transact('test', tx => tx.put(mediaTable.key(id), row))
  await store.close()
  return id
}

export async function newKeys() {
  const identity = await generateX25519Identity()
  return { identity, recipient: await identityToRecipient(identity) }
}

export interface BackUp extends Partial<WriteOptions> {
  readonly recipient: string
  readonly number?: number
  readonly source?: Partial<BackupSource>
}

/** The file's name. */
export async function backUp(data: string, place: string, site: Site, options: BackUp): Promise<string> {
  const rows = await exportFolder(storeFolder(data))
  try {
    const source: BackupSource = {
      serverName: site.name,
      release: '0.1.0',
      dataFolder: data,
      rows,
      configuration: { 'server.name': site.name },
      card: site.card,
      sign: site.sign,
      ...options.source,
    }
    await mkdir(place, { recursive: true })
    const name = backupName(newChain(site.name, now), options.number ?? 0)
    const plain = backupBytes(source, { now, ...options })
    await writeBackupFile(place, name, seal(plain, { recipients: [options.recipient] }))
    return name
  } finally {
    await rows.close()
  }
}
