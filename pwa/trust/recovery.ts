/** The recovery key after it was shown: typed back in part, and when that was. */
import type { TrustDeps } from './ports.ts'
import { newStorage, recoveryKeyHere } from './storage.ts'

const checkedId = 'recovery-checked'

/** 0: never. */
export async function recoveryCheckedTs({ records }: TrustDeps): Promise<number> {
  return Number((await records.get('trust', checkedId))?.['ts'] ?? 0)
}

/** The groups are counted from 0; below zero from the end. @throws TrustError STORAGE_KEY_NOT_HERE */
export async function checkRecoveryKey(deps: TrustDeps, group: number, text: string): Promise<boolean> {
  const expected = (await recoveryKeyHere(deps)).split(' ').at(group)
  if (expected === undefined || text.replace(/\s/g, '') !== expected) return false
  const value = { ts: deps.clock() }
  await deps.records.commit([{ collection: 'trust', id: checkedId, value }])
  return true
}

/** The new one was not typed back yet. Passkeys open it only after they were added again: their secret is not here. */
export async function newRecoveryKey(deps: TrustDeps): Promise<string> {
  const recoveryKey = await newStorage(deps, null)
  await deps.records.commit([{ collection: 'trust', id: checkedId, value: null }])
  return recoveryKey
}
