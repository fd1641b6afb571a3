/**
 * What our people may write where servers matter: nobody brings in a server that is not pinned, or one that the room's
 * residency rule keeps out; in a room that stands still, only what ends that or gets somebody out.
 *
 * Spec: none; DESIGN, *Pins*.
 */
import type { Peers } from '../peers/peer.ts'
import { serverOf, type UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { frozenDraftRefusal } from './freezer.ts'
import type { Gate, GateVerdict } from './gate.ts'
import type { Frozen } from './inbound-rooms.ts'
import { residencyRefusal } from './residency.ts'
import type { Draft } from './rooms.ts'
import { strangerIn } from './strangers.ts'

const allow: GateVerdict = { kind: 'allow' }

export function strangersGate(peers: Peers): Gate {
  return {
    name: 'servers that may not be in the room',
    judge(draft, view) {
      if (view.frozen && !endsStandstill(draft, view.frozen)) {
        const { message, fields } = frozenDraftRefusal(view.frozen)
        return refuse(message, fields)
      }
      if (!comesIn(draft)) return allow
      const stranger = strangerIn(peers, draft)
      if (stranger) return refuse(`${draft.stateKey}: this server is not connected to ${stranger}.`)
      const refusal = residencyRefusal(view, peers, serverOf(draft.stateKey as UserId))
      return refusal ? refuse(refusal) : allow
    },
  }
}

function refuse(reason: string, fields: JsonObject = {}): GateVerdict {
  return { kind: 'refuse', code: 'M_FORBIDDEN', reason, fields }
}

function comesIn({ type, stateKey, content }: Draft): boolean {
  const { membership } = content
  return (
    type === 'm.room.member' && stateKey !== undefined && (membership === 'join' || membership === 'invite')
  )
}

/** Leaving, putting the stranger's people out, and moving to another room. Only that last one goes out meanwhile. */
function endsStandstill({ type, stateKey, sender, content }: Draft, { server }: Frozen): boolean {
  if (type === 'm.room.tombstone') return true
  if (type !== 'm.room.member' || stateKey === undefined) return false
  const { membership } = content
  if (membership !== 'leave' && membership !== 'ban') return false
  return stateKey === sender || serverOf(stateKey as UserId) === server
}
