/** The machine as its host sees it: one input is one commit or nothing, and nothing that comes in stops it. */
import test from 'ava'
import * as fc from 'fast-check'
import { megolmAlgorithm, olmAlgorithm } from '../../pwa/e2ee/account.ts'
import { readIdentity } from '../../pwa/e2ee/identity.ts'
import { openMachine } from '../../pwa/e2ee/machine.ts'
import { maxNesting } from '../../pwa/e2ee/nesting.ts'
import { randomBytes, ready } from '../../pwa/e2ee/primitives.ts'
import type { Json, JsonObject } from '../../server/protocol/json.ts'
import { Hub, OurDevice } from './hub.ts'

const [alice, bob] = ['@alice:letro.test', '@bob:letro.test']
const room = '!room:letro.test'

test.before(() => ready)

async function world() {
  const hub = new Hub()
  const a = await OurDevice.open(hub, alice, 'A')
  const b = await OurDevice.open(hub, bob, 'B')
  await hub.settle()
  for (const each of [a, b]) await each.bootstrap()
  for (const each of [a, b]) await each.joinRoom(room, [alice, bob])
  return { hub, a, b }
}

const rowsOf = (device: OurDevice) => new Map(device.records.rows)

test('an input whose commit fails has changed nothing and sends nothing, and succeeds when it is repeated', async t => {
  const { hub, a, b } = await world()
  await b.machine.receiveRoom(room, { historyVisibility: 'shared' })
  const event = await b.write(room, 'hello')
  const failing = async (input: () => Promise<unknown>) => {
    const [rows, requests, generation] = [rowsOf(a), a.machine.outgoingRequests(), a.machine.generation]
    const told = a.notices.length
    a.records.failure = new Error('the disk is full')
    await t.throwsAsync(input, { message: 'the disk is full' })
    t.deepEqual(rowsOf(a), rows)
    t.deepEqual(a.machine.outgoingRequests(), requests)
    t.is(a.machine.generation, generation)
    t.is(a.notices.length, told)
  }
  const toDevice = [{ type: 'm.room_key', sender: bob, content: {} }]
  const inputs = [
    () => a.machine.decryptRoomEvents(room, [event as unknown as JsonObject]),
    () => a.machine.receiveRoom(room, { members: { [bob]: null } }),
    () => a.machine.receiveRoom(room, { members: { [bob]: 'join' as const } }),
    () => a.machine.receiveSync({ toDevice, deviceLists: { changed: [bob] } }),
    () => a.admit(room, bob),
  ]
  for (const input of inputs) {
    await failing(input)
    await t.notThrowsAsync(input)
  }
  await failing(() => a.answer(a.machine.outgoingRequests()[0]!))
  await hub.settle()
  await a.write(room, 'so that everybody has the key')
  await failing(() => a.machine.encryptRoomEvent(room, 'm.room.message', { body: 'lost with the disk' }))
  await hub.settle()
  t.is(await b.text(await a.write(room, 'after all that')), 'after all that')
})

test('inputs that are given at once are taken one after the other', async t => {
  const { a, b } = await world()
  await a.write(room, 'so that the key is there')
  const bodies = Array.from({ length: 20 }, (_, i) => `message ${i}`)
  const results = await Promise.all(
    bodies.map(body => a.machine.encryptRoomEvent(room, 'm.room.message', { body })),
  )
  const events = results.map(each =>
    a.hub.roomEvent(a, room, each.kind === 'encrypted' ? each.content : {}),
  ) as unknown as JsonObject[]
  const read = await b.machine.decryptRoomEvents(room, events.toReversed())
  t.deepEqual(
    read.map(each => (each.kind === 'decrypted' ? each.content['body'] : each.code)),
    bodies.toReversed(),
  )
})

test('a restart in the middle of everything loses nothing', async t => {
  const { a, b } = await world()
  for (let i = 0; i < 4; i++) {
    // What was asked for and not answered yet is asked for again, under the same id.
    const waiting = await a.machine.encryptRoomEvent(room, 'm.room.message', { body: `${i}` })
    const open = a.machine.outgoingRequests()
    await a.reopen()
    t.deepEqual(a.machine.outgoingRequests(), open)
    if (i === 0) t.is(waiting.kind, 'waiting')
    t.is(await b.text(await a.write(room, `message ${i}`)), `message ${i}`)
    await b.reopen()
  }
  t.deepEqual([...a.refusals, ...b.refusals], [])
})

test('records of another user or device are not opened', async t => {
  const { a } = await world()
  const options = { records: a.records, clock: Date.now, randomBytes }
  const code = { code: 'ACCOUNT_OF_ANOTHER_DEVICE' }
  await t.throwsAsync(openMachine({ ...options, userId: bob, deviceId: 'A' }), code)
  await t.throwsAsync(openMachine({ ...options, userId: alice, deviceId: 'B' }), code)
})

