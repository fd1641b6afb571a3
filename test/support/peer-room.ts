/**
 * A room as a little homeserver (`federation-peer.ts`) holds it: made there or joined from there. It makes events on what
 * it has, keeps what it is given without asking whether that is allowed, and answers other servers about all of it.
 *
 * State is what came last: enough for tests that decide themselves what comes in which order, and no state resolution.
 */

import type { Pdu } from '../../server/protocol/event.ts'
import { eventIdOf, roomIdOf } from '../../server/protocol/event-hash.ts'
import { signEvent, withContentHash } from '../../server/protocol/event-signing.ts'
import type { EventId, RoomId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { type RoomRules, type RoomVersion, roomVersion } from '../../server/protocol/room-versions.ts'
import { authTypesFor } from '../../server/rooms/auth-events.ts'
import type { FederationPeer, Reachable } from './federation-peer.ts'
import { sha256 } from './primitives.ts'

export interface PeerDraft {
  readonly type: string
  readonly content: JsonObject
  readonly sender: string
  readonly stateKey?: string
  /** Its newest events otherwise. */
  readonly prev?: readonly EventId[]
  /** Chosen from its state otherwise. */
  readonly auth?: readonly EventId[]
  readonly depth?: number
}

export interface PeerEvent {
  readonly pdu: JsonObject & Pdu
  readonly eventId: EventId
}

const federation = '/_matrix/federation'

export class PeerRoom {
  readonly roomId: RoomId
  readonly rules: RoomRules
  /** In the order in which they came. */
  readonly events = new Map<EventId, JsonObject & Pdu>()
  readonly #peer: FederationPeer
  readonly #state = new Map<string, EventId>()
  #extremities = new Set<EventId>()

  private constructor(peer: FederationPeer, roomId: RoomId, version: string) {
    this.#peer = peer
    this.roomId = roomId
    this.rules = roomVersion(version as RoomVersion)!
  }

  /** A public room made there. */
  static create(peer: FederationPeer, creator: string, version: RoomVersion = '12'): PeerRoom {
    const rules = roomVersion(version)!
    const named = rules.roomIdIsCreateEventHash ? {} : { room_id: `!${Math.random()}:${peer.serverName}` }
    const content = { room_version: version }
    const first = makeEvent(peer, rules, {
      ...named,
      type: 'm.room.create',
      sender: creator,
      state_key: '',
      content,
      depth: 1,
      prev_events: [],
      auth_events: [],
    })
    const room = new PeerRoom(peer, roomIdOf(first.pdu, first.eventId), version)
    room.take(first.pdu)
    room.add({
      type: 'm.room.member',
      sender: creator,
      stateKey: creator,
      content: { membership: 'join' },
    })
    const users = rules.creatorsHaveInfinitePower ? {} : { [creator]: 100 }
    room.add({ type: 'm.room.power_levels', sender: creator, stateKey: '', content: { users } })
    room.add({
      type: 'm.room.join_rules',
      sender: creator,
      stateKey: '',
      content: { join_rule: 'public' },
    })
    return room
  }

  /** By make_join and send_join. */
  static async join(
    peer: FederationPeer,
    server: Reachable,
    roomId: string,
    userId: string,
  ): Promise<PeerRoom> {
    const path = `${encodeURIComponent(roomId)}/${encodeURIComponent(userId)}`
    const made = await peer.ask(server, 'GET', `${federation}/v1/make_join/${path}?ver=10&ver=11&ver=12`)
    if (made.status !== 200) throw new Error(`make_join: ${made.status} ${JSON.stringify(made.body)}`)
    const room = new PeerRoom(peer, roomId as RoomId, made.body.room_version)
    const join = makeEvent(peer, room.rules, made.body.event)
    const to = `${federation}/v2/send_join/${encodeURIComponent(roomId)}/${encodeURIComponent(join.eventId)}`
    const sent = await peer.ask(server, 'PUT', to, join.pdu)
    if (sent.status !== 200) throw new Error(`send_join: ${sent.status} ${JSON.stringify(sent.body)}`)
    for (const pdu of sent.body.auth_chain) room.#keep(pdu)
    for (const pdu of sent.body.state) room.#keep(pdu)
    room.#extremities.clear()
    room.take(sent.body.event ?? join.pdu)
    return room
  }

  get extremities(): readonly EventId[] {
    return [...this.#extremities]
  }

  state(type: string, stateKey = ''): (JsonObject & Pdu) | undefined {
    const id = this.#state.get(`${type} ${stateKey}`)
    return id && this.events.get(id)
  }

  /** Makes an event and keeps it to itself. */
  make(draft: PeerDraft): PeerEvent {
    const { type, content, sender, stateKey, prev = this.extremities } = draft
    const subject = { type, content, sender, ...(stateKey === undefined ? {} : { state_key: stateKey }) }
    const places = authTypesFor(subject as Pdu, this.rules)
    const auth = places.flatMap(([of, key]) => this.#state.get(`${of} ${key}`) ?? [])
    const depths = prev.map(id => this.events.get(id)?.depth ?? 0)
    return makeEvent(this.#peer, this.rules, {
      ...subject,
      room_id: this.roomId,
      depth: draft.depth ?? Math.max(0, ...depths) + 1,
      prev_events: prev,
      auth_events: draft.auth ?? auth,
    })
  }

  /** Makes an event that is part of the room from now on. */
  add(draft: PeerDraft): PeerEvent {
    const made = this.make(draft)
    this.take(made.pdu)
    return made
  }

  message(sender: string, body: string): PeerEvent {
    return this.add({ type: 'm.room.message', sender, content: { msgtype: 'm.text', body } })
  }

  /** An event from wherever, as the newest. */
  take(pdu: JsonObject): EventId {
    const eventId = this.#keep(pdu)
    const { prev_events: prev } = pdu as Pdu
    this.#extremities = new Set([...this.#extremities].filter(id => !prev.includes(id)))
    this.#extremities.add(eventId)
    return eventId
  }

  #keep(pdu: JsonObject): EventId {
    const eventId = eventIdOf(pdu, this.rules, sha256)
    const event = pdu as JsonObject & Pdu
    this.events.set(eventId, event)
    if (event.state_key !== undefined) this.#state.set(`${event.type} ${event.state_key}`, eventId)
    return eventId
  }

  stateBefore(eventId: EventId): EventId[] {
    const state = new Map<string, EventId>()
    for (const [id, pdu] of this.events) {
      if (id === eventId) break
      if (pdu.state_key !== undefined) state.set(`${pdu.type} ${pdu.state_key}`, id)
    }
    return [...state.values()]
  }

  authChain(ids: readonly EventId[]): EventId[] {
    const chain = new Set<EventId>()
    const open = [...ids]
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      for (const above of this.events.get(id)?.auth_events ?? []) {
        if (!chain.has(above)) open.push(above)
        chain.add(above)
      }
    }
    return [...chain]
  }

  /** Answers whoever asks about the room, and takes in whoever joins. */
  serve(): void {
    const peer = this.#peer
    const pdus = (ids: readonly EventId[]) => ids.flatMap(id => this.events.get(id) ?? [])
    const of = (path: string) => `${federation}${path.replace(':roomId', this.roomId)}`
    const stateAt = (id: string | null) => {
      const state = this.stateBefore(id as EventId)
      return { state, chain: this.authChain(state) }
    }
    const history = (from: readonly EventId[], until: ReadonlySet<string>, limit: number) => {
      const found = new Set<EventId>()
      const open = [...from]
      for (let id = open.shift(); id !== undefined && found.size < limit; id = open.shift()) {
        if (found.has(id) || until.has(id) || !this.events.has(id)) continue
        found.add(id)
        open.push(...this.events.get(id)!.prev_events)
      }
      return [...found]
    }

    peer.on('GET', of('/v1/make_join/:roomId/:userId'), (_request, [userId]) => {
      const member = { type: 'm.room.member', sender: userId!, stateKey: userId! }
      const { pdu } = this.make({ ...member, content: { membership: 'join' } })
      const { hashes: _hashes, signatures: _signatures, ...event } = pdu
      return { body: { room_version: this.rules.version, event: event as JsonObject } }
    })
    peer.on('PUT', of('/v2/send_join/:roomId/:eventId'), ({ body }) => {
      const state = [...this.#state.values()]
      const chain = this.authChain(state)
      this.take(body)
      return {
        body: {
          origin: peer.serverName,
          event: body,
          members_omitted: false,
          state: pdus(state),
          auth_chain: pdus(chain),
        },
      }
    })
    peer.on('GET', of('/v1/state_ids/:roomId'), ({ query }) => {
      const { state, chain } = stateAt(query.get('event_id'))
      return { body: { pdu_ids: state, auth_chain_ids: chain } }
    })
    peer.on('GET', of('/v1/state/:roomId'), ({ query }) => {
      const { state, chain } = stateAt(query.get('event_id'))
      return { body: { pdus: pdus(state), auth_chain: pdus(chain) } }
    })
    peer.on('GET', of('/v1/event_auth/:roomId/:eventId'), (_request, [id]) => ({
      body: { auth_chain: pdus(this.authChain([id as EventId])) },
    }))
    peer.on('GET', `${federation}/v1/event/:eventId`, (_request, [id]) => {
      const event = this.events.get(id as EventId)
      return (
        (event && { body: { origin: peer.serverName, origin_server_ts: Date.now(), pdus: [event] } }) ?? null
      )
    })
    peer.on('GET', of('/v1/backfill/:roomId'), ({ query }) => {
      const found = history(query.getAll('v') as EventId[], new Set(), Number(query.get('limit')))
      return { body: { origin: peer.serverName, origin_server_ts: Date.now(), pdus: pdus(found) } }
    })
    peer.on('POST', of('/v1/get_missing_events/:roomId'), ({ body }) => {
      const { latest_events: latest, earliest_events: earliest, limit = 10 } = body
      const before = (latest as EventId[]).flatMap(id => this.events.get(id)?.prev_events ?? [])
      const found = history(before, new Set(earliest as string[]), limit as number)
      return { body: { events: pdus(found.toReversed()) } }
    })
  }
}

/** With its hash, id and the peer's signature; whatever of these the event had is made anew. */
export function makeEvent(peer: FederationPeer, rules: RoomRules, event: JsonObject): PeerEvent {
  const hashed = withContentHash({ origin_server_ts: Date.now(), ...event }, sha256)
  const pdu = signEvent(hashed, rules, peer.serverName, peer.keyId, peer.sign)
  return { pdu: pdu as unknown as JsonObject & Pdu, eventId: eventIdOf(pdu, rules, sha256) }
}
