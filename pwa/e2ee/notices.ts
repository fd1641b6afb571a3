/** What the engine tells its host after a step: facts for the views, never keys. */
export type Notice =
  /** Events that could not be read may be readable now. */
  | { readonly kind: 'room-keys'; readonly roomId: string; readonly sessionIds: readonly string[] }
  /** A person's devices or identity are not what they were. */
  | { readonly kind: 'identity-changed'; readonly userId: string }
  | { readonly kind: 'devices-changed'; readonly userId: string }
  | { readonly kind: 'verification'; readonly flowId: string }
  /** Something was dropped; the code says why. Nothing changed by it. */
  | { readonly kind: 'refused'; readonly code: string; readonly from?: string }
  /** A private key came or went: cross-signing keys, the backup key. */
  | { readonly kind: 'secret'; readonly name: string }
  /** Encrypting in this room waits for a person's decision. */
  | { readonly kind: 'room-blocked'; readonly roomId: string; readonly userIds: readonly string[] }
  /** The records are older than what this device has sent: a profile was restored. New sessions are begun. */
  | { readonly kind: 'rolled-back' }
