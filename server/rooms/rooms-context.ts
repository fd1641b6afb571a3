/** What the parts of the rooms area share. */
import type { Peers } from '../peers/peer.ts'
import type { RoomId, ServerName, UserId } from '../protocol/ids.ts'
import type { Store } from '../store/store.ts'
import type { EventReader } from './event-reader.ts'
import type { Gate } from './gate.ts'
import type { MembershipIndex } from './membership-index.ts'
import type { PolicySignatures } from './policy-signatures.ts'
import type { Projection } from './projection.ts'
import type { RemoteRooms } from './remote-rooms.ts'
import type { RoomActors } from './room-actors.ts'
import type { CheckSignatures, EventSigner } from './rooms-internal.ts'

/** Would this person of ours take an invite from outside? */
export type MayBeInvited = (userId: UserId) => Promise<'yes' | 'unknown' | 'blocked'>

export interface RoomsContext {
  readonly store: Store
  readonly serverName: ServerName
  readonly clock: () => number
  readonly randomBytes: (size: number) => Uint8Array
  readonly signer: EventSigner
  readonly checkSignatures: CheckSignatures
  readonly gates: readonly Gate[]
  readonly projections: readonly Projection[]
  readonly reader: EventReader
  readonly actors: RoomActors
  readonly memberships: MembershipIndex
  /** null: no federation, every server is as good as any. */
  readonly peers: Peers | null
  readonly remote: RemoteRooms
  readonly policySignatures: PolicySignatures
  readonly mayBeInvited: MayBeInvited
  /** For the log: server names and codes only. */
  readonly report: (message: string, fields?: Readonly<Record<string, string>>) => void
  /** Told of each room that begins or ends to stand still, once that is durable. */
  readonly frozenListeners: Set<(roomId: RoomId) => void>
  /** Rooms that are being brought here: what comes for one of them waits. */
  readonly arriving: Map<RoomId, Promise<unknown>>
}
