/**
 * May this user see this event?
 *
 * Spec: client-server-api#room-history-visibility. It depends on the state at the event, not on today's: a setting never
 * opens or closes what was said under another one. This is the rule alone; finding the state is the caller's.
 */
import type { Json, JsonObject } from '../protocol/json.ts'
import { memberOf } from '../protocol/json.ts'

export type HistoryVisibility = 'world_readable' | 'shared' | 'invited' | 'joined'

export type VisibilityQuestion = {
  readonly userId: string
  readonly event: {
    readonly type: string
    readonly stateKey?: string | undefined
    readonly content: JsonObject
  }
  /** From the state before the event: the content of m.room.history_visibility, if there is one. */
  readonly visibilityBefore: JsonObject | undefined
  /** From the state before the event: the user's membership. */
  readonly membershipBefore: Json | undefined
  /** Did the user join the room at any point after the event? */
  readonly joinedAfterwards: boolean
}

export function maySee(question: VisibilityQuestion): boolean {
  const { userId, event, membershipBefore, joinedAfterwards } = question
  const visibilities = [visibilityIn(question.visibilityBefore)]
  const memberships = [membershipBefore]
  // An event that changes either can be seen by who may see it before or after the change.
  if (event.type === 'm.room.history_visibility' && event.stateKey === '') {
    visibilities.push(visibilityIn(event.content))
  }
  if (event.type === 'm.room.member' && event.stateKey === userId) {
    memberships.push(memberOf(event.content, 'membership'))
  }
  return visibilities.some(visibility =>
    memberships.some(membership => isVisible(visibility, membership, joinedAfterwards)),
  )
}

/** Absent and not understood both mean `shared`. */
export function visibilityIn(content: JsonObject | undefined): HistoryVisibility {
  const value = content && memberOf(content, 'history_visibility')
  switch (value) {
    case 'world_readable':
    case 'invited':
    case 'joined':
      return value
    default:
      return 'shared'
  }
}

function isVisible(
  visibility: HistoryVisibility,
  membership: Json | undefined,
  joinedAfterwards: boolean,
): boolean {
  // (1)
  if (visibility === 'world_readable') return true
  // (2)
  if (membership === 'join') return true
  // (3)
  if (visibility === 'shared' && joinedAfterwards) return true
  // (4, 5)
  return visibility === 'invited' && membership === 'invite'
}
