import test from 'ava'
import type { Edu } from '../../server/peers/outbound.ts'
import type { DeviceId, ServerName, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import type { Rooms } from '../../server/rooms/rooms.ts'
import type { Commit } from '../../server/store/store.ts'
import { openPresence } from '../../server/sync/presence.ts'
import { ben, cam, openWorld } from './world.ts'

const ann = '@ann:here.test' as UserId
const dora = '@dora:peer.test' as UserId
const peer = 'peer.test' as ServerName
const phone = 'PHONE' as DeviceId
const laptop = 'LAPTOP' as DeviceId

function open(known: readonly UserId[] = [ann, dora]) {
  const sent: { to: ServerName; edu: Edu }[] = []
  const time = { now: 1_000_000 }
  const listeners: ((commit: Commit) => void)[] = []
  const servers = new Map([
    ['here.test', 1],
    [peer, 1],
  ])
  const rooms = {
    serverName: 'here.test',
    memberships: async (userId: UserId) =>
      new Map(known.includes(userId) ? [['!r', { roomId: '!r', membership: 'join' }]] : []),
    view: async () => ({
      frozen: null,
      joinedServers: servers,
      membership: (userId: UserId) => (known.includes(userId) ? 'join' : undefined),
    }),
  } as unknown as Rooms
  const presence = openPresence({
    store: {
      onDurable(listener) {
        listeners.push(listener)
        return () => {}
      },
    },
    rooms,
    outbound: { ephemeral: (to, _key, edu) => void sent.push({ to, edu }) },
    clock: () => time.now,
  })
  const joined = async (userId: UserId) => {
    const topics = new Set([`joined:!r ${userId}` as const])
    for (const listener of listeners) listener({ durablePosition: 1 as Commit['durablePosition'], topics })
    await settle()
  }
  return { presence, sent, time, servers, joined }
}

const settle = () => new Promise(resolve => setImmediate(resolve))

test('who syncs is there; others here and on other servers hear of the change, and of no change nothing', async t => {
  const { presence, sent } = open()
  const before = presence.serial
  presence.seen(ann, phone, 'online')
  presence.seen(ann, phone, 'online')
  await settle()
  t.deepEqual(presence.changedSince(before), [ann])
  t.deepEqual(presence.changedSince(presence.serial), [])
  const push = [{ user_id: ann, presence: 'online', last_active_ago: 0, currently_active: true }]
  t.deepEqual(sent, [{ to: peer, edu: { edu_type: 'm.presence', content: { push } } }])
  presence.close()
})

test('a device that does not want to be seen is not; a status text stays over the next sync', t => {
  const { presence } = open()
  presence.seen(ann, phone, 'offline')
  t.is(presence.get(ann), undefined)
  presence.set(ann, 'unavailable', 'in court')
  presence.seen(ann, phone, 'online')
  t.like(presence.get(ann), { state: 'online', statusText: 'in court' })
  presence.close()
})

test('whoever uses one device is there, whatever another that lies idle says; last active when it was used', t => {
  const { presence, time } = open()
  presence.seen(ann, phone, 'online')
  const { serial } = presence
  time.now += 30_000
  presence.seen(ann, laptop, 'unavailable')
  t.like(presence.get(ann), { state: 'online', lastActiveTs: 1_000_000 })
  t.is(presence.serial, serial, 'nobody is told of a change that is none')
  time.now += 30_000
  presence.seen(ann, phone, 'unavailable')
  t.like(presence.get(ann), { state: 'unavailable', lastActiveTs: 1_000_000 })
  presence.seen(ann, laptop, 'online')
  time.now += 100_000
  presence.seen(ann, phone, 'unavailable')
  t.like(presence.get(ann), { state: 'unavailable' }, 'the other was not heard of any more')
  presence.close()
})

test('a device that takes back that it is used makes its person gone at once, unless another is used', t => {
  const { presence } = open()
  presence.seen(ann, phone, 'online')
  presence.seen(ann, laptop, 'online')
  presence.seen(ann, phone, 'offline')
  t.is(presence.get(ann)?.state, 'online')
  presence.seen(ann, laptop, 'offline')
  t.is(presence.get(ann)?.state, 'offline')
  presence.close()
})

test('a peer speaks for its own people, of whom somebody here can see, and is told nothing back', async t => {
  const { presence, sent } = open()
  const status = { presence: 'online', status_msg: 'x', last_active_ago: 5_000 }
  await presence.take(peer, {
    push: [
      { user_id: dora, ...status },
      { user_id: ann, ...status },
      { user_id: '@eve:peer.test', ...status },
    ],
  } as JsonObject)
  t.like(presence.get(dora), { state: 'online', statusText: 'x', lastActiveTs: 995_000 })
  t.is(presence.get(ann), undefined)
  t.is(presence.get('@eve:peer.test' as UserId), undefined)
  await settle()
  t.deepEqual(sent, [])
  presence.close()
})

test('a server whose first person comes into a room is told who of us is there, and others of who of us comes', async t => {
  const { presence, sent, servers, joined } = open()
  presence.set(ann, 'unavailable', 'in court')
  await settle()
  sent.length = 0
  await joined(dora)
  const [told] = sent
  t.is(sent.length, 1)
  t.is(told!.to, peer)
  const content = { user_id: ann, presence: 'unavailable', status_msg: 'in court' }
  t.like((told!.edu.content['push'] as JsonObject[])[0], content)
  servers.set(peer, 2)
  await joined('@emil:peer.test' as UserId)
  t.is(sent.length, 1, 'it knows already')
  await joined(ann)
  t.deepEqual(
    sent.map(({ to }) => to),
    [peer, peer],
  )
  presence.set(ann, 'offline', undefined)
  await settle()
  sent.length = 0
  servers.set(peer, 1)
  await joined(dora)
  await joined(ann)
  t.deepEqual(sent, [])
  presence.close()
})

for (const content of [
  {},
  { push: 1 },
  { push: [null, 1, {}] },
  { push: [{ user_id: dora, presence: 'asleep' }] },
]) {
  test(`${JSON.stringify(content)} is passed over`, async t => {
    const { presence } = open()
    await t.notThrowsAsync(presence.take(peer, content as JsonObject))
    t.is(presence.get(dora), undefined)
    presence.close()
  })
}

test('a sync wakes for people with whom one shares a room, tells each change once, and of strangers nothing', async t => {
  const world = await openWorld({ presence: true })
  const roomId = await world.room()
  await world.join(roomId, ben)
  const device = world.device(ben)
  await device.sync()
  world.presence!.seen(cam, phone, 'online')
  const waiting = device.sync({ timeoutMs: 10_000 })
  await settle()
  world.presence!.set(ann, 'online', 'here')
  const answer = await waiting
  t.deepEqual(
    answer.presence.events.map(({ sender, content }: { sender: string; content: JsonObject }) => [
      sender,
      content['presence'],
      content['status_msg'],
    ]),
    [[ann, 'online', 'here']],
  )
  t.is((await device.sync()).presence, undefined)
  world.presence!.set(ann, 'offline', undefined)
  t.is((await device.sync({ filter: { presence: { not_types: ['m.presence'] } } })).presence, undefined)
  t.is((await world.device(ben, 'E').sync()).presence, undefined)
  world.close()
})
