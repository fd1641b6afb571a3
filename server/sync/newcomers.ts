/**
 * Who came into a room, told once that is durable: for what is kept in memory alone (presence). Nobody is told again after
 * a crash.
 */
import type { RoomId, UserId } from '../protocol/ids.ts'
import type { Projection } from '../rooms/projection.ts'
import type { Topic } from '../store/store.ts'

export interface Newcomer {
  readonly roomId: RoomId
  readonly userId: UserId
}

/** For `rooms` to run. */
export const newcomersProjection: Projection = {
  name: 'newcomers',
  rows({ roomId, type, stateKey, content, replacesState }, _view, _loaded, rows) {
    if (type !== 'm.room.member' || stateKey === undefined || content['membership'] !== 'join') return
    if (replacesState?.content['membership'] !== 'join') rows.announce(`joined:${roomId} ${stateKey}`)
  },
}

export function newcomersIn(topics: ReadonlySet<Topic>): Newcomer[] {
  const newcomers: Newcomer[] = []
  for (const topic of topics) {
    if (!topic.startsWith('joined:')) continue
    const [roomId, userId] = topic.slice('joined:'.length).split(' ')
    newcomers.push({ roomId: roomId as RoomId, userId: userId as UserId })
  }
  return newcomers
}
