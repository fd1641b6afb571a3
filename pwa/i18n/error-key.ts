/**
 * The text of an error's code: its own, or that of the codes which mean the same to a person.
 *
 * A code with neither has no words; `test/pwa/error-texts.test.ts` collects the codes of app and server and says which.
 */
import type { Key } from './i18n.ts'

type Kind = Extract<Key, `errors.kind_${string}`>

/** What the engine, the vault or the server says by many names, where a person can do one thing about all of them. */
const kinds: Readonly<Record<Kind, readonly string[]>> = {
  /** Something that came is not what it says it is. Nothing of it was used. */
  'errors.kind_damaged': [
    ...[
      'BAD_KEY',
      'BAD_MESSAGE_FORMAT',
      'BAD_MESSAGE_VERSION',
      'BAD_PADDING',
      'BAD_SESSION_KEY',
      'EVENT_MALFORMED',
    ],
    ...['OLM_BAD_MAC', 'OLM_GAP_TOO_LARGE', 'OLM_MALFORMED', 'OLM_MESSAGE_KEY_GONE', 'OLM_NESTED'],
    ...['OLM_NOT_FOR_US', 'OLM_UNDECRYPTABLE', 'OLM_UNKNOWN_RATCHET_KEY', 'OLM_WRONG_DEVICE_KEYS'],
    ...['OLM_WRONG_KEYS', 'OLM_WRONG_RECIPIENT', 'OLM_WRONG_SENDER', 'NON_CONTRIBUTORY_KEY', 'NOT_ENCRYPTED'],
    ...[
      'MEGOLM_BAD_MAC',
      'MEGOLM_BAD_SIGNATURE',
      'PROTOCOL_CONFUSION',
      'REPLAY',
      'ROOM_MISMATCH',
      'SENDER_MISMATCH',
    ],
    ...['ROOM_KEY_MALFORMED', 'SESSION_ID_MISMATCH', 'SESSION_NOT_THE_SAME', 'SESSION_OWNER_MISMATCH'],
    ...['FORWARDED_KEY_NOT_VERIFIED', 'FORWARDED_KEY_UNSOLICITED', 'KEY_REQUEST_NOT_VERIFIED'],
    ...[
      'BUNDLE_MALFORMED',
      'BUNDLE_UNSOLICITED',
      'BACKUP_BAD_MAC',
      'BACKUP_MALFORMED',
      'BACKUP_SESSIONS_REFUSED',
    ],
    ...['SECRET_BAD_LENGTH', 'SECRET_MALFORMED', 'SECRET_NOT_VERIFIED', 'SECRET_REQUEST_NOT_VERIFIED'],
    ...[
      'SECRET_UNSOLICITED',
      'STORED_SECRET_BAD_MAC',
      'STORED_SECRET_MALFORMED',
      'ONE_TIME_KEY_BAD_SIGNATURE',
    ],
    ...['DEVICE_BAD_SIGNATURE', 'DEVICE_MALFORMED', 'DEVICE_NAMED_LIKE_A_KEY', 'DEVICE_NOT_ITS_OWN'],
    ...[
      'DEVICE_NOT_SIGNED',
      'IDENTITY_MALFORMED',
      'IDENTITY_NOT_SIGNED',
      'PASSKEYS_MALFORMED',
      'LINK_BAD_MAC',
    ],
    ...['M_INVALID_SIGNATURE', 'M_WRONG_ROOM_KEYS_VERSION'],
  ],
  /** The server shows other keys than before, or than ours. */
  'errors.kind_otherKeys': ['DEVICE_KEYS_CHANGED', 'DEVICE_NOT_OURS', 'OWN_DEVICE_REPLACED'],
  /** Made in a way that this release does not know. */
  'errors.kind_unknownManner': [
    ...[
      'UNKNOWN_ALGORITHM',
      'ROOM_UNKNOWN_ALGORITHM',
      'BACKUP_UNKNOWN_ALGORITHM',
      'COSE_KEY_UNKNOWN_ALGORITHM',
    ],
    'STORAGE_KEY_UNKNOWN_ALGORITHM',
  ],
  'errors.kind_passkey': [
    ...[
      'COSE_KEY_MALFORMED',
      'ENROLMENT_MALFORMED',
      'PASSKEY_MALFORMED',
      'PASSKEY_NO_USER',
      'PASSKEY_OTHER_DEVICE',
    ],
    ...[
      'PASSKEY_WRONG_ORIGIN',
      'PASSKEY_WRONG_SITE',
      'PASSKEY_WRONG_TYPE',
      'PASSKEYS_NOT_LISTED',
      'NOT_A_PASSKEY',
    ],
  ],
  'errors.kind_verification': [
    ...['VERIFICATION_MALFORMED', 'VERIFICATION_NOT_IN_ROOM', 'VERIFICATION_OTHER_DEVICE'],
    ...[
      'VERIFICATION_OTHER_SENDER',
      'VERIFICATION_REPEATED',
      'VERIFICATION_TOO_MANY',
      'VERIFICATION_TOO_OLD',
    ],
  ],
  /** The server and the app do not understand each other. */
  'errors.kind_notUnderstood': [
    ...[
      'M_BAD_JSON',
      'M_NOT_JSON',
      'M_INVALID_PARAM',
      'M_MISSING_PARAM',
      'M_DUPLICATE_ANNOTATION',
      'M_CANNOT_OVERWRITE_MEDIA',
    ],
  ],
  /** What the server's administrator has set a limit to. */
  'errors.kind_limit': ['M_RESOURCE_LIMIT_EXCEEDED', 'M_USER_LIMIT_EXCEEDED', 'M_CONSENT_NOT_GIVEN'],
  'errors.kind_roomVersion': ['M_UNSUPPORTED_ROOM_VERSION', 'M_INCOMPATIBLE_ROOM_VERSION'],
  'errors.kind_roomRules': ['M_BAD_STATE', 'M_INVALID_ROOM_STATE'],
  'errors.kind_join': ['M_UNABLE_TO_AUTHORISE_JOIN', 'M_UNABLE_TO_GRANT_JOIN'],
  /** Any number of something that stands before the homeserver: see errorKey. */
  'errors.kind_http': [],
}

