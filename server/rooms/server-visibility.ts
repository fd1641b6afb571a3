/**
 * Which events a server that is in the room may see: those that any of its people may see.
 *
 * Spec: client-server-api#room-history-visibility, applied to a server as a whole. Shared history is open to whoever
 * is in now; for the stricter settings, somebody of that server must have been in (or invited) at the time.
 */
import { type EventId, type RoomId, type ServerName, serverOf, type UserId } from '../protocol/ids.ts'
import type { Position, View } from '../store/store.ts'
import { stateKeyOf } from './graph-event.ts'
import { maySee, visibilityIn } from './history-visibility.ts'
import type { RoomActor } from './room-actor.ts'
import type { RoomsContext } from './rooms-context.ts'
import { emptyState, type StateChain, stateIn } from './state-chain.ts'
import type { StoredEvent } from './stored-event.ts'

export async function visibleToServer(
  { actors, store, reader }: RoomsContext,
  server: ServerName,
  roomId: RoomId,
  eventIds: readonly EventId[],
): Promise<boolean[]> {
  const actor = await actors.get(roomId)
  if (!actor?.exists) return eventIds.map(() => false)
  const settingKey = actor.stateKeys.get(stateKeyOf('m.room.history_visibility', ''))
  return store.read(async view => {
    const events = await reader.byIds(view, eventIds)
    const chains = await reader.chains(
      view,
      events.flatMap(event => (event && event.before !== 0 ? [event.before] : [])),
    )
    const settings = await settingsAt(view, events, chains, settingKey)
    const answers: boolean[] = []
    for (const [i, event] of events.entries()) {
      if (!event || event.roomId !== roomId || event.facts.flags.outlier || event.facts.flags.rejected) {
        answers.push(false)
        continue
      }
      const setting = settings[i]
      const isOpen = [setting, ...(isSetting(event) ? [event] : [])].some(each => {
        const value = visibilityIn(each?.content)
        return value === 'shared' || value === 'world_readable'
      })
      answers.push(
        isOpen || (await someoneSees(view, event, chains.get(event.before) ?? emptyState, setting)),
      )
    }
    return answers
  })

  async function settingsAt(
    view: View,
    events: readonly (StoredEvent | undefined)[],
    chains: ReadonlyMap<Position, StateChain>,
    key: number | undefined,
  ): Promise<(StoredEvent | undefined)[]> {
    const positions = events.map(event =>
      event && key !== undefined ? stateIn(chains.get(event.before) ?? emptyState, key) : undefined,
    )
    const wanted = [...new Set(positions.filter(position => position !== undefined))]
    const loaded = await reader.byPositions(view, wanted)
    const byPosition = new Map(wanted.map((position, i) => [position, loaded[i]]))
    return positions.map(position => (position === undefined ? undefined : byPosition.get(position)))
  }

  /** Was anybody of the server in, or invited, before the event? */
  async function someoneSees(
    view: View,
    event: StoredEvent,
    chain: StateChain,
    setting: StoredEvent | undefined,
  ): Promise<boolean> {
    const people = peopleOf(actor!, server).flatMap(({ userId, key }) => {
      const position = stateIn(chain, key)
      return position === undefined && event.stateKey !== userId ? [] : [{ userId, position }]
    })
    const members = await reader.byPositions(
      view,
      people.flatMap(({ position }) => (position === undefined ? [] : [position])),
    )
    const byPosition = new Map(members.map(member => [member?.position, member]))
    return people.some(({ userId, position }) =>
      maySee({
        userId,
        event,
        visibilityBefore: setting?.content,
        membershipBefore:
          position === undefined ? undefined : byPosition.get(position)?.content['membership'],
        joinedAfterwards: false,
      }),
    )
  }
}

/** Whoever of this server was ever in the room's state. */
function peopleOf(actor: RoomActor, server: ServerName): { userId: UserId; key: number }[] {
  const prefix = stateKeyOf('m.room.member', '')
  return [...actor.stateKeys].flatMap(([name, key]) => {
    if (!name.startsWith(prefix)) return []
    const userId = name.slice(prefix.length) as UserId
    return serverOf(userId) === server ? [{ userId, key }] : []
  })
}

function isSetting(event: StoredEvent): boolean {
  return event.type === 'm.room.history_visibility' && event.stateKey === ''
}
