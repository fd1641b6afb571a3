/**
 * Gates: how areas above may refuse what a local person wants to send, without rooms knowing them.
 *
 * A gate decides about a draft, before it becomes an event; on what another server sent it has no say, or servers
 * would disagree about the room. It is a pure function of the draft, the room as its writer sees it, and rows
 * that it names; the room loads these in its own transaction.
 */
import type { JsonObject } from '../protocol/json.ts'
import type { Key } from '../store/key.ts'
import type { Draft, RoomErrorCode, RoomView } from './rooms.ts'

export type GateVerdict =
  | { readonly kind: 'allow' }
  | {
      readonly kind: 'refuse'
      readonly code: RoomErrorCode
      /** A sentence for the person whose draft it was. */
      readonly reason: string
      /** What the answer holds beside code and sentence. */
      readonly fields?: JsonObject
    }

/** Rows by key, those that are written in the same transaction included. */
export interface LoadedRows {
  get<V>(key: Key<V>): V | undefined
}

export interface Gate {
  readonly name: string
  /** The rows that `judge` will look at. */
  reads?(draft: Draft, view: RoomView): readonly Key<unknown>[]
  /** `view` is the room with everything that was sent before, durable or not: show nothing of it to anyone. */
  judge(draft: Draft, view: RoomView, loaded: LoadedRows): GateVerdict
}
