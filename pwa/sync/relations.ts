/**
 * What other events say about an event: edits, reactions, its redaction, its thread. A record for each event that has any, so
 * that a page of a timeline needs one read for all of its events.
 *
 * An edit is kept without judgement, for its original may not be here; whether it counts is judged where both are (attack 11).
 */
import type { JsonObject } from '#protocol/json.ts'
import { type EditSide, isValidEdit } from '../e2ee/edits.ts'
import type { VaultRecords, VaultWrite } from '../vault/records.ts'
import { type Relation, relationOf, type StoredEvent } from './stored-event.ts'

export interface Edit {
  readonly eventId: string
  readonly sender: string
  readonly ts: number
  readonly type: string
  readonly encrypted: boolean
  readonly content: JsonObject
}

export interface KeptReaction {
  readonly eventId: string
  readonly sender: string
  readonly key: string
}

export interface Relations {
  /** The oldest first, of each sender so many at most: nobody pushes out what another wrote. */
  readonly edits: readonly Edit[]
  readonly reactions: readonly KeptReaction[]
  readonly redaction: { readonly by: string; readonly reason: string | null; readonly eventId: string } | null
  readonly thread: { readonly eventIds: readonly string[]; readonly last: StoredEvent } | null
  /** Of a reaction or an edit itself: what it belongs to, for when it is redacted, and when it was sent. */
  readonly belongsTo: { readonly eventId: string; readonly ts: number } | null
}

export const noRelations: Relations = {
  edits: [],
  reactions: [],
  redaction: null,
  thread: null,
  belongsTo: null,
}
const maxEdits = 20
const maxReactions = 1000
/** Only their number is shown. */
const maxThreadIds = 5000
const collection = 'relation'

/** The relations of some events of one room, with what is learnt on top. Written by the caller's commit. */
export class RelationBatch {
  readonly #records: VaultRecords
  readonly #roomId: string
  readonly #read = new Map<string, Relations>()
  readonly #changed = new Set<string>()

  constructor(records: VaultRecords, roomId: string) {
    this.#records = records
    this.#roomId = roomId
  }

  async load(eventIds: Iterable<string>): Promise<void> {
    const missing = [...new Set(eventIds)].filter(eventId => !this.#read.has(eventId))
    const found = await this.#records.getMany(
      collection,
      missing.map(eventId => `${this.#roomId}|${eventId}`),
    )
    missing.forEach(
      (eventId, i) => void this.#read.set(eventId, (found[i] as unknown as Relations) ?? noRelations),
    )
  }

  /** Of an event that was loaded. */
  of(eventId: string): Relations {
    return this.#read.get(eventId) ?? noRelations
  }

  /** What these events say of others. Returns the events that are not as they were. */
  async take(events: readonly StoredEvent[], redactions: readonly Redaction[]): Promise<ReadonlySet<string>> {
    const related = events.map(event => [event, relationOf(event)] as const)
    await this.load([
      ...related.flatMap(([event, relation]) => (relation ? [relation.to, event.eventId] : [])),
      ...redactions.map(({ redacts }) => redacts),
    ])
    for (const [event, relation] of related) if (relation) this.#relate(event, relation)
    const targets = redactions.flatMap(({ redacts }) => this.of(redacts).belongsTo?.eventId ?? [])
    await this.load(targets)
    for (const redaction of redactions) this.#redact(redaction)
    return this.#changed
  }

  writes(): VaultWrite[] {
    return [...this.#changed].map(eventId => ({
      collection,
      id: `${this.#roomId}|${eventId}`,
      value: this.of(eventId) as unknown as JsonObject,
    }))
  }

  #relate(event: StoredEvent, relation: Relation): void {
    const { eventId, sender } = event
    if (this.of(eventId).redaction) return
    const before = this.of(relation.to)
    switch (relation.kind) {
      case 'edit': {
        const edit: Edit = {
          eventId,
          sender,
          ts: event.ts,
          type: event.type,
          encrypted: event.encrypted,
          content: relation.content,
        }
        const edits = [...before.edits.filter(each => each.eventId !== eventId), edit].sort(
          (a, b) => a.ts - b.ts,
        )
        this.#put(relation.to, { ...before, edits: newestOfEach(edits) })
        this.#put(eventId, { ...this.of(eventId), belongsTo: { eventId: relation.to, ts: event.ts } })
        return
      }
      case 'reaction': {
        const isThere = before.reactions.some(each => each.sender === sender && each.key === relation.key)
        if (isThere || before.reactions.length >= maxReactions) return
        const reaction: KeptReaction = { eventId, sender, key: relation.key }
        this.#put(relation.to, { ...before, reactions: [...before.reactions, reaction] })
        this.#put(eventId, { ...this.of(eventId), belongsTo: { eventId: relation.to, ts: event.ts } })
        return
      }
      case 'thread': {
        const ids = before.thread?.eventIds ?? []
        if (ids.includes(eventId)) return
        const last = before.thread && before.thread.last.ts > event.ts ? before.thread.last : event
        this.#put(relation.to, {
          ...before,
          thread: { eventIds: [...ids, eventId].slice(-maxThreadIds), last },
        })
        return
      }
      case 'reply':
        return
      default:
        relation satisfies never
    }
  }

  #redact({ redacts, eventId, sender, reason }: Redaction): void {
    const before = this.of(redacts)
    this.#put(redacts, {
      ...noRelations,
      belongsTo: before.belongsTo,
      redaction: { by: sender, reason, eventId },
    })
    if (before.belongsTo === null) return
    const target = this.of(before.belongsTo.eventId)
    this.#put(before.belongsTo.eventId, {
      ...target,
      edits: target.edits.filter(edit => edit.eventId !== redacts),
      reactions: target.reactions.filter(reaction => reaction.eventId !== redacts),
    })
  }

  #put(eventId: string, relations: Relations): void {
    this.#read.set(eventId, relations)
    this.#changed.add(eventId)
  }
}

export interface Redaction {
  readonly eventId: string
  readonly sender: string
  readonly redacts: string
  readonly reason: string | null
}

/** The newest edit that counts. */
export function validEdit(roomId: string, original: StoredEvent, { edits }: Relations): Edit | null {
  const side: EditSide = {
    eventId: original.eventId,
    roomId,
    sender: original.sender,
    type: original.type,
    isState: original.stateKey !== null,
    isEncrypted: original.encrypted,
    isEdit: relationOf(original)?.kind === 'edit',
  }
  return (
    edits.findLast(edit =>
      isValidEdit(side, {
        eventId: edit.eventId,
        roomId,
        sender: edit.sender,
        type: edit.type,
        isState: false,
        isEncrypted: edit.encrypted,
        isEdit: true,
        replaces: original.eventId,
      }),
    ) ?? null
  )
}

/** What redaction leaves of an event in a store. Spec: rooms/v11#redactions, without what only servers need. */
export function redactedEvent(
  event: StoredEvent,
  { sender, reason }: { sender: string; reason: string | null },
): StoredEvent {
  return {
    ...event,
    content: {},
    previousContent: null,
    unreadable: null,
    redactedBecause: { sender, reason },
  }
}

function newestOfEach(edits: readonly Edit[]): Edit[] {
  const bySender = Map.groupBy(edits, ({ sender }) => sender)
  return edits.filter(edit => bySender.get(edit.sender)!.slice(-maxEdits).includes(edit))
}
