/**
 * Passkeys: how people prove who they are.
 *
 * Discoverable credentials, user verification always, one exact origin and rpId, challenges that work once. The
 * signature is checked before the counter, so that nobody can raise an alarm without holding the key.
 *
 * Spec: w3.org/TR/webauthn-3 §7.1 (registration), §7.2 (assertion), by @simplewebauthn/server.
 */
import { decodeBase64Url, encodeBase64Url } from '../protocol/base64.ts'
import type { UserId } from '../protocol/ids.ts'
import { localpartOf } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import {
  accountSettingTable,
  accountTable,
  type PasskeyRow,
  passkeyOwnerTable,
  passkeyTable,
} from '../store/catalogue.ts'
import type { Transaction } from '../store/store.ts'
import { AccountError } from './account-error.ts'
import type { Audit } from './audit.ts'
import { type Challenges, challengeLifetimeMs, openChallenges } from './challenges.ts'
import type { Core } from './core.ts'
import { refuseUnlessUsable } from './sessions.ts'

/** A third of all code that a server loads; nobody who waits for a start signs in with it. */
const webAuthn = () => import('@simplewebauthn/server')
type WebAuthn = Awaited<ReturnType<typeof webAuthn>>

type AssertionJson = Parameters<WebAuthn['verifyAuthenticationResponse']>[0]['response']
type AttestationJson = Parameters<WebAuthn['verifyRegistrationResponse']>[0]['response']

/** What an assertion's challenge was made for. */
export type AssertionPurpose =
  | { readonly kind: 'login' }
  /** A stage of user-interactive authentication: this person, this session. */
  | { readonly kind: 'confirm'; readonly userId: UserId; readonly session: string }

/** What a new credential's challenge was made for. */
export type CreationPurpose =
  | { readonly kind: 'link'; readonly linkId: string; readonly userId: UserId; readonly userHandle: string }
  | {
      readonly kind: 'add'
      readonly userId: UserId
      readonly userHandle: string
      /** Asked for without another proof, by a session that may: see login-tokens.ts. */
      readonly unproven: boolean
    }

export interface Passkey extends Omit<PasskeyRow, 'counter'> {
  readonly id: string
}

/** A credential that was checked and waits for its transaction. */
export interface NewPasskey {
  readonly id: string
  readonly userHandle: string
  readonly row: PasskeyRow
}

export interface Passkeys {
  readonly rpId: string
  readonly origin: string
  /** `PublicKeyCredentialRequestOptionsJSON` for anybody: the authenticator knows who it is. */
  loginOptions(): Promise<JsonObject>
  /** …for one person's own passkeys. */
  confirmOptions(userId: UserId, session: string): Promise<JsonObject>
  /** The person who signed in; the account may be used. */
  login(assertion: JsonObject): Promise<UserId>
  confirm(userId: UserId, session: string, assertion: JsonObject): Promise<void>
  /** `PublicKeyCredentialCreationOptionsJSON`. Once it has succeeded the same challenge does not work again. */
  creationOptions(purpose: CreationPurpose, displayName: string): Promise<JsonObject>
  /** Checks a new credential; `accept` sees what its challenge was made for. */
  verifyCreation(
    attestation: JsonObject,
    name: string,
    accept: (purpose: CreationPurpose) => boolean,
  ): Promise<{ readonly purpose: CreationPurpose; readonly passkey: NewPasskey }>
  putIn(tx: Transaction, userId: UserId, passkey: NewPasskey): Promise<void>
  removeAllIn(tx: Transaction, userId: UserId): Promise<void>
  list(userId: UserId): Promise<Passkey[]>
  count(userId: UserId): Promise<number>
  beginAdd(userId: UserId, unproven: boolean): Promise<JsonObject>
  /** `mayBeUnproven`: a passkey that was begun without another proof is still allowed. */
  completeAdd(userId: UserId, attestation: JsonObject, name: string, mayBeUnproven: boolean): Promise<Passkey>
  rename(userId: UserId, id: string, name: string): Promise<void>
  remove(userId: UserId, id: string): Promise<void>
  userHandleFor(userId: UserId): Promise<string>
}

/** COSE: EdDSA, ES256, RS256. What authenticators in use can do, and what every runtime verifies. */
const algorithms = [-8, -7, -257]
const maxPasskeys = 20
const maxNameLength = 100

