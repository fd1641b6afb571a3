/** GET /sync. Spec: client-server-api#get_matrixclientv3sync. */
import { readAccessToken, requireAccessToken, type TokenReader } from '../http/authenticate.ts'
import { queryBoolean, queryInteger, queryText } from '../http/fields.ts'
import { invalidParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route, Step } from '../http/route.ts'
import { parseJsonObject } from '../http/strict-json.ts'
import type { EventId, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { HangUp } from '../sync/changes.ts'
import { everything, type SyncFilter } from '../sync/filter.ts'
import { type Presence, type PresenceState, presenceStates } from '../sync/presence.ts'
import type { SyncResult } from '../sync/result.ts'
import type { StoredFilters } from '../sync/stored-filters.ts'
import type { Sync, SyncRequest } from '../sync/sync.ts'
import { parseSyncToken, type SyncToken } from '../sync/token.ts'
import { eventsOf, writeSyncResult } from '../sync/write.ts'

export interface SyncRouteDeps {
  readonly accounts: TokenReader
  /** Calls when a session of this person may have ended, until the answer is called. */
  onSessionChange(userId: UserId, listener: () => void): () => void
  readonly sync: Sync
  readonly filters: StoredFilters
  /** Absent: off. */
  readonly presence?: Pick<Presence, 'seen'> | undefined
  /** The event as other servers get it, for filters with `event_format: federation`. */
  signed(eventId: EventId): Promise<object | null>
  readonly clock: () => number
}

export function syncRoutes(deps: SyncRouteDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/_matrix/client/v3/sync',
      steps: [requireAccessToken(deps.accounts), limit('read'), syncOnce(deps)],
    },
  ]
}

function syncOnce(deps: SyncRouteDeps): Step {
  const authenticate = requireAccessToken(deps.accounts)
  return async function sync(ctx) {
    const { userId, deviceId } = ctx.state.requester
    const filter = await readFilter(deps.filters, userId, queryText(ctx.query, 'filter'))
    const timeoutMs = queryInteger(ctx.query, 'timeout') ?? 0
    const stateAfter = readStateAfter(ctx)
    const request: SyncRequest = {
      userId,
      deviceId,
      filter,
      since: readSince(queryText(ctx.query, 'since')),
      fullState: queryBoolean(ctx.query, 'full_state') ?? false,
      stateAfter: stateAfter !== undefined,
      timeoutMs,
      ...(timeoutMs > 0 ? { hangUp: hangUpOf(ctx, deps) } : {}),
    }
    const wanted = readPresence(queryText(ctx.query, 'set_presence'))
    deps.presence?.seen(userId, deviceId, wanted)
    const result = await deps.sync.sync(request)
    // Who was signed out while waiting gets nothing more.
    if (timeoutMs > 0) await authenticate(ctx, async () => {})
    const reader = { userId, deviceId, now: deps.clock() }
    const pdus = filter.eventFormat === 'federation' ? await pdusOf(deps, result) : undefined
    ctx.body = writeSyncResult(result, reader, filter, {
      pdus,
      ...(stateAfter === undefined ? {} : { stateAfterName: stateAfter }),
    })
  }
}

/** "The server will detect whether it is an ID or a JSON object by whether the first character is a `{`". */
async function readFilter(
  filters: StoredFilters,
  userId: UserId,
  text: string | undefined,
): Promise<SyncFilter> {
  if (text === undefined || text === '') return everything
  if (text.startsWith('{')) return filters.inline(text, json => parseJsonObject(Buffer.from(json)))
  return filters.read(userId, text)
}

function readSince(text: string | undefined): SyncToken | undefined {
  if (text === undefined || text === '') return undefined
  const token = parseSyncToken(text)
  if (!token) throw invalidParam('since is not a token of this server.')
  return token
}

/**
 * Clients of today (matrix-js-sdk) ask by the name that the parameter had before v1.16, and look for the answer
 * under the section's name of then.
 */
function readStateAfter({ query }: Context): 'state_after' | 'org.matrix.msc4222.state_after' | undefined {
  const unstable = queryBoolean(query, 'org.matrix.msc4222.use_state_after') ?? false
  if (queryBoolean(query, 'use_state_after')) return 'state_after'
  return unstable ? 'org.matrix.msc4222.state_after' : undefined
}

/** A wrong value is refused where presence is off as well. */
function readPresence(text = 'online'): PresenceState {
  const state = presenceStates.find(each => each === text)
  if (!state) throw invalidParam(`set_presence must be one of ${presenceStates.join(', ')}.`)
  return state
}

/** Ends the wait of a client that went away, and of a session that ended: it hears so at once. */
function hangUpOf(ctx: Context, deps: SyncRouteDeps): HangUp {
  const { res, state } = ctx
  let isOver = false
  const token = readAccessToken(ctx)
  let wake: (() => void) | undefined
  const look = async () => {
    const now = token === null ? null : await deps.accounts.readToken(token)
    if (now?.kind === 'valid' && now.standing !== 'locked') return
    isOver = true
    wake?.()
  }
  const stop = deps.onSessionChange(state.requester.userId, () => void look().catch(() => {}))
  res.once('close', stop)
  return {
    hasHungUp: () => isOver || res.destroyed,
    onHangUp(listener) {
      wake = listener
      res.once('close', listener)
      return () => res.off('close', listener)
    },
  }
}

async function pdusOf(deps: SyncRouteDeps, result: SyncResult): Promise<ReadonlyMap<EventId, JsonObject>> {
  const ids = eventsOf(result)
  const events = await Promise.all(ids.map(eventId => deps.signed(eventId)))
  return new Map(
    ids.flatMap((eventId, i) => (events[i] ? [[eventId, events[i] as JsonObject] as const] : [])),
  )
}
