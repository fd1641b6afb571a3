/** Servers that nobody has pinned: the relay leak, standing still, residency, and the server ACL. */
import test from 'ava'
import type { RoomId, ServerName, UserId } from '../../server/protocol/ids.ts'
import { RoomError } from '../../server/rooms/rooms.ts'
import { parseServerAcl } from '../../server/rooms/server-acl.ts'
import { person, say, sharedRoom } from './federated-room.ts'
import { forged } from './forged-event.ts'
import { World } from './two-servers.ts'

/** A pins B but not C; B pins both. */
async function three() {
  const world = new World()
  const a = await world.add('a.test')
  const b = await world.add('bb.test')
  const c = await world.add('ccc.test')
  a.pins.delete(c.name)
  c.pins.delete(a.name)
  const roomId = await sharedRoom(a, b)
  return { world, a, b, c, roomId }
}

/** What a change of pins sets off runs by itself. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(resolve => setImmediate(resolve))
}

test('a stranger is not invited from here', async t => {
  const { a, roomId } = await three()
  const draft = {
    roomId,
    sender: person('ann', a),
    type: 'm.room.member',
    stateKey: '@cy:ccc.test' as UserId,
    content: { membership: 'invite' },
  }
  const error = await t.throwsAsync(a.rooms.send(draft), { instanceOf: RoomError })
  t.regex(error!.message, /not connected to ccc\.test/)
})

test('an invite of a stranger by a peer stops the room here; nobody is served, nothing is sent or taken', async t => {
  const { world, a, b, c, roomId } = await three()
  const told: RoomId[] = []
  a.rooms.onFrozen(id => void told.push(id))
  const bob = person('bob', b)
  const invite = await b.rooms.send({
    roomId,
    sender: bob,
    type: 'm.room.member',
    stateKey: person('cy', c),
    content: { membership: 'invite' },
  })
  await world.deliver(b, [invite.eventId], [a])
  const { frozen } = (await a.rooms.view(roomId))!
  t.like(frozen, { server: 'ccc.test', by: bob, eventId: invite.eventId })
  t.deepEqual(told, [roomId])

  const refusal = await t.throwsAsync(a.rooms.send({ roomId, ...say(a, 'ann', 'secret') }))
  t.regex(refusal!.message, /bob:bb\.test let in the server ccc\.test/)
  // An app that was not told yet knows it from here.
  t.like(refusal, { code: 'M_FORBIDDEN', fields: { 'org.letro.frozen': { server: 'ccc.test', by: bob } } })
  await t.throwsAsync(a.rooms.askedBy(b.name, roomId), { message: /stands still/ })
  const more = await b.rooms.send({ roomId, ...say(b, 'bob', 'more') })
  await world.deliver(b, [more.eventId], [a])
  t.is(await a.rooms.event(more.eventId), null)

  // A pin for checking alone is enough; what was missed comes with what comes next.
  a.pins.set(c.name, { mode: 'verify-only' })
  a.changed(c.name)
  await until(async () => (await a.rooms.view(roomId))!.frozen === null)
  const next = await b.rooms.send({ roomId, ...say(b, 'bob', 'next') })
  await world.deliver(b, [next.eventId], [a])
  t.truthy(await a.rooms.event(more.eventId))
})

test('a lying peer lets a stranger in: what the stranger writes cannot be checked, and stops the room', async t => {
  const { world, a, b, c, roomId } = await three()
  const cy = person('cy', c)
  // C knows everybody.
  c.pins.set(a.name, { mode: 'both' })
  await c.rooms.outward.join(cy, roomId, [b.name], {})
  const said = await c.rooms.send({ roomId, ...say(c, 'cy', 'hello') })
  await world.deliver(c, [said.eventId], [b])
  // B passes it on as if that were its to do.
  const pdu = JSON.parse(JSON.stringify(await c.rooms.signed(said.eventId)))
  const results = await a.rooms.takeTransaction(b.name, [pdu])
  t.regex(results.get(said.eventId)!.error!, /does not know ccc\.test/)
  t.like((await a.rooms.view(roomId))!.frozen, { server: 'ccc.test' })
  t.false(world.requests.some(request => request.startsWith('a.test > ccc.test')))
})

test('a stranger who spoke in a gap stops the room, also where the state that is told leaves them out', async t => {
  const { world, a, b, c, roomId } = await three()
  const honest = await b.rooms.send({ roomId, ...say(b, 'bob', 'before') })
  c.pins.set(a.name, { mode: 'both' })
  await c.rooms.outward.join(person('cy', c), roomId, [b.name], {})
  const said = await c.rooms.send({ roomId, ...say(c, 'cy', 'hello') })
  await world.deliver(c, [said.eventId], [b])
  const last = await b.rooms.send({ roomId, ...say(b, 'bob', 'after') })
  const told = (await b.rooms.stateBefore(roomId, honest.eventId))!
  world.lies.set('state_ids', async () => ({ stateIds: told.state, authChainIds: told.authChain }))
  await world.deliver(b, [last.eventId], [a])
  t.like((await a.rooms.view(roomId))!.frozen, { server: 'ccc.test', by: person('cy', c) })
  // Nothing that came after it was taken.
  t.is(await a.rooms.event(last.eventId), null)
})

test('a server that is not in the room cannot stop it by telling of strangers', async t => {
  const { world, a, b, c, roomId } = await three()
  const d = await world.add('dddd.test')
  const strange = forged(world, c, roomId, {
    type: 'm.room.member',
    sender: person('cy', c),
    state_key: person('cy', c),
    content: { membership: 'join' },
  })
  const lie = forged(world, d, roomId, { prev_events: [strange.eventId] })
  const told = (await a.rooms.stateBefore(roomId, (await a.rooms.view(roomId))!.forwardExtremities[0]!))!
  world.lies.set('get_missing_events', async () => [strange.pdu])
  world.lies.set('state_ids', async () => ({
    stateIds: [...told.state, strange.eventId],
    authChainIds: told.authChain,
  }))
  world.lies.set('event', async () => strange.pdu)
  await a.rooms.takeTransaction(d.name, [strange.pdu, lie.pdu])
  t.is((await a.rooms.view(roomId))!.frozen, null)
  // From one who is in it the same counts.
  const same = forged(world, b, roomId, { prev_events: [strange.eventId] })
  await a.rooms.takeTransaction(b.name, [same.pdu])
  t.like((await a.rooms.view(roomId))!.frozen, { server: 'ccc.test' })
})

test('a room that stands still goes on once the stranger was put out', async t => {
  const { world, a, b, c, roomId } = await three()
  const invite = await b.rooms.send({
    roomId,
    sender: person('bob', b),
    type: 'm.room.member',
    stateKey: person('cy', c),
    content: { membership: 'invite' },
  })
  await world.deliver(b, [invite.eventId], [a])
  const kick = { roomId, sender: person('ann', a), type: 'm.room.member', content: { membership: 'leave' } }
  await a.rooms.send({ ...kick, stateKey: person('cy', c) })
  t.is((await a.rooms.view(roomId))!.frozen, null)
  await a.rooms.send({ roomId, ...say(a, 'ann', 'alone again') })
})

test('a room with a stranger in it is not joined: the join is taken back', async t => {
  const { a, b, c } = await three()
  const roomId = await sharedRoom(b, c)
  const dora = person('dora', a)
  await t.throwsAsync(a.rooms.outward.join(dora, roomId, [b.name], {}), { message: /ccc\.test/ })
  t.is(await a.rooms.view(roomId), null)
  t.is((await b.rooms.view(roomId))!.membership(dora), 'leave')
})

test('a pin that is removed stops the rooms in which that server is', async t => {
  const { a, b, roomId } = await three()
  a.pins.delete(b.name)
  a.changed(b.name)
  await until(async () => (await a.rooms.view(roomId))!.frozen?.server === 'bb.test')
  t.pass()
})

test('who is outside the allowed jurisdictions neither joins nor is invited', async t => {
  const { a, b, roomId } = await three()
  const ann = person('ann', a)
  await a.rooms.send({
    roomId,
    sender: ann,
    type: 'org.letro.residency',
    stateKey: '',
    content: { allowed: ['DE'] },
  })
  b.pins.get(a.name)!.residency = 'DE'
  a.pins.get(b.name)!.residency = 'CH'
  await t.throwsAsync(b.rooms.outward.join(person('eva', b), roomId, [a.name], {}), { message: /./ })
  await t.throwsAsync(a.rooms.makeJoin(b.name, roomId, person('eva', b), ['12']), {
    message: /bb\.test is in CH/,
  })
  const invite = { roomId, sender: ann, type: 'm.room.member', content: { membership: 'invite' } }
  await t.throwsAsync(a.rooms.send({ ...invite, stateKey: person('eva', b) }), {
    message: /only for servers in DE/,
  })
  a.pins.get(b.name)!.residency = 'DE'
  await a.rooms.send({ ...invite, stateKey: person('eva', b) })
  // A rule that nobody can read keeps everybody out, as it was meant for somebody.
  const unclear = { roomId, sender: ann, type: 'org.letro.residency', stateKey: '' }
  await a.rooms.send({ ...unclear, content: { allowed: 'everywhere' } })
  await t.throwsAsync(a.rooms.send({ ...invite, stateKey: person('fay', b) }), { message: /allows none/ })
})

test('server ACL: globs, ports, case, IP literals, and values that are none', t => {
  const allows = (content: object, server: string) =>
    parseServerAcl(content as never).allows(server as ServerName)
  const cases: [object, string, boolean][] = [
    [{ allow: ['*'] }, 'evil.test', true],
    [{ allow: ['*'], deny: ['evil.test'] }, 'evil.test', false],
    [{ allow: ['*'], deny: ['evil.test'] }, 'evil.test:8448', false],
    [{ allow: ['*'], deny: ['EVIL.test'] }, 'evil.TEST', false],
    [{ allow: ['*'], deny: ['*.evil.test'] }, 'evil.test', true],
    [{ allow: ['*'], deny: ['*.evil.test'] }, 'a.b.evil.test', false],
    [{ allow: ['*'], deny: ['evil.?est'] }, 'evil.test', false],
    [{ allow: ['good.test'] }, 'xgood.test', false],
    [{ allow: ['good.test'] }, 'goodxtest', false],
    [{ allow: [] }, 'good.test', false],
    [{}, 'good.test', false],
    [{ allow: 'good.test' }, 'good.test', false],
    [{ allow: [1, 'good.test'] }, 'good.test', true],
    [{ allow: ['*'], allow_ip_literals: false }, '1.2.3.4', false],
    [{ allow: ['*'], allow_ip_literals: false }, '[::1]:8448', false],
    [{ allow: ['*'], allow_ip_literals: 'no' }, '1.2.3.4:1', true],
  ]
  for (const [content, server, expected] of cases)
    t.is(allows(content, server), expected, JSON.stringify(content))
})

test('a server ACL that is made to be slow is not (CVE-2023-45129)', t => {
  const glob = `${'*a'.repeat(120)}b`
  const acl = parseServerAcl({ allow: ['*'], deny: Array.from({ length: 1_000 }, () => glob) })
  t.true(acl.allows('a'.repeat(250) as ServerName))
})