test('no private key is in a request or a notice, or in a session that is printed', async t => {
  const { hub, a, b } = await world()
  await b.text(await a.write(room, 'hello'))
  const secretMember =
    /"(?:signingSeed|identityKey|privateKey|secret|ratchet|ratchetKey|rootKey|key)":"([^"]+)"/g
  const hidden = [...a.records.rows].flatMap(([row, text]) => {
    // There, `identityKey` is a public one, and a session in which we read has a name that is public.
    const isPublic = (member: string) => row.startsWith('olm-session\n') && member.startsWith('"identityKey"')
    if (!/^(account|secret|olm-session|outbound-group-session)\n/.test(row)) return []
    return [...text.matchAll(secretMember)].filter(m => !isPublic(m[0])).map(m => m[1]!)
  })
  t.true(hidden.length > 50)
  const seen = JSON.stringify([hub.log, a.notices, b.notices, [...hub.devices].map(([, d]) => [...d])])
  t.deepEqual(
    hidden.filter(each => seen.includes(each)),
    [],
  )
})

test('invitees get the key, unless only members may read', async t => {
  const { a, b } = await world()
  const members = { [bob]: 'invite' as const }
  await a.machine.receiveRoom(room, { members, historyVisibility: 'invited' })
  t.is(await b.text(await a.write(room, 'for invitees')), 'for invitees')
  await a.machine.receiveRoom(room, { historyVisibility: 'joined' })
  t.is(await b.text(await a.write(room, 'for members')), 'NO_SESSION')
})

test('who comes later reads the session in use from its beginning, where the past is for whoever comes', async t => {
  for (const historyVisibility of ['shared', 'invited']) {
    const { hub, a } = await world()
    await a.machine.receiveRoom(room, { historyVisibility })
    const before = await a.write(room, 'before we heard of them')
    const c = await OurDevice.open(hub, '@carol:letro.test', 'C')
    await hub.settle()
    await c.bootstrap()
    await c.joinRoom(room, [alice, bob, c.userId])
    // Somebody else let them in; our server tells us late.
    await a.machine.receiveRoom(room, { members: { [c.userId]: 'join' } })
    await hub.settle()
    await a.admit(room, c.userId)
    const after = await a.write(room, 'after')
    t.is(after.content['session_id'], before.content['session_id'])
    t.is(await c.text(after), 'after')
    const isShared = historyVisibility === 'shared'
    t.is(
      await c.text(before),
      isShared ? 'before we heard of them' : 'MEGOLM_UNKNOWN_INDEX',
      historyVisibility,
    )
  }
})

test('a key changes after so many messages and after so long', async t => {
  const { a } = await world()
  const encryption = { algorithm: megolmAlgorithm, rotation_period_msgs: 3, rotation_period_ms: 60_000 }
  await a.machine.receiveRoom(room, { encryption })
  const sessions: unknown[] = []
  for (let i = 0; i < 6; i++) sessions.push((await a.write(room, `${i}`)).content['session_id'])
  t.is(new Set(sessions).size, 2)
  t.is(new Set(sessions.slice(0, 3)).size, 1)
  const before = await a.write(room, 'before')
  a.now += 60_000
  const after = await a.write(room, 'after')
  t.not(after.content['session_id'], before.content['session_id'])
  a.now -= 120_000
  t.not((await a.write(room, 'a clock set back')).content['session_id'], after.content['session_id'])
})

test('a message that relates to another says so outside, and keeps its own word inside', async t => {
  const { a, b } = await world()
  const relation = { rel_type: 'm.thread', event_id: '$root' }
  await a.write(room, 'the key')
  const encrypted = await a.machine.encryptRoomEvent(room, 'm.room.message', { 'm.relates_to': relation })
  if (encrypted.kind !== 'encrypted') return t.fail()
  t.deepEqual(encrypted.content['m.relates_to'], relation)
  const forged = { ...encrypted.content, 'm.relates_to': { rel_type: 'm.replace', event_id: '$other' } }
  t.like(await b.read(a.hub.roomEvent(a, room, forged)), { content: { 'm.relates_to': relation } })
})

// ── what comes from outside ────────────────────────────────────────────────────────────────────────

const deep = (levels: number): Json => (levels === 0 ? 1 : [deep(levels - 1)])
const bottomless = JSON.parse('['.repeat(30_000) + ']'.repeat(30_000)) as Json

