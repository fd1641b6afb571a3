/**
 * From the address to an open session: where the person stands, and what each act leads to.
 *
 * A first device: invitation → passkey → vault → session → identity is made → recovery key. A further one: passkey → vault → session →
 * identity is opened, by the passkey's PRF where it has one. What fails leaves the person where they were. Between two steps
 * nothing is kept but what the worker has; a reload goes on from there.
 */
import { signal } from '@preact/signals'
import { parseLinkAddress } from '../../trust/link-address.ts'
import { VaultError } from '../../vault/errors.ts'
import type { Opener } from '../../vault/vault-key.ts'
import { askForPersistence } from '../../worker/account-client.ts'
import type { IdentityState } from '../../worker/calls.ts'
import type { RecoveryText } from '../../worker/owner.ts'
import {
  account,
  call,
  forgetAccount,
  openAccount,
  ownerState,
  readAccount,
  session,
  sessionEnded,
} from '../account.ts'
import {
  confirmed,
  createPasskey,
  openerOf,
  type PasskeyOpener,
  suggestedName,
  usePasskey,
} from '../passkey-gesture.ts'
import { arrivalOf } from './link.ts'
import {
  beginInvitation,
  beginPasskey,
  completeInvitation,
  completePasskey,
  type Invitation,
  type SignedIn,
  signIn,
  signInOptions,
} from './server.ts'
import { hasPasskeys, type Missing, missing, mustInstallFirst } from './support.ts'

export type Stage =
  | { readonly kind: 'loading' }
  | { readonly kind: 'missing'; readonly what: Missing }
  /** Sign in, or come with a link or code. */
  | { readonly kind: 'start' }
  | { readonly kind: 'install'; readonly secret: string }
  | { readonly kind: 'invitation'; readonly secret: string; readonly invitation: Invitation }
  | { readonly kind: 'device-link'; readonly fragment: string }
  /** The passkey opens no vault: something else has to. */
  | { readonly kind: 'passphrase'; readonly signedIn: SignedIn; readonly keep: boolean }
  | { readonly kind: 'locked' }
  /** Signed in, and what the identity needs is being asked for or done. */
  | { readonly kind: 'setting-up' }
  | { readonly kind: 'open-identity'; readonly identity: IdentityState }
  | { readonly kind: 'recovery-key'; readonly recoveryKey: string }
  | { readonly kind: 'lost' }
  | { readonly kind: 'ended'; readonly why: 'revoked' | 'expired' }
  | { readonly kind: 'inside' }

export const stage = signal<Stage>({ kind: 'loading' })

/** The PRF output of the gesture just made, for the identity after the vault: each use hands over a copy of its own. */
let gesture: PasskeyOpener | null = null
/** A first device's link that is not completed yet: it lets this device in. */
let pendingLink: { readonly linkId: string; readonly key: string } | null = null

/** Where the address and what this browser has lead to. */
export async function arrive(): Promise<void> {
  const what = await missing()
  if (what) return become({ kind: 'missing', what })
  const arrival = arrivalOf(location)
  // The secret leaves the address bar, and the browser's history, at once.
  if (arrival.kind !== 'none') history.replaceState(null, '', '/')
  if (arrival.kind === 'invitation') return openInvitation(arrival.secret)
  if (arrival.kind === 'device-link') return become({ kind: 'device-link', fragment: arrival.fragment })
  if (arrival.kind === 'token') return enterWithToken(arrival.token)
  if (account.value === null) return become({ kind: 'start' })
  openAccount(account.value, { keep: true })
  await readAccount()
  await goOn()
}

/** To whatever the state of vault and session asks for. */
export async function goOn(): Promise<void> {
  const state = ownerState.value
  if (sessionEnded.value) return become({ kind: 'ended', why: sessionEnded.value })
  if (!state || state.vault === 'none') return become({ kind: 'start' })
  if (state.vault === 'locked') return become({ kind: 'locked' })
  if (!session.value) return become({ kind: 'start' })
  if (session.value.setup === 'ready') return become({ kind: 'inside' })
  await setUp()
}

