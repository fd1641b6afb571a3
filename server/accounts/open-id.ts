/**
 * OpenID tokens: proof towards another service who somebody is, for an hour. Good for nothing else.
 *
 * In memory: a restart ends them, and clients ask again. Spec: client-server-api#openid
 */
import type { UserId } from '../protocol/ids.ts'
import { type Core, hashSecret, newSecret } from './core.ts'

export const openIdLifetimeMs = 60 * 60 * 1000
const maxTokens = 100_000

export interface OpenId {
  issue(userId: UserId): string
  /** Spec: server-server-api GET /_matrix/federation/v1/openid/userinfo */
  owner(token: string): UserId | null
}

export function openOpenId(core: Core): OpenId {
  const tokens = new Map<string, { userId: UserId; expiresTs: number }>()
  return {
    issue: userId => {
      for (const [hash, { expiresTs }] of tokens) {
        if (expiresTs > core.clock() && tokens.size < maxTokens) break
        tokens.delete(hash)
      }
      const token = newSecret(core, 'lto')
      tokens.set(hashSecret(token), { userId, expiresTs: core.clock() + openIdLifetimeMs })
      return token
    },
    owner: token => {
      const found = tokens.get(hashSecret(token))
      return found && found.expiresTs > core.clock() ? found.userId : null
    },
  }
}
