import test from 'ava'
import type { DeviceId, EventId, RoomId, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import type { Position } from '../../server/store/store.ts'
import { parseSyncFilter } from '../../server/sync/filter.ts'
import { ann, ben, brief, cam, member, openWorld, state, text, type World } from './world.ts'

/** Each scenario runs over a store that answers at once and over one that answers late and in random order. */
function scenario(name: string, run: (t: import('ava').ExecutionContext, world: World) => Promise<void>) {
  for (const slow of [false, true]) {
    test(slow ? `${name} (slow store)` : name, async t => {
      const world = await openWorld({ slow })
      try {
        await run(t, world)
      } finally {
        world.close()
      }
    })
  }
}

const setup = ['create', 'ann join', 'power_levels', 'join_rules']
const limit = (timeline: JsonObject, more: JsonObject = {}): JsonObject => ({ room: { timeline, ...more } })

scenario(
  'an initial sync of a new room has everything in the timeline and no state before it',
  async (t, world) => {
    const room = await world.room()
    await world.send(room, text(ann, 'hello'))
    const answer = await world.device(ann).sync()
    const joined = answer.rooms.join[room]
    t.deepEqual(brief(joined.timeline), [...setup, 'hello'])
    t.false(joined.timeline.limited)
    t.deepEqual(brief(joined.state), [])
    t.deepEqual(joined.summary, { 'm.heroes': [], 'm.joined_member_count': 1, 'm.invited_member_count': 0 })
    t.deepEqual(joined.unread_notifications, { highlight_count: 0, notification_count: 0 })
    t.deepEqual(answer.device_unused_fallback_key_types, [])
    t.is(
      answer.account_data.events.find((each: { type: string }) => each.type === 'm.push_rules').content.global
        .override[0].rule_id,
      '.m.rule.master',
    )
  },
)

scenario('an incremental sync has what is new, once, and nothing else', async (t, world) => {
  const [room, other] = [await world.room(), await world.room()]
  const device = world.device(ann)
  await device.sync()
  t.is((await device.sync()).rooms, undefined)
  await world.send(room, text(ann, 'one'))
  await world.send(room, text(ann, 'two'))
  const { rooms } = await device.sync()
  t.deepEqual(Object.keys(rooms.join), [room])
  t.deepEqual(brief(rooms.join[room].timeline), ['one', 'two'])
  t.false(rooms.join[room].timeline.limited)
  t.deepEqual(brief(rooms.join[room].state), [])
  t.is(rooms.join[other], undefined)
  t.is((await device.sync()).rooms, undefined)
})

scenario('an old token shows the same again', async (t, world) => {
  const room = await world.room()
  const device = world.device(ann)
  await device.sync()
  const since = device.since!
  await world.send(room, text(ann, 'one'))
  for (let i = 0; i < 2; i++)
    t.deepEqual(brief((await device.sync({ since })).rooms.join[room].timeline), ['one'])
})

scenario(
  'events carry age, membership and the transaction id of the device that sent them',
  async (t, world) => {
    const room = await world.room()
    const [one, two] = [world.device(ann, 'ONE'), world.device(ann, 'TWO')]
    await one.sync()
    await two.sync()
    await world.rooms.send(
      { roomId: room, ...text(ann, 'x') },
      { transaction: { userId: ann, deviceId: 'ONE', txnId: 'txn 1' } },
    )
    const seen = (await one.sync()).rooms.join[room].timeline.events[0]
    t.is(seen.unsigned.transaction_id, 'txn 1')
    t.is(seen.unsigned.membership, 'join')
    t.is(typeof seen.unsigned.age, 'number')
    t.is(seen.room_id, undefined)
    t.is((await two.sync()).rooms.join[room].timeline.events[0].unsigned.transaction_id, undefined)
  },
)

scenario(
  'a gap is limited, has a place to go back from, and the state that changed in it',
  async (t, world) => {
    const room = await world.room()
    const device = world.device(ann)
    await device.sync()
    await world.send(room, state(ann, 'm.room.name', { name: 'first' }))
    await world.send(room, state(ann, 'm.room.name', { name: 'in the gap' }))
    for (const body of ['1', '2', '3']) await world.send(room, text(ann, body))
    await world.send(room, state(ann, 'm.room.topic', { topic: 'in the timeline' }))
    const joined = (await device.sync({ filter: limit({ limit: 3 }) })).rooms.join[room]
    t.true(joined.timeline.limited)
    t.deepEqual(brief(joined.timeline), ['2', '3', 'topic'])
    t.deepEqual(brief(joined.state), ['name'])
    t.is(joined.state.events[0].content.name, 'in the gap')
    t.regex(joined.timeline.prev_batch, /^t\d+$/)
    const before = await world.rooms.timeline(room, {
      before: Number(joined.timeline.prev_batch.slice(1)) + 1,
      reverse: true,
      limit: 1,
    })
    t.is(before[0]!.content['body'], '1')
  },
)

scenario(
  'state_after has what changed up to the end of the timeline, and state is absent',
  async (t, world) => {
    const room = await world.room()
    const device = world.device(ann)
    const first = (await device.sync({ stateAfter: true })).rooms.join[room]
    t.is(first.state, undefined)
    t.deepEqual(brief(first.state_after).toSorted(), setup.toSorted())
    await world.send(room, text(ann, '0'))
    const nothing = (await device.sync({ stateAfter: true })).rooms.join[room]
    t.deepEqual(nothing.state_after, { events: [] })
    await world.send(room, state(ann, 'm.room.name', { name: 'first' }))
    await world.send(room, text(ann, '1'))
    await world.send(room, state(ann, 'm.room.name', { name: 'second' }))
    const since = device.since!
    const whole = (await device.sync({ stateAfter: true })).rooms.join[room]
    t.deepEqual(
      whole.state_after.events.map((each: { content: { name: string } }) => each.content.name),
      ['second'],
    )
    const cut = (await device.sync({ since, stateAfter: true, filter: limit({ limit: 1 }) })).rooms.join[room]
    t.deepEqual(brief(cut.timeline), ['name'])
    t.deepEqual(brief(cut.state_after), ['name'])
  },
)

scenario('an initial sync with a cut timeline has the state at its start', async (t, world) => {
  const room = await world.room([state(ann, 'm.room.name', { name: 'before' })])
  await world.send(room, text(ann, '1'))
  await world.send(room, state(ann, 'm.room.name', { name: 'after' }))
  await world.send(room, text(ann, '2'))
  const name = (section: { events: { type: string; content: { name: string } }[] }) =>
    section.events.find(each => each.type === 'm.room.name')!.content.name
  const filter = limit({ limit: 3 })
  const legacy = (await world.device(ann).sync({ filter })).rooms.join[room]
  t.deepEqual(brief(legacy.timeline), ['1', 'name', '2'])
  t.is(name(legacy.state), 'before')
  t.is(legacy.state.events.length, 5)
  t.is(
    name((await world.device(ann).sync({ filter, stateAfter: true })).rooms.join[room].state_after),
    'after',
  )
})

scenario('full_state brings all state beside a timeline that goes on', async (t, world) => {
  const [room, quiet] = [await world.room(), await world.room()]
  const device = world.device(ann)
  await device.sync()
  await world.send(room, text(ann, 'new'))
  const { rooms } = await device.sync({ fullState: true, timeoutMs: 60_000 })
  t.deepEqual(brief(rooms.join[room].timeline), ['new'])
  t.deepEqual(brief(rooms.join[room].state).toSorted(), setup.toSorted())
  t.deepEqual(brief(rooms.join[quiet].state).toSorted(), setup.toSorted())
  t.deepEqual(brief(rooms.join[quiet].timeline), [])
})

scenario('a room that the reader joins since then comes with all its state', async (t, world) => {
  const room = await world.room([state(ann, 'm.room.name', { name: 'old' })])
  for (let i = 0; i < 15; i++) await world.send(room, text(ann, `${i}`))
  const device = world.device(ben)
  await device.sync()
  await world.join(room, ben)
  const joined = (await device.sync()).rooms.join[room]
  t.true(joined.timeline.limited)
  t.is(brief(joined.timeline).at(-1), 'ben join')
  t.true(brief(joined.state).includes('name'))
  t.is(joined.summary['m.joined_member_count'], 2)
  t.is((await device.sync()).rooms, undefined)
})

scenario('taking another name is not joining again', async (t, world) => {
  const room = await world.room()
  const device = world.device(ann)
  await device.sync()
  await world.send(room, member(ann, 'join', ann, { displayname: 'Anna' }))
  await world.send(room, member(ann, 'join', ann, { displayname: 'Annie' }))
  const joined = (await device.sync()).rooms.join[room]
  t.deepEqual(brief(joined.timeline), ['ann join', 'ann join'])
  t.deepEqual(brief(joined.state), [])
  t.is(joined.timeline.events[1].unsigned.prev_content.displayname, 'Anna')
})

scenario('who left sees the leave and what came before it, and nothing after', async (t, world) => {
  const room = await world.room()
  await world.join(room, ben)
  const device = world.device(ben)
  await device.sync()
  await world.send(room, text(ann, 'seen'))
  await world.send(room, member(ben, 'leave'))
  await world.send(room, text(ann, 'unseen'))
  const { rooms } = await device.sync()
  t.is(rooms.join, undefined)
  t.deepEqual(brief(rooms.leave[room].timeline), ['seen', 'ben leave'])
  t.is((await device.sync()).rooms, undefined)
  await world.send(room, text(ann, 'more'))
  t.is((await device.sync()).rooms, undefined)
  t.is((await world.device(ben).sync()).rooms, undefined)
})

scenario('include_leave shows an archived room as it was when the reader left', async (t, world) => {
  const room = await world.room()
  await world.join(room, ben)
  await world.send(room, state(ann, 'm.room.name', { name: 'then' }))
  await world.send(room, member(ben, 'leave', ann))
  await world.send(room, state(ann, 'm.room.name', { name: 'now' }))
  await world.send(room, text(ann, 'unseen'))
  const filter = limit({ limit: 1 }, { include_leave: true })
  const left = (await world.device(ben).sync({ filter })).rooms.leave[room]
  t.deepEqual(brief(left.timeline), ['ben leave'])
  t.true(left.timeline.limited)
  t.is(left.state.events.find((each: { type: string }) => each.type === 'm.room.name').content.name, 'then')
  await world.rooms.forget(ben, room)
  t.is((await world.device(ben).sync({ filter })).rooms, undefined)
})

scenario('a device that did not see the leave learns of it from a forgotten room', async (t, world) => {
  const room = await world.room()
  await world.join(room, ben)
  const device = world.device(ben)
  await device.sync()
  await world.send(room, member(ben, 'leave'))
  await world.rooms.forget(ben, room)
  await world.send(room, text(ann, 'unseen'))
  t.deepEqual(brief((await device.sync()).rooms.leave[room].timeline), ['ben leave'])
  t.is((await device.sync()).rooms, undefined)
})

scenario(
  'a timeline limit of 0 shows the state alone, and a token behind the newest event',
  async (t, world) => {
    const room = await world.room()
    await world.send(room, text(ann, 'newest'))
    const filter = limit({ limit: 0 })
    const device = world.device(ann)
    const { timeline, state: before } = (await device.sync({ filter })).rooms.join[room]
    t.deepEqual(timeline.events, [])
    t.true(timeline.limited)
    t.true(before.events.some((each: { type: string }) => each.type === 'm.room.create'))
    const [newest] = await world.rooms.timeline(room, {
      before: Number(timeline.prev_batch.slice(1)) + 1,
      reverse: true,
      limit: 1,
    })
    t.is(newest?.content['body'], 'newest')
    await world.send(room, state(ann, 'm.room.name', { name: 'new' }))
    const next = (await device.sync({ filter })).rooms.join[room]
    t.deepEqual(next.timeline.events, [])
    t.deepEqual(
      next.state.events.map((each: { type: string }) => each.type),
      ['m.room.name'],
    )
  },
)

scenario(
  'leaving and coming back between two syncs begins the room anew and hides what came between',
  async (t, world) => {
    const room = await world.room([state(ann, 'm.room.history_visibility', { history_visibility: 'joined' })])
    await world.join(room, ben)
    const device = world.device(ben)
    await device.sync()
    await world.send(room, member(ben, 'leave'))
    await world.send(room, text(ann, 'secret'))
    await world.send(room, state(ann, 'm.room.name', { name: 'new' }))
    await world.join(room, ben)
    await world.send(room, text(ann, 'welcome back'))
    const { rooms } = await device.sync()
    t.is(rooms.leave, undefined)
    const bodies = brief(rooms.join[room].timeline)
    t.deepEqual(bodies.slice(-2), ['ben join', 'welcome back'])
    t.false(bodies.includes('secret'))
    const names = [...brief(rooms.join[room].state), ...bodies]
    t.true(names.includes('name'))
    t.true(names.includes('create'), 'all of the state')
  },
)

scenario(
  'joining and leaving between two syncs is told as a room that was left, with its state',
  async (t, world) => {
    const room = await world.room()
    const device = world.device(ben)
    await device.sync()
    await world.join(room, ben)
    await world.send(room, text(ann, 'hi'))
    await world.send(room, member(ben, 'leave'))
    const { rooms } = await device.sync({ filter: limit({ limit: 2 }) })
    t.deepEqual(brief(rooms.leave[room].timeline), ['hi', 'ben leave'])
    t.true(brief(rooms.leave[room].state).includes('ben join'))
  },
)

scenario('a ban after leaving is told, but not what happened in between', async (t, world) => {
  const room = await world.room()
  await world.join(room, ben)
  await world.send(room, member(ben, 'leave'))
  const device = world.device(ben)
  await device.sync()
  await world.send(room, text(ann, 'unseen'))
  await world.send(room, member(ben, 'ban', ann))
  const { rooms } = await device.sync()
  t.deepEqual(brief(rooms.leave[room].timeline), ['ben ban'])
})

scenario(
  'an invite shows stripped state with the invite itself, and a rejected one ends',
  async (t, world) => {
    const room = await world.room([state(ann, 'm.room.name', { name: 'Party' })])
    const device = world.device(ben)
    await device.sync()
    await world.send(room, member(ben, 'invite', ann))
    const { rooms } = await device.sync()
    const events = rooms.invite[room].invite_state.events
    t.true(brief({ events }).includes('ben invite'))
    t.true(brief({ events }).includes('name'))
    t.true(brief({ events }).includes('create'))
    for (const event of events)
      t.deepEqual(Object.keys(event).toSorted(), ['content', 'sender', 'state_key', 'type'])
    t.is((await device.sync()).rooms, undefined)
    t.true(room in (await world.device(ben).sync()).rooms.invite)
    await world.send(room, text(ann, 'nobody here'))
    t.is((await device.sync()).rooms, undefined)
    await world.send(room, member(ben, 'leave'))
    const after = (await device.sync()).rooms
    t.deepEqual(brief(after.leave[room].timeline), ['ben leave'])
    t.is((await world.device(ben).sync({ filter: limit({}, { include_leave: true }) })).rooms, undefined)
  },
)

scenario('an invite that is accepted becomes a joined room', async (t, world) => {
  const room = await world.room()
  const device = world.device(ben)
  await device.sync()
  await world.send(room, member(ben, 'invite', ann))
  await device.sync()
  await world.join(room, ben)
  const { rooms } = await device.sync()
  t.is(rooms.invite, undefined)
  t.is(brief(rooms.join[room].timeline).at(-1), 'ben join')
})

scenario('a knock shows stripped state', async (t, world) => {
  const room = await world.room([state(ann, 'm.room.join_rules', { join_rule: 'knock' })])
  const device = world.device(ben)
  await device.sync()
  await world.send(room, member(ben, 'knock'))
  const { rooms } = await device.sync()
  t.true(brief(rooms.knock[room].knock_state).includes('ben knock'))
  t.true(brief(rooms.knock[room].knock_state).includes('join_rules'))
})

scenario('what an ignored person writes or invites to is not sent, their state is', async (t, world) => {
  const [room, party] = [await world.room(), await world.room()]
  await world.join(room, ben)
  await world.join(room, cam)
  await world.accountData.set(ben, null, 'm.ignored_user_list', { ignored_users: { [ann]: {} } })
  const device = world.device(ben)
  await device.sync()
  await world.send(room, text(ann, 'unheard'))
  await world.send(room, state(ann, 'm.room.name', { name: 'heard' }))
  await world.send(room, text(cam, 'heard too'))
  await world.send(party, member(ben, 'invite', ann))
  const { rooms } = await device.sync()
  t.deepEqual(brief(rooms.join[room].timeline), ['name', 'heard too'])
  t.is(rooms.invite, undefined)
  t.is(rooms.join[room].unread_notifications.notification_count, 1)
})

scenario('timeline filters skip what they do not want and still fill the limit', async (t, world) => {
  const room = await world.room()
  const device = world.device(ann)
  await device.sync()
  for (let i = 0; i < 30; i++) await world.send(room, { sender: ann, type: 'org.example.noise', content: {} })
  for (const body of ['1', '2', '3']) await world.send(room, text(ann, body))
  for (let i = 0; i < 30; i++) await world.send(room, { sender: ann, type: 'org.example.noise', content: {} })
  const since = device.since!
  const two = (await device.sync({ since, filter: limit({ limit: 2, types: ['m.room.message'] }) })).rooms
    .join[room]
  t.deepEqual(brief(two.timeline), ['2', '3'])
  t.true(two.timeline.limited)
  const all = (await device.sync({ since, filter: limit({ limit: 3, types: ['m.room.mess*'] }) })).rooms.join[
    room
  ]
  t.deepEqual(brief(all.timeline), ['1', '2', '3'])
  t.false(all.timeline.limited)
  t.is((await device.sync({ since, filter: limit({ types: [] }) })).rooms, undefined)
})

scenario('state that the timeline’s filter hides is told as state', async (t, world) => {
  const room = await world.room()
  const device = world.device(ann)
  const filter = limit({ types: ['m.room.message'] })
  await device.sync({ filter })
  await world.send(room, text(ann, '1'))
  await world.send(room, state(ann, 'm.room.name', { name: 'x' }))
  await world.send(room, text(ann, '2'))
  const joined = (await device.sync({ filter })).rooms.join[room]
  t.deepEqual(brief(joined.timeline), ['1', '2'])
  t.deepEqual(brief(joined.state), ['name'])
  await world.send(room, state(ann, 'm.room.name', { name: 'y' }))
  t.deepEqual(brief((await device.sync({ filter: limit({ not_rooms: [room] }) })).rooms.join[room].state), [
    'name',
  ])
})

scenario('rooms and not_rooms choose rooms', async (t, world) => {
  const [one, two] = [await world.room(), await world.room()]
  const of = async (room: JsonObject) =>
    Object.keys((await world.device(ann).sync({ filter: { room } })).rooms?.join ?? {})
  t.deepEqual(await of({ rooms: [one] }), [one])
  t.deepEqual(await of({ not_rooms: [one] }), [two])
  t.deepEqual(await of({ rooms: [one], not_rooms: [one] }), [])
})

scenario('event_fields cut events down', async (t, world) => {
  const room = await world.room()
  await world.send(room, text(ann, 'hello'))
  const answer = await world
    .device(ann)
    .sync({ filter: { event_fields: ['content.body'], room: { timeline: { limit: 1 } } } })
  t.deepEqual(answer.rooms.join[room].timeline.events, [{ content: { body: 'hello' } }])
})

scenario('lazy loading brings the members that the timeline needs, and each only once', async (t, world) => {
  const room = await world.room([state(ann, 'm.room.name', { name: 'x' })])
  await world.join(room, ben)
  await world.join(room, cam)
  await world.send(room, text(cam, 'cam writes'))
  const lazy = { lazy_load_members: true }
  const filter = limit({ limit: 1 }, { state: lazy })
  const device = world.device(ann)
  const members = (section: object) =>
    brief(section)
      .filter(each => each.endsWith('join'))
      .toSorted()
  t.deepEqual(members((await device.sync({ filter })).rooms.join[room].state), ['ann join', 'cam join'])
  await world.send(room, text(cam, 'again'))
  t.deepEqual(brief((await device.sync({ filter })).rooms.join[room].state), [])
  await world.send(room, text(ben, 'ben writes'))
  const since = device.since!
  t.deepEqual(members((await device.sync({ filter })).rooms.join[room].state), ['ben join'])
  t.deepEqual(
    members((await device.sync({ since, filter })).rooms.join[room].state),
    ['ben join'],
    'the response got lost',
  )
  await world.send(room, text(ben, 'ben again'))
  const redundant = limit({ limit: 1 }, { state: { ...lazy, include_redundant_members: true } })
  t.deepEqual(members((await device.sync({ filter: redundant })).rooms.join[room].state), ['ben join'])
})

scenario(
  'lazy loading tells every member change of a gap, and heroes of a nameless room',
  async (t, world) => {
    const room = await world.room()
    const filter = limit({ limit: 1 }, { state: { lazy_load_members: true } })
    const device = world.device(ann)
    await device.sync({ filter })
    await world.join(room, ben)
    await world.join(room, cam)
    await world.send(room, text(ann, 'x'))
    const joined = (await device.sync({ filter })).rooms.join[room]
    t.deepEqual(joined.summary, {
      'm.heroes': [ben, cam],
      'm.joined_member_count': 3,
      'm.invited_member_count': 0,
    })
    t.deepEqual(brief(joined.state), ['ben join', 'cam join'])
    const fresh = (await world.device(ann, 'E').sync({ filter })).rooms.join[room]
    t.deepEqual(
      brief(fresh.state)
        .filter(each => each.endsWith('join'))
        .toSorted(),
      ['ann join', 'ben join', 'cam join'],
    )
  },
)

scenario('a lazily loaded sender who joined inside the timeline is not told beforehand', async (t, world) => {
  const room = await world.room([state(ann, 'm.room.name', { name: 'x' })])
  const filter = limit({}, { state: { lazy_load_members: true } })
  const device = world.device(ann)
  await device.sync({ filter })
  await world.join(room, ben)
  await world.send(room, text(ben, 'hi'))
  const joined = (await device.sync({ filter })).rooms.join[room]
  t.deepEqual(brief(joined.timeline), ['ben join', 'hi'])
  t.deepEqual(brief(joined.state), [])
})

scenario(
  'account data is told when it changes, for the account and for rooms, and filters apply',
  async (t, world) => {
    const room = await world.room()
    const device = world.device(ann)
    await device.sync()
    await world.accountData.set(ann, null, 'org.example.a', { n: 1 })
    await world.accountData.set(ann, room, 'm.tag', { tags: { 'm.favourite': { order: 0.5 } } })
    const since = device.since!
    const answer = await device.sync()
    t.deepEqual(answer.account_data.events, [{ type: 'org.example.a', content: { n: 1 } }])
    t.deepEqual(answer.rooms.join[room].account_data.events, [
      { type: 'm.tag', content: { tags: { 'm.favourite': { order: 0.5 } } } },
    ])
    t.is((await device.sync()).account_data, undefined)
    const filtered = await device.sync({
      since,
      filter: { account_data: { not_types: ['org.*'] }, room: { account_data: { types: [] } } },
    })
    t.is(filtered.account_data, undefined)
    t.is(filtered.rooms, undefined)
  },
)

scenario('push rules are account data that changes when they do', async (t, world) => {
  const device = world.device(ann)
  await device.sync()
  await world.push.putRule(ann, 'room', { rule_id: '!x:y', actions: [] }, {})
  const { events } = (await device.sync()).account_data
  t.is(events[0].type, 'm.push_rules')
  t.is(events[0].content.global.room[0].rule_id, '!x:y')
  t.is((await device.sync()).account_data, undefined)
})

scenario('receipts are shown to all in the room, private ones to their owner alone', async (t, world) => {
  const room = await world.room()
  await world.join(room, ben)
  const event = await world.send(room, text(ann, 'x'))
  const [anns, bens] = [world.device(ann), world.device(ben)]
  await anns.sync()
  await bens.sync()
  await world.readMarkers.mark(room, ben, { 'm.read.private': { eventId: event } })
  t.is((await anns.sync()).rooms, undefined)
  const own = (await bens.sync()).rooms.join[room].ephemeral.events
  t.deepEqual(Object.keys(own[0].content[event]), ['m.read.private'])
  await world.readMarkers.mark(room, ben, {
    'm.read': { eventId: event },
    'm.fully_read': { eventId: event },
  })
  const [seen] = (await anns.sync()).rooms.join[room].ephemeral.events
  t.is(seen.type, 'm.receipt')
  t.deepEqual(Object.keys(seen.content[event]['m.read']), [ben])
  const mine = (await bens.sync()).rooms.join[room]
  t.deepEqual(mine.account_data.events, [{ type: 'm.fully_read', content: { event_id: event } }])
  t.deepEqual(
    Object.keys((await world.device(ann, 'E').sync()).rooms.join[room].ephemeral.events[0].content[event]),
    ['m.read'],
  )
})

scenario('typing is told when it begins and when it ends', async (t, world) => {
  const room = await world.room()
  await world.join(room, ben)
  const device = world.device(ann)
  await device.sync()
  world.typing.set(room, ben, 60_000)
  t.deepEqual((await device.sync()).rooms.join[room].ephemeral.events, [
    { type: 'm.typing', content: { user_ids: [ben] } },
  ])
  t.is((await device.sync()).rooms, undefined)
  t.deepEqual((await world.device(ann, 'E').sync()).rooms.join[room].ephemeral.events[0].content.user_ids, [
    ben,
  ])
  world.typing.set(room, ben, 0)
  t.deepEqual((await device.sync()).rooms.join[room].ephemeral.events[0].content.user_ids, [])
  world.typing.set(room, ben, 60_000)
  t.is((await device.sync({ filter: { room: { ephemeral: { not_types: ['m.typing'] } } } })).rooms, undefined)
})

scenario(
  'unread counts rise with messages, fall with receipts, and one’s own message reads the room',
  async (t, world) => {
    const room = await world.room()
    await world.join(room, ben)
    await world.join(room, cam)
    const device = world.device(ben)
    const counts = async () => {
      const all = (await device.sync({ fullState: true })).rooms.join[room].unread_notifications
      return [all.notification_count, all.highlight_count]
    }
    t.deepEqual(await counts(), [0, 0])
    const first = await world.send(room, text(ann, '1'))
    const second = await world.send(room, text(ann, '2', { 'm.mentions': { user_ids: [ben] } }))
    await world.send(room, text(cam, '3'))
    t.deepEqual(await counts(), [3, 1])
    await world.readMarkers.mark(room, ben, { 'm.read': { eventId: first } })
    t.deepEqual(await counts(), [2, 1])
    await world.readMarkers.mark(room, ben, { 'm.read.private': { eventId: second } })
    t.deepEqual(await counts(), [1, 0])
    await world.send(room, text(ann, '4'))
    t.deepEqual(await counts(), [2, 0])
    await world.send(room, text(ben, 'read it all'))
    t.deepEqual(await counts(), [0, 0])
    const noticed = await world.send(room, text(ann, '5'))
    t.deepEqual(await counts(), [1, 0])
    await world.send(room, {
      sender: ann,
      type: 'm.room.redaction',
      content: { redacts: noticed },
      redacts: noticed,
    })
    t.deepEqual(await counts(), [0, 0])
  },
)

scenario('threads have counts of their own where the filter asks for them', async (t, world) => {
  const room = await world.room()
  await world.join(room, ben)
  const root = await world.send(room, text(ann, 'root'))
  const reply = (body: string) =>
    world.send(room, text(ann, body, { 'm.relates_to': { rel_type: 'm.thread', event_id: root } }))
  const one = await reply('one')
  const two = await reply('two')
  await world.send(room, {
    sender: ann,
    type: 'm.room.encrypted',
    content: { 'm.relates_to': { rel_type: 'm.reference', event_id: two } },
  })
  const device = world.device(ben)
  const filter = { room: { timeline: { unread_thread_notifications: true } } }
  const counts = async () => {
    const joined = (await device.sync({ fullState: true, filter })).rooms.join[room]
    return [
      joined.unread_notifications.notification_count,
      joined.unread_thread_notifications?.[root]?.notification_count,
    ]
  }
  t.deepEqual(await counts(), [1, 3])
  t.is((await world.device(ben, 'E').sync()).rooms.join[room].unread_notifications.notification_count, 4)
  await world.readMarkers.mark(room, ben, { 'm.read': { eventId: one, threadId: root } })
  t.deepEqual(await counts(), [1, 2])
  await world.readMarkers.mark(room, ben, { 'm.read.private': { eventId: root, threadId: 'main' } })
  t.deepEqual(await counts(), [0, 2])
  await world.readMarkers.mark(room, ben, { 'm.read': { eventId: two } })
  t.deepEqual(await counts(), [0, 1])
  await t.throwsAsync(world.readMarkers.mark(room, ben, { 'm.read': { eventId: two, threadId: 'main' } }), {
    message: /thread_id/,
  })
  await t.throwsAsync(world.readMarkers.mark(room, ben, { 'm.read': { eventId: '$nothing' as EventId } }), {
    message: /m\.read/,
  })
  await t.throwsAsync(world.readMarkers.mark(room, cam, { 'm.read': { eventId: two } }), {
    message: /not in this room/,
  })
})

scenario('counts are right after a restart, from a checkpoint as well', async (t, world) => {
  const room = await world.room()
  await world.join(room, ben)
  for (let i = 0; i < 205; i++) await world.send(room, text(ann, `${i}`))
  t.is((await world.device(ben).sync()).rooms.join[room].unread_notifications.notification_count, 205)
  await world.send(room, text(ann, 'one more'))
  await world.accountData.set(ben, null, 'flush', {})
  const again = await openWorld({ store: world.store })
  const joined = (await again.device(ben).sync()).rooms.join[room]
  t.is(joined.unread_notifications.notification_count, 206)
  again.close()
})

scenario('a redacted event is shown redacted, with what redacted it', async (t, world) => {
  const room = await world.room()
  const device = world.device(ann)
  await device.sync()
  const since = device.since!
  const event = await world.send(room, text(ann, 'oops'))
  await device.sync()
  const redaction = await world.send(room, {
    sender: ann,
    type: 'm.room.redaction',
    content: { redacts: event },
    redacts: event,
  })
  const seen = (await device.sync({ since })).rooms.join[room].timeline.events
  t.deepEqual(seen[0].content, {})
  t.is(seen[0].unsigned.redacted_because.event_id, redaction)
  t.is(seen[1].redacts, event)
  t.is(seen[1].content.redacts, event)
})

scenario('a waiting sync wakes for a message and answers with it', async (t, world) => {
  const room = await world.room()
  await world.join(room, ben)
  const device = world.device(ben)
  await device.sync()
  const waiting = device.sync({ timeoutMs: 20_000 })
  while (world.sync.waiting === 0) await new Promise(resolve => setTimeout(resolve, 5))
  await world.send(room, text(ann, 'wake up'))
  t.deepEqual(brief((await waiting).rooms.join[room].timeline), ['wake up'])
  t.is(world.sync.waiting, 0)
})

scenario('a waiting sync wakes for typing, receipts, account data, invites', async (t, world) => {
  const [room, party] = [await world.room(), await world.room()]
  await world.join(room, ben)
  const event = await world.send(room, text(ann, 'x'))
  const device = world.device(ben)
  await device.sync()
  const acts: [act: () => unknown, seen: (answer: { rooms: never; account_data: never }) => unknown][] = [
    [() => world.typing.set(room, ann, 60_000), answer => answer.rooms['join'][room]['ephemeral']],
    [
      () => world.readMarkers.mark(room, ann, { 'm.read': { eventId: event } }),
      answer => answer.rooms['join'][room]['ephemeral'],
    ],
    [() => world.accountData.set(ben, null, 'x', {}), answer => answer.account_data],
    [() => world.send(party, member(ben, 'invite', ann)), answer => answer.rooms['invite'][party]],
    [() => world.join(party, ben), answer => answer.rooms['join'][party]],
    [() => world.send(party, text(ann, 'in the new room')), answer => answer.rooms['join'][party]],
  ]
  for (const [act, seen] of acts) {
    const waiting = device.sync({ timeoutMs: 20_000 })
    while (world.sync.waiting === 0) await new Promise(resolve => setTimeout(resolve, 5))
    await act()
    t.truthy(seen(await waiting))
  }
})

test('a waiter is not woken by rooms that are not its own, by its own nothing, or twice for one commit', async t => {
  const world = await openWorld()
  const [room, other] = [await world.room(), await world.room()]
  await world.join(room, ben)
  const device = world.device(ben)
  await device.sync()
  let looks = 0
  const { durablePosition } = world.store
  const watched = new Proxy(world.store, {
    get(target, name) {
      if (name === 'durablePosition') looks++
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const again = await openWorld({ store: watched as World['store'] })
  const reader = again.device(ben)
  const first = await reader.sync({ since: device.since! })
  t.is(first.rooms, undefined)
  t.is(world.store.durablePosition, durablePosition)
  const waiting = reader.sync({ timeoutMs: 20_000 })
  while (again.sync.waiting === 0) await new Promise(resolve => setTimeout(resolve, 5))
  looks = 0
  await again.send(other, text(ann, 'elsewhere'))
  await new Promise(resolve => setTimeout(resolve, 20))
  t.is(again.sync.waiting, 1)
  t.is(looks, 0)
  await again.rooms.sendMany(room, [text(ann, '1'), text(ann, '2'), text(ann, '3')])
  t.deepEqual(brief((await waiting).rooms.join[room].timeline), ['1', '2', '3'])
  t.is(looks, 1)
  again.close()
  world.close()
})

scenario('a sync that is filtered away goes on waiting, and ends when its time is over', async (t, world) => {
  const room = await world.room()
  const device = world.device(ann)
  const filter = { room: { timeline: { types: ['m.room.message'] } } }
  await device.sync({ filter })
  const started = Date.now()
  const waiting = device.sync({ filter, timeoutMs: 300 })
  while (world.sync.waiting === 0) await new Promise(resolve => setTimeout(resolve, 5))
  await world.send(room, { sender: ann, type: 'org.example.noise', content: {} })
  const answer = await waiting
  t.is(answer.rooms, undefined)
  t.true(Date.now() - started >= 290)
})

scenario('a client that hangs up waits no longer', async (t, world) => {
  await world.room()
  const device = world.device(ann)
  await device.sync()
  let isGone = false
  const listeners = new Set<() => void>()
  const hangUp = {
    hasHungUp: () => isGone,
    onHangUp(listener: () => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const waiting = device.sync({ timeoutMs: 60_000, hangUp })
  while (world.sync.waiting === 0) await new Promise(resolve => setTimeout(resolve, 5))
  isGone = true
  for (const listener of listeners) listener()
  await waiting
  t.is(world.sync.waiting, 0)
  t.is(listeners.size, 0)
})

scenario('closing lets those who wait go', async (t, world) => {
  await world.room()
  const device = world.device(ann)
  await device.sync()
  const waiting = device.sync({ timeoutMs: 60_000 })
  while (world.sync.waiting === 0) await new Promise(resolve => setTimeout(resolve, 5))
  world.close()
  t.truthy((await waiting).next_batch)
})

scenario(
  'a token goes on after a restart, also for rooms in which nothing happened since',
  async (t, world) => {
    const [room, quiet] = [await world.room(), await world.room()]
    const device = world.device(ann)
    await device.sync()
    await world.send(room, text(ann, 'before the restart'))
    const again = await openWorld({ store: world.store })
    const reader = again.device(ann)
    const { rooms } = await reader.sync({ since: device.since! })
    t.deepEqual(brief(rooms.join[room].timeline), ['before the restart'])
    t.is(rooms.join[quiet], undefined)
    t.is((await reader.sync()).rooms, undefined)
    again.close()
  },
)

scenario('who was seen typing before a restart no longer types', async (t, world) => {
  const room = await world.room()
  await world.join(room, ben)
  const device = world.device(ann)
  world.typing.set(room, ben, 60_000)
  await device.sync()
  await new Promise(resolve => setTimeout(resolve, 5))
  const again = await openWorld({ store: world.store })
  const reader = again.device(ann)
  const { rooms } = await reader.sync({ since: device.since! })
  t.deepEqual(rooms.join[room].ephemeral.events, [{ type: 'm.typing', content: { user_ids: [] } }])
  t.is((await reader.sync()).rooms, undefined)
  again.close()
})

scenario('a token of another epoch or of the future gets everything anew', async (t, world) => {
  const room = await world.room()
  const device = world.device(ann)
  await device.sync()
  const position = world.store.durablePosition
  for (const wrong of [position + 1_000, position + 2 ** 36, position - 2 ** 36]) {
    const answer = await device.sync({ since: `s${wrong}_0_${wrong}`, timeoutMs: 60_000 })
    t.deepEqual(brief(answer.rooms.join[room].timeline), setup)
  }
})

scenario('history visibility hides what was before the reader came', async (t, world) => {
  for (const [visibility, seen] of [
    ['joined', ['ben join', 'after']],
    ['invited', ['ben invite', 'invited', 'ben join', 'after']],
    ['shared', ['before', 'ben invite', 'invited', 'ben join', 'after']],
  ] as const) {
    const room = await world.room([
      state(ann, 'm.room.history_visibility', { history_visibility: visibility }),
    ])
    await world.send(room, text(ann, 'before'))
    await world.send(room, member(ben, 'invite', ann))
    await world.send(room, text(ann, 'invited'))
    await world.join(room, ben)
    await world.send(room, text(ann, 'after'))
    const joined = (await world.device(ben).sync({ filter: limit({ limit: 5 }) })).rooms.join[room]
    const shown = brief(joined.timeline)
    if (visibility === 'joined') t.false(shown.includes('invited'), visibility)
    t.deepEqual(
      shown.filter(each => ['before', 'invited', 'after'].includes(each)),
      seen.filter(each => ['before', 'invited', 'after'].includes(each)),
      visibility,
    )
  }
})

test('to-device messages come in portions, and the next token acknowledges them', async t => {
  const acknowledged: number[] = []
  const inbox = Array.from({ length: 250 }, (_, i) => ({ type: 'x', sender: ann, content: { i } }))
  const world = await openWorld({
    toDevice: {
      async page(_userId, _deviceId, after, upTo, size) {
        // Message i stands at position i + 1.
        const from = Math.min(after, 250)
        const events = inbox.slice(from, from + size)
        return { events, upTo: from + size < 250 ? ((from + size) as Position) : upTo }
      },
      acknowledge: async (_userId, _deviceId, upTo) => void acknowledged.push(upTo),
    },
  })
  const device = world.device(ann)
  const sizes: number[] = []
  for (let i = 0; i < 4; i++) sizes.push((await device.sync()).to_device?.events.length ?? 0)
  t.deepEqual(sizes, [100, 100, 50, 0])
  t.deepEqual(acknowledged, [100, 200, world.store.durablePosition])
  world.close()
})

test('device lists and key counts are told, and a changed count ends the waiting', async t => {
  let changed = 0
  const world = await openWorld({
    deviceLists: {
      changes: async (_userId, after, upTo) =>
        after < changed && changed <= upTo ? { changed: [ben], left: [cam] } : { changed: [], left: [] },
    },
    keys: {
      keyCounts: async () => ({
        counts: { signed_curve25519: 7 },
        unusedFallback: ['signed_curve25519'],
        changed: changed as Position,
      }),
    },
  })
  const device = world.device(ann)
  const first = await device.sync()
  t.is(first.device_lists, undefined)
  t.deepEqual(first.device_one_time_keys_count, { signed_curve25519: 7 })
  t.deepEqual(first.device_unused_fallback_key_types, ['signed_curve25519'])
  const waiting = device.sync({ timeoutMs: 20_000 })
  while (world.sync.waiting === 0) await new Promise(resolve => setTimeout(resolve, 5))
  await world.store.transact('test', tx => {
    tx.sequence(next => {
      changed = next()
    })
    tx.announce(`device:${ann}/D`)
    tx.announce(`devices:${ann}`)
  })
  t.deepEqual((await waiting).device_lists, { changed: [ben], left: [cam] })
  world.close()
})

test('aggregations come with limited timelines only', async t => {
  const world = await openWorld({
    aggregations: {
      bundle: async (_userId: UserId, events) =>
        new Map(
          events
            .filter(each => each.content['body'] === 'edited')
            .map(each => [each.eventId, { 'm.replace': { event_id: '$edit' } }]),
        ),
    },
  })
  const room: RoomId = await world.room()
  await world.send(room, text(ann, 'edited'))
  const cut = (await world.device(ann).sync({ filter: limit({ limit: 1 }) })).rooms.join[room]
  t.deepEqual(cut.timeline.events[0].unsigned['m.relations'], { 'm.replace': { event_id: '$edit' } })
  const whole = (await world.device(ann).sync({ filter: limit({ limit: 50 }) })).rooms.join[room]
  t.is(whole.timeline.events.at(-1).unsigned['m.relations'], undefined)
  world.close()
})

test('first syncs of one person are made one after the other', async t => {
  let atOnce = 0
  let most = 0
  const world = await openWorld({
    toDevice: {
      async page(_userId, _deviceId, _after, upTo) {
        most = Math.max(most, ++atOnce)
        await new Promise(resolve => setTimeout(resolve, 5))
        atOnce--
        return { events: [], upTo }
      },
      acknowledge: async () => {},
    },
  })
  const request = {
    userId: ann,
    deviceId: 'D' as DeviceId,
    filter: parseSyncFilter({}),
    since: undefined,
    fullState: false,
    stateAfter: false,
    timeoutMs: 0,
  }
  const answers = await Promise.all(Array.from({ length: 8 }, () => world.sync.sync(request)))
  t.is(answers.length, 8)
  t.is(most, 1)
  world.close()
})
