/** Rooms on several servers that reach each other by function call, with keys that all of them know. */
import { randomBytes } from 'node:crypto'
import type { Peer, Peers } from '../../server/peers/peer.ts'
import { checkEventSignature, requiredSigners } from '../../server/protocol/event-signing.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import type { KeyId } from '../../server/protocol/signing.ts'
import { openRooms, type RoomsDeps } from '../../server/rooms/open-rooms.ts'
import { RemoteError, type RemoteRooms } from '../../server/rooms/remote-rooms.ts'
import type { CheckSignatures } from '../../server/rooms/rooms-internal.ts'
import { openMemoryStore } from '../../server/store/memory-engine.ts'
import type { Store } from '../../server/store/store.ts'
import { signingKey, verify } from '../support/primitives.ts'

export type FederatedRooms = Awaited<ReturnType<typeof openRooms>>

export interface Site {
  readonly name: ServerName
  readonly store: Store
  readonly rooms: FederatedRooms
  /** Whom it has pinned: changed by tests. */
  readonly pins: Map<ServerName, { residency?: string; mode: 'both' | 'verify-only' }>
  /** Tells `onChange` listeners. */
  changed(server: ServerName): void
}

const keyId = 'ed25519:1' as KeyId

/** Sites by name; those in `cut` can be reached by nobody. */
export class World {
  readonly sites = new Map<ServerName, Site>()
  readonly cut = new Set<ServerName>()
  readonly residency: string | undefined
  /** What a server answers to a request of this name in place of the truth. */
  readonly lies = new Map<string, () => Promise<unknown>>()
  /** How many events a server gives at most to get_missing_events: Synapse 20. */
  mostMissing = 1_000
  /** Servers that are policy servers, and how each answers. */
  readonly policy = new Map<ServerName, (event: JsonObject) => JsonObject>()
  /** Each request as `from > to: method`. */
  readonly requests: string[] = []

  keyOf(name: ServerName) {
    return signingKey(new Uint8Array(32).fill(name.length + name.charCodeAt(0)))
  }

  async add(host: string, more: Partial<RoomsDeps> = {}): Promise<Site> {
    const name = host as ServerName
    const store = more.store ?? (await openMemoryStore({ slow: false, seed: 1 }))
    const pins: Site['pins'] = new Map()
    const listeners: ((server: ServerName) => void)[] = []
    const key = this.keyOf(name)
    const rooms = await openRooms({
      store,
      serverName: name,
      clock: this.clock,
      randomBytes: size => randomBytes(size),
      signer: { keyId, sign: (_keyId, bytes) => key.sign(bytes) },
      checkSignatures: this.checkSignaturesFor(name, pins),
      peers: peersOf(name, pins, listeners),
      remote: this.remoteOf(name),
      mayBeInvited: async () => 'yes',
      ...more,
    })
    const site: Site = {
      name,
      store,
      rooms,
      pins,
      changed: server => {
        for (const listener of listeners) listener(server)
      },
    }
    this.sites.set(name, site)
    for (const other of this.sites.values()) {
      if (other === site) continue
      pins.set(other.name, { mode: 'both' })
      other.pins.set(name, { mode: 'both' })
    }
    return site
  }

  #now = 1_750_000_000_000
  readonly clock = () => this.#now++

  checkSignaturesFor(us: ServerName, pins: Site['pins']): CheckSignatures {
    return async (pdu, rules) =>
      requiredSigners(pdu).every(
        server =>
          (server === us || pins.has(server)) &&
          checkEventSignature(pdu, rules, server, () => this.keyOf(server).publicKey, verify).kind ===
            'valid',
      )
  }

