/**
 * Is a redaction carried out? The auth rules only say whether it may be sent.
 *
 * Spec: rooms/v12#handling-redactions. Asked when both events are there and accepted; until then neither the
 * redaction nor its effect is shown to clients.
 */
import type { Pdu } from '../protocol/event.ts'
import { serverOf } from '../protocol/ids.ts'
import type { PowerLevels } from './power-levels.ts'

/** `levels` are those of the state before the redaction. Both events are of one room. */
export function mayRedact(
  redaction: Pick<Pdu, 'sender'>,
  target: Pick<Pdu, 'sender'>,
  levels: PowerLevels,
): boolean {
  return (
    levels.ofUser(redaction.sender) >= levels.named('redact') ||
    serverOf(redaction.sender) === serverOf(target.sender)
  )
}
