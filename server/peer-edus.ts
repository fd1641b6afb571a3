/** What takes the EDUs of peers, from its parts. For `serving.ts`. */
import { takeEdus } from './federation-api/edus.ts'
import type { TakeEdu } from './federation-api/transactions.ts'
import type { Keys } from './keys/keys.ts'
import type { Outbound } from './peers/outbound.ts'
import type { InboundRooms } from './rooms/inbound-rooms.ts'
import { openReceiptEdus } from './rooms/receipt-edus.ts'
import type { Receipts } from './rooms/receipts.ts'
import type { Rooms } from './rooms/rooms.ts'
import type { Typing } from './rooms/typing.ts'
import { openTypingEdus } from './rooms/typing-edus.ts'
import type { Presence } from './sync/presence.ts'

export interface PeerEdusDeps {
  readonly rooms: Rooms & Pick<InboundRooms, 'askedBy'>
  readonly keys: Keys
  readonly typing: Typing
  readonly receipts: Receipts
  readonly presence: Presence | undefined
  readonly outbound: Outbound
  readonly clock: () => number
}

/** From now on, who types here is told to other servers as well. */
export function peerEdus({
  rooms,
  keys,
  typing,
  receipts,
  presence,
  outbound,
  clock,
}: PeerEdusDeps): TakeEdu {
  return takeEdus({
    keys,
    typing: openTypingEdus({ rooms, typing, outbound, clock }),
    receipts: openReceiptEdus({ rooms, receipts }),
    presence,
  })
}
