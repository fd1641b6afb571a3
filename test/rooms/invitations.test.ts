/** Invites that other servers bring in masses, and what they bring with them (CVE-2023-32323). */
import test from 'ava'
import type { RoomId, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { RoomError } from '../../server/rooms/rooms.ts'
import { openRoom, person } from './federated-room.ts'
import { forged, forgedInvite } from './forged-event.ts'
import { type Site, World } from './two-servers.ts'

/** Signatures are another test's subject. */
async function three() {
  const world = new World()
  const a = await world.add('a.test', { checkSignatures: async () => true })
  return { world, a, b: await world.add('bb.test'), c: await world.add('ccc.test') }
}

function bring(
  world: World,
  from: Site,
  to: Site,
  number: number,
  invitee: UserId,
  state: JsonObject[] = [],
) {
  const { pdu, eventId } = forgedInvite(world, from, number, invitee)
  return to.rooms.invite(from.name, pdu.room_id!, eventId, {
    event: pdu,
    roomVersion: '11',
    inviteRoomState: state,
    via: [from.name],
  })
}

async function open(site: Site, userId: UserId): Promise<number> {
  const rows = await site.rooms.memberships(userId)
  return [...rows.values()].filter(({ membership }) => membership === 'invite').length
}

test('10,000 invites of one peer: a person keeps a hundred of them, and another peer’s come through', async t => {
  const { world, a, b, c } = await three()
  const ann = person('ann', a)
  const refusals = new Map<string, number>()
  for (let i = 0; i < 10_000; i++) {
    await bring(world, b, a, i, ann).catch(error => {
      if (!(error instanceof RoomError)) throw error
      const what = `${error.code} ${error.message}`
      refusals.set(what, (refusals.get(what) ?? 0) + 1)
    })
  }
  t.deepEqual([...refusals], [['M_FORBIDDEN @ann:a.test has too many open invites from bb.test.', 9_900]])
  t.is(await open(a, ann), 100)
  await bring(world, c, a, 1, ann)
  t.is(await open(a, ann), 101)
  // What was declined makes room.
  await a.rooms.outward.leave(ann, '!0:bb.test' as RoomId, {})
  await bring(world, b, a, 10_000, ann)
})

/** Far more than anybody needs, in every way that there is. */
const monstrous: JsonObject[] = [
  { type: 'm.room.topic', state_key: '', sender: '@bob:bb.test', content: { topic: 'x'.repeat(200_000) } },
  { type: 'm.room.name', state_key: '', sender: '@bob:bb.test', content: { name: 'the room' } },
  { type: 'm.room.avatar', state_key: 7, sender: '@bob:bb.test', content: {} },
  { type: 'm.room.avatar', state_key: '', sender: '@bob:bb.test', content: 'none' },
  ...Array.from({ length: 5_000 }, (_, i) => ({
    type: `x.${i}`,
    state_key: '',
    sender: '@bob:bb.test',
    content: { text: 'y'.repeat(2_000) },
    unsigned: { secret: 'dropped' },
  })),
]

function checkKept(
  t: { true(value: boolean): void; is(a: unknown, b: unknown): void },
  kept: readonly JsonObject[],
) {
  t.true(kept.length <= 50)
  t.true(JSON.stringify(kept).length <= 66_000)
  t.is(kept.find(({ type }) => type === 'm.room.name')?.['state_key'], '')
  for (const event of kept) t.is(Object.keys(event).sort().join(), 'content,sender,state_key,type')
}

test('an invite’s stripped state of megabytes is cut to what people are shown (CVE-2023-32323)', async t => {
  const { world, a, b } = await three()
  const ann = person('ann', a)
  await bring(world, b, a, 1, ann, monstrous)
  checkKept(t, (await a.rooms.memberships(ann)).get('!1:bb.test' as RoomId)!.strippedState!)
})

test('so is what a server answers to a knock', async t => {
  const { world, a, b } = await three()
  const roomId = await openRoom(b, '12', [], { join_rule: 'knock' })
  world.lies.set('send_knock', async () => monstrous)
  const ann = person('ann', a)
  await a.rooms.outward.knock(ann, roomId, [b.name], {})
  checkKept(t, (await a.rooms.memberships(ann)).get(roomId)!.strippedState!)
})

test('an invite to a version 12 room shows that room’s create event, or none that is whole (MSC4291)', async t => {
  const { world, a, b } = await three()
  const [roomId, other] = [await openRoom(b), await openRoom(b)]
  const createOf = async (id: RoomId) =>
    JSON.parse(JSON.stringify(await b.rooms.signed((await b.rooms.view(id))!.createEvent.eventId)))
  const ann = person('ann', a)
  const draft = { type: 'm.room.member', state_key: ann, content: { membership: 'invite' } }
  const { pdu, eventId } = forged(world, b, roomId, draft)
  const invite = (inviteRoomState: JsonObject[]) =>
    a.rooms.invite(b.name, roomId, eventId, { event: pdu, roomVersion: '12', inviteRoomState, via: [b.name] })
  await t.throwsAsync(invite([await createOf(other)]), { code: 'M_INVALID_PARAM', message: /another room/ })
  t.is(await open(a, ann), 0)
  await invite([await createOf(roomId)])
  t.is(await open(a, ann), 1)
})