export function openPasskeys(core: Core, audit: Audit, alarm: (userId: UserId) => void): Passkeys {
  const { store, clock, origin } = core
  const rpId = new URL(origin).hostname
  const assertions: Challenges<AssertionPurpose> = openChallenges(clock, core.randomBytes)
  const creations: Challenges<CreationPurpose> = openChallenges(clock, core.randomBytes)

  const requestOptions = async (purpose: AssertionPurpose, allow?: readonly Passkey[]) => {
    const { generateAuthenticationOptions } = await webAuthn()
    const challenge = assertions.issue(purpose)
    const options = await generateAuthenticationOptions({
      rpID: rpId,
      challenge: bytesOf(challenge),
      timeout: challengeLifetimeMs,
      userVerification: 'required',
      ...(allow ? { allowCredentials: allow.map(descriptor) } : {}),
    })
    return options as unknown as JsonObject
  }

  /** The person whose passkey signed; the counter is checked and moved on. */
  const verify = async (
    json: JsonObject,
    accept: (purpose: AssertionPurpose) => boolean,
  ): Promise<{ userId: UserId; purpose: AssertionPurpose }> => {
    const assertion = parseAssertion(json)
    const challenge = challengeOf(assertion.response.clientDataJSON)
    // Taken whatever comes of it: an answer that failed cannot be tried again with the same challenge.
    const purpose = assertions.take(challenge)
    if (!purpose || !accept(purpose))
      throw refused('The challenge is unknown, was used, or is too old. Ask for a new one.')
    const found = await store.read(async view => {
      const userId = (await view.get(passkeyOwnerTable.key(assertion.id))) as UserId | undefined
      if (userId === undefined) return null
      const [account, passkey] = await view.getMany([
        accountTable.key(userId),
        passkeyTable.key(userId, assertion.id),
      ])
      return account && passkey ? { userId, account, passkey } : null
    })
    if (!found) throw refused('This passkey is not known here.')
    const { userId, account, passkey } = found
    const handle = assertion.response.userHandle
    if (purpose.kind === 'login' ? handle !== account.userHandle : handle && handle !== account.userHandle)
      throw refused('The passkey belongs to another account.')
    if (purpose.kind === 'confirm' && purpose.userId !== userId)
      throw refused('The passkey belongs to another account.')

    const seen = await verifySignature(assertion, challenge, passkey)
    const regressed = await store.transact(userId, async tx => {
      const key = passkeyTable.key(userId, assertion.id)
      const row = await tx.get(key)
      if (!row) throw refused('This passkey is not known here.')
      // Spec: webauthn §7.2 (22). A counter that does not grow means that there are two of this key.
      if ((seen.counter > 0 || row.counter > 0) && seen.counter <= row.counter) {
        await audit.record(tx, {
          actor: 'system',
          action: 'passkey.counter-regression',
          target: userId,
          detail: { passkey: assertion.id, stored: row.counter, shown: seen.counter },
        })
        return true
      }
      tx.put(key, { ...row, counter: seen.counter, backedUp: seen.backedUp, lastUsedTs: clock() })
      return false
    })
    if (regressed) {
      alarm(userId)
      throw refused(
        'The passkey’s counter went backwards: it may have been copied. An administrator was told.',
      )
    }
    return { userId, purpose }
  }

  const verifySignature = async (
    assertion: AssertionJson,
    challenge: string,
    passkey: PasskeyRow,
  ): Promise<{ counter: number; backedUp: boolean }> => {
    const { verifyAuthenticationResponse } = await webAuthn()
    const verified = await verifyAuthenticationResponse({
      response: assertion,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      // The counter is ours to judge, once the signature holds.
      credential: { id: assertion.id, publicKey: bytesOf(passkey.publicKey), counter: 0 },
    }).catch((error: unknown) => {
      throw refused('The passkey’s answer was refused.', error)
    })
    if (!verified.verified) throw refused('The passkey’s signature does not verify.')
    const { newCounter, credentialBackedUp, credentialDeviceType } = verified.authenticationInfo
    if ((credentialDeviceType === 'multiDevice') !== passkey.backupEligible)
      throw refused('The passkey changed whether it can be backed up.')
    return { counter: newCounter, backedUp: credentialBackedUp }
  }

  const list = (userId: UserId): Promise<Passkey[]> =>
    store.read(async view =>
      (await view.range(passkeyTable.under(userId))).map(({ parts, value }) => shown(parts[1], value)),
    )

  const userHandleFor = async (userId: UserId) =>
    (await store.read(view => view.get(accountTable.key(userId))))?.userHandle ??
    encodeBase64Url(core.randomBytes(32))

  const creationOptions = async (purpose: CreationPurpose, displayName: string) => {
    const { generateRegistrationOptions } = await webAuthn()
    const options = await generateRegistrationOptions({
      rpName: core.serverName,
      rpID: rpId,
      userName: localpartOf(purpose.userId),
      userDisplayName: displayName,
      userID: bytesOf(purpose.userHandle),
      challenge: bytesOf(creations.issue(purpose)),
      timeout: challengeLifetimeMs,
      attestationType: 'none',
      supportedAlgorithmIDs: algorithms,
      authenticatorSelection: {
        residentKey: 'required',
        requireResidentKey: true,
        userVerification: 'required',
      },
      // A re-enrolment replaces them all: an old key may be enrolled again.
      excludeCredentials: purpose.kind === 'add' ? (await list(purpose.userId)).map(descriptor) : [],
    })
    return options as unknown as JsonObject
  }

  const verifyCreation: Passkeys['verifyCreation'] = async (json, name, accept) => {
    const cleanName = passkeyName(name)
    const attestation = parseAttestation(json)
    const challenge = challengeOf(attestation.response.clientDataJSON)
    const purpose = creations.take(challenge)
    if (!purpose || !accept(purpose))
      throw refused('The challenge is unknown, was used, or is too old. Ask for a new one.')
    const { verifyRegistrationResponse } = await webAuthn()
    const verified = await verifyRegistrationResponse({
      response: attestation,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: algorithms,
    }).catch((error: unknown) => {
      throw refused('The new passkey was refused.', error)
    })
    if (!verified.verified) throw refused('The new passkey does not verify.')
    const { credential, credentialDeviceType, credentialBackedUp, aaguid } = verified.registrationInfo
    const row: PasskeyRow = {
      publicKey: encodeBase64Url(credential.publicKey),
      counter: credential.counter,
      ...(credential.transports ? { transports: credential.transports.slice(0, 10).map(String) } : {}),
      name: cleanName,
      createdTs: clock(),
      aaguid,
      backupEligible: credentialDeviceType === 'multiDevice',
      backedUp: credentialBackedUp,
    }
    return { purpose, passkey: { id: credential.id, userHandle: purpose.userHandle, row } }
  }

  const putIn: Passkeys['putIn'] = async (tx, userId, { id, userHandle, row }) => {
    // Spec: webauthn §7.1 (26). One credential id, one account.
    const [owner, account, frozen] = await tx.getMany([
      passkeyOwnerTable.key(id),
      accountTable.key(userId),
      accountSettingTable.key('rpId'),
    ])
    if (owner !== undefined && owner !== userId) throw refused('This passkey is in use by another account.')
    if (!account) throw refused('This account does not exist.')
    if (account.userHandle !== undefined && account.userHandle !== userHandle)
      throw refused('The account got its first passkey meanwhile. Begin again.')
    tx.put(accountTable.key(userId), { ...account, userHandle })
    tx.put(passkeyTable.key(userId, id), row)
    tx.put(passkeyOwnerTable.key(id), userId)
    if (frozen === undefined) tx.put(accountSettingTable.key('rpId'), rpId)
  }

  return {
    rpId,
    origin,
    list,
    userHandleFor,
    creationOptions,
    verifyCreation,
    putIn,

    loginOptions: () => requestOptions({ kind: 'login' }),
    confirmOptions: async (userId, session) =>
      requestOptions({ kind: 'confirm', userId, session }, await list(userId)),

    login: async assertion => {
      const { userId } = await verify(assertion, purpose => purpose.kind === 'login')
      await store.read(view => refuseUnlessUsable(view, userId, clock()))
      return userId
    },

    confirm: async (userId, session, assertion) => {
      await verify(
        assertion,
        purpose => purpose.kind === 'confirm' && purpose.userId === userId && purpose.session === session,
      )
    },

    removeAllIn: async (tx, userId) => {
      for (const { key, parts } of await tx.range(passkeyTable.under(userId))) {
        tx.delete(key)
        tx.delete(passkeyOwnerTable.key(parts[1]))
      }
    },

    count: userId => store.read(async view => (await view.range(passkeyTable.under(userId))).length),

    beginAdd: async (userId, unproven) =>
      creationOptions(
        { kind: 'add', userId, userHandle: await userHandleFor(userId), unproven },
        localpartOf(userId),
      ),

    completeAdd: async (userId, attestation, name, mayBeUnproven) => {
      const { passkey } = await verifyCreation(
        attestation,
        name,
        purpose =>
          purpose.kind === 'add' && purpose.userId === userId && (mayBeUnproven || !purpose.unproven),
      )
      await store.transact(userId, async tx => {
        await refuseUnlessUsable(tx, userId, clock())
        const own = await tx.range(passkeyTable.under(userId))
        if (own.length >= maxPasskeys)
          throw new AccountError('M_LIMIT_EXCEEDED', `An account has at most ${maxPasskeys} passkeys.`)
        await putIn(tx, userId, passkey)
        await audit.record(tx, {
          actor: userId,
          action: 'passkey.add',
          target: userId,
          detail: { passkey: passkey.id },
        })
      })
      return shown(passkey.id, passkey.row)
    },

    rename: async (userId, id, name) => {
      const cleanName = passkeyName(name)
      await store.transact(userId, async tx => {
        const key = passkeyTable.key(userId, id)
        const row = await tx.get(key)
        if (!row) throw new AccountError('M_NOT_FOUND', 'You have no such passkey.')
        tx.put(key, { ...row, name: cleanName })
      })
    },

    remove: async (userId, id) => {
      await store.transact(userId, async tx => {
        const own = await tx.range(passkeyTable.under(userId))
        if (!own.some(row => row.parts[1] === id))
          throw new AccountError('M_NOT_FOUND', 'You have no such passkey.')
        if (own.length === 1)
          throw new AccountError('M_FORBIDDEN', 'This is your last passkey: add another one first.')
        tx.delete(passkeyTable.key(userId, id))
        tx.delete(passkeyOwnerTable.key(id))
        await audit.record(tx, {
          actor: userId,
          action: 'passkey.remove',
          target: userId,
          detail: { passkey: id },
        })
      })
    },
  }
}