  /** What `us` asks of others, with errors as the wire brings them. */
  remoteOf(us: ServerName): RemoteRooms {
    const ask = <T>(server: ServerName, method: string, fn: (rooms: FederatedRooms) => Promise<T>) =>
      this.#ask(us, server, method, fn)
    const toJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
    const signedAll = async (rooms: FederatedRooms, ids: readonly string[]) =>
      toJson(await Promise.all(ids.map(id => rooms.signed(id as never)))) as never[]
    return {
      makeJoin: (server, roomId, userId, versions) =>
        ask(server, 'make_join', rooms => rooms.makeJoin(us, roomId, userId, versions)),
      sendJoin: (server, roomId, eventId, event) =>
        ask(server, 'send_join', async rooms => {
          const answer = await rooms.sendJoin(us, roomId, eventId, toJson(event))
          return {
            state: await signedAll(rooms, answer.state),
            authChain: await signedAll(rooms, answer.authChain),
            event: toJson(answer.event),
          }
        }),
      makeLeave: (server, roomId, userId) =>
        ask(server, 'make_leave', rooms => rooms.makeLeave(us, roomId, userId)),
      sendLeave: (server, roomId, eventId, event) =>
        ask(server, 'send_leave', rooms => rooms.sendLeave(us, roomId, eventId, toJson(event))),
      makeKnock: (server, roomId, userId, versions) =>
        ask(server, 'make_knock', rooms => rooms.makeKnock(us, roomId, userId, versions)),
      sendKnock: (server, roomId, eventId, event) =>
        ask(server, 'send_knock', rooms => rooms.sendKnock(us, roomId, eventId, toJson(event))),
      invite: (server, request) =>
        ask(server, 'invite', rooms =>
          rooms.invite(us, request.roomId, request.eventId, {
            event: toJson(request.event),
            roomVersion: request.roomVersion,
            inviteRoomState: toJson(request.inviteRoomState),
            via: [us],
          }),
        ),
      event: (server, eventId) =>
        ask(server, 'event', async rooms => {
          const [stored] = await rooms.stored([eventId])
          if (!stored) throw notHere()
          await rooms.askedBy(us, stored.roomId)
          const [event] = await signedAll(rooms, [eventId])
          return event!
        }),
      state: (server, roomId, at) =>
        ask(server, 'state', async rooms => {
          await rooms.askedBy(us, roomId, { about: [at] })
          const found = await rooms.stateBefore(roomId, at)
          if (!found) throw notHere()
          const [pdus, authChain] = [found.state, found.authChain].map(ids => signedAll(rooms, ids))
          return { pdus: await pdus!, authChain: await authChain! }
        }),
      stateIds: (server, roomId, at) =>
        ask(server, 'state_ids', async rooms => {
          await rooms.askedBy(us, roomId, { about: [at] })
          const state = await rooms.stateBefore(roomId, at)
          if (!state) throw notHere()
          return { stateIds: state.state, authChainIds: state.authChain }
        }),
      eventAuth: (server, _roomId, eventId) =>
        ask(server, 'event_auth', async rooms => signedAll(rooms, [...(await rooms.authChain([eventId]))])),
      missingEvents: (server, roomId, options) =>
        ask(server, 'get_missing_events', async rooms => {
          await rooms.askedBy(us, roomId, { about: options.latest })
          const limit = Math.min(options.limit, this.mostMissing)
          return signedAll(rooms, await before(rooms, options.latest, options.earliest, limit, false))
        }),
      backfill: (server, roomId, from, limit) =>
        ask(server, 'backfill', async rooms => {
          await rooms.askedBy(us, roomId)
          return signedAll(rooms, await before(rooms, from, [], limit, true))
        }),
      policySignature: (server, event) =>
        ask(server, 'policy_sign', async () => {
          const sign = this.policy.get(server)
          if (!sign) throw Object.assign(new Error('There is no such endpoint.'), { code: 'M_UNRECOGNIZED' })
          return sign(event)
        }),
      timestampToEvent: server =>
        ask(server, 'timestamp_to_event', () => Promise.reject(new Error('a test says what it answers'))),
      resolveAlias: async () => null,
      publicRooms: async () => ({}),
      hierarchy: async () => ({}),
    }
  }

  async #ask<T>(
    us: ServerName,
    server: ServerName,
    method: string,
    fn: (rooms: FederatedRooms) => Promise<T>,
  ): Promise<T> {
    this.requests.push(`${us} > ${server}: ${method}`)
    const site = this.sites.get(server)
    if (!site || this.cut.has(server) || this.cut.has(us)) {
      throw new RemoteError('unreachable', `${server} did not answer`)
    }
    if (!site.pins.has(us))
      throw new RemoteError('refused', 'who are you?', { errcode: 'M_FORBIDDEN', status: 403 })
    try {
      const lie = this.lies.get(method)
      return lie ? ((await lie()) as T) : await fn(site.rooms)
    } catch (error) {
      if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
        throw new RemoteError('refused', error.message, { errcode: error.code, cause: error })
      }
      throw error
    }
  }

  /** Everything of the room that `from` has and made, to all others: what the outbound queue does. */
  async deliver(from: Site, eventIds: readonly string[], to: Iterable<Site> = this.sites.values()) {
    const pdus = await Promise.all(eventIds.map(id => from.rooms.signed(id as never)))
    for (const site of to) {
      if (site === from || this.cut.has(site.name)) continue
      await site.rooms.takeTransaction(from.name, JSON.parse(JSON.stringify(pdus)))
    }
  }
}

function notHere(): Error {
  return Object.assign(new Error('not here'), { code: 'M_NOT_FOUND' })
}

/** Breadth first along previous events, newest first (or oldest first for get_missing_events). */
async function before(
  rooms: FederatedRooms,
  from: readonly string[],
  until: readonly string[],
  limit: number,
  itself: boolean,
): Promise<string[]> {
  const found: string[] = []
  const seen = new Set(until)
  let level = [...from]
  let isFirst = true
  while (level.length > 0 && found.length < limit) {
    const next: string[] = []
    for (const event of await rooms.stored(level as never[])) {
      if (!event || event.outlier) continue
      if (!isFirst || itself) found.push(event.eventId)
      for (const id of event.pdu.prev_events) {
        if (seen.has(id)) continue
        seen.add(id)
        next.push(id)
      }
    }
    isFirst = false
    level = next
  }
  return itself ? found.slice(0, limit) : found.slice(0, limit).reverse()
}

export function peersOf(
  us: ServerName,
  pins: Site['pins'],
  listeners: ((server: ServerName) => void)[] = [],
): Peers {
  return {
    get: () => undefined,
    all: () => [] as Peer[],
    mayReceiveFrom: server => pins.get(server)?.mode === 'both',
    maySendTo: server => pins.get(server)?.mode === 'both',
    isKnown: server => server === us || pins.has(server),
    residencyOf: server => (server === us ? 'DE' : pins.get(server)?.residency),
    onChange: listener => void listeners.push(listener),
  }
}
