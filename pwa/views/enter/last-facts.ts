/** What a device that has just come in still has to be told: asked of server, worker and browser. */
import { call, ownerState } from '../account.ts'
import { isDemo, readServerInfo, serverInfo } from '../server-info.ts'
import type { LastFacts } from './stage.ts'
import { hasPasskeys } from './support.ts'

export async function lastFacts({ isFirst }: { readonly isFirst: boolean }): Promise<LastFacts> {
  const [passkeys, devices, isPersisted] = await Promise.all([
    call('passkeys', null).catch(() => []),
    call('ourDevices', null).catch(() => []),
    navigator.storage.persisted().catch(() => false),
    serverInfo.peek() ? undefined : readServerInfo().catch(() => {}),
  ])
  // One click is one click.
  if (isDemo()) return { mayConfirm: false, isOnlyPasskey: false, isKept: true, rings: true }
  const ours = devices.find(({ isOurs }) => isOurs)
  const inMemory = ownerState.peek()?.inMemory === true
  return {
    mayConfirm: hasPasskeys() && passkeys.length > 0 && ours?.enrolment['kind'] !== 'enrolled',
    isOnlyPasskey: isFirst && passkeys.length === 1 && !passkeys[0]!.synced,
    isKept: inMemory || isPersisted,
    rings: inMemory || (serverInfo.peek()?.push.allowed ?? true) || !isHandheld(),
  }
}

/** What is carried about is what people expect to ring. */
function isHandheld(): boolean {
  return matchMedia('(pointer: coarse)').matches
}
