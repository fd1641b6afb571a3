/**
 * What rooms need to know of people: a port that accounts implement.
 */
import type { UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'

export interface People {
  /**
   * What a member event says about this person (`displayname`, `avatar_url`); null where this server has no such
   * account, or it is deactivated.
   */
  memberProfile(userId: UserId): Promise<JsonObject | null>
  /** The same of somebody of another server, as far as their server tells it; empty where it does not. */
  remoteProfile(userId: UserId): Promise<JsonObject>
  /**
   * Those of these people whose account ended with the wish that what they wrote be erased.
   * Spec: client-server-api#post_matrixclientv3accountdeactivate (erase)
   */
  erasedAmong(userIds: readonly UserId[]): Promise<ReadonlySet<UserId>>
  /** Has this person of ours blocked all invites? Spec: client-server-api#invite-permission */
  blocksInvites(userId: UserId): Promise<boolean>
}

/** Who acts, as far as rooms care. */
export interface Actor {
  readonly userId: UserId
  readonly kind: 'member' | 'administrator' | 'service' | 'external'
}

const maxIntroduction = 1_000

/** What of a profile that a peer told stands in a member event: a long text would make an event too large. */
export function introduction({ displayname: name, avatar_url: avatar }: JsonObject): JsonObject {
  const isShort = (text: unknown): text is string =>
    typeof text === 'string' && text.length <= maxIntroduction
  return {
    ...(isShort(name) && { displayname: name }),
    ...(isShort(avatar) && avatar.startsWith('mxc://') && { avatar_url: avatar }),
  }
}