test('what nobody can store or sign is refused alone', async t => {
  const { hub, a, b } = await world()
  for (const content of [{ body: bottomless }, { body: deep(maxNesting + 1) }]) {
    const messages = await a.machine.receiveSync({
      toDevice: [
        { type: 'org.example', sender: bob, content },
        { type: 'org.example', sender: bob, content: { number: 1.5, text: '\ud800' } },
      ],
    })
    t.is(messages.length, 1)
    t.is(a.refusals.at(-1), 'EVENT_MALFORMED')
  }
  const published = hub.devices.get(bob)!.get('B')!
  const { keys } = published
  for (const more of [{ n: 1.5 }, { n: 1e300 }, { n: '\ud800' }, { n: bottomless }]) {
    published.keys = { ...keys, ...more } as JsonObject
    // The hub copies what it publishes; too deep for that is given as it is.
    const before = a.refusals.length
    await a.machine.receiveSync({ deviceLists: { changed: [bob] } })
    const query = a.machine.outgoingRequests().find(({ kind }) => kind === 'keys-query')!
    await a.machine.receiveAnswer(query.id, { device_keys: { [bob]: { B: published.keys } } })
    t.is(a.refusals.length, before + 1)
  }
  published.keys = keys
  hub.tellChanged(bob)
  await hub.settle()
  t.is(await b.text(await a.write(room, 'as before')), 'as before')
})

const hostile = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(bob, alice, room, 'A', '__proto__', 'constructor', '', 'A'.repeat(43), 'A'.repeat(300)),
  fc.double(),
)
const names = [
  'algorithm', 'sender_key', 'ciphertext', 'session_id', 'room_id', 'session_key', 'code', 'action', 'body',
  'requesting_device_id', 'request_id', 'name', 'transaction_id', 'from_device', 'methods', 'timestamp',
  'device_id', '__proto__',
] // biome-ignore format: a list
const hostileContent = fc
  .dictionary(fc.constantFrom(...names), hostile)
  .chain(content =>
    fc.constantFrom<JsonObject>(
      content as JsonObject,
      { algorithm: olmAlgorithm, ...content } as JsonObject,
      { algorithm: megolmAlgorithm, ...content } as JsonObject,
    ),
  )
const hostileEvent = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.record({
    type: fc.constantFrom(
      'm.room.encrypted', 'm.room_key', 'm.forwarded_room_key', 'm.room_key_request', 'm.dummy',
      'm.room_key.withheld', 'm.secret.request', 'm.secret.send', 'm.key.verification.request',
      'm.key.verification.start', 'm.key.verification.mac', 'm.key.verification.done', 'org.example',
    ), // biome-ignore format: a list
    sender: fc.constantFrom(alice, bob, '@x:y'),
    content: hostileContent,
  }),
)

test('whatever comes from device to device in the clear, no key and no session changes by it', async t => {
  const { hub, a, b } = await world()
  await b.text(await a.write(room, 'before'))
  const keys =
    /^(account|olm-session|inbound-group-session|outbound-group-session|identity|secret|device-list)\n/
  const kept = () => JSON.stringify([...a.records.rows].filter(([row]) => keys.test(row)))
  const before = kept()
  const events = fc.array(hostileEvent as fc.Arbitrary<unknown>, { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(events, async toDevice => {
      await a.machine.receiveSync({ toDevice })
      t.is(kept(), before)
    }),
    { numRuns: 150 },
  )
  await hub.settle()
  t.is(await b.text(await a.write(room, 'after')), 'after')
})

test('whatever a sync or an answer holds, the machine goes on', async t => {
  const { hub, a, b } = await world()
  const users = fc.constantFrom(alice, bob, '@x:y', '__proto__', 'constructor')
  const perUser = fc.oneof(
    hostile,
    fc.dictionary(users, fc.oneof(hostile, fc.dictionary(fc.string(), hostile))),
  )
  const answers = fc.dictionary(
    fc.constantFrom(
      'device_keys', 'master_keys', 'self_signing_keys', 'user_signing_keys', 'one_time_keys', 'failures',
    ), // biome-ignore format: a list
    perUser,
  )
  const masterKey = (await a.machine.run(step => readIdentity(step, bob)))!.masterKey
  await fc.assert(
    fc.asyncProperty(answers, hostile, async (answer, value) => {
      await a.machine.receiveSync({
        deviceLists: { changed: [bob], left: value },
        oneTimeKeyCounts: value,
        unusedFallbackKeyTypes: value,
      } as never)
      for (const { id, kind } of a.machine.outgoingRequests()) {
        if (kind === 'keys-query') await a.machine.receiveAnswer(id, answer as JsonObject)
        else await a.machine.receiveAnswer(id, {})
      }
      const results = await a.machine.decryptRoomEvents(room, [
        { event_id: '$x', sender: bob, content: answer } as JsonObject,
        { event_id: value, sender: value, content: value } as JsonObject,
        {
          event_id: '$y',
          sender: bob,
          content: { algorithm: megolmAlgorithm, session_id: value, ciphertext: value },
        } as JsonObject,
      ])
      t.true(results.every(each => each.kind === 'failed'))
    }),
    { numRuns: 100, examples: [[{}, { toString: false }]] },
  )
  t.is((await a.machine.run(step => readIdentity(step, bob)))!.masterKey, masterKey)
  a.now += 10 * 60_000
  hub.tellChanged(bob)
  await hub.settle()
  t.is(await b.text(await a.write(room, 'after')), 'after')
})
