/**
 * Who let this person into the room? An invite carries the inviter's word for it: a device signature over the room,
 * the invitee and the invitee's master key. Matrix has nothing of the kind, so that a server can put anybody
 * into a room; here somebody whom no member vouched for gets no keys before a person said yes (attack 1).
 *
 * Our own format: the member `org.letro.invite_signature` of an invite's content,
 *   { version: 1, room_id, invitee, invitee_master_key, inviter, device_id, signatures }
 * signed as JSON by the inviter's device. Who was in the room when we came to know it counts as let in: we have
 * no older word on it.
 *
 * A record of the collection `room` a person and room: `member:<room>|<user>`; one a room: `began:<room>`.
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { deviceTrust, mayReceiveKeys } from './cross-signing.ts'
import { E2eeError } from './errors.ts'
import { isKeyOf, readIdentity, standingOf } from './identity.ts'
import { knownDevice } from './known-device.ts'
import { type OwnDevice, signAsDevice } from './own-device.ts'
import type { Step } from './records.ts'
import { isSignedBy, type PublicKeyText } from './signing-key.ts'

export const inviteSignatureMember = 'org.letro.invite_signature'

/** Why somebody is in the room. */
interface Admission {
  readonly version: 1
  readonly by: 'present' | 'invite' | 'person'
  /** The master key that was vouched for; null where the person had none, or was there before us. */
  readonly masterKey: PublicKeyText | null
  /** Who vouched, of an invite. */
  readonly inviter: string | null
  /** Their signed word, until it was checked: at its coming we may not know their devices yet. */
  readonly word: JsonObject | null
}

/**
 * What to put into the invite's content.
 *
 * @throws E2eeError IDENTITY_UNKNOWN, IDENTITY_CHANGED: we do not vouch for a key that we would not encrypt to
 */
export async function signInvite(
  step: Step,
  own: OwnDevice,
  input: { readonly roomId: string; readonly userId: string },
): Promise<JsonObject> {
  const { roomId, userId } = input
  const identity = await readIdentity(step, userId)
  const standing = await standingOf(step, own, userId)
  if (!identity) throw new E2eeError('IDENTITY_UNKNOWN', `${userId} has no cross-signing keys to vouch for`)
  if (standing !== 'pinned' && standing !== 'verified') {
    throw new E2eeError('IDENTITY_CHANGED', `the identity of ${userId} changed: accept or compare it first`)
  }
  admit(step, roomId, userId, {
    by: 'invite',
    masterKey: identity.masterKey,
    inviter: own.userId,
    word: null,
  })
  const statement: JsonObject = {
    version: 1,
    room_id: roomId,
    invitee: userId,
    invitee_master_key: identity.masterKey,
    inviter: own.userId,
    device_id: own.deviceId,
  }
  return { [inviteSignatureMember]: signAsDevice(own, statement) }
}

/** That we know the room. */
export const begunPrefix = 'began:'
export const begun: JsonObject = { version: 1 }

/** We know the room from now on, with these people in it. In a room that we made, that is nobody. Counts once. */
export async function beginRoom(
  step: Step,
  input: { readonly roomId: string; readonly userIds: readonly string[] },
): Promise<void> {
  const { roomId, userIds } = input
  if (await step.get('room', begunPrefix + roomId)) return
  step.put('room', begunPrefix + roomId, begun)
  for (const userId of userIds) {
    admit(step, roomId, userId, { by: 'present', masterKey: null, inviter: null, word: null })
  }
}

/** An invite as the room shows it. A word that is not for this invite is passed over. */
export async function receiveInvite(
  step: Step,
  event: {
    readonly roomId: string
    readonly sender: string
    readonly userId: string
    readonly content: JsonObject
  },
): Promise<void> {
  const { roomId, sender, userId } = event
  const word = event.content[inviteSignatureMember]
  if (!isObject(word)) return
  const { version, room_id, invitee, inviter, invitee_master_key: masterKey } = word
  const fits = version === 1 && room_id === roomId && invitee === userId && inviter === sender
  if (!fits || typeof masterKey !== 'string') return
  const before = await admissionOf(step, roomId, userId)
  // What was checked, or decided by a person, does not yield to what is not.
  if (before && before.word === null) return
  admit(step, roomId, userId, { by: 'invite', masterKey, inviter: sender, word })
}

/** They left, or were made to: whoever comes back has to be let in again. */
export function memberLeft(step: Step, input: { readonly roomId: string; readonly userId: string }): void {
  step.delete('room', `member:${input.roomId}|${input.userId}`)
}

/** Those of these members whom nobody let in as they are now: no keys while there is one. */
export async function undecidedNewcomers(
  step: Step,
  own: OwnDevice,
  roomId: string,
  userIds: readonly string[],
): Promise<string[]> {
  const undecided: string[] = []
  for (const userId of userIds) {
    if (!(await isLetIn(step, own, roomId, userId, new Set()))) undecided.push(userId)
  }
  return undecided
}

/** @param asking those on whose account we ask: nobody vouches for themselves, by whatever way round */
async function isLetIn(
  step: Step,
  own: OwnDevice,
  roomId: string,
  userId: string,
  asking: ReadonlySet<string>,
): Promise<boolean> {
  if (userId === own.userId) return true
  const admission = await admissionOf(step, roomId, userId)
  if (!admission || asking.has(userId)) return false
  // Of those who were let in otherwise, that the key is still the pinned one is the business of the identity.
  if (admission.by !== 'invite') return true
  const identity = await readIdentity(step, userId)
  // Who was found to be still the same person has not to be let in again.
  if (!identity || !isKeyOf(identity, admission.masterKey!)) return false
  if (admission.word === null) return true
  const inviter = admission.inviter!
  // Otherwise the server could put two people in, and the first would vouch for the second.
  if (!(await isLetIn(step, own, roomId, inviter, new Set([...asking, userId])))) return false
  if (!(await isWordOf(step, own, inviter, admission.word))) return false
  admit(step, roomId, userId, { ...admission, word: null })
  return true
}

/** Given by a device that gets keys, so that it is the inviter's and not the server's. */
async function isWordOf(step: Step, own: OwnDevice, inviter: string, word: JsonObject): Promise<boolean> {
  const deviceId = word['device_id']
  const device = typeof deviceId === 'string' ? await knownDevice(step, inviter, deviceId) : null
  if (!device || !mayReceiveKeys(await deviceTrust(step, own, inviter, device.deviceId))) return false
  return isSignedBy(word, inviter, device.ed25519Key, device.deviceId)
}

/** A person looked at a newcomer and said yes, to the master key that they were shown (null: there is none). */
export async function admitNewcomer(
  step: Step,
  input: { readonly roomId: string; readonly userId: string; readonly masterKey: PublicKeyText | null },
): Promise<void> {
  const { roomId, userId, masterKey } = input
  if (((await readIdentity(step, userId))?.masterKey ?? null) !== masterKey) {
    throw new E2eeError('IDENTITY_CHANGED', `the master key of ${userId} is another one by now`)
  }
  admit(step, roomId, userId, { by: 'person', masterKey, inviter: null, word: null })
}

async function admissionOf(step: Step, roomId: string, userId: string): Promise<Admission | null> {
  return ((await step.get('room', `member:${roomId}|${userId}`)) as unknown as Admission | undefined) ?? null
}

function admit(step: Step, roomId: string, userId: string, admission: Omit<Admission, 'version'>): void {
  step.put('room', `member:${roomId}|${userId}`, { version: 1, ...admission })
}
