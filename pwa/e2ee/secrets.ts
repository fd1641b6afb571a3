/**
 * The private keys that a person's devices have in common, as this device holds them.
 *
 * Spec: client-server-api#secrets. A secret is believed by what it makes: a cross-signing seed has to give the public
 * key of our own identity, a backup key the public key of the backup. So it does not matter who brought it.
 */
import { E2eeError } from './errors.ts'
import type { Step } from './records.ts'
import { SigningKey } from './signing-key.ts'

export const crossSigningSecrets = [
  'm.cross_signing.master',
  'm.cross_signing.self_signing',
  'm.cross_signing.user_signing',
] as const
export type CrossSigningSecret = (typeof crossSigningSecrets)[number]
export const backupSecret = 'm.megolm_backup.v1'
/** Ours: `keyId recoveryKey` of secret storage, for devices of ours that were verified and not opened by it. */
export const storageSecret = 'org.letro.secret_storage_key'
export type SecretName = CrossSigningSecret | typeof backupSecret | typeof storageSecret

export function parseSecretName(name: unknown): SecretName | null {
  const names: readonly SecretName[] = [...crossSigningSecrets, backupSecret, storageSecret]
  return names.find(known => known === name) ?? null
}

/** Unpadded base64 of the 32 bytes, the form in which secrets are stored and shared. */
export async function readSecret(step: Pick<Step, 'get'>, name: SecretName): Promise<string | null> {
  const record = await step.get('secret', name)
  const secret = record?.['secret']
  return typeof secret === 'string' ? secret : null
}

export function putSecret(step: Step, name: SecretName, secret: string): void {
  step.put('secret', name, { version: 1, secret })
  step.tell({ kind: 'secret', name })
}

export function forgetSecret(step: Step, name: SecretName): void {
  step.delete('secret', name)
  step.tell({ kind: 'secret', name })
}

/** @throws E2eeError SECRET_MISSING */
export async function expectSigningKey(
  step: Pick<Step, 'get'>,
  name: CrossSigningSecret,
): Promise<SigningKey> {
  const secret = await readSecret(step, name)
  if (secret === null) throw new E2eeError('SECRET_MISSING', `${name} is not on this device`)
  return SigningKey.fromSecret(secret)
}
