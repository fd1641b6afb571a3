/**
 * The peers that a site was told at its set-up: `letro init` leaves them in the data folder, the first start pins them.
 *
 *     {"peers": [{"card": {…}, "fingerprint": "sixteen words"}]}
 */
import { isObject, type JsonObject } from './json.ts'

export const firstPeersFile = 'first-peers.json'

export interface FirstPeer {
  readonly card: JsonObject
  readonly fingerprint: string
}

/** What is no peer is left out: it cannot be pinned, and keeps none of the others from it. */
export function parseFirstPeers(text: string): FirstPeer[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return []
  }
  const list = isObject(json) && Array.isArray(json['peers']) ? json['peers'] : []
  return list.flatMap((peer: unknown) =>
    isObject(peer) && isObject(peer['card']) && typeof peer['fingerprint'] === 'string'
      ? [{ card: peer['card'], fingerprint: peer['fingerprint'] }]
      : [],
  )
}
