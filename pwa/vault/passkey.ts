/**
 * The passkey's part of opening the vault, in the page: workers have no WebAuthn.
 *
 * Spec: WebAuthn level 3, section 10.1.4 (prf). The assertion itself is thrown away: nothing is proved to anybody, the
 * PRF output alone counts, so this works offline. Browsers differ in when they give it: many only on `get`, some
 * for some authenticators, some never. Null therefore is an answer, not a failure.
 */
import { decodeBase64Url } from '#protocol/base64.ts'

export interface PasskeySecret {
  readonly credentialId: string
  /** 32 bytes; null where this passkey or browser has no PRF. Whoever gets it wipes it. */
  readonly prfOutput: Uint8Array<ArrayBuffer> | null
}

/**
 * Asks the person for one of these passkeys. Windows Hello rejects `prf: {}`: an input is always given.
 * @throws DOMException NotAllowedError where the person declines or none of the passkeys is within reach
 */
export async function askPasskey(
  credentialIds: readonly string[],
  prfInput: Uint8Array<ArrayBuffer>,
): Promise<PasskeySecret> {
  const credential = await navigator.credentials.get({
    publicKey: {
      // Nobody checks the answer: the challenge only has to be one.
      challenge: crypto.getRandomValues(new Uint8Array(32)),
      allowCredentials: credentialIds.map(id => ({ type: 'public-key', id: bytesOf(id) })),
      userVerification: 'required',
      extensions: { prf: { eval: { first: prfInput } } },
    },
  })
  return passkeySecret(credential as PublicKeyCredential)
}

/** What any assertion or registration that carried the extension says, a sign-in's as well. */
export function passkeySecret(credential: PublicKeyCredential): PasskeySecret {
  const first = credential.getClientExtensionResults().prf?.results?.first
  const prfOutput = first === undefined ? null : new Uint8Array(first as ArrayBuffer)
  return { credentialId: credential.id, prfOutput }
}

function bytesOf(credentialId: string): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64Url(credentialId)
  if (!bytes) throw new TypeError('a credential id is URL-safe base64')
  return new Uint8Array(bytes)
}
