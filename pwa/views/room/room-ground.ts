/** What every part of an open room stands on: who is there, what we may do, and what its lines can set in motion. */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { RoomEntry } from '../../sync/room-entry.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import type { Member, RoomDetail } from '../../worker/calls.ts'
import { plainName } from '../parts/plain-name.ts'

export interface RoomGround {
  readonly roomId: string
  /** The lines of a thread, not of the room. */
  readonly threadRoot: string | null
  readonly entry: RoomEntry | null
  readonly detail: RoomDetail | null
  readonly members: ReadonlyMap<string, Member>
  readonly ourUserId: string
  readonly reply: (item: TimelineItem) => void
  readonly edit: (item: TimelineItem) => void
  readonly show: (eventId: string) => void
  readonly ask: (question: Question) => void
}

/** What is shown over the room, one at a time. */
export type Question =
  | {
      readonly kind: 'emoji' | 'delete' | 'history' | 'details' | 'shield' | 'picture'
      readonly item: TimelineItem
    }
  | { readonly kind: 'pinned' | 'date' | 'invite' }

const Ground = createContext<RoomGround | null>(null)
export const GroundProvider = Ground.Provider

export function useGround(): RoomGround {
  const ground = useContext(Ground)
  if (!ground) throw new Error('no room is around this')
  return ground
}

/** A person's name as this room knows it, harmless. */
export function nameIn(ground: Pick<RoomGround, 'members'>, userId: string): string {
  return plainName(ground.members.get(userId)?.name) ?? userId
}

export function serverOf(userId: string): string {
  return userId.slice(userId.indexOf(':') + 1)
}
