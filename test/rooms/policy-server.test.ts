/** Rooms with a policy server: what is asked, what leaves, what is shown. Spec: server-server-api#policy-servers */
import test from 'ava'
import { encodeBase64, encodeBase64Url } from '../../server/protocol/base64.ts'
import { canonicalJson } from '../../server/protocol/canonical-json.ts'
import type { EventId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { policyServerOf } from '../../server/rooms/policy-server.ts'
import { RemoteError } from '../../server/rooms/remote-rooms.ts'
import { signingKey } from '../support/primitives.ts'
import { person } from './federated-room.ts'
import {
  keyId,
  PolicyWorld,
  policyContent,
  policyKey,
  policyName,
  recommend,
  refusal,
} from './policy-world.ts'

const signers = (pdu: JsonObject) => Object.keys(pdu['signatures'] as JsonObject).sort()

for (const version of ['11', '12'] as const) {
  test(`version ${version}: what is sent bears the policy server's signature, and others ask nobody`, async t => {
    const world = await PolicyWorld.open(version)
    const { a, b } = world
    const { eventId } = await world.say(a, 'ann', 'hello')
    t.is(world.asked, 1)
    t.deepEqual(signers(await world.pdu(a, eventId)), ['a.test', policyName])
    await world.deliver(a, [eventId])
    t.deepEqual(await world.bodies(b), ['hello'])
    t.is(world.asked, 1)
    t.deepEqual(signers(await world.pdu(b, eventId)), ['a.test', policyName])
  })
}

test('it is shown the whole event, signed by us', async t => {
  const world = await PolicyWorld.open()
  let shown: JsonObject | undefined
  world.policy.set(policyName, event => {
    shown = event
    return recommend(event, '12')
  })
  const { eventId } = await world.say(world.a, 'ann', 'hello')
  const { signatures, ...pdu } = await world.pdu(world.a, eventId)
  t.deepEqual(shown, { ...pdu, signatures: { 'a.test': (signatures as JsonObject)['a.test']! } })
})

test('what it refuses is not sent, and its error is the person’s', async t => {
  const world = await PolicyWorld.open()
  const { a, roomId } = world
  const before = (await a.rooms.view(roomId))!.lastPosition
  await t.throwsAsync(world.say(a, 'ann', 'spam'), { code: 'M_FORBIDDEN', message: 'it looks like spam' })
  t.is((await a.rooms.view(roomId))!.lastPosition, before)
  await world.say(a, 'ann', 'hello')
  t.deepEqual(await world.bodies(a), ['hello'])
})

test('an event that its signature would make too large is not sent', async t => {
  const world = await PolicyWorld.open()
  const { a } = world
  const room = (size: number) => world.say(a, 'ann', 'x'.repeat(size))
  const empty = canonicalJson(await world.pdu(a, (await room(0)).eventId)).length
  await room(65_536 - empty - 20)
  await t.throwsAsync(room(65_536 - empty + 1), { code: 'M_TOO_LARGE' })
})

test('an error that says nothing of the event is not handed on as if it were ours', async t => {
  const world = await PolicyWorld.open()
  for (const [code, told] of [
    ['M_LIMIT_EXCEEDED', 'M_LIMIT_EXCEEDED'],
    ['M_BAD_JSON', 'M_BAD_JSON'],
    ['M_UNKNOWN_TOKEN', 'M_FORBIDDEN'],
    ['M_UNRECOGNIZED', 'M_FORBIDDEN'],
    ['M_NOT_FOUND', 'M_FORBIDDEN'],
  ]) {
    world.policy.set(policyName, () => {
      throw refusal(code!)
    })
    await t.throwsAsync(world.say(world.a, 'ann', 'hello'), { code: told! })
  }
})

test('all but the room’s choice of a policy server is asked about, state as well', async t => {
  const world = await PolicyWorld.open()
  const { a, roomId } = world
  const ann = person('ann', a)
  const send = (type: string, content: JsonObject, stateKey?: string) =>
    a.rooms.send({ roomId, sender: ann, type, content, ...(stateKey === undefined ? {} : { stateKey }) })
  await send('m.room.name', { name: 'spam' }, '').catch(() => {})
  await send('m.room.policy', { other: true }, 'other')
  await send('m.room.policy', { no: 'state' })
  await send('m.room.member', { membership: 'join', displayname: 'Ann' }, ann)
  t.is(world.asked, 4)
  await send('m.room.policy', { spam: 'and not asked' }, '')
  t.is(world.asked, 4)
  await send('m.room.name', { name: 'spam' }, '')
  t.is(world.asked, 4, 'there is no policy server any more')
})

test('what comes without its signature is shown once it was asked for', async t => {
  const world = await PolicyWorld.open()
  const { a, b } = world
  const { eventId } = await world.say(b, 'bob', 'hello')
  t.is(world.asked, 1)
  await a.rooms.takeTransaction(b.name, [await world.unsigned(b, eventId)])
  t.is(world.asked, 2)
  t.deepEqual(await world.bodies(a), ['hello'])
  t.deepEqual(signers(await world.pdu(a, eventId)), ['bb.test', policyName], 'for whoever asks us for it')
})

test('many that come without it keep their order', async t => {
  const world = await PolicyWorld.open()
  const { a, b } = world
  const pdus: JsonObject[] = []
  const texts = Array.from({ length: 12 }, (_, i) => `${i}`)
  for (const text of texts) pdus.push(await world.unsigned(b, (await world.say(b, 'bob', text)).eventId))
  const results = await a.rooms.takeTransaction(b.name, pdus)
  t.deepEqual(
    [...results.values()],
    texts.map(() => ({})),
  )
  t.deepEqual(await world.bodies(a), texts)
  t.is((await a.rooms.view(world.roomId))!.forwardExtremities.length, 1)
})

test('what it does not recommend is kept, shown to nobody, and no error of its sender', async t => {
  const world = await PolicyWorld.open()
  const { a, b, roomId } = world
  world.policy.set(policyName, event => recommend(event, '12'))
  const { eventId } = await world.say(b, 'bob', 'spam')
  world.policy.set(policyName, () => {
    throw refusal('M_FORBIDDEN')
  })
  const forward = (await a.rooms.view(roomId))!.forwardExtremities
  const results = await a.rooms.takeTransaction(b.name, [await world.unsigned(b, eventId)])
  t.deepEqual([...results.values()], [{}])
  t.deepEqual(await world.bodies(a), [])
  t.like((await a.rooms.stored([eventId]))[0], { softFailed: true, rejected: false })
  t.deepEqual((await a.rooms.view(roomId))!.forwardExtremities, forward)
  // No verdict of the auth rules: what stands on it and is recommended counts.
  world.policy.set(policyName, event => recommend(event, '12'))
  const next = await world.say(b, 'bob', 'no more of this')
  await world.deliver(b, [next.eventId], [a])
  t.deepEqual(await world.bodies(a), ['no more of this'])
})

test('spam that is slipped in before a good event is found and judged as well', async t => {
  const world = await PolicyWorld.open()
  const { a, b } = world
  world.policy.set(policyName, event => recommend(event, '12'))
  const hidden = await world.say(b, 'bob', 'spam')
  const good = await world.say(b, 'bob', 'good')
  world.policy.set(policyName, () => {
    throw refusal('M_FORBIDDEN')
  })
  const pdu = await world.unsigned(b, hidden.eventId)
  world.lies.set('get_missing_events', async () => [pdu])
  await world.deliver(b, [good.eventId], [a])
  t.deepEqual(await world.bodies(a), ['good'])
  t.true((await a.rooms.stored([hidden.eventId]))[0]!.softFailed)
})

test('a wrong signature is asked for anew, and the new one takes its place', async t => {
  const world = await PolicyWorld.open()
  const { a, b } = world
  const { eventId } = await world.say(b, 'bob', 'hello')
  const pdu = await world.pdu(b, eventId)
  const stranger = recommend(pdu, '12', signingKey(new Uint8Array(32).fill(5)))
  await a.rooms.takeTransaction(b.name, [
    { ...pdu, signatures: { ...(pdu['signatures'] as JsonObject), ...stranger } },
  ])
  t.is(world.asked, 2)
  t.deepEqual(await world.bodies(a), ['hello'])
  t.deepEqual((await world.pdu(a, eventId))['signatures'], pdu['signatures'])
})

test('a signature under another key than the room’s recommends nothing', async t => {
  const world = await PolicyWorld.open()
  const { a, b } = world
  const { eventId } = await world.say(b, 'bob', 'hello')
  const other = signingKey(new Uint8Array(32).fill(5))
  const answers: ((event: JsonObject) => JsonObject)[] = [
    event => recommend(event, '12', other),
    event => recommend({ ...event, depth: 7 }, '12'),
    event => ({ 'elsewhere.test': recommend(event, '12')[policyName]! }),
    event => ({
      [policyName]: { 'ed25519:other': (recommend(event, '12')[policyName] as JsonObject)[keyId]! },
    }),
    () => ({ [policyName]: { [keyId]: 'no base64!' } }),
    () => ({ [policyName]: [] }),
    () => ({}),
  ]
  for (const answer of answers) {
    world.policy.set(policyName, answer)
    await t.throwsAsync(world.say(a, 'ann', 'hello'), { code: 'M_FORBIDDEN', message: /gave no signature/ })
  }
  await a.rooms.takeTransaction(b.name, [await world.unsigned(b, eventId)])
  t.true((await a.rooms.stored([eventId]))[0]!.softFailed)
})

test('when the room names a new key, what was signed under the old one is asked for again', async t => {
  const world = await PolicyWorld.open()
  const { a, b } = world
  const { eventId } = await world.say(b, 'bob', 'hello')
  const next = signingKey(new Uint8Array(32).fill(6))
  world.policy.set(policyName, event => recommend(event, '12', next))
  await world.setPolicy(policyContent(next))
  const asked = world.asked
  await world.deliver(b, [eventId], [a])
  t.is(world.asked, asked + 1)
  t.deepEqual(await world.bodies(a), ['hello'])
})

test('the specification’s example of a key is in the URL-safe alphabet: both are read', async t => {
  const key = [...Array(256).keys()]
    .map(i => signingKey(new Uint8Array(32).fill(i)))
    .find(({ publicKey }) => /[+/]/.test(encodeBase64(publicKey)))!
  const world = await PolicyWorld.open()
  world.policy.set(policyName, event => recommend(event, '12', key))
  await world.setPolicy({ via: policyName, public_keys: { ed25519: encodeBase64Url(key.publicKey) } })
  await world.say(world.a, 'ann', 'hello')
  t.deepEqual(await world.bodies(world.a), ['hello'])
})

test('a policy server’s own people have both signatures, and neither replaces the other', async t => {
  const world = await PolicyWorld.open()
  const { a, p } = world
  // Made while the room used none: with her server's own signature alone.
  await world.setPolicy({})
  const said = await world.say(p, 'pia', 'I am here too')
  await world.setPolicy(policyContent())
  await world.deliver(p, [said.eventId], [a])
  t.deepEqual(await world.bodies(a), ['I am here too'])
  const theirs = ((await world.pdu(a, said.eventId))['signatures'] as JsonObject)[policyName]
  t.deepEqual(Object.keys(theirs as JsonObject).sort(), ['ed25519:1', keyId])
})

test('an invite bears the signature before it leaves, and a join through us is asked about', async t => {
  const world = await PolicyWorld.open()
  const { a, roomId } = world
  const c = await world.add('cc.test')
  const cleo = person('cleo', c)
  const draft = { roomId, sender: person('ann', a), type: 'm.room.member', stateKey: cleo }
  await t.throwsAsync(
    a.rooms.outward.invite({ ...draft, content: { membership: 'invite', reason: 'spam' } }, c.name),
    { code: 'M_FORBIDDEN', message: 'it looks like spam' },
  )
  t.false(world.requests.some(request => request.endsWith(': invite')))
  await a.rooms.outward.invite({ ...draft, content: { membership: 'invite' } }, c.name)
  const invite = (await a.rooms.view(roomId))!.state('m.room.member', cleo)!
  t.deepEqual(signers(await world.pdu(a, invite.eventId)), ['a.test', 'cc.test', policyName])

  const join = (content: JsonObject) => c.rooms.outward.join(cleo, roomId, [a.name], content)
  await t.throwsAsync(join({ reason: 'spam' }), { code: 'M_FORBIDDEN' })
  t.is((await a.rooms.view(roomId))!.membership(cleo), 'invite')
  await join({})
  const joined = (await a.rooms.view(roomId))!.state('m.room.member', cleo)!
  t.deepEqual(signers(await world.pdu(a, joined.eventId)), ['cc.test', policyName])
  t.deepEqual(signers(await world.pdu(c, joined.eventId)), ['cc.test', policyName])
})

test('one that does not answer stops what is sent, is left alone, and is asked again', async t => {
  let now = 1_750_000_000_000
  const world = await PolicyWorld.open()
  const late = await world.add('late.test', { clock: () => now++ })
  await late.rooms.outward.join(person('lea', late), world.roomId, [world.a.name], {})
  world.cut.add(policyName)
  const send = () =>
    late.rooms.send({ roomId: world.roomId, sender: person('lea', late), type: 't', content: {} })
  const asked = world.asked
  const error = await t.throwsAsync(send(), { code: 'M_UNKNOWN', message: /could not be reached/ })
  t.like(error, { status: 503 }, 'later it may be otherwise')
  await t.throwsAsync(send())
  t.is(world.asked, asked + 1)
  world.cut.delete(policyName)
  await t.throwsAsync(send())
  now += 30_000
  await send()
  t.is(world.asked, asked + 2)
})

test('while it does not answer, the room can still name another one or none', async t => {
  const world = await PolicyWorld.open()
  world.cut.add(policyName)
  await t.throwsAsync(world.say(world.a, 'ann', 'hello'))
  await world.setPolicy({})
  await world.say(world.a, 'ann', 'hello')
  t.deepEqual(await world.bodies(world.a), ['hello'])
})

test('while it does not answer, what comes unsigned is shown to nobody; history waits for a better day', async t => {
  let now = 1_750_000_000_000
  const world = await PolicyWorld.open()
  const { a, b, roomId } = world
  for (const text of ['long ago', 'and then']) await world.say(b, 'bob', text)
  const late = await world.add('late.test', { clock: () => now++ })
  await world.deliver(b, [(await b.rooms.view(roomId))!.forwardExtremities[0]!], [a])
  await late.rooms.outward.join(person('lea', late), roomId, [a.name], {})

  const unsignedHistory = async () => {
    const events = await a.rooms.timeline(roomId, { limit: 500 })
    const pdus = await Promise.all(events.map(({ eventId }) => world.pdu(a, eventId as EventId)))
    return pdus.map(pdu => {
      const { [policyName]: _, ...others } = pdu['signatures'] as JsonObject
      return Object.keys(others).length > 0 ? { ...pdu, signatures: others } : pdu
    })
  }
  world.lies.set('backfill', unsignedHistory)
  world.cut.add(policyName)
  await late.rooms.fetchOlder(roomId)
  t.deepEqual(await world.bodies(late), [])
  t.true((await late.rooms.backwardExtremities(roomId)).size > 0)
  world.cut.delete(policyName)
  now += 120_000
  t.true(await late.rooms.fetchOlder(roomId))
  t.deepEqual(await world.bodies(late), ['long ago', 'and then'])

  const { eventId } = await world.say(b, 'bob', 'now')
  world.cut.add(policyName)
  await a.rooms.takeTransaction(b.name, [await world.unsigned(b, eventId)])
  t.true((await a.rooms.stored([eventId]))[0]!.softFailed)
})

test('one that this server has no connection to is not asked', async t => {
  const world = await PolicyWorld.open()
  world.lies.set('policy_sign', async () => {
    throw new RemoteError('unpinned', 'not connected')
  })
  await t.throwsAsync(world.say(world.a, 'ann', 'hello'), { message: /not connected to policy\.test/ })
})

test('a room that names us as its policy server hears that we are none', async t => {
  const world = await PolicyWorld.open('12', policyContent(policyKey, 'a.test'))
  await t.throwsAsync(world.say(world.a, 'ann', 'hello'), { code: 'M_FORBIDDEN', message: /and it is none/ })
  t.is(world.asked, 0)
})

test('a room uses a policy server that it names wholly and that is in it', t => {
  const uses = (content: JsonObject | undefined, joined = [policyName]) =>
    policyServerOf({
      state: () => (content === undefined ? undefined : ({ content } as never)),
      joinedServers: new Map(joined.map(server => [server, 1])),
    })
  t.deepEqual(uses({ via: policyName, public_keys: { ed25519: 'key', more: 'x' } }), {
    via: policyName,
    publicKey: 'key',
  })
  t.is(uses({ via: policyName, public_keys: { ed25519: 'key' } }, []), null)
  for (const content of [
    undefined,
    {},
    { via: policyName },
    { via: 1, public_keys: { ed25519: 'key' } },
    { public_keys: { ed25519: 'key' } },
    { via: policyName, public_keys: {} },
    { via: policyName, public_keys: { ed25519: 1 } },
    { via: policyName, public_keys: 'key' },
    { via: policyName, public_keys: ['key'] },
  ]) {
    t.is(uses(content as JsonObject), null, JSON.stringify(content))
  }
})
