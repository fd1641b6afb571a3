/**
 * Opens the rooms area over a store.
 */
import type { Peers } from '../peers/peer.ts'
import type { EventId, RoomId, ServerName, UserId } from '../protocol/ids.ts'
import type { Json } from '../protocol/json.ts'
import type { Position, Store } from '../store/store.ts'
import { Backfill } from './backfill.ts'
import { EventReader } from './event-reader.ts'
import { eventsBefore } from './events-before.ts'
import { Freezer } from './freezer.ts'
import type { Gate } from './gate.ts'
import type { InboundRooms } from './inbound-rooms.ts'
import { Inbox } from './inbox.ts'
import { Invitations } from './invitations.ts'
import { MembershipIndex } from './membership-index.ts'
import { MissingEvents } from './missing-events.ts'
import { Outgoing } from './outgoing.ts'
import { Outward, type OutwardRooms } from './outward.ts'
import { PolicySignatures } from './policy-signatures.ts'
import type { Projection } from './projection.ts'
import { RoomReader } from './read.ts'
import { Receiver } from './receive.ts'
import { noRemoteRooms, type RemoteRooms } from './remote-rooms.ts'
import { Resident } from './resident.ts'
import { RoomActors } from './room-actors.ts'
import type { BatchOptions, Draft, NewRoom, RoomEvent, Rooms, SendOptions, TimelineOptions } from './rooms.ts'
import type { MayBeInvited, RoomsContext } from './rooms-context.ts'
import type {
  CheckSignatures,
  EventSigner,
  EventsBefore,
  ReceiveOptions,
  RoomsInternal,
} from './rooms-internal.ts'
import { Sender } from './send.ts'
import { visibleToServer } from './server-visibility.ts'
import { strangersGate } from './strangers-gate.ts'
import { Visibility } from './visibility.ts'

export interface RoomsDeps {
  readonly store: Store
  readonly serverName: ServerName
  /** Milliseconds since 1970. */
  readonly clock: () => number
  readonly randomBytes: (size: number) => Uint8Array
  readonly signer: EventSigner
  /** For events of other servers. Without it none is taken: nobody's signature could be checked. */
  readonly checkSignatures?: CheckSignatures
  /** Without it (tests of one server) no server is a stranger. */
  readonly peers?: Peers
  /** Without it nobody here is invited from outside. */
  readonly mayBeInvited?: MayBeInvited
  /** The way to rooms on other servers. */
  readonly remote?: RemoteRooms
  readonly report?: RoomsContext['report']
  readonly gates?: readonly Gate[]
  readonly projections?: readonly Projection[]
  /** How many state events of loaded rooms stay in memory. */
  readonly maxLoadedState?: number
}

