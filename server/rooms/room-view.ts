/**
 * A room as readers, gates and projections see it: questions about one state layer.
 */
import type { EventId, RoomId, ServerName, UserId } from '../protocol/ids.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import type { Position } from '../store/store.ts'
import type { Frozen } from './inbound-rooms.ts'
import { creatorsOf, type NamedLevel, type PowerLevels, powerLevelsFrom } from './power-levels.ts'
import type { MemberEvent, Membership, RoomEvent, RoomView } from './rooms.ts'
import { isMembership, type StateLayer } from './state-layer.ts'
import type { StoredEvent } from './stored-event.ts'

/** What of a room is not state. */
export interface RoomFrame {
  readonly roomId: RoomId
  readonly rules: RoomRules
  lastPosition(): Position
  forwardExtremities(): readonly EventId[]
  frozen(): Frozen | null
}

export class LayerView implements RoomView {
  readonly #frame: RoomFrame
  readonly #state: StateLayer
  #levels: { create: StoredEvent; power: StoredEvent | undefined; levels: PowerLevels } | undefined
  #creators: ReadonlySet<UserId> | undefined

  constructor(frame: RoomFrame, state: StateLayer) {
    this.#frame = frame
    this.#state = state
  }

  get roomId(): RoomId {
    return this.#frame.roomId
  }

  get version(): string {
    return this.#frame.rules.version
  }

  get creators(): ReadonlySet<UserId> {
    this.#creators ??= creatorsOf(this.createEvent.pdu, this.#frame.rules)
    return this.#creators
  }

  get createEvent(): StoredEvent {
    return this.#state.get('m.room.create', '')!
  }

  get lastPosition(): Position {
    return this.#frame.lastPosition()
  }

  get forwardExtremities(): readonly EventId[] {
    return this.#frame.forwardExtremities()
  }

  state(type: string, stateKey = ''): RoomEvent | undefined {
    return this.#state.get(type, stateKey)
  }

  stateOfType(type: string): Iterable<RoomEvent> {
    return this.#state.ofType(type)
  }

  allState(): Iterable<RoomEvent> {
    return this.#state.all()
  }

  membership(userId: UserId): Membership | undefined {
    const membership = this.#state.get('m.room.member', userId)?.content['membership']
    return isMembership(membership) ? membership : undefined
  }

  *members(membership?: Membership): Generator<MemberEvent> {
    for (const event of this.#state.ofType('m.room.member')) {
      if (membership === undefined || event.content['membership'] === membership) {
        yield event as RoomEvent as MemberEvent
      }
    }
  }

  memberCount(membership: Membership): number {
    return this.#state.counts[membership]
  }

  get joinedServers(): ReadonlyMap<ServerName, number> {
    return this.#state.servers
  }

  get frozen(): Frozen | null {
    return this.#frame.frozen()
  }

  powerLevel(userId: UserId): number {
    return this.#powerLevels().ofUser(userId)
  }

  levelTo(name: NamedLevel): number {
    return this.#powerLevels().named(name)
  }

  mayKick(actor: UserId, target: UserId): boolean {
    const levels = this.#powerLevels()
    const own = levels.ofUser(actor)
    return this.membership(actor) === 'join' && own >= levels.named('kick') && own > levels.ofUser(target)
  }

  maySend(userId: UserId, type: string, isState: boolean): boolean {
    const levels = this.#powerLevels()
    return this.membership(userId) === 'join' && levels.ofUser(userId) >= levels.toSend(type, isState)
  }

  /** Read from the events once, not once a question. */
  #powerLevels(): PowerLevels {
    const create = this.createEvent
    const power = this.#state.get('m.room.power_levels', '')
    if (this.#levels?.create !== create || this.#levels.power !== power) {
      const levels = powerLevelsFrom(create.pdu, power?.pdu.content, this.#frame.rules)
      this.#levels = { create, power, levels }
    }
    return this.#levels.levels
  }
}
