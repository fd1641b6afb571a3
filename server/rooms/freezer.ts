/**
 * Rooms that stand still because a server is in them that nobody here has pinned: when they begin to, and when they end.
 *
 * The room's own writer freezes it in the batch of the event that brings the stranger in (room-transaction.ts); here
 * is the rest: events that nobody can check, and pins that come and go. A room that is loaded is looked at anew, so that
 * none runs on, whatever a crash left behind; `followPins` ends what a crash cut off.
 *
 * Spec: none; DESIGN, *Pins*.
 */
import type { RoomId, ServerName } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { frozenRooms, roomHeads, roomNumbers } from '../store/catalogue.ts'
import type { Frozen } from './inbound-rooms.ts'
import { followPins } from './pin-follower.ts'
import { RoomError, type RoomView } from './rooms.ts'
import type { RoomsContext } from './rooms-context.ts'
import { strangerAmong } from './strangers.ts'

export class Freezer {
  readonly #context: RoomsContext

  constructor(context: RoomsContext) {
    this.#context = context
    // Loaded, a room turned out to stand otherwise than its row says: pins changed while nobody looked.
    context.actors.onStandstillFound(roomId => {
      this.#write(roomId, present => present).catch(() => {})
    })
  }

  /** From now on rooms stop and go on as pins go and come. */
  async followPins(): Promise<void> {
    const { store, peers, report } = this.#context
    if (!peers) return
    await followPins(
      { store, peers, report },
      {
        name: 'standstill',
        standing: server => (peers.isKnown(server) ? 'known' : null),
        follow: server => (peers.isKnown(server) ? this.#thawFor(server) : this.#freezeFor(server)),
      },
    )
  }

  async freeze(roomId: RoomId, frozen: Frozen): Promise<void> {
    await this.#write(roomId, present => present ?? frozen)
  }

  async #thawFor(server: ServerName): Promise<void> {
    const { store, peers, clock } = this.#context
    const rooms = await store.read(async view => {
      const rows = await view.range(frozenRooms.under())
      const heads = await view.getMany(
        rows.filter(({ value }) => value.server === server).map(({ parts }) => roomHeads.key(parts[0])),
      )
      return heads.flatMap(head => head?.roomId ?? [])
    })
    for (const roomId of rooms) {
      await this.#write(roomId, (present, members) =>
        present?.server === server ? strangerAmong(peers, members, clock()) : present,
      )
    }
  }

  async #freezeFor(server: ServerName): Promise<void> {
    const { store, actors, peers, clock } = this.#context
    const rows = await store.read(view => view.range(roomNumbers.under()))
    for (const { parts } of rows) {
      const view = (await actors.get(parts[0] as RoomId))?.view
      if (!view || !hasMemberOf(view, server)) continue
      await this.#write(view.roomId, (present, members) => present ?? strangerAmong(peers, members, clock()))
    }
  }

  async #write(
    roomId: RoomId,
    decide: (present: Frozen | null, members: ReturnType<RoomView['members']>) => Frozen | null,
  ): Promise<void> {
    const { store, actors, frozenListeners } = this.#context
    await store.transact(roomId, async tx => {
      const actor = await actors.hold(roomId)
      if (!actor) return
      try {
        tx.sequence((next, rows) => {
          const frozen = decide(actor.frozen, actor.tipView.members())
          // The same cause, and its row is there or made again: both are right.
          actor.frozen = frozen
          if (frozen) rows.put(frozenRooms.key(actor.number), frozen)
          else rows.delete(frozenRooms.key(actor.number))
          rows.announce(`room:${roomId}`)
          actors.queued(actor, next(), () => {
            for (const listener of frozenListeners) listener(roomId)
          })
        })
      } finally {
        actors.release(actor)
      }
    })
  }
}

function hasMemberOf(view: RoomView, server: ServerName): boolean {
  if (view.joinedServers.has(server)) return true
  for (const { stateKey } of view.members('invite')) if (stateKey.endsWith(`:${server}`)) return true
  return false
}

/** What a local person is told whose draft comes to nothing. */
export function frozenDraftRefusal(frozen: Frozen): RoomError {
  const { server, by } = frozen
  return new RoomError(
    'M_FORBIDDEN',
    `This room stands still: ${by} let in the server ${server}, which this server's administrator has not pinned. ` +
      'Nothing is sent until it is pinned, its people are removed, or the room is upgraded.',
    { fields: { [frozenType]: frozenContent(frozen) } },
  )
}

/** People are told of a standstill under this name: in their account data of the room, and in refusals. */
export const frozenType = 'org.letro.frozen'

export function frozenContent({ server, by, eventId, sinceTs }: Frozen): JsonObject {
  return { server, by, event_id: eventId, since: sinceTs }
}
