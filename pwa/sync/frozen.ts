/**
 * A room that our server froze, for a server that it does not know came into it: nothing is sent, accepted or served there.
 *
 * Our server says so in the room's account data, `org.letro.frozen` `{server, by, event_id, since}`, and takes it back by
 * content without them.
 */
import type { Room } from './room.ts'

export interface Frozen {
  /** The server that is not known. */
  readonly server: string
  /** Who let it in, or who of it came; null: not said. */
  readonly by: string | null
  /** Null: not said. */
  readonly sinceTs: number | null
}

const longestName = 255
/** The last moment that a Date can be. */
const latestTs = 8.64e15

export function frozenState({ accountData }: Pick<Room, 'accountData'>): Frozen | null {
  const { server, by, since } = accountData.get('org.letro.frozen') ?? {}
  if (typeof server !== 'string' || server === '') return null
  return {
    server: server.slice(0, longestName),
    by: typeof by === 'string' && by.startsWith('@') ? by.slice(0, longestName) : null,
    sinceTs: typeof since === 'number' && since > 0 && since <= latestTs ? since : null,
  }
}
