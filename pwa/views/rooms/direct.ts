/** A conversation with one person: the one that there is, or a new one, encrypted for the two of them. */
import { call, rooms } from '../account.ts'
import { errorText } from '../parts/notice.tsx'
import { toast } from '../parts/toast.tsx'
import { go } from '../route.ts'

export async function openDirect(userId: string): Promise<void> {
  const known = [...(rooms.peek()?.values() ?? [])]
    .filter(entry => entry.directWith.length === 1 && entry.directWith[0] === userId)
    .filter(entry => entry.membership === 'join' || entry.membership === 'invite')
    .sort((a, b) => b.lastTs - a.lastTs)[0]
  if (known) return go({ view: 'room', roomId: known.roomId })
  try {
    const roomId = await call('createRoom', {
      invite: [userId],
      isDirect: true,
      encrypted: true,
      joinRule: 'invite',
    })
    go({ view: 'room', roomId })
  } catch (error) {
    toast(errorText(error))
  }
}
