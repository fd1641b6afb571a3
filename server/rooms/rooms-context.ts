/** What the parts of the rooms area share. */
import type { ServerName } from '../protocol/ids.ts'
import type { Store } from '../store/store.ts'
import type { EventReader } from './event-reader.ts'
import type { Gate } from './gate.ts'
import type { MembershipIndex } from './membership-index.ts'
import type { Projection } from './projection.ts'
import type { RoomActors } from './room-actors.ts'
import type { CheckSignatures, EventSigner } from './rooms-internal.ts'

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
}
