/** A room that two servers share. */
import type { EventId, RoomId, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import type { RoomVersion } from '../../server/protocol/room-versions.ts'
import type { RoomDraft } from './room-fixture.ts'
import type { Site } from './two-servers.ts'

export const person = (name: string, site: Site) => `@${name}:${site.name}` as UserId

export const say = (site: Site, name: string, body: string): RoomDraft => ({
  sender: person(name, site),
  type: 'm.room.message',
  content: { body },
})

/** The event as it goes over the wire. */
export const pduOf = async (site: Site, eventId: EventId) =>
  JSON.parse(JSON.stringify(await site.rooms.signed(eventId))) as JsonObject

/** Ann's, which anybody may join. */
export async function openRoom(
  site: Site,
  version: RoomVersion = '12',
  more: readonly RoomDraft[] = [],
  joinRules: RoomDraft['content'] = { join_rule: 'public' },
): Promise<RoomId> {
  const ann = person('ann', site)
  const state = (type: string, content: RoomDraft['content']): RoomDraft => ({
    sender: ann,
    type,
    stateKey: '',
    content,
  })
  const { roomId } = await site.rooms.create({
    version,
    creator: ann,
    createContent: {},
    events: () => [
      { sender: ann, type: 'm.room.member', stateKey: ann, content: { membership: 'join' } },
      state('m.room.power_levels', { users: version === '12' ? {} : { [ann]: 100 }, invite: 0 }),
      state('m.room.join_rules', joinRules),
      state('m.room.name', { name: 'the room' }),
      ...more,
    ],
  })
  return roomId
}

/** With Ann of the one and Bob of the other in it. */
export async function sharedRoom(one: Site, other: Site, more: readonly RoomDraft[] = []): Promise<RoomId> {
  const roomId = await openRoom(one, '12', more)
  await other.rooms.outward.join(person('bob', other), roomId, [one.name], {})
  return roomId
}
