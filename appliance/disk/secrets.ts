/** Changing what opens the data. Each needs what opens it now, and removes the old only when the new one works. */
import { DiskError } from './disk-error.ts'
import { readDiskState, writeDiskState } from './disk-state.ts'
import { replaceKey, requireHeader } from './keyslots.ts'
import { waysToOpen } from './luks-header.ts'
import type { Machine } from './machine.ts'
import { completeData, readSecret, unlock } from './open-data.ts'
import { requirePassphrase } from './passphrase.ts'
import { type RecoveryKey, sameRecoveryKey } from './recovery-key.ts'
import { type Sealing, seal } from './tpm.ts'

/** After another TPM or other firmware settings: what was sealed before opens no more. */
export async function sealToTpm(machine: Machine, typed: string, sealing: Sealing): Promise<void> {
  const { device, secret } = await proven(machine, typed)
  await seal(machine, device, secret, sealing)
  await tellWays(machine, device)
}

/** Also the first one of a machine that had a TPM. */
export async function changePassphrase(machine: Machine, typed: string, passphrase: string): Promise<void> {
  const next = requirePassphrase(passphrase)
  const { device, secret } = await proven(machine, typed)
  await replaceKey(machine, device, 'passphrase', { secret, next })
  await tellWays(machine, device)
}

export async function changeRecoveryKey(
  machine: Machine,
  typed: string,
  { recoveryKey, typedBack }: { readonly recoveryKey: RecoveryKey; readonly typedBack: RecoveryKey },
): Promise<void> {
  if (!sameRecoveryKey(recoveryKey, typedBack)) {
    throw new DiskError('KEY_NOT_TYPED_BACK', 'What was typed is not the recovery key that was shown.')
  }
  const { device, secret } = await proven(machine, typed)
  await replaceKey(machine, device, 'recoveryKey', { secret, next: recoveryKey })
  await tellWays(machine, device)
}

async function proven(machine: Machine, typed: string): Promise<{ device: string; secret: string }> {
  const { device, header } = await completeData(machine)
  const { secret } = readSecret(typed, header)
  await unlock(machine, device, secret, null)
  return { device, secret }
}

async function tellWays(machine: Machine, device: string): Promise<void> {
  const state = await readDiskState(machine)
  if (state?.state !== 'open' && state?.state !== 'locked') return
  await writeDiskState(machine, { ...state, ways: waysToOpen(await requireHeader(machine, device)) })
}
