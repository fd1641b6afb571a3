/** Whose signature an event bears: keys of pins and of our own, their ends, and keys that come later. */
import test from 'ava'
import { KeyRing } from '../../server/federation/key-ring.ts'
import type { Peer, PeerKey } from '../../server/peers/peer.ts'
import type { Pdu } from '../../server/protocol/event.ts'
import { signEvent, withContentHash } from '../../server/protocol/event-signing.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { redact } from '../../server/protocol/redaction.ts'
import { roomVersion } from '../../server/protocol/room-versions.ts'
import type { KeyId } from '../../server/protocol/signing.ts'
import { seedOf } from '../peers/site.ts'
import { sha256, signingKey } from '../support/primitives.ts'

const us = 'us.example' as ServerName
const court = 'court.example' as ServerName
const clinic = 'clinic.example' as ServerName
const rules = roomVersion('11')!
const key = (name: string) => signingKey(seedOf(name))
const end = 1_700_000_000_000

const pinned = (name: string, expiredTs?: number): PeerKey => ({
  publicKey: key(name).publicKey,
  ...(expiredTs === undefined ? {} : { expiredTs }),
})

function open() {
  const pins = new Map<ServerName, Record<string, PeerKey>>([
    [court, { 'ed25519:now': pinned('court now'), 'ed25519:old': pinned('court old', end) }],
    [clinic, { 'ed25519:now': pinned('clinic now') }],
  ])
  const learned: ServerName[] = []
  const world = { pins, learned, now: 2_000_000_000_000, learn: (_server: ServerName) => {} }
  const ring = new KeyRing({
    serverName: us,
    peers: {
      get: name => {
        const keys = pins.get(name)
        return keys && ({ signingKeys: new Map(Object.entries(keys)) } as unknown as Peer)
      },
    },
    ownKeys: () => new Map([['ed25519:u' as KeyId, pinned('us')]]),
    clock: () => world.now,
    learn: async server => {
      learned.push(server)
      world.learn(server)
    },
  })
  return Object.assign(world, { ring })
}

interface Signer {
  readonly server?: ServerName
  readonly keyId?: string
  readonly key?: string
}

function event(changes: JsonObject = {}, ...signers: readonly Signer[]): Pdu & JsonObject {
  let made: JsonObject = withContentHash(
    {
      type: 'm.room.message',
      room_id: '!r:court.example',
      sender: '@zoe:court.example',
      content: { body: 'x' },
      origin_server_ts: end + 1,
      depth: 3,
      prev_events: [],
      auth_events: [],
      ...changes,
    },
    sha256,
  )
  for (const { server = court, keyId = 'ed25519:now', key: name = 'court now' } of signers) {
    made = signEvent(made, rules, server, keyId as KeyId, key(name).sign)
  }
  return made as Pdu & JsonObject
}

const holds = (pdu: Pdu, world = open()) => world.ring.checkSignatures(pdu, rules)

test('an event of a peer counts if it bears the signature of its sender’s server', async t => {
  t.true(await holds(event({}, {})))
  t.true(await holds(event({ sender: '@ann:us.example' }, { server: us, keyId: 'ed25519:u', key: 'us' })))
  t.true(await holds(redact(event({}, {}), rules) as Pdu), 'its redacted form as well')
})

const bad: readonly (readonly [string, Pdu])[] = [
  ['no signature', event()],
  ['a signature by another key of that name', event({}, { key: 'thief' })],
  ['a signature of another server only', event({}, { server: clinic, key: 'clinic now' })],
  ['another server’s key under the name of the right one', event({}, { key: 'clinic now' })],
  ['a signature that is cut', withSignature('AAAA')],
  ['a signature that is no base64', withSignature('?')],
  ['a signature that is no text', withSignature(7)],
  ['a sender that was changed', { ...event({}, {}), sender: '@yan:court.example' } as Pdu],
  ['a state key that was added', { ...event({}, {}), state_key: '' } as Pdu],
  [
    'a good signature, and a bad one under another key',
    event({ origin_server_ts: end }, {}, { keyId: 'ed25519:old', key: 'thief' }),
  ],
  [
    'a sender of an unpinned server',
    event({ sender: '@x:stranger.example' }, { server: 'stranger.example' as ServerName, key: 'x' }),
  ],
  ['a server’s name that is a word of the language', event({ sender: '@x:constructor' }, {})],
]
function withSignature(value: unknown): Pdu {
  return { ...event(), signatures: { [court]: { 'ed25519:now': value } } } as unknown as Pdu
}
for (const [what, pdu] of bad) {
  test(`an event does not count with ${what}`, async t => {
    const world = open()
    t.false(await holds(pdu, world))
    t.true(await holds(event({}, {}), world), 'an honest one beside it does')
  })
}

test('the content may change, which its hash shows, and not this', async t => {
  t.true(await holds({ ...event({}, {}), content: { body: 'y' } } as Pdu))
})

test('a key counts for events until its end, and not after', async t => {
  const old = { keyId: 'ed25519:old', key: 'court old' }
  t.true(await holds(event({ origin_server_ts: end }, old)))
  t.false(await holds(event({ origin_server_ts: end + 1 }, old)))
  t.true(await holds(event({ origin_server_ts: 1 }, old)))
})

test('whoever vouched for a restricted join must have signed it as well', async t => {
  const content = { membership: 'join', join_authorised_via_users_server: '@dr:clinic.example' }
  const join = { type: 'm.room.member', state_key: '@zoe:court.example', content }
  t.false(await holds(event(join, {})))
  t.true(await holds(event(join, {}, { server: clinic, key: 'clinic now' })))
  t.false(await holds(event(join, {}, { server: clinic, key: 'thief' })))
})

test('a key that the pin does not have is asked for, once a minute, and only of pinned servers', async t => {
  const world = open()
  const next = event({}, { keyId: 'ed25519:next', key: 'court next' })
  t.false(await holds(next, world))
  t.false(await holds(next, world))
  t.deepEqual(world.learned, [court])
  t.false(await holds(event({ sender: '@x:stranger.example' }, {}), world))
  t.deepEqual(world.learned, [court])
  world.now += 60_000
  world.learn = server => world.pins.set(server, { 'ed25519:next': pinned('court next') })
  t.true(await holds(next, world))
  t.deepEqual(world.learned, [court, court])
})

test('many events under a new key wait for one question', async t => {
  const world = open()
  world.learn = server => world.pins.set(server, { 'ed25519:next': pinned('court next') })
  const events = Array.from({ length: 50 }, (_, depth) =>
    event({ depth }, { keyId: 'ed25519:next', key: 'court next' }),
  )
  t.deepEqual(new Set(await Promise.all(events.map(pdu => holds(pdu, world)))), new Set([true]))
  t.deepEqual(world.learned, [court])
})

test('a pin that was taken away counts no more', async t => {
  const world = open()
  const pdu = event({}, {})
  t.true(await holds(pdu, world))
  world.pins.delete(court)
  t.false(await holds(pdu, world))
})

test('a transaction of 50 events is checked side by side: the event loop goes on meanwhile', async t => {
  const world = open()
  const events = Array.from({ length: 50 }, (_, depth) => event({ depth }, {}))
  let turns = 0
  let done = false
  const checking = Promise.all(events.map(pdu => holds(pdu, world))).then(held => {
    done = true
    return held
  })
  while (!done) {
    await new Promise(resolve => setImmediate(resolve))
    turns++
  }
  t.true((await checking).every(Boolean))
  t.true(turns > 1)
})
