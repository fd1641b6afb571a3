/**
 * An event in memory and its two rows.
 *
 * - The **skeleton** is what redaction keeps, as the very text whose hash is the event id and over which signatures
 *   are made, below a header of what this server knows about the event. Neither redaction nor purge touches it.
 * - The **content** row holds what redaction takes away; redacting replaces it by a pointer to the redaction.
 *
 * So an event's id and signatures can be checked from its rows for ever, with or without its content.
 */
import type { Pdu, Signatures } from '../protocol/event.ts'
import { roomIdOf } from '../protocol/event-hash.ts'
import type { EventId, RoomId, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { KeyId } from '../protocol/signing.ts'
import type { Position } from '../store/store.ts'
import type { GraphEvent } from './graph-event.ts'
import type { RoomEvent } from './rooms.ts'

export type SentWith = NonNullable<RoomEvent['transaction']>
export type Replaced = NonNullable<RoomEvent['replacesState']>

/** What became of an event. Only `timeline` events are shown to anyone. */
export interface EventFlags {
  /** Known by its id alone, without a place in the graph. */
  readonly outlier: boolean
  readonly rejected: boolean
  readonly softFailed: boolean
  /** A redaction that is not carried out: not permitted, or its target is not here. */
  readonly withheld: boolean
  /** Its content did not match its hash on receipt: all that is left is the redacted event. */
  readonly cutOnReceipt: boolean
  /** An outlier that nobody has held against the auth rules: where that matters it counts as not here. */
  readonly unjudged: boolean
}

export const noFlags: EventFlags = {
  outlier: false,
  rejected: false,
  softFailed: false,
  withheld: false,
  cutOnReceipt: false,
  unjudged: false,
}

const flagBits = [
  ['outlier', 1],
  ['rejected', 2],
  ['softFailed', 4],
  ['withheld', 8],
  ['cutOnReceipt', 16],
  ['unjudged', 32],
] as const satisfies readonly (readonly [keyof EventFlags, number])[]

/** Everything about a stored event that is not in the event itself. */
export interface EventFacts {
  readonly eventId: EventId
  readonly flags: EventFlags
  /** The key with which we sign it on its way out: fixed here, so that it is the same signature for ever. */
  readonly ourKey?: KeyId | undefined
  readonly signatures?: Signatures | undefined
  readonly transaction?: SentWith | undefined
  readonly redacts?: EventId | undefined
  /** The state event that this one replaced. */
  readonly replaced?: Position | undefined
}

export class StoredEvent implements RoomEvent, GraphEvent {
  /** 0 until the event has its place in the order. */
  position = 0 as Position
  order = 0
  /** Snapshot of the state before it. 0: none (create event, outlier). */
  before = 0 as Position
  /** Characters of its two rows: how much memory it takes, about. */
  textLength = 0
  readonly roomId: RoomId
  readonly eventId: EventId
  readonly type: string
  readonly sender: UserId
  readonly stateKey?: string
  readonly content: JsonObject
  readonly originServerTs: number
  readonly depth: number
  readonly redacts?: EventId
  readonly redactedBecause?: StoredEvent
  readonly replacesState?: Replaced
  readonly transaction?: SentWith
  readonly pdu: Pdu
  readonly facts: EventFacts

  constructor(
    pdu: Pdu,
    facts: EventFacts,
    links: {
      readonly redactedBecause?: StoredEvent | undefined
      readonly replaced?: Replaced | undefined
    } = {},
  ) {
    this.roomId = roomIdOf(pdu, facts.eventId)
    this.eventId = facts.eventId
    this.type = pdu.type
    this.sender = pdu.sender
    this.content = pdu.content
    this.originServerTs = pdu.origin_server_ts
    this.depth = pdu.depth
    if (pdu.state_key !== undefined) this.stateKey = pdu.state_key
    if (facts.redacts !== undefined) this.redacts = facts.redacts
    if (facts.transaction !== undefined) this.transaction = facts.transaction
    if (links.redactedBecause !== undefined) this.redactedBecause = links.redactedBecause
    if (links.replaced !== undefined) this.replacesState = links.replaced
    this.pdu = pdu
    this.facts = facts
  }

  get rejected(): boolean {
    return this.facts.flags.rejected
  }

  /** May clients learn of it at all? */
  get isShown(): boolean {
    const { outlier, rejected, softFailed, withheld } = this.facts.flags
    return !outlier && !rejected && !softFailed && !withheld
  }

  /** Snapshot of the state after it. A state event that was not rejected makes the snapshot of its own position. */
  get after(): Position {
    const { outlier, rejected } = this.facts.flags
    return this.stateKey !== undefined && !outlier && !rejected ? this.position : this.before
  }

  at(position: Position, order: number, before: Position): this {
    this.position = position
    this.order = order
    this.before = before
    return this
  }

  asReplaced(): Replaced {
    return { eventId: this.eventId, content: this.content, sender: this.sender }
  }

  /** This event as it is once redacted: another object, because events are shared. */
  redactedCopy(keptContent: JsonObject, because: StoredEvent): StoredEvent {
    const { content: _content, ...rest } = this.pdu
    const copy = new StoredEvent({ ...rest, content: keptContent } as Pdu, this.facts, {
      redactedBecause: because,
      replaced: this.replacesState,
    })
    return copy.#asStored(this)
  }

  /** A redaction that was withheld, once what it redacts is here. */
  carriedOut(): StoredEvent {
    const facts = { ...this.facts, flags: { ...this.facts.flags, withheld: false } }
    const { redactedBecause, replacesState } = this
    const copy = new StoredEvent(this.pdu, facts, { redactedBecause, replaced: replacesState })
    return copy.at(this.position, this.order, this.before)
  }

  /** The same event with another record of what it replaced, after that was redacted. */
  withReplaced(replaced: Replaced): StoredEvent {
    const copy = new StoredEvent(this.pdu, this.facts, { redactedBecause: this.redactedBecause, replaced })
    return copy.#asStored(this)
  }

  #asStored({ position, order, before, textLength }: StoredEvent): this {
    this.textLength = textLength
    return this.at(position, order, before)
  }
}

