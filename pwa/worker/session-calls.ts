/** What tabs may ask about the session itself: who it is, whether the server is within reach, and its end. */
import type { JsonObject } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import { inPath, v3 } from '../api/http.ts'
import { uploadFile } from '../api/upload.ts'
import { serverOf } from '../sync/names.ts'
import { isPartOfIdentity } from '../trust/own-identity.ts'
import { VaultError } from '../vault/errors.ts'
import type { App } from './app.ts'
import type { Connection, NewSession, SessionCalls, SessionState } from './calls.ts'

const profileRecord = { collection: 'session', id: 'profile' } as const
const logoutTimeoutMs = 5_000

export interface SessionDeps {
  readonly app: () => App | null
  readonly begin: (session: NewSession) => Promise<void>
  /** Forgets everything on this device. */
  readonly wipe: () => Promise<void>
  readonly tell: (notice: { readonly kind: 'session'; readonly session: SessionState | null }) => void
}

export function sessionCalls(deps: SessionDeps): SessionCalls {
  const { app } = deps
  return {
    session: async () => {
      const open = app()
      return open && stateOf(open)
    },
    begin: async session => {
      await deps.begin(session)
      const open = app()
      if (!open) throw new VaultError('RECORD_BROKEN', 'the keys of this device are damaged')
      const state = await stateOf(open)
      deps.tell({ kind: 'session', session: state })
      return state
    },
    connection: async () => app()?.loop.connection ?? notConnected,
    reconnect: async () => {
      const open = app()
      open?.loop.wake(await open.presence.isOutdated())
      open?.pump.wake()
    },
    waiting: async () => app()?.outbox.queue.size ?? 0,
    signOut: async () => {
      try {
        await app()?.http.request('POST', `${v3}/logout`, { body: {}, timeoutMs: logoutTimeoutMs })
      } catch (error) {
        // The server is away: the session ends there when an administrator or another device ends it.
        if (!(error instanceof ApiError)) throw error
      }
      await deps.wipe()
    },
    setProfile: async ({ displayName, avatar }) => {
      const { http, session } = app()!
      const path = `${v3}/profile/${inPath(session.userId)}`
      if (displayName !== undefined) {
        await http.request('PUT', `${path}/displayname`, { body: { displayname: displayName } })
      }
      if (avatar !== undefined) {
        const signal = new AbortController().signal
        const url = avatar ? await uploadFile(http, avatar, { onProgress: () => {}, signal }) : ''
        await http.request('PUT', `${path}/avatar_url`, { body: { avatar_url: url } })
      }
      await learnWhoWeAre(app()!, deps.tell)
    },
  }
}

const notConnected: Connection = { state: 'connecting', code: null, lastTs: 0, firstSyncDone: false }

/** From what is here: nothing is asked of the server. */
export async function stateOf({ session, store, trust }: App): Promise<SessionState> {
  const profile = await store.records.get(profileRecord.collection, profileRecord.id)
  return {
    userId: session.userId,
    deviceId: session.deviceId,
    serverName: serverOf(session.userId),
    displayName: (profile?.['displayName'] as string | null | undefined) ?? null,
    avatar: (profile?.['avatar'] as string | null | undefined) ?? null,
    isAdministrator: profile?.['isAdministrator'] === true,
    setup: (await isPartOfIdentity(trust.deps)) ? 'ready' : 'identity',
  }
}

/** Asks the server for name, picture and rights, and keeps them for when it is away. Its being away now is no failure. */
export async function learnWhoWeAre(app: App, tell: SessionDeps['tell']): Promise<void> {
  const { http, session, store } = app
  try {
    const profile = await http.request('GET', `${v3}/profile/${inPath(session.userId)}`)
    const { capabilities } = await http.request('GET', `${v3}/capabilities`)
    // Spec: client-server-api#maccount_moderation-capability: only administrators have it.
    const moderation = (capabilities as JsonObject | undefined)?.['m.account_moderation'] as
      | JsonObject
      | undefined
    const value: JsonObject = {
      displayName: textOf(profile['displayname']),
      avatar: textOf(profile['avatar_url']),
      isAdministrator: moderation?.['lock'] === true || moderation?.['suspend'] === true,
    }
    await store.records.commit([{ ...profileRecord, value }])
    tell({ kind: 'session', session: await stateOf(app) })
  } catch (error) {
    // Damaged, or locked meanwhile: that is said elsewhere.
    if (!(error instanceof ApiError || error instanceof VaultError)) throw error
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