function shown(id: string, row: PasskeyRow): Passkey {
  const { counter: _, ...rest } = row
  return { id, ...rest }
}

function descriptor(passkey: Passkey): { id: string; transports?: string[] } {
  return { id: passkey.id, ...(passkey.transports ? { transports: [...passkey.transports] } : {}) }
}

function passkeyName(name: string): string {
  const clean = name.replace(/\p{Cc}/gu, ' ').trim()
  if (clean === '') throw new AccountError('M_INVALID_PARAM', 'name is empty.')
  if (clean.length > maxNameLength)
    throw new AccountError('M_INVALID_PARAM', `name is longer than ${maxNameLength} characters.`)
  return clean
}

function parseAssertion(json: JsonObject): AssertionJson {
  const response = parseCredential(json, 'assertion', ['clientDataJSON', 'authenticatorData', 'signature'])
  const handle = response['userHandle']
  if (handle !== undefined && handle !== null && typeof handle !== 'string')
    throw new AccountError('M_BAD_JSON', 'assertion.response.userHandle must be a string.')
  return json as unknown as AssertionJson
}

function parseAttestation(json: JsonObject): AttestationJson {
  parseCredential(json, 'attestation', ['clientDataJSON', 'attestationObject'])
  return json as unknown as AttestationJson
}