/** One code that is another by an older name, or from another place. */
const sameAs: Readonly<Record<string, Key>> = {
  PASSKEY_NO_PRF: 'errors.PASSKEY_WITHOUT_PRF',
  BAD_PRF_OUTPUT: 'errors.PASSKEY_WITHOUT_PRF',
  PRF_BAD_LENGTH: 'errors.PASSKEY_WITHOUT_PRF',
  BAD_RECOVERY_KEY: 'errors.RECOVERY_KEY_MALFORMED',
  STORAGE_KEY_BAD_LENGTH: 'errors.RECOVERY_KEY_MALFORMED',
  BACKUP_UNKNOWN: 'errors.BACKUP_VERSION_GONE',
  ROOM_DOWNGRADE: 'errors.ROOM_NOT_ENCRYPTED',
  M_MISSING_TOKEN: 'errors.M_UNKNOWN_TOKEN',
  M_UNAUTHORIZED: 'errors.M_FORBIDDEN',
  M_KEY_TOO_LARGE: 'errors.M_TOO_LARGE',
  M_PROFILE_TOO_LARGE: 'errors.M_TOO_LARGE',
  HTTP_413: 'errors.M_TOO_LARGE',
  MEGOLM_UNKNOWN_INDEX: 'errors.WITHHELD',
  // The app's own failing: which part of it does not help anybody.
  ACCOUNT_OF_ANOTHER_DEVICE: 'errors.INTERNAL',
  BAD_RECORD: 'errors.INTERNAL',
  ID_TOO_LONG: 'errors.INTERNAL',
  IDENTITY_IS_OURS: 'errors.INTERNAL',
  NO_SUCH_CALL: 'errors.INTERNAL',
  NO_SUCH_STORE: 'errors.INTERNAL',
  SEGMENT_BROKEN: 'errors.INTERNAL',
}

const kindOf: ReadonlyMap<string, Key> = new Map([
  ...Object.entries(sameAs),
  ...Object.entries(kinds).flatMap(([key, codes]) => codes.map(code => [code, key as Key] as const)),
])

/** The key that a code's text would have by itself, or that of its kind. */
export function errorKey(code: string): string {
  return kindOf.get(code) ?? (/^HTTP_\d+$/.test(code) ? 'errors.kind_http' : `errors.${code}`)
}
