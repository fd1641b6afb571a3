/**
 * Gestures with a passkey, in the page: workers have no WebAuthn.
 *
 * What the PRF extension gives is a secret. It is taken out of what goes to the server, handed on as an `Opener`, and wiped by the
 * worker that gets it. Browsers differ in when they give it: many on `get` alone, some never; see vault/passkey.ts.
 *
 * Spec: WebAuthn level 3, sections 5.1.3, 5.1.4 and 10.1.4
 */
import { decodeBase64Url, encodeBase64 } from '#protocol/base64.ts'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { authOf, confirmationNeeded, type Wish } from '../api/interactive-auth.ts'
import { VaultError } from '../vault/errors.ts'
import { askPasskey, passkeySecret } from '../vault/passkey.ts'
import { prfInput } from '../vault/prf-input.ts'
import type { Opener } from '../vault/vault-key.ts'
import { passkeyOpener } from '../worker/account-client.ts'

export type PasskeyOpener = Extract<Opener, { kind: 'passkey' }>

export interface MadePasskey {
  readonly attestation: JsonObject
  readonly credentialId: string
  /** Null where the browser gives it on `get` alone, or never. */
  readonly opener: PasskeyOpener | null
}

/** Makes a passkey from the server's options. @throws VaultError PASSKEY_DECLINED, PASSKEY_EXISTS, PASSKEY_FAILED */
export async function createPasskey(options: JsonObject): Promise<MadePasskey> {
  const { startRegistration } = await import('@simplewebauthn/browser')
  type Options = Parameters<typeof startRegistration>[0]['optionsJSON']
  const optionsJSON = { ...options, extensions: await withPrf(options) } as unknown as Options
  const credential = await explained(startRegistration({ optionsJSON }))
  return {
    attestation: withoutSecrets(credential as Credential),
    credentialId: credential.id,
    opener: openerIn(credential as Credential),
  }
}

/** Answers the server's challenge; the vault and secret storage may be opened by the same gesture. */
export async function usePasskey(
  options: JsonObject,
): Promise<{ readonly assertion: JsonObject; readonly opener: PasskeyOpener | null }> {
  const { startAuthentication } = await import('@simplewebauthn/browser')
  type Options = Parameters<typeof startAuthentication>[0]['optionsJSON']
  const optionsJSON = { ...options, extensions: await withPrf(options) } as unknown as Options
  const credential = await explained(startAuthentication({ optionsJSON }))
  return { assertion: withoutSecrets(credential as Credential), opener: openerIn(credential as Credential) }
}

/** The PRF output of one of these passkeys, which no server hears of. Null where there is none. */
export async function openerOf(credentialIds: readonly string[]): Promise<PasskeyOpener | null> {
  const secret = await explained(askPasskey(credentialIds, await prfInput()))
  return passkeyOpener(secret) as PasskeyOpener | null
}

/**
 * Does what needs confirmation: where the server wishes it, the person is asked for a passkey, and it is done again with the
 * answer. What the same gesture opens is handed along, and wiped. Other refusals pass through.
 */
export async function confirmed<T>(
  act: (auth: JsonObject | null, opener: PasskeyOpener | null) => Promise<T>,
): Promise<T> {
  try {
    return await act(null, null)
  } catch (error) {
    const { code, details } = error as { code?: unknown; details?: Wish }
    if (code !== confirmationNeeded || !isObject(details)) throw error
    if (!details.options) throw new VaultError('NO_PASSKEY', 'the server takes no passkey for this')
    const { assertion, opener } = await usePasskey(details.options)
    try {
      return await act(authOf(details, assertion), opener)
    } finally {
      opener?.prfOutput.fill(0)
    }
  }
}

/** What an enrolled device carries of the gesture: see e2ee/passkey-device.ts. */
export async function signWithPasskey(
  credentialIds: readonly string[],
  challenge: string,
): Promise<{ credentialId: string; authenticatorData: string; clientDataJson: string; signature: string }> {
  const credential = (await explained(
    navigator.credentials.get({
      publicKey: {
        challenge: bytesOf(challenge),
        allowCredentials: credentialIds.map(id => ({ type: 'public-key', id: bytesOf(id) })),
        userVerification: 'required',
      },
    }),
  )) as PublicKeyCredential
  const { authenticatorData, clientDataJSON, signature } =
    credential.response as AuthenticatorAssertionResponse
  const text = (buffer: ArrayBuffer) => encodeBase64(new Uint8Array(buffer))
  return {
    credentialId: credential.id,
    authenticatorData: text(authenticatorData),
    clientDataJson: text(clientDataJSON),
    signature: text(signature),
  }
}

/** "Firefox, Linux": enough to know it again. Names of products are the same in every language. */
export function suggestedName(agent = navigator.userAgent): string {
  const found = (list: readonly (readonly [RegExp, string])[]) =>
    list.find(([pattern]) => pattern.test(agent))?.[1]
  const browser = found([
    [/Firefox|FxiOS/, 'Firefox'],
    [/Edg/, 'Edge'],
    [/Chrome|CriOS/, 'Chrome'],
    [/Safari/, 'Safari'],
  ])
  const system = found([
    [/iPhone/, 'iPhone'],
    [/iPad/, 'iPad'],
    [/Android/, 'Android'],
    [/Mac OS X/, 'Mac'],
    [/Windows/, 'Windows'],
    [/CrOS/, 'Chromebook'],
    [/Linux/, 'Linux'],
  ])
  return [browser, system].filter(Boolean).join(', ') || 'Passkey'
}

async function withPrf(options: JsonObject): Promise<object> {
  const extensions = isObject(options['extensions']) ? options['extensions'] : {}
  return { ...extensions, prf: { eval: { first: await prfInput() } } }
}

type Credential = { readonly id: string; readonly clientExtensionResults: { readonly prf?: unknown } }

function openerIn({ id, clientExtensionResults }: Credential): PasskeyOpener | null {
  const credential = { id, getClientExtensionResults: () => clientExtensionResults }
  return passkeyOpener(passkeySecret(credential as unknown as PublicKeyCredential)) as PasskeyOpener | null
}

/** As the server gets it. */
export function withoutSecrets(credential: Credential): JsonObject {
  const { prf: _prf, ...results } = credential.clientExtensionResults
  return { ...credential, clientExtensionResults: results } as unknown as JsonObject
}

/** The browser's exceptions as codes that the catalogue knows. */
async function explained<T>(gesture: Promise<T>): Promise<T> {
  try {
    return await gesture
  } catch (cause) {
    const { name } = cause as { name?: unknown }
    const code =
      name === 'NotAllowedError' || name === 'AbortError'
        ? 'PASSKEY_DECLINED'
        : name === 'InvalidStateError'
          ? 'PASSKEY_EXISTS'
          : 'PASSKEY_FAILED'
    throw new VaultError(code, String(cause), { cause })
  }
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(decodeBase64Url(text.replaceAll('+', '-').replaceAll('/', '_')) ?? [])
}