// ── signing in ─────────────────────────────────────────────────────────────────────────────────────

export async function openInvitation(secret: string): Promise<void> {
  if (mustInstallFirst()) return become({ kind: 'install', secret })
  become({ kind: 'invitation', secret, invitation: await beginInvitation(secret) })
}

/** Makes the passkey; the account is there from then on. `keep`: this browser is the person's own. */
export async function enrol(
  secret: string,
  invitation: Invitation,
  name: string,
  keep: boolean,
): Promise<void> {
  const made = await createPasskey(invitation.options)
  const signedIn = await completeInvitation(secret, made.attestation, name || suggestedName())
  // Some browsers give the PRF output on get alone: one gesture more.
  const opener = made.opener ?? (await secondGesture(made.credentialId))
  await enterWith(signedIn, opener, keep)
}

export async function signInWithPasskey(keep: boolean): Promise<void> {
  if (!hasPasskeys()) throw new VaultError('NO_PASSKEYS', 'this browser has no passkeys')
  const { assertion, opener } = await usePasskey(await signInOptions())
  const deviceId = await deviceBefore(opener)
  const proof = { type: 'org.letro.login.passkey', assertion }
  await enterWith(await signIn(proof, suggestedName(), deviceId), opener, keep)
}

/** A demonstration's link: a session without a passkey, kept nowhere. */
async function enterWithToken(token: string): Promise<void> {
  const signedIn = await signIn({ type: 'm.login.token', token }, suggestedName(), null)
  openAccount(signedIn.userId, { keep: false })
  await call('openInMemory', null)
  await begin(signedIn)
}

/** What another device of ours showed as a QR code: it signs in here, this device gets a passkey, and both trust each other. */
export async function enterWithDeviceLink(fragment: string): Promise<void> {
  const link = parseLinkAddress(`${location.origin}/link#${fragment}`)
  if (!link) throw new VaultError('LINK_MALFORMED', 'this is no link of another device')
  const name = suggestedName()
  const signedIn = await signIn({ type: 'm.login.token', token: link.loginToken }, name, null)
  pendingLink = { linkId: link.linkId, key: link.key }
  const made = await createPasskey(await beginPasskey(signedIn.session))
  await completePasskey(signedIn.session, made.attestation, name)
  await enterWith(signedIn, made.opener ?? (await secondGesture(made.credentialId)), true)
}

/** A vault of this person is here: the device in it goes on. Null: none, or it cannot be opened now. */
async function deviceBefore(opener: PasskeyOpener | null): Promise<string | null> {
  if (account.value === null || opener === null) return null
  openAccount(account.value, { keep: true })
  try {
    await call('unlock', copyOf(opener))
    return (await call('session', null))?.deviceId ?? null
  } catch (error) {
    if (!(error instanceof VaultError)) throw error
    return null
  }
}

async function enterWith(signedIn: SignedIn, opener: PasskeyOpener | null, keep: boolean): Promise<void> {
  gesture = opener && copyOf(opener)
  if (!opener && keep) return become({ kind: 'passphrase', signedIn, keep })
  await openVault(signedIn, opener, keep)
}

/** Where the passkey has no PRF. */
export async function choosePassphrase(signedIn: SignedIn, passphrase: string): Promise<void> {
  await openVault(signedIn, { kind: 'passphrase', passphrase }, true)
}

async function openVault(signedIn: SignedIn, opener: Opener | null, keep: boolean): Promise<void> {
  openAccount(signedIn.userId, { keep })
  const state = await call('state', null)
  if (state.vault === 'locked') {
    // Somebody else's, or of an earlier device of ours that nothing opens: it is replaced by a new one.
    if (opener) await call('unlock', opener).catch(() => replaceVault(opener))
  } else if (state.vault === 'none') {
    if (keep && opener) await call('create', [opener])
    else await call('openInMemory', null)
  }
  if (keep) void askForPersistence()
  await begin(signedIn)
}

async function replaceVault(opener: Opener): Promise<void> {
  await call('wipe', null)
  await call('create', [opener])
}

