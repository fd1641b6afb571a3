/** Where a person stands on the way in: one page each. */
import type { IdentityState } from '../../worker/calls.ts'
import type { Invitation, SignedIn } from './server.ts'
import type { Missing } from './support.ts'

export type Stage =
  | { readonly kind: 'loading' }
  | { readonly kind: 'missing'; readonly what: Missing }
  /** Sign in, or come with a link or code. `error`: the account is there, and what came after it failed. */
  | { readonly kind: 'start'; readonly error?: unknown }
  | { readonly kind: 'install'; readonly secret: string }
  | { readonly kind: 'invitation'; readonly secret: string; readonly invitation: Invitation }
  | { readonly kind: 'invitation-failed'; readonly secret: string; readonly error: unknown }
  /** An invitation for somebody else than whose account this browser keeps. It was not used. */
  | { readonly kind: 'occupied'; readonly by: string }
  | { readonly kind: 'device-link'; readonly fragment: string }
  /** The passkey has no PRF and opens no vault: something else has to. */
  | { readonly kind: 'passphrase'; readonly signedIn: SignedIn }
  /** Signed in, and what an earlier device left here does not open. */
  | { readonly kind: 'sealed'; readonly signedIn: SignedIn }
  | { readonly kind: 'locked' }
  /** Open, and what it needs to go on is broken: somebody has to decide. */
  | { readonly kind: 'damaged' }
  /** So many days without contact: by the organisation's rule the server has to be heard first. */
  | { readonly kind: 'overdue'; readonly days: number }
  /** Signed in; what the identity needs is being done, or failed. */
  | { readonly kind: 'setting-up'; readonly error: unknown }
  /** `error`: what was tried already. */
  | { readonly kind: 'open-identity'; readonly identity: IdentityState; readonly error: unknown }
  | { readonly kind: 'recovery-key'; readonly recoveryKey: string }
  | { readonly kind: 'last-step'; readonly facts: LastFacts }
  | { readonly kind: 'lost' }
  | { readonly kind: 'ended'; readonly why: 'revoked' | 'expired' }
  | { readonly kind: 'inside' }

/** What is left to say or to do on a device that has just come in. */
export interface LastFacts {
  /** A passkey can sign this device's keys. */
  readonly mayConfirm: boolean
  /** It is the account's only one, and on this device alone. */
  readonly isOnlyPasskey: boolean
  /** False: the browser may clear what is stored when room gets short. */
  readonly isKept: boolean
  /** False: nothing rings while the app is closed. */
  readonly rings: boolean
}

/** The person is signed in and sees nothing of the rooms yet: losing the vault takes them back to its lock. */
export function needsOpenVault({ kind }: Stage): boolean {
  return (
    kind === 'inside' ||
    kind === 'damaged' ||
    kind === 'overdue' ||
    kind === 'setting-up' ||
    kind === 'open-identity' ||
    kind === 'recovery-key' ||
    kind === 'last-step'
  )
}
