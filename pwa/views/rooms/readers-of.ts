/** Who will be able to read a room that is being made: said before it is made. Pure. */
import type { Key, Values } from '../../i18n/i18n.ts'
import { serverWords } from '../room/composer-label.ts'

export type Access = 'invite' | 'knock' | 'restricted' | 'public'

export interface Planned {
  readonly access: Access
  readonly encrypted: boolean
  readonly isSpace: boolean
  /** Those who are to be invited, without us. */
  readonly invited: number
  /** Whose people that are, ours first. */
  readonly servers: readonly string[]
  /** The space that it belongs to. */
  readonly spaceName: string | null
}

/** One sentence or two. A space has no messages: who runs the server is no matter there. */
export function readersOf({
  access,
  encrypted,
  isSpace,
  invited,
  servers,
  spaceName,
}: Planned): [Key, Values][] {
  const within: [Key, Values] =
    access === 'restricted' && spaceName !== null
      ? ['rooms.reads_restricted', { space: spaceName }]
      : access === 'public'
        ? ['rooms.reads_public', {}]
        : access === 'knock'
          ? ['rooms.reads_knock', {}]
          : servers.length > 1
            ? ['rooms.reads_inviteIn', { count: invited + 1, servers: serverWords(servers) }]
            : ['rooms.reads_invite', { count: invited + 1 }]
  return encrypted || isSpace ? [within] : [within, ['rooms.reads_server', {}]]
}
