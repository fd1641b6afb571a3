import type { Key } from '../../i18n/i18n.ts'
import type { Role } from './roles.ts'

const keys = {
  creator: 'trust.roleCreator',
  administrator: 'trust.roleAdministrator',
  moderator: 'trust.roleModerator',
  member: 'trust.roleMember',
  reader: 'trust.roleReader',
  other: 'trust.roleOther',
} as const satisfies Record<Role, Key>

export function roleKey(role: Role): Key {
  return keys[role]
}
