/**
 * Web Push on this device: the browser's subscription, handed to the server.
 *
 * Spec: Push API. The server encrypts to the subscription's keys (RFC 8291) that something came, and nothing else.
 */
import { decodeBase64Url } from '#protocol/base64.ts'
import type { JsonObject } from '#protocol/json.ts'
import { manner } from '../../i18n/i18n.ts'
import { call } from '../account.ts'
import { isInstalled, isIos } from '../enter/support.ts'
import { suggestedName } from '../passkey-gesture.ts'
import { type PushState, pushStateOf } from './push-state.ts'

export async function pushState(allowed: boolean): Promise<PushState> {
  const supported = 'serviceWorker' in navigator && 'PushManager' in globalThis
  const subscription = supported ? await currentSubscription() : null
  return pushStateOf({
    allowed,
    supported,
    isApple: isIos(),
    isInstalled: isInstalled(),
    endpoint: subscription && (await isRung(subscription)) ? subscription.endpoint : null,
  })
}

/** The browser keeps a subscription longer than the server does, which ends it with the session. */
async function isRung({ endpoint }: PushSubscription): Promise<boolean> {
  try {
    return await call('hasPusher', endpoint)
  } catch {
    // It cannot be asked now: the browser's word has to do.
    return true
  }
}

/** Asks the browser, then tells the server. A subscription that the server did not take is given back. */
export async function subscribe(vapidPublicKey: string): Promise<void> {
  const registration = await navigator.serviceWorker.ready
  // One of an earlier session, perhaps for another key of the server, would be in the way.
  await (await registration.pushManager.getSubscription())?.unsubscribe()
  const subscription = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: new Uint8Array(decodeBase64Url(vapidPublicKey) ?? []),
  })
  try {
    await tellServer(subscription, true)
  } catch (error) {
    await subscription.unsubscribe()
    throw error
  }
}

/** The server first: a subscription that is gone could not be named any more. */
export async function unsubscribe(): Promise<void> {
  const subscription = await currentSubscription()
  if (!subscription) return
  await tellServer(subscription, false)
  await subscription.unsubscribe()
}

async function tellServer(subscription: PushSubscription, on: boolean): Promise<void> {
  await call('setPusher', {
    subscription: subscription.toJSON() as JsonObject,
    deviceName: suggestedName(),
    language: manner.peek().language,
    on,
  })
}

async function currentSubscription(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration()
  return (await registration?.pushManager.getSubscription()) ?? null
}
