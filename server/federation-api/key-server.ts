/**
 * Our keys, for everybody: how a server that is about to pin us, or that checks an old event of ours, learns them.
 *
 * Spec: server-server-api#retrieving-server-keys
 */
import type { Route, Step } from '../http/route.ts'
import type { PeerKey } from '../peers/peer.ts'
import { encodeBase64 } from '../protocol/base64.ts'
import type { ServerName } from '../protocol/ids.ts'
import { type KeyId, signJson } from '../protocol/signing.ts'

export interface KeyServerDeps {
  readonly serverName: ServerName
  readonly keys: () => ReadonlyMap<KeyId, PeerKey>
  readonly signer: { readonly keyId: KeyId; sign(keyId: KeyId, bytes: Uint8Array): Uint8Array }
  readonly clock: () => number
}

/** Peers ask again within a day: what a leaked key could still sign is bounded by that. */
const validMs = 24 * 3_600_000

export function keyServerRoutes({ serverName, keys, signer, clock }: KeyServerDeps): Route[] {
  const serverKeys: Step = ctx => {
    const all = [...keys()]
    const current = all.filter(([, { expiredTs }]) => expiredTs === undefined)
    const old = all.filter(([, { expiredTs }]) => expiredTs !== undefined)
    const answer = {
      server_name: serverName,
      valid_until_ts: clock() + validMs,
      verify_keys: Object.fromEntries(current.map(([id, key]) => [id, { key: encodeBase64(key.publicKey) }])),
      old_verify_keys: Object.fromEntries(
        old.map(([id, key]) => [id, { key: encodeBase64(key.publicKey), expired_ts: key.expiredTs! }]),
      ),
    }
    ctx.body = signJson(answer, serverName, signer.keyId, bytes => signer.sign(signer.keyId, bytes))
  }
  return [
    { method: 'GET', path: '/_matrix/key/v2/server', steps: [serverKeys] },
    // Deprecated since v1.1, and still asked for: the key's id does not change the answer.
    { method: 'GET', path: '/_matrix/key/v2/server/:keyId', steps: [serverKeys] },
  ]
}
