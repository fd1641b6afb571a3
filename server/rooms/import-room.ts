/**
 * A room that comes here by a join: from the answer to send_join to a room that everybody in it can use.
 *
 * First all events of its state and their auth chain are checked and kept, in batches, where nothing refers to them;
 * then the room itself (number, state, members, head) and our join are one transaction. A crash in between leaves no
 * room, and joining again finds most events here. Into a room that we left, the answer's state comes in place of what
 * we knew: our old ends of its graph are the room's past, not its present.
 *
 * Spec: server-server-api#joining-rooms
 */
import type { EventId, RoomId } from '../protocol/ids.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import { frozenRooms, nextRoomNumber, roomNumbers } from '../store/catalogue.ts'
import type { Transaction } from '../store/store.ts'
import type { BuiltEvent } from './build-event.ts'
import { authorise } from './event-auth.ts'
import { stateKeyOf } from './graph-event.ts'
import { incomingOf, judgeByAuthEvents, parseReceived } from './incoming-event.ts'
import { verify } from './primitives.ts'
import type { JoinAnswer } from './remote-rooms.ts'
import { RoomActor } from './room-actor.ts'
import { RoomCopy, RoomCopyError } from './room-copy.ts'
import { RoomTransaction } from './room-transaction.ts'
import { RoomError } from './rooms.ts'
import type { RoomsContext } from './rooms-context.ts'
import { changesBetween, type StateEvents, StateFinder } from './state-finder.ts'
import { noFlags, StoredEvent } from './stored-event.ts'
import { strangerAmong } from './strangers.ts'

/** The join has to be undone: the room is one that we must not be in. */
export class StrangerError extends RoomError {
  constructor(message: string) {
    super('M_FORBIDDEN', message)
  }
}

export interface JoinedRoom {
  readonly roomId: RoomId
  readonly rules: RoomRules
  /** Our member event, as it was sent. */
  readonly join: BuiltEvent
  readonly answer: JoinAnswer
}

/** Throws RoomCopyError where the answer is no room that our person is in. */
export async function importRoom(context: RoomsContext, joined: JoinedRoom): Promise<void> {
  const { roomId, rules, join, answer } = joined
  const copy = new RoomCopy(context, roomId, rules)
  const ids = await copy.take([...answer.state, ...answer.authChain])
  const stateIds = ids.slice(0, answer.state.length)
  checkStrangers(context, copy, stateIds)
  const state = copy.stateOf(stateIds)
  const signatures = await signaturesOf(context, joined)
  checkJoin(joined, copy, state)
  const event = new StoredEvent(join.pdu, {
    eventId: join.eventId,
    flags: noFlags,
    ourKey: context.signer.keyId,
    signatures,
  })

  await context.store.transact([roomId, 'rooms:numbers'], async tx => {
    const [known] = await context.reader.byIds(tx, [join.eventId], false)
    if (known && !known.facts.flags.outlier) return
    const present = await context.actors.hold(roomId)
    try {
      const actor = present ?? (await newRoom(tx, roomId, rules))
      await write(context, new RoomTransaction(context, actor, tx), event, join, state)
    } finally {
      if (present) context.actors.release(present)
    }
  })
}

async function write(
  context: RoomsContext,
  work: RoomTransaction,
  event: StoredEvent,
  join: BuiltEvent,
  state: StateEvents,
): Promise<void> {
  const { actor, tx } = work
  const { pdu } = join
  const changes = changesBetween(await new StateFinder(context, work).tip(), state)
  const prev = await context.reader.byIds(tx, pdu.prev_events, false)
  const isHere = (id: EventId) => prev.some(each => each?.eventId === id && !each.facts.flags.outlier)
  const replaced = state.get(stateKeyOf('m.room.member', event.sender))
  const own = new StoredEvent(
    event.pdu,
    { ...event.facts, replaced: replaced?.position },
    { replaced: replaced?.asReplaced() },
  )
  const { essential, contentText, extras } = join
  work.add({
    event: own,
    essential,
    contentText,
    extras,
    place: 'live',
    before: { chain: actor.chain, changes },
    current: {
      kind: 'after-event',
      changes: [...changes, { type: own.type, stateKey: own.stateKey!, event: own }],
    },
    forward: [own],
    missingPrevEvents: pdu.prev_events.filter(id => !isHere(id)),
    // The server that let us in tells the others.
    source: 'elsewhere',
  })
  // A room that stood still and that we left comes back with a state in which nobody is a stranger.
  await work.seal(rows => {
    context.actors.add(actor)
    actor.frozen = null
    rows.delete(frozenRooms.key(actor.number))
  })
}

/** Nobody of ours gets into a room with a server in it that is not pinned, nor into one whose state it made. */
function checkStrangers(
  { peers, clock }: RoomsContext,
  copy: RoomCopy,
  stateIds: readonly (EventId | null)[],
): void {
  const inState = new Set(stateIds)
  const unchecked = copy.strangers.find(({ eventId }) => inState.has(eventId))
  const events = stateIds.flatMap(id => (id && copy.event(id)) ?? [])
  const server = unchecked?.server ?? strangerAmong(peers, events, clock())?.server
  if (server === undefined) return
  throw new StrangerError(
    `${server} takes part in this room, and this server's administrator has not pinned it.`,
  )
}

/** A room of which we had at most an invite has its number already, under the version that the invite told. */
async function newRoom(tx: Transaction, roomId: RoomId, rules: RoomRules): Promise<RoomActor> {
  const [known, next = 1] = await tx.getMany([roomNumbers.key(roomId), nextRoomNumber.key()])
  const number = known?.number ?? next
  if (!known) tx.put(nextRoomNumber.key(), next + 1)
  tx.put(roomNumbers.key(roomId), { number, version: rules.version })
  return new RoomActor(roomId, number, rules)
}

/** Our join must hold there as it does here, or we would be in a room in which nobody else sees us. */
function checkJoin({ join, rules }: JoinedRoom, copy: RoomCopy, state: StateEvents): void {
  const listed = join.pdu.auth_events.map(id => copy.event(id))
  if (listed.some(event => event === undefined)) {
    throw new RoomCopyError('the events that allow the join are not in the answer')
  }
  const create = state.get(stateKeyOf('m.room.create', ''))
  const verdicts = [
    judgeByAuthEvents(join.pdu, rules, listed as StoredEvent[], create),
    authorise(join.pdu, rules, (type, key) => state.get(stateKeyOf(type, key)), verify),
  ]
  const refused = verdicts.find(({ kind }) => kind !== 'accept')
  if (refused && 'rule' in refused) throw new RoomCopyError(`the join does not hold: ${refused.rule}`)
}

/** Those of others on our join: who let us into a restricted room has signed it. */
async function signaturesOf(
  context: RoomsContext,
  { join, rules, answer }: JoinedRoom,
): Promise<StoredEvent['facts']['signatures']> {
  const vouched = answer.event === undefined ? null : parseReceived(answer.event, rules)
  const isOurs = vouched && !('refused' in vouched) && incomingOf(vouched, rules).eventId === join.eventId
  if (isOurs && (await context.checkSignatures(vouched, rules))) {
    const { [context.serverName]: _own, ...others } = vouched.signatures ?? {}
    return Object.keys(others).length > 0 ? others : undefined
  }
  if ('join_authorised_via_users_server' in join.pdu.content) {
    throw new RoomCopyError('the server that lets us in has not signed the join')
  }
  return undefined
}
