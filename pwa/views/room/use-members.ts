/** The people of a room by their ids: those that this device knows at once, the whole list when it is here. */
import { useMemo } from 'preact/hooks'
import type { Member } from '../../worker/calls.ts'
import { call } from '../account.ts'
import { useAsked } from '../use-asked.ts'

const nobody: ReadonlyMap<string, Member> = new Map()

export function useMembers(roomId: string): ReadonlyMap<string, Member> {
  const { answer } = useAsked(
    `members ${roomId}`,
    () => call('members', roomId),
    notice => notice.kind === 'members' && notice.roomId === roomId,
  )
  return useMemo(() => (answer ? new Map(answer.map(member => [member.userId, member])) : nobody), [answer])
}
