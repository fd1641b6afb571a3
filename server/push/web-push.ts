/**
 * Web Push: what is sent to a browser vendor's push service, and where to.
 *
 * The payload says in how many rooms something is new, and in which language to say so; it is encrypted for the browser, so that the service
 * reads not even that. It learns when a device is rung. Only hosts that the configuration allows are ever reached.
 *
 * Spec: RFC 8030 (the request), RFC 8291 (its encryption), RFC 8292 (VAPID: who asks).
 */
import { createECDH } from 'node:crypto'
import { decodeBase64Url } from '../protocol/base64.ts'
import { pushSettingTable, type VapidRow } from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'

export interface Subscription {
  readonly endpoint: string
  readonly p256dh: string
  readonly auth: string
}

export interface PushRequest {
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array<ArrayBuffer>
}

/** The port to the network. Rejects where there was no answer. */
export type SendPush = (request: PushRequest) => Promise<{
  readonly status: number
  readonly retryAfterSeconds: number | null
}>

/** Whoever was away for longer finds out by opening the app. */
const timeToLiveSeconds = 24 * 60 * 60

/** Made once, and kept: subscriptions are bound to the public one. */
export function openVapidKeys(store: Store): Promise<VapidRow> {
  return store.transact('push-vapid', async tx => {
    const key = pushSettingTable.key('vapid')
    const known = await tx.get(key)
    if (known) return known
    const made = newVapidKeys()
    tx.put(key, made)
    return made
  })
}

/** RFC 8292 §3.2: a pair on P-256; the private one has its 32 bytes even where it begins with zeros. */
function newVapidKeys(): VapidRow {
  const pair = createECDH('prime256v1')
  const publicKey = pair.generateKeys('base64url')
  const privateKey = Buffer.concat([Buffer.alloc(32), pair.getPrivateKey()]).subarray(-32)
  return { publicKey, privateKey: privateKey.toString('base64url') }
}

/** @param subject whom a push service may turn to: an https or mailto URL */
export async function pushRequest(
  { endpoint, p256dh, auth }: Subscription,
  payload: string,
  vapid: VapidRow,
  subject: string,
): Promise<PushRequest> {
  // Loaded for the first ring.
  const { default: webPush } = await import('web-push')
  const { headers, body } = webPush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, payload, {
    vapidDetails: { subject, ...vapid },
    TTL: timeToLiveSeconds,
    urgency: 'high',
    // What the device has not fetched yet is replaced: one ring says it all.
    topic: 'letro',
  })
  const { 'Content-Length': _, ...rest } = headers as Record<string, unknown>
  const texts = Object.entries(rest).map(([name, value]) => [name, String(value)])
  return { endpoint, headers: Object.fromEntries(texts), body: new Uint8Array(body) }
}

/** Https, the usual port, and a host of the list; `*.` in front stands for any name below. */
export function isAllowedEndpoint(endpoint: string, hosts: readonly string[]): boolean {
  if (endpoint.length > 2_000 || !URL.canParse(endpoint)) return false
  const { protocol, hostname, port, username, password } = new URL(endpoint)
  if (protocol !== 'https:' || port !== '' || username !== '' || password !== '') return false
  return hosts.some(host =>
    host.startsWith('*.')
      ? hostname.endsWith(host.slice(1)) && hostname !== host.slice(2)
      : hostname === host,
  )
}

/** RFC 8291 §3.1, §3.2: an uncompressed P-256 point, and 16 bytes. */
export function areSubscriptionKeys(p256dh: string, auth: string): boolean {
  const point = decodeBase64Url(p256dh)
  return point?.length === 65 && point[0] === 4 && decodeBase64Url(auth)?.length === 16
}
