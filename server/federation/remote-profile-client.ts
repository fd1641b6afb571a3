/**
 * Profiles of people of peers. Spec: server-server-api#get_matrixfederationv1queryprofile
 *
 * Kept for some seconds: a list of people asks for each of them, and for the same ones again.
 */
import { serverOf, type UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { RemoteError } from '../rooms/remote-rooms.ts'
import { type FederationClient, pathOf } from './client.ts'
import { orNull } from './remote-rooms-client.ts'

/** null: the peer says that there is nobody, says nothing, or cannot be asked. */
export type RemoteProfile = (userId: UserId) => Promise<JsonObject | null>

const keptMs = 10_000
const maxKept = 2_000
const maxBytes = 128 * 1024
/** Somebody waits for it to be shown. */
const timeoutMs = 5_000

export function remoteProfileClient(
  client: Pick<FederationClient, 'json'>,
  clock: () => number,
): RemoteProfile {
  const kept = new Map<UserId, { readonly until: number; readonly profile: Promise<JsonObject | null> }>()

  async function ask(userId: UserId): Promise<JsonObject | null> {
    try {
      const answer = await orNull(
        client.json(serverOf(userId), {
          method: 'GET',
          path: pathOf`/v1/query/profile`,
          query: { user_id: userId },
          timeoutMs,
          maxBytes,
        }),
      )
      return answer && profileIn(answer)
    } catch (error) {
      if (error instanceof RemoteError) return null
      throw error
    }
  }

  return userId => {
    const known = kept.get(userId)
    if (known && known.until > clock()) return known.profile
    const entry = { until: clock() + keptMs, profile: ask(userId) }
    kept.delete(userId)
    kept.set(userId, entry)
    if (kept.size > maxKept) kept.delete(kept.keys().next().value!)
    return entry.profile
  }
}

/** Clients rely on the types of the two fields that everybody has; null stands for none. */
function profileIn(answer: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(answer).filter(([name, value]) =>
      name === 'displayname' || name === 'avatar_url' ? typeof value === 'string' : value !== null,
    ),
  )
}