async function begin({ session: fresh }: SignedIn): Promise<void> {
  await call('begin', fresh)
  sessionEnded.value = null
  await readAccount()
  await goOn()
}

async function secondGesture(credentialId: string): Promise<PasskeyOpener | null> {
  try {
    return await openerOf([credentialId])
  } catch (error) {
    if (!(error instanceof VaultError)) throw error
    return null
  }
}

// ── identity ───────────────────────────────────────────────────────────────────────────────────────

/** Makes the identity where there is none, opens it by the gesture just made, or asks. */
async function setUp(): Promise<void> {
  become({ kind: 'setting-up' })
  if (pendingLink) return completeLink(pendingLink)
  const identity = await identityKnown()
  if (identity.state === 'ready') return become({ kind: 'inside' })
  if (identity.state === 'none') return makeIdentity()
  const opener = gesture
  if (opener && identity.passkeys.includes(opener.credentialId)) {
    gesture = null
    await call('openIdentity', opener)
    return becomeReady()
  }
  become({ kind: 'open-identity', identity })
}

async function completeLink(link: NonNullable<typeof pendingLink>): Promise<void> {
  await call('completeDeviceLink', link)
  pendingLink = null
  // This device's passkey opens secret storage from now on.
  if (gesture) await addPasskey(gesture)
  await becomeReady()
}

/** Where the other device did not have the key of secret storage either, nothing is lost: settings offers it again. */
async function addPasskey(opener: PasskeyOpener): Promise<void> {
  try {
    await call('addPasskeyToIdentity', copyOf(opener))
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== 'STORAGE_KEY_NOT_HERE') throw error
  }
}

/** The server has to have answered once before anything can be said of our identity. */
async function identityKnown(): Promise<IdentityState> {
  for (let attempt = 0; ; attempt++) {
    const identity = await call('identity', null)
    if (identity.state !== 'unknown' || attempt >= 100) return identity
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}

async function makeIdentity(): Promise<void> {
  const opener = gesture
  gesture = null
  const { recoveryKey } = await confirmed(auth =>
    call('setUpIdentity', { prf: opener && copyOf(opener), auth }),
  )
  become({ kind: 'recovery-key', recoveryKey })
}

/** Nothing opens it any more: a new one. Others are told. */
export async function startAgain(): Promise<void> {
  become({ kind: 'setting-up' })
  const opener = gesture
  gesture = null
  const { recoveryKey } = await confirmed(auth =>
    call('resetIdentity', { prf: opener && copyOf(opener), auth }),
  )
  become({ kind: 'recovery-key', recoveryKey })
}

export async function openWithRecoveryKey(text: string): Promise<void> {
  await call('openIdentity', { kind: 'recovery-text', text })
  await becomeReady()
}

export async function openWithPasskey(credentialIds: readonly string[]): Promise<void> {
  const opener = await openerOf(credentialIds)
  if (!opener) throw new VaultError('PASSKEY_WITHOUT_PRF', 'this passkey opens nothing here')
  await call('openIdentity', opener)
  await becomeReady()
}

/** Another device of ours let this one in, or the person has put the recovery key away. */
export async function becomeReady(): Promise<void> {
  gesture = null
  await readAccount()
  become({ kind: 'inside' })
}

// ── the lock ───────────────────────────────────────────────────────────────────────────────────────

export async function unlockWithPasskey(credentialIds: readonly string[]): Promise<void> {
  const opener = await openerOf(credentialIds)
  if (!opener) throw new VaultError('PASSKEY_WITHOUT_PRF', 'this passkey opens nothing here')
  await unlock(opener)
}

export async function unlock(opener: Opener | RecoveryText): Promise<void> {
  await call('unlock', opener)
  await readAccount()
  await goOn()
}

/** What is here is given up: the person signs in as on a new device. */
export async function forgetThisDevice(): Promise<void> {
  await call('wipe', null)
  forgetAccount()
  become({ kind: 'start' })
}

export function become(next: Stage): void {
  stage.value = next
}

function copyOf(opener: PasskeyOpener): PasskeyOpener {
  return { ...opener, prfOutput: opener.prfOutput.slice() }
}
