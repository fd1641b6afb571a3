/**
 * Which events a person may see: the rule of history-visibility.ts, with the states that it needs.
 *
 * It depends on the state at each event. Most questions need none of it: somebody who is joined now sees whatever
 * was said while history was shared, and where each event stood on all before it, positions tell which setting held
 * when. What is left is looked up by snapshot, and neighbouring events share theirs.
 *
 * Spec: client-server-api#room-history-visibility
 */
import type { RoomId, UserId } from '../protocol/ids.ts'
import type { Position } from '../store/store.ts'
import { stateKeyOf } from './graph-event.ts'
import { maySee, visibilityIn } from './history-visibility.ts'
import type { RoomActor } from './room-actor.ts'
import type { RoomEvent, RoomMembership } from './rooms.ts'
import type { RoomsContext } from './rooms-context.ts'
import { emptyState, type StateChain, stateIn } from './state-chain.ts'
import { StoredEvent } from './stored-event.ts'

export class Visibility {
  readonly #context: RoomsContext

  constructor(context: RoomsContext) {
    this.#context = context
  }

  async visible(userId: UserId, events: readonly RoomEvent[]): Promise<boolean[]> {
    const answers = events.map(() => false)
    const byRoom = Map.groupBy(events.keys(), i => events[i]!.roomId)
    if (byRoom.size === 0) return answers
    const memberships = await this.#context.memberships.of(userId)
    for (const [roomId, places] of byRoom) {
      await this.#inRoom(userId, memberships.get(roomId), roomId, events, places, answers)
    }
    return answers
  }

  async #inRoom(
    userId: UserId,
    membership: RoomMembership | undefined,
    roomId: RoomId,
    events: readonly RoomEvent[],
    places: readonly number[],
    answers: boolean[],
  ): Promise<void> {
    const { actors } = this.#context
    const actor = actors.loaded(roomId) ?? (await actors.get(roomId))
    if (!actor?.exists) return
    const undecided: number[] = []
    const since = membership?.membership === 'join' ? sharedSince(actor) : null
    for (const place of places) {
      if (since !== null && events[place]!.order > since) answers[place] = true
      else undecided.push(place)
    }
    if (undecided.length > 0) await this.#bySnapshot(userId, membership, actor, events, undecided, answers)
  }

  async #bySnapshot(
    userId: UserId,
    membership: RoomMembership | undefined,
    actor: RoomActor,
    events: readonly RoomEvent[],
    places: readonly number[],
    answers: boolean[],
  ): Promise<void> {
    const { store, reader } = this.#context
    const memberKey = actor.stateKeys.get(stateKeyOf('m.room.member', userId))
    const settingKey = actor.stateKeys.get(stateKeyOf('m.room.history_visibility', ''))
    await store.read(async view => {
      const stored = await storedEvents(places.map(place => events[place]!))
      const chains = await reader.chains(
        view,
        stored.flatMap(event => (event && event.before !== 0 ? [event.before] : [])),
      )
      const at = (event: StoredEvent, key: number | undefined): Position | undefined => {
        const chain: StateChain = chains.get(event.before) ?? emptyState
        return key === undefined ? undefined : stateIn(chain, key)
      }
      const wanted = new Set<Position>()
      for (const event of stored) {
        for (const key of [memberKey, settingKey]) {
          const position = event && at(event, key)
          if (position !== undefined) wanted.add(position)
        }
      }
      const positions = [...wanted]
      const loaded = await reader.byPositions(view, positions)
      const byPosition = new Map(positions.map((position, i) => [position, loaded[i]]))
      for (const [i, event] of stored.entries()) {
        if (!event?.isShown) continue
        answers[places[i]!] = maySee({
          userId,
          event,
          visibilityBefore: byPosition.get(at(event, settingKey) ?? (0 as Position))?.content,
          membershipBefore: byPosition.get(at(event, memberKey) ?? (0 as Position))?.content['membership'],
          joinedAfterwards: joinedAfter(membership, event),
        })
      }

      /** Events that were handed out are ours; a copy that somebody made is read again. */
      async function storedEvents(given: readonly RoomEvent[]): Promise<(StoredEvent | undefined)[]> {
        if (given.every(event => event instanceof StoredEvent)) return [...given]
        return reader.byPositions(
          view,
          given.map(({ position }) => position),
        )
      }
    })
  }
}

/**
 * Everything in the timeline above this order was said while history was shared or open; null: not known without
 * looking at states. Only for people who are joined now.
 */
function sharedSince(actor: RoomActor): number | null {
  const setting = actor.durable.get('m.room.history_visibility', '')
  const value = visibilityIn(setting?.content)
  if (value !== 'shared' && value !== 'world_readable') return null
  return Math.max(setting ? setting.position : -1, actor.durableLinearFrom)
}

/** Was the user in the room at any time after the event? */
function joinedAfter(membership: RoomMembership | undefined, event: RoomEvent): boolean {
  if (!membership?.everJoined) return false
  return membership.membership === 'join' || event.order < (membership.joinedUntil ?? 0)
}