// ── rows ───────────────────────────────────────────────────────────────────────────────────────────────

/** The header of a skeleton: short names, since there is one for every event. */
interface Header {
  /** Event id. */
  readonly i: EventId
  /** Flags. */
  readonly f?: number
  /** State before. */
  readonly s?: Position
  /** Order, where it is not the position. */
  readonly o?: number
  /** Our key. */
  readonly k?: KeyId
  /** Signatures of others. */
  readonly g?: Signatures
  /** Device and transaction id. */
  readonly t?: readonly [deviceId: string, txnId: string]
  /** Redacts. */
  readonly d?: EventId
  /** Replaced state event. */
  readonly p?: Position
}

/** An event that got another position: outliers that came into the graph later. */
interface Moved {
  readonly m: Position
}

/** `essential`: the signed text of the event, see protocol/event-hash.ts. */
export function skeletonText(event: StoredEvent, essential: string): string {
  const { facts } = event
  const flags = bitsOf(facts.flags)
  const header: Header = {
    i: facts.eventId,
    ...(flags !== 0 && { f: flags }),
    ...(event.before !== 0 && { s: event.before }),
    ...(event.order !== event.position && { o: event.order }),
    ...(facts.ourKey !== undefined && { k: facts.ourKey }),
    ...(facts.signatures !== undefined && { g: facts.signatures }),
    ...(facts.transaction !== undefined && { t: [facts.transaction.deviceId, facts.transaction.txnId] }),
    ...(facts.redacts !== undefined && { d: facts.redacts }),
    ...(facts.replaced !== undefined && { p: facts.replaced }),
  }
  return `${JSON.stringify(header)}\n${essential}`
}

export function movedText(to: Position): string {
  return JSON.stringify({ m: to } satisfies Moved)
}

/** `contentText` is the JSON of the content; `extras` are top-level members that redaction drops. */
export function contentRowText(contentText: string, extras?: JsonObject): string {
  return extras === undefined ? `{"c":${contentText}}` : `{"c":${contentText},"x":${JSON.stringify(extras)}}`
}

export function redactedRowText(redaction: Position): string {
  return JSON.stringify({ r: redaction })
}

interface ContentRow {
  readonly c?: JsonObject
  readonly x?: JsonObject
  /** Redacted by the event at this position. */
  readonly r?: Position
}

/** Rows that were read, before what they point to was. */
export interface DecodedEvent {
  readonly kind: 'event'
  readonly position: Position
  readonly order: number
  readonly before: Position
  readonly textLength: number
  readonly essential: string
  readonly pdu: Pdu
  readonly facts: EventFacts
  readonly redactedBy: Position | undefined
  /** The content was taken by a redaction or a purge. */
  readonly isCut: boolean
}

export function decodeEvent(
  position: Position,
  skeleton: string,
  content: string | undefined,
): DecodedEvent | { readonly kind: 'moved'; readonly to: Position } {
  const newline = skeleton.indexOf('\n')
  if (newline < 0) return { kind: 'moved', to: (JSON.parse(skeleton) as Moved).m }
  const header = JSON.parse(skeleton.slice(0, newline)) as Header
  const essential = skeleton.slice(newline + 1)
  const row = content === undefined ? {} : (JSON.parse(content) as ContentRow)
  const kept = JSON.parse(essential) as Pdu
  const pdu = row.c === undefined ? kept : ({ ...kept, ...row.x, content: row.c } as Pdu)
  return {
    kind: 'event',
    position,
    order: header.o ?? position,
    before: header.s ?? (0 as Position),
    textLength: skeleton.length + (content?.length ?? 0),
    essential,
    pdu,
    facts: {
      eventId: header.i,
      flags: header.f === undefined ? noFlags : flagsOf(header.f),
      ourKey: header.k,
      signatures: header.g,
      transaction: header.t && { userId: pdu.sender, deviceId: header.t[0], txnId: header.t[1] },
      redacts: header.d,
      replaced: header.p,
    },
    redactedBy: row.r,
    isCut: row.c === undefined,
  }
}

function bitsOf(flags: EventFlags): number {
  if (flags === noFlags) return 0
  return flagBits.reduce((bits, [name, bit]) => (flags[name] ? bits | bit : bits), 0)
}

function flagsOf(bits: number): EventFlags {
  return Object.fromEntries(flagBits.map(([name, bit]) => [name, (bits & bit) !== 0])) as Record<
    keyof EventFlags,
    boolean
  >
}