function parseCredential(json: JsonObject, name: string, needed: readonly string[]): JsonObject {
  const { id, rawId, response } = json
  if (typeof id !== 'string' || typeof rawId !== 'string' || !isObject(response))
    throw new AccountError('M_BAD_JSON', `${name} must be a PublicKeyCredential as JSON.`)
  if (id.length > 1400 || decodeBase64Url(id) === null)
    throw new AccountError('M_BAD_JSON', `${name}.id must be base64url.`)
  for (const field of needed) {
    const value = response[field]
    if (typeof value !== 'string' || decodeBase64Url(value) === null)
      throw new AccountError('M_BAD_JSON', `${name}.response.${field} must be base64url.`)
  }
  return response
}

/** The challenge that the browser signed; a request from inside a frame of another site is none of ours. */
function challengeOf(clientDataJSON: string): string {
  let data: unknown
  try {
    data = JSON.parse(new TextDecoder().decode(bytesOf(clientDataJSON)))
  } catch (error) {
    throw new AccountError('M_BAD_JSON', 'response.clientDataJSON is not JSON.', {}, { cause: error })
  }
  if (!isObject(data) || typeof data['challenge'] !== 'string')
    throw new AccountError('M_BAD_JSON', 'response.clientDataJSON has no challenge.')
  if (data['crossOrigin'] === true) throw refused('A passkey cannot be used from inside another site.')
  return data['challenge']
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64Url(base64url)
  if (!bytes) throw new AccountError('M_BAD_JSON', 'not base64url')
  return bytes as Uint8Array<ArrayBuffer>
}

function refused(message: string, cause?: unknown): AccountError {
  return new AccountError('M_FORBIDDEN', message, {}, cause === undefined ? undefined : { cause })
}
