/**
 * What peers send that is no event, each by its type. One that is malformed, not known or none of the peer's business is
 * passed over: it must not keep the others from arriving. Only a store that fails is an error, so that the peer, which
 * would take 200 for "it is there", sends the transaction again.
 *
 * Spec: server-server-api#edus
 */
import type { Keys } from '../keys/keys.ts'
import { KeysError } from '../keys/keys-error.ts'
import { parseDirectToDevice } from '../keys/to-device-edus.ts'
import type { ServerName } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { ReceiptEdus } from '../rooms/receipt-edus.ts'
import type { TypingEdus } from '../rooms/typing-edus.ts'
import type { Presence } from '../sync/presence.ts'
import type { TakeEdu } from './transactions.ts'

export interface EdusDeps {
  readonly keys: Pick<Keys, 'receiveToDevice' | 'remoteLists'>
  readonly typing: TypingEdus
  readonly receipts: ReceiptEdus
  /** Absent: off. */
  readonly presence?: Pick<Presence, 'take'> | undefined
}

export function takeEdus({ keys, typing, receipts, presence }: EdusDeps): TakeEdu {
  const takers = new Map<string, (origin: ServerName, content: JsonObject) => Promise<void>>([
    ['m.typing', (origin, content) => typing.take(origin, content)],
    ['m.receipt', (origin, content) => receipts.take(origin, content)],
    ['m.presence', async (origin, content) => presence?.take(origin, content)],
    ['m.direct_to_device', takeToDevice],
    ['m.device_list_update', (origin, content) => keys.remoteLists.takeUpdate(origin, content)],
    ['m.signing_key_update', (origin, content) => keys.remoteLists.takeSigningKeys(origin, content)],
  ])

  async function takeToDevice(origin: ServerName, content: JsonObject): Promise<void> {
    const message = parseDirectToDevice(origin, content)
    if (!message) return
    const { sender, messageId, type, messages } = message
    await keys.receiveToDevice(sender, messageId, type, messages)
  }

  return async (origin, type, content) => {
    try {
      await takers.get(type)?.(origin, content)
    } catch (error) {
      if (!(error instanceof KeysError)) throw error
    }
  }
}
