/** Room keys to and from a file, as all Matrix clients write and read it. Spec: client-server-api#key-exports */
import { exportSessions, importSessions, readKeyFile, writeKeyFile } from '../e2ee/key-export-file.ts'
import { randomBytes } from '../e2ee/primitives.ts'
import { checkPassphrase } from '../vault/vault-key.ts'
import type { TrustDeps } from './ports.ts'

/** In one step: messages that come meanwhile do not wait for the whole file. */
const sessionsPerStep = 100

/** @throws VaultError PASSPHRASE_TOO_SHORT: whoever has the file can guess at it for ever */
export async function exportKeys({ machine }: TrustDeps, passphrase: string): Promise<Blob> {
  checkPassphrase(passphrase)
  const sessions = await machine.run(step => exportSessions(step))
  return new Blob([await writeKeyFile(sessions, passphrase, randomBytes)], { type: 'text/plain' })
}

/** @throws E2eeError KEY_FILE_MALFORMED, KEY_FILE_WRONG_PASSPHRASE */
export async function importKeys(
  { machine }: TrustDeps,
  file: Blob,
  passphrase: string,
): Promise<{ imported: number; total: number }> {
  const sessions = await readKeyFile(await file.text(), passphrase)
  let imported = 0
  for (let at = 0; at < sessions.length; at += sessionsPerStep) {
    imported += await machine.run(step => importSessions(step, sessions.slice(at, at + sessionsPerStep)))
  }
  return { imported, total: sessions.length }
}
