/** What is known of a device, in words, the worst first. Pure. */
import type { JsonObject } from '#protocol/json.ts'
import type { Key } from '../../i18n/i18n.ts'
import type { DeviceEntry, Member, PersonTrust } from '../../worker/calls.ts'

export function deviceKey({ trust }: Pick<DeviceEntry, 'trust'>, isMine: boolean): Key {
  if (trust === 'own') return 'trust.deviceOwn'
  switch (trust) {
    case 'verified':
      return isMine ? 'trust.deviceMine' : 'trust.deviceVerified'
    case 'cross-signed':
      return 'trust.deviceSigned'
    case 'identity-unaccepted':
      return 'trust.deviceUnaccepted'
    case 'unsigned':
      return isMine ? 'trust.deviceMineUnsigned' : 'trust.deviceUnsigned'
    default:
      return 'trust.deviceUnknown'
  }
}

/** Nobody vouches for it: the server could have made it up. It gets no keys. */
export function isUnconfirmed({ trust }: Pick<DeviceEntry, 'trust'>): boolean {
  return trust === 'unsigned' || trust === 'unknown'
}

export function isBlocking(standing: string): boolean {
  return standing === 'changed' || standing === 'verification-lost'
}

export type EnrolmentWords =
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid'; readonly code: string }
  | { readonly kind: 'enrolled'; readonly name: string; readonly key: Key }

/** What `enrolmentOf` said, taken with care: it came through the worker as JSON. */
export function enrolmentWords(enrolment: JsonObject): EnrolmentWords {
  const { kind, code, name, hardwareBound } = enrolment
  if (kind === 'invalid') return { kind, code: typeof code === 'string' ? code : '' }
  if (kind !== 'enrolled') return { kind: 'none' }
  const key = hardwareBound === 'synced' ? 'trust.enrolledSynced' : 'trust.enrolledHardware'
  return { kind, name: typeof name === 'string' ? name : '', key }
}

export interface Findings {
  readonly unconfirmed: readonly { readonly member: Member; readonly devices: number }[]
  readonly changed: readonly Member[]
}

/** What stands out among those who can read, in the order of the members. */
export function findingsOf(looked: readonly { member: Member; person: PersonTrust }[]): Findings {
  return {
    unconfirmed: looked.flatMap(({ member, person }) => {
      const devices = person.devices.filter(isUnconfirmed).length
      return devices > 0 ? [{ member, devices }] : []
    }),
    changed: looked.flatMap(({ member, person }) => (isBlocking(person.standing) ? [member] : [])),
  }
}
