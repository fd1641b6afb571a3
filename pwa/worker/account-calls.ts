/**
 * The account at the server: passkeys, and where Web Push goes.
 *
 * What needs confirmation is refused with `CONFIRMATION_NEEDED` first, and made again with `auth`.
 */
import { isObject, type Json, type JsonObject } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import { type Http, inPath, letro, v3 } from '../api/http.ts'
import type { AccountCalls, PasskeyEntry } from './calls.ts'

export interface AccountDeps {
  readonly http: () => Http
}

export function accountCalls({ http }: AccountDeps): AccountCalls {
  const passkeys = `${letro}/passkeys`
  return {
    passkeys: async () => {
      const { passkeys: list } = await http().request('GET', passkeys)
      return Array.isArray(list) ? list.flatMap(entry => entryOf(entry) ?? []) : []
    },
    beginPasskey: async ({ auth }) => {
      const { options } = await http().request('POST', `${passkeys}/begin`, { body: withAuth(auth) })
      if (!isObject(options)) throw new ApiError('BAD_ANSWER', 'no options to make a passkey by')
      return options
    },
    completePasskey: async ({ attestation, name }) => {
      const entry = entryOf(
        await http().request('POST', `${passkeys}/complete`, { body: { attestation, name } }),
      )
      if (!entry) throw new ApiError('BAD_ANSWER', 'the server does not say what it took')
      return entry
    },
    renamePasskey: async ({ id, name }) => {
      await http().request('PUT', `${passkeys}/${inPath(id)}`, { body: { name } })
    },
    removePasskey: async ({ id, auth }) => {
      await http().request('DELETE', `${passkeys}/${inPath(id)}`, { body: withAuth(auth) })
    },
    // Spec: client-server-api#post_matrixclientv3pushersset
    setPusher: async ({ subscription, deviceName, language, on }) => {
      const { endpoint } = subscription
      if (typeof endpoint !== 'string') throw new ApiError('BAD_ANSWER', 'a subscription without an endpoint')
      await http().request('POST', `${v3}/pushers/set`, {
        body: {
          app_id: pushApp,
          // One a browser: its endpoint is too long for a push key.
          pushkey: await pushKeyOf(endpoint),
          kind: on ? 'org.letro.webpush' : null,
          app_display_name: 'Letro',
          device_display_name: deviceName,
          lang: language,
          data: { subscription },
        },
      })
    },
    // Spec: client-server-api#get_matrixclientv3pushers
    hasPusher: async endpoint => {
      const { pushers } = await http().request('GET', `${v3}/pushers`)
      const pushkey = await pushKeyOf(endpoint)
      const isIt = (each: Json) => isObject(each) && each['app_id'] === pushApp && each['pushkey'] === pushkey
      return Array.isArray(pushers) && pushers.some(isIt)
    },
  }
}

const pushApp = 'org.letro.app'

/** 43 characters; the specification allows 512 bytes. */
async function pushKeyOf(endpoint: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(endpoint))
  return new Uint8Array(hash).toBase64({ alphabet: 'base64url', omitPadding: true })
}

function withAuth(auth: JsonObject | null): JsonObject {
  return auth ? { auth } : {}
}

/** Null: not what a passkey looks like. */
function entryOf(entry: Json): PasskeyEntry | null {
  if (!isObject(entry)) return null
  const { id, name, public_key: publicKey, created_ts: createdTs, last_used_ts: lastUsedTs } = entry
  if (typeof id !== 'string' || typeof name !== 'string') return null
  return {
    id,
    name,
    publicKey: typeof publicKey === 'string' ? publicKey : '',
    createdTs: typeof createdTs === 'number' ? createdTs : 0,
    lastUsedTs: typeof lastUsedTs === 'number' ? lastUsedTs : null,
    synced: entry['backup_eligible'] === true,
  }
}
