/**
 * This device enrolled with a passkey: a list of the person's passkeys that their master key signs, and one gesture.
 *
 * Between the challenge and what the passkey signed lie seconds in which a person may turn away: what was begun is kept in
 * memory alone.
 */
import { decodeBase64, decodeBase64Url } from '#protocol/base64.ts'
import type { JsonObject } from '#protocol/json.ts'
import {
  beginEnrolment,
  completeEnrolment,
  type ListedPasskey,
  type PasskeyOrigin,
  passkeyList,
  signPasskeyList,
} from '../e2ee/passkey-device.ts'
import { TrustError } from './errors.ts'
import { sendSoon } from './leaving.ts'
import { refreshOwnList } from './own-list.ts'
import type { TrustDeps } from './ports.ts'

export interface EnrolmentAnswer {
  readonly nonce: string
  readonly credentialId: string
  /** base64url, as WebAuthn's `toJSON` gives them. */
  readonly authenticatorData: string
  readonly clientDataJson: string
  readonly signature: string
  readonly origin: PasskeyOrigin
}

/** More that were begun and not completed are forgotten. */
const maxBegun = 8

export class Enrolments {
  readonly #deps: TrustDeps
  readonly #begun = new Map<string, { nonce: Uint8Array; deviceKeys: JsonObject }>()

  constructor(deps: TrustDeps) {
    this.#deps = deps
  }

  /** @throws ApiError, E2eeError SECRET_MISSING where the list is new and the master key is not here */
  async begin(passkeys: readonly ListedPasskey[]): Promise<{ nonce: string; challenge: string }> {
    await refreshOwnList(this.#deps)
    const { nonce, challenge, deviceKeys } = await this.#deps.machine.run(async (step, own) => {
      const listed = await passkeyList(step, own.userId)
      if (!isSameList(listed, passkeys)) await signPasskeyList(step, own, passkeys)
      return beginEnrolment(step, own)
    })
    const name = nonce.toBase64({ alphabet: 'base64url', omitPadding: true })
    this.#begun.set(name, { nonce, deviceKeys })
    for (const oldest of [...this.#begun.keys()].slice(0, -maxBegun)) this.#begun.delete(oldest)
    return { nonce: name, challenge: challenge.toBase64({ alphabet: 'base64url', omitPadding: true }) }
  }

  /** @throws TrustError ENROLMENT_NOT_BEGUN, E2eeError PASSKEY_… */
  async complete(answer: EnrolmentAnswer): Promise<void> {
    const begun = this.#begun.get(answer.nonce)
    if (!begun) throw new TrustError('ENROLMENT_NOT_BEGUN', 'this enrolment was not begun here, or long ago')
    const assertion = {
      credentialId: answer.credentialId,
      authenticatorData: bytesOf(answer.authenticatorData),
      clientDataJson: bytesOf(answer.clientDataJson),
      signature: bytesOf(answer.signature),
    }
    await this.#deps.machine.run((step, own) =>
      completeEnrolment(step, own, { ...begun, assertion }, answer.origin),
    )
    this.#begun.delete(answer.nonce)
    await sendSoon(this.#deps)
  }
}

function isSameList(listed: readonly ListedPasskey[] | null, wanted: readonly ListedPasskey[]): boolean {
  const text = (list: readonly ListedPasskey[]) =>
    JSON.stringify(list.map(({ credentialId, publicKey, name }) => [credentialId, publicKey, name]).sort())
  return listed !== null && text(listed) === text(wanted)
}

function bytesOf(text: string): Uint8Array {
  const bytes = decodeBase64Url(text) ?? decodeBase64(text)
  if (!bytes) throw new TrustError('ENROLMENT_MALFORMED', 'a part of the assertion is not base64')
  return bytes
}