export async function openRooms(
  deps: RoomsDeps,
): Promise<Rooms & RoomsInternal & InboundRooms & { readonly outward: OutwardRooms }> {
  const { store, clock } = deps
  const reader = new EventReader()
  // Opened before those who wait for commits: they find the views moved forward.
  const actors = new RoomActors(store, reader, clock, deps.maxLoadedState ?? 60_000, deps.peers)
  const remote = deps.remote ?? noRemoteRooms
  const context: RoomsContext = {
    ...deps,
    checkSignatures: deps.checkSignatures ?? (async () => false),
    gates: [...(deps.peers ? [strangersGate(deps.peers)] : []), ...(deps.gates ?? [])],
    projections: deps.projections ?? [],
    reader,
    actors,
    memberships: new MembershipIndex(store),
    peers: deps.peers ?? null,
    remote,
    policySignatures: new PolicySignatures({ serverName: deps.serverName, remote, clock }),
    mayBeInvited: deps.mayBeInvited ?? (async () => 'unknown'),
    report: deps.report ?? (() => {}),
    frozenListeners: new Set(),
    arriving: new Map(),
  }
  const sender = new Sender(context)
  const rooms = new RoomReader(context)
  const visibility = new Visibility(context)
  const receiver = new Receiver(context)
  const outgoing = new Outgoing(context)
  const resident = new Resident(context, receiver, outgoing)
  const freezer = new Freezer(context)
  const missing = new MissingEvents(context, receiver)
  const inbox = new Inbox(context, receiver, missing, freezer)
  const backfill = new Backfill(context, outgoing, missing)
  const invitations = new Invitations(context, receiver)
  const outward = new Outward(context, receiver, sender, outgoing)
  await freezer.followPins()
  return {
    serverName: deps.serverName,
    view: (roomId: RoomId) => rooms.view(roomId),
    memberships: (userId: UserId) => context.memberships.of(userId),
    sharesRoomWith: (userId: UserId) => rooms.sharesRoomWith(userId),
    roomIds: () => rooms.roomIds(),
    send: (draft: Draft, options?: SendOptions) => sender.send(draft, options),
    sendMany: (roomId: RoomId, drafts: readonly Omit<Draft, 'roomId'>[], options?: BatchOptions) =>
      sender.sendMany(roomId, drafts, options),
    create: (room: NewRoom, options?: BatchOptions) => sender.create(room, options),
    forget: (userId: UserId, roomId: RoomId) => sender.forget(userId, roomId),
    timeline: (roomId: RoomId, options: TimelineOptions) => rooms.timeline(roomId, options),
    fetchOlder: (roomId: RoomId, from?: number) => backfill.fetchOlder(roomId, from),
    fetchBetween: (roomId: RoomId, low: number, high: number) => backfill.fetchBetween(roomId, low, high),
    fetchEvent: async (roomId: RoomId, server: ServerName, eventId: EventId) =>
      (await backfill.fetchEvent(roomId, server, eventId)) ? rooms.event(eventId) : null,
    event: (eventId: EventId) => rooms.event(eventId),
    events: (eventIds: readonly EventId[]) => rooms.events(eventIds),
    stateAt: (roomId: RoomId, at: Position, side: 'before' | 'after') => rooms.stateAt(roomId, at, side),
    currentStateAsOf: (roomId: RoomId, position: Position) => rooms.currentStateAsOf(roomId, position),
    eventNear: (roomId: RoomId, timestamp: number, direction: 'forwards' | 'backwards') =>
      rooms.eventNear(roomId, timestamp, direction),
    visible: (userId: UserId, events: readonly RoomEvent[]) => visibility.visible(userId, events),

    receive: (roomId: RoomId, event: Json, options?: ReceiveOptions) =>
      receiver.receive(roomId, event, options),
    backfill: (roomId: RoomId, events: readonly Json[], stateBefore?: readonly EventId[]) =>
      receiver.backfill(roomId, events, stateBefore),
    signed: (eventId: EventId) => outgoing.signed(eventId),
    stored: (eventIds: readonly EventId[]) => outgoing.stored(eventIds),
    authChain: (eventIds: readonly EventId[]) => outgoing.authChain(eventIds),
    backwardExtremities: (roomId: RoomId) => outgoing.backwardExtremities(roomId),
    eventsBefore: (roomId: RoomId, question: EventsBefore) =>
      store.read(view => eventsBefore(view, reader, roomId, question)),
    visibleToServer: (server: ServerName, roomId: RoomId, eventIds: readonly EventId[]) =>
      visibleToServer(context, server, roomId, eventIds),
    onFrozen: (listener: (roomId: RoomId) => void) => void context.frozenListeners.add(listener),
    outward,

    takeTransaction: (origin, pdus) => inbox.takeTransaction(origin, pdus),
    makeJoin: (origin, roomId, userId, versions) => resident.makeJoin(origin, roomId, userId, versions),
    sendJoin: (origin, roomId, eventId, event) => resident.sendJoin(origin, roomId, eventId, event),
    makeLeave: (origin, roomId, userId) => resident.makeLeave(origin, roomId, userId),
    sendLeave: (origin, roomId, eventId, event) => resident.sendLeave(origin, roomId, eventId, event),
    makeKnock: (origin, roomId, userId, versions) => resident.makeKnock(origin, roomId, userId, versions),
    sendKnock: (origin, roomId, eventId, event) => resident.sendKnock(origin, roomId, eventId, event),
    invite: (origin, roomId, eventId, body) => invitations.invite(origin, roomId, eventId, body),
    exchangeThirdPartyInvite: async (origin, roomId, event) => {
      await resident.askedBy(origin, roomId, { mayBeOutside: true })
      await outward.exchangeThirdPartyInvite(roomId, event)
    },
    askedBy: (origin, roomId, options) => resident.askedBy(origin, roomId, options),
    stateBefore: (roomId, eventId) => resident.stateBefore(roomId, eventId),
  }
}
