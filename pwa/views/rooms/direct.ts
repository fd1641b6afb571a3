/** A conversation with one person: the one that there is, or a new one, encrypted for the two of them. */
import { call, rooms } from '../account.ts'
import { go } from '../route.ts'
import { directWith } from './direct-chat.ts'

/** @throws where the person is not known, or the server is not within reach */
export async function openDirect(userId: string): Promise<void> {
  const known = directWith(rooms.peek()?.values() ?? [], userId)
  if (known) return go({ view: 'room', roomId: known.roomId })
  // Asked first: a room that is made for nobody would stay behind.
  await call('profile', userId)
  const roomId = await call('createRoom', {
    invite: [userId],
    isDirect: true,
    encrypted: true,
    joinRule: 'invite',
  })
  go({ view: 'room', roomId })
}
