/** The published rooms of a peer. Spec: server-server-api#published-room-directory */
import type { ServerName } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { DirectoryQuery } from './public-rooms.ts'
import { RemoteError, type RemoteRooms } from './remote-rooms.ts'
import { summariesIn } from './remote-summary.ts'

const maxToken = 2_048

/** Rooms and tokens as far as they are what they should be. @throws RemoteError */
export async function listRemoteRooms(
  remote: Pick<RemoteRooms, 'publicRooms'>,
  server: ServerName,
  { limit, since, searchTerm, roomTypes }: DirectoryQuery,
): Promise<JsonObject> {
  const filter = {
    ...(searchTerm === undefined ? {} : { generic_search_term: searchTerm }),
    ...(roomTypes === undefined ? {} : { room_types: roomTypes }),
  }
  const answer = await remote.publicRooms(server, {
    limit,
    ...(since === undefined ? {} : { since }),
    ...(Object.keys(filter).length === 0 ? {} : { filter }),
  })
  const { chunk, total_room_count_estimate: total } = answer
  if (!Array.isArray(chunk)) {
    throw new RemoteError('unreachable', `${server} answered with something that is no room directory.`)
  }
  return {
    chunk: summariesIn(chunk.slice(0, limit)),
    ...(Number.isSafeInteger(total) ? { total_room_count_estimate: total as number } : {}),
    ...token(answer, 'next_batch'),
    ...token(answer, 'prev_batch'),
  }
}

function token(answer: JsonObject, name: 'next_batch' | 'prev_batch'): { readonly [name: string]: string } {
  const value = answer[name]
  return typeof value === 'string' && value.length <= maxToken ? { [name]: value } : {}
}
