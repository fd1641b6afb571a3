/** Receipts and typing between servers, on real rooms on both sides. */
import test from 'ava'
import type { Edu, OutboundItem } from '../../server/peers/outbound.ts'
import type { EventId, RoomId, ServerName, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { openReceiptEdus } from '../../server/rooms/receipt-edus.ts'
import { openReceipts } from '../../server/rooms/receipts.ts'
import { openTyping } from '../../server/rooms/typing.ts'
import { openTypingEdus } from '../../server/rooms/typing-edus.ts'
import { type Site, World } from './two-servers.ts'

const ann = '@ann:a.test' as UserId
const bob = '@bob:bb.test' as UserId
const bobs = 'bb.test' as ServerName

interface Sent {
  readonly to: ServerName
  readonly key: string
  readonly edu: Edu
}

/** Ann's room on `a`, with Bob of `bb` in it, and what leaves `a`. */
async function open(acl?: JsonObject) {
  const world = new World()
  const a = await world.add('a.test')
  const bb = await world.add('bb.test')
  const state = (type: string, content: JsonObject) => ({ sender: ann, type, stateKey: '', content })
  const { roomId } = await a.rooms.create({
    version: '12',
    creator: ann,
    createContent: {},
    events: () => [
      { sender: ann, type: 'm.room.member', stateKey: ann, content: { membership: 'join' } },
      state('m.room.join_rules', { join_rule: 'public' }),
    ],
  })
  await bb.rooms.outward.join(bob, roomId, [a.name], {})
  const { eventId } = await a.rooms.send({
    roomId,
    sender: ann,
    type: 'm.room.message',
    content: { body: '1' },
  })
  if (acl) await a.rooms.send({ roomId, ...state('m.room.server_acl', acl) })
  const sent: Sent[] = []
  const put = (_rows: unknown, to: ServerName, item: OutboundItem) => {
    if (item.kind === 'latest') sent.push({ to, key: item.key, edu: item.edu })
  }
  const ephemeral = (to: ServerName, key: string, edu: Edu) => void sent.push({ to, key, edu })
  const time = { now: 1_000_000 }
  const clock = () => time.now
  const receipts = openReceipts({ store: a.store, clock, outlet: { outbound: { put }, rooms: a.rooms } })
  const typing = openTyping({ clock })
  return {
    a,
    bb,
    roomId,
    event: (await a.rooms.event(eventId))!,
    sent,
    time,
    receipts,
    typing,
    receiptEdus: openReceiptEdus({ rooms: a.rooms, receipts }),
    typingEdus: openTypingEdus({ rooms: a.rooms, typing, outbound: { ephemeral }, clock }),
  }
}

const receipt = (roomId: RoomId, user: string, eventIds: unknown, data: JsonObject = { ts: 1 }) =>
  ({ [roomId]: { 'm.read': { [user]: { event_ids: eventIds, data } } } }) as JsonObject

const shown = async ({
  receipts,
  a,
  roomId,
}: {
  receipts: ReturnType<typeof openReceipts>
  a: Site
  roomId: RoomId
}) =>
  (await receipts.since(roomId, undefined, a.store.durablePosition)).map(
    ({ userId, type, eventId, threadId }) => [userId, type, eventId, threadId] as const,
  )

test('a public receipt of ours goes to the other servers in the room, a private one to nobody', async t => {
  const { receipts, roomId, event, sent } = await open()
  await receipts.set(roomId, ann, [
    { type: 'm.read.private', event },
    { type: 'm.read', event, threadId: 'main' },
  ])
  t.deepEqual(sent, [
    {
      to: bobs,
      key: `receipt ${roomId} ${ann} main`,
      edu: {
        edu_type: 'm.receipt',
        content: receipt(roomId, ann, [event.eventId], { ts: 1_000_000, thread_id: 'main' }),
      },
    },
  ])
})

test('a receipt of the other server stands here, and is told to nobody', async t => {
  const world = await open()
  const { receiptEdus, roomId, event, sent } = world
  await receiptEdus.take(bobs, receipt(roomId, bob, [event.eventId], { ts: 1, thread_id: 'main' }))
  t.deepEqual(await shown(world), [[bob, 'm.read', event.eventId, 'main']])
  t.deepEqual(sent, [])
})

const passedOver: [string, (roomId: RoomId, eventId: EventId) => JsonObject][] = [
  ['of somebody of ours', (roomId, id) => receipt(roomId, ann, [id])],
  ['of somebody who is not in the room', (roomId, id) => receipt(roomId, '@eve:bb.test', [id])],
  ['for an event that is not here', roomId => receipt(roomId, bob, ['$nothing'])],
  ['without events', roomId => receipt(roomId, bob, 'x')],
  ['for a room that is not here', (_roomId, id) => receipt('!x:a.test' as RoomId, bob, [id])],
  [
    'that is private',
    (roomId, id) => ({ [roomId]: { 'm.read.private': { [bob]: { event_ids: [id], data: {} } } } }),
  ],
  ['that is none', roomId => ({ [roomId]: 7, x: { 'm.read': [] } })],
]
for (const [what, make] of passedOver) {
  test(`a receipt ${what} is passed over`, async t => {
    const world = await open()
    await t.notThrowsAsync(world.receiptEdus.take(bobs, make(world.roomId, world.event.eventId)))
    t.deepEqual(await shown(world), [])
  })
}

test('typing is told to the other servers: begin, again after a while, and end', async t => {
  const { typing, roomId, sent, time } = await open()
  const settle = () => new Promise(resolve => setImmediate(resolve))
  typing.set(roomId, ann, 120_000)
  typing.set(roomId, ann, 120_000)
  await settle()
  time.now += 30_000
  typing.set(roomId, ann, 120_000)
  await settle()
  typing.set(roomId, ann, 0)
  await settle()
  t.deepEqual(
    sent.map(({ to, edu }) => [to, edu.edu_type, edu.content['user_id'], edu.content['typing']]),
    [true, true, false].map(isTyping => [bobs, 'm.typing', ann, isTyping]),
  )
  typing.close()
})

test('who types on the other server types here, and only they', async t => {
  const { typing, typingEdus, roomId, sent } = await open()
  const take = (user: UserId, isTyping: boolean) =>
    typingEdus.take(bobs, { room_id: roomId, user_id: user, typing: isTyping })
  await take(ann, true)
  await take('@eve:bb.test' as UserId, true)
  t.deepEqual(typing.typists(roomId), [])
  await take(bob, true)
  t.deepEqual(typing.typists(roomId), [bob])
  await take(bob, false)
  t.deepEqual(typing.typists(roomId), [])
  t.deepEqual(sent, [])
  await t.notThrowsAsync(typingEdus.take(bobs, { room_id: 5, user_id: {}, typing: 'yes' }))
  typing.close()
})

test('a server that the room’s ACL denies is not heard', async t => {
  const world = await open({ allow: ['*'], deny: ['bb.test'] })
  const { typing, typingEdus, receiptEdus, roomId, event } = world
  await typingEdus.take(bobs, { room_id: roomId, user_id: bob, typing: true })
  await receiptEdus.take(bobs, receipt(roomId, bob, [event.eventId]))
  t.deepEqual(typing.typists(roomId), [])
  t.deepEqual(await shown(world), [])
  typing.close()
})
