/**
 * What a person set for a room follows them into the one that replaces it: tags, push rules, direct chats.
 *
 * Spec: client-server-api#room-upgrades: when somebody joins the new room, the server should transfer or copy their
 * personal settings. Only where both rooms say so: anybody can make a room that names a predecessor. Settings that
 * the new room has already stay. A crash between the join and this leaves the room without them; joining once more
 * brings them.
 */
import type { AccountData } from '../accounts/account-data.ts'
import { parseRoomId, type RoomId, type UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import type { Rooms } from '../rooms/rooms.ts'
import type { Push } from './push.ts'
import type { PushRule, RuleKind } from './rules.ts'

export interface MovedRooms {
  /** Called when the person has joined the room, whether or not it replaces another. */
  follow(userId: UserId, roomId: RoomId): Promise<void>
}

export interface MovedRoomsDeps {
  readonly rooms: Pick<Rooms, 'view'>
  readonly accountData: Pick<AccountData, 'get' | 'set' | 'change'>
  readonly push: Pick<Push, 'rules' | 'putRule' | 'changeRule'>
}

export function openMovedRooms({ rooms, accountData, push }: MovedRoomsDeps): MovedRooms {
  async function predecessorOf(roomId: RoomId): Promise<RoomId | null> {
    const view = await rooms.view(roomId)
    const predecessor = view?.createEvent.content['predecessor']
    const old = isObject(predecessor) ? parseRoomId(predecessor['room_id']) : null
    if (!old) return null
    const tombstone = (await rooms.view(old))?.state('m.room.tombstone')
    return tombstone?.content['replacement_room'] === roomId ? old : null
  }

  async function followTags(userId: UserId, old: RoomId, roomId: RoomId): Promise<void> {
    const tags = await accountData.get(userId, old, 'm.tag')
    if (tags && !(await accountData.get(userId, roomId, 'm.tag'))) {
      await accountData.set(userId, roomId, 'm.tag', tags)
    }
  }

  async function followDirectChat(userId: UserId, old: RoomId, roomId: RoomId): Promise<void> {
    const isNews = ([, list]: [string, unknown]) =>
      Array.isArray(list) && list.includes(old) && !list.includes(roomId)
    const direct = await accountData.get(userId, null, 'm.direct')
    if (!direct || !Object.entries(direct).some(isNews)) return
    await accountData.change(userId, null, 'm.direct', content =>
      Object.fromEntries(
        Object.entries(content ?? {}).map(entry =>
          isNews(entry) ? [entry[0], [...(entry[1] as string[]), roomId]] : entry,
        ),
      ),
    )
  }

  async function followRules(userId: UserId, old: RoomId, roomId: RoomId): Promise<void> {
    const rules = await push.rules(userId)
    for (const kind of ['room', 'override', 'underride'] as const) {
      for (const rule of rules[kind]) {
        const moved = movedRule(kind, rule, old, roomId)
        if (!moved || rules[kind].some(({ rule_id }) => rule_id === moved.rule_id)) continue
        const { default: _default, enabled, ...fresh } = moved
        await push.putRule(userId, kind, fresh, {})
        if (!enabled) await push.changeRule(userId, kind, fresh.rule_id, { enabled })
      }
    }
  }

  return {
    async follow(userId, roomId) {
      const old = await predecessorOf(roomId)
      if (!old) return
      await followTags(userId, old, roomId)
      await followDirectChat(userId, old, roomId)
      await followRules(userId, old, roomId)
    },
  }
}

/** The same rule about the new room; null where the rule is not about the old one. */
function movedRule(kind: RuleKind, rule: PushRule, old: RoomId, roomId: RoomId): PushRule | null {
  if (rule.default) return null
  if (kind === 'room') return rule.rule_id === old ? { ...rule, rule_id: roomId } : null
  const names = (condition: JsonObject) => condition['key'] === 'room_id' && condition['pattern'] === old
  if (!rule.conditions?.some(names)) return null
  return {
    ...rule,
    // Clients name such a rule by its room; any other name gets the room beside it.
    rule_id: rule.rule_id.includes(old) ? rule.rule_id.replace(old, roomId) : `${rule.rule_id} ${roomId}`,
    conditions: rule.conditions.map(each => (names(each) ? { ...each, pattern: roomId } : each)),
  }
}
