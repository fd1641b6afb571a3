/** What of the ratchets reads bytes that anybody may have sent: by name, for the corpus and its test. */
import { E2eeError } from '../../pwa/e2ee/errors.ts'
import { decodeExportedKey, decodeMegolmMessage, decodeSharedKey } from '../../pwa/e2ee/megolm-message.ts'
import { decodeNormalMessage, decodePreKeyMessage } from '../../pwa/e2ee/olm-message.ts'

export const parsers = {
  'olm message': decodeNormalMessage,
  'olm pre-key message': decodePreKeyMessage,
  'megolm message': decodeMegolmMessage,
  'megolm session key': decodeSharedKey,
  'megolm exported key': decodeExportedKey,
} satisfies Record<string, (bytes: Uint8Array) => unknown>

export type Parser = keyof typeof parsers

/** `accepted`, or the code and the words of the refusal. Any other error is thrown on. */
export function outcomeOf(parser: Parser, bytes: Uint8Array): string {
  try {
    parsers[parser](bytes)
    return 'accepted'
  } catch (error) {
    if (!(error instanceof E2eeError)) throw error
    return `${error.code}: ${error.message.replace(/\d+/g, '#')}`
  }
}
