/**
 * What passkeys are asked for: `extensions: { prf: { eval: { first } } }`.
 *
 * Spec: WebAuthn level 3, section 10.1.4. The same for every account and passkey, so that one gesture signs in and
 * opens the vault where the credential was not known before. Uses of the output differ by HKDF. WebCrypto, not
 * libsodium: the page asks, and loads no WASM.
 */
export async function prfInput(): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode('org.letro.prf.v1')))
}
