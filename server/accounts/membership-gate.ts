/**
 * Who may come into a room at all, whatever the room's own rules say. `app.ts` hands this to the rooms.
 *
 * It stands where every way in passes: /join, /knock, a state event, a new room's first join, an upgrade. And it reads
 * the account in the room's own transaction, so that a request which was under way while the account ended comes to nothing.
 */
import type { Gate, GateVerdict } from '../rooms/gate.ts'
import type { Draft, RoomView } from '../rooms/rooms.ts'
import { type AccountRow, accountTable } from '../store/catalogue.ts'

export const membershipGate: Gate = {
  name: 'accounts that may not come in',
  reads: draft => (comesIn(draft) ? [accountTable.key(draft.sender)] : []),
  judge: (draft, view, loaded) => {
    const account = comesIn(draft) ? loaded.get(accountTable.key(draft.sender)) : undefined
    return account ? judge(account, draft, view) : allow
  },
}

const allow: GateVerdict = { kind: 'allow' }
const refuse = (reason: string): GateVerdict => ({ kind: 'refuse', code: 'M_FORBIDDEN', reason })

function comesIn({ type, sender, stateKey, content }: Draft): boolean {
  const { membership } = content
  return type === 'm.room.member' && stateKey === sender && (membership === 'join' || membership === 'knock')
}

function judge(account: AccountRow, { roomId, sender, content }: Draft, view: RoomView): GateVerdict {
  const before = view.membership(sender)
  if (account.deactivatedTs !== undefined && account.returnsTo !== roomId)
    return refuse('This account was deactivated.')
  if (account.kind !== 'external' || before === 'join') return allow
  if (content['membership'] === 'knock')
    return refuse('External people come by invitation: they cannot knock.')
  return before === 'invite' ? allow : refuse('roomId: external people join by invitation only.')
}
