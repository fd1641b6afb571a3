/**
 * Login tokens: somebody who is signed in lets another device of theirs in, once.
 *
 * A token works for two minutes, for one login, and only while the session that asked for it lives. Its issuer proved who
 * they are just then; so for ten minutes the new session may add one passkey without being asked for a proof that its
 * device cannot give yet. Held in memory: a restart ends what was under way, and people begin again.
 *
 * Spec: client-server-api#post_matrixclientv1loginget_token
 */
import type { DeviceId, UserId } from '../protocol/ids.ts'
import { deviceTable } from '../store/catalogue.ts'
import { AccountError } from './account-error.ts'
import type { Audit } from './audit.ts'
import { type Core, hashSecret, newSecret } from './core.ts'
import {
  type NewSession,
  type Requester,
  refuseUnlessUsable,
  type Session,
  type Sessions,
} from './sessions.ts'

export interface LoginTokens {
  /** For a person who has proved who they are within this very request. */
  issue(requester: Pick<Requester, 'userId' | 'deviceId'>): LoginToken
  /** For a demonstration, where nobody proves anything: the new session may not add a passkey. */
  issueUnproven(userId: UserId): LoginToken
  redeem(token: string, session: NewSession): Promise<Session>
  /** May this session add a passkey without another proof? */
  mayAddPasskey(requester: Pick<Requester, 'userId' | 'deviceId'>): boolean
  /** It has: not a second one. */
  passkeyAdded(requester: Pick<Requester, 'userId' | 'deviceId'>): void
}

export interface LoginToken {
  readonly token: string
  readonly expiresInMs: number
}

interface Issued {
  readonly userId: UserId
  /** Null: nobody's. */
  readonly issuer: DeviceId | null
  readonly expiresTs: number
}

const lifetimeMs = 2 * 60 * 1000
const passkeyMs = 10 * 60 * 1000
const maxTokens = 10_000

export function openLoginTokens(core: Core, audit: Audit, sessions: Sessions): LoginTokens {
  const { store, clock } = core
  // Insertion order is order of expiry, in both.
  const issued = new Map<string, Issued>()
  /** By user and device: until when. */
  const fresh = new Map<string, number>()

  const issue = (userId: UserId, issuer: DeviceId | null): LoginToken => {
    for (const [hash, { expiresTs }] of issued) {
      if (expiresTs > clock() && issued.size < maxTokens) break
      issued.delete(hash)
    }
    const token = newSecret(core, 'ltl')
    issued.set(hashSecret(token), { userId, issuer, expiresTs: clock() + lifetimeMs })
    return { token, expiresInMs: lifetimeMs }
  }

  core.deviceRemoved.push((_tx, userId, deviceId) => void fresh.delete(place({ userId, deviceId })))

  return {
    issue: ({ userId, deviceId }) => issue(userId, deviceId),
    issueUnproven: userId => issue(userId, null),

    redeem: async (token, session) => {
      const hash = hashSecret(token)
      const found = issued.get(hash)
      // Taken whatever comes of it.
      issued.delete(hash)
      if (!found || found.expiresTs <= clock()) throw unknownToken()
      const { userId, issuer } = found
      const opened = await store.transact(userId, async tx => {
        await refuseUnlessUsable(tx, userId, clock())
        if (issuer !== null && !(await tx.get(deviceTable.key(userId, issuer)))) throw unknownToken()
        const opened = await sessions.openIn(tx, userId, session)
        await audit.record(tx, {
          actor: userId,
          action: 'session.by-login-token',
          target: userId,
          detail: { device: opened.deviceId, issuer },
        })
        return opened
      })
      core.forgetSessions(userId)
      if (issuer !== null) {
        for (const [of, untilTs] of fresh) if (untilTs <= clock()) fresh.delete(of)
        fresh.set(place(opened), clock() + passkeyMs)
      }
      return opened
    },

    mayAddPasskey: requester => (fresh.get(place(requester)) ?? 0) > clock(),
    passkeyAdded: requester => void fresh.delete(place(requester)),
  }
}

function place({ userId, deviceId }: Pick<Requester, 'userId' | 'deviceId'>): string {
  return JSON.stringify([userId, deviceId])
}

function unknownToken(): AccountError {
  return new AccountError('M_FORBIDDEN', 'The login token is unknown, was used, or is too old.')
}
