import test from 'ava'
import type { Pdu } from '../../server/protocol/event.ts'
import {
  contentHash,
  eventIdOf,
  eventIdOfText,
  roomIdOf,
  signedText,
} from '../../server/protocol/event-hash.ts'
import { type EventId, parseEventId, parseRoomId, type RoomId } from '../../server/protocol/ids.ts'
import { redact } from '../../server/protocol/redaction.ts'
import { roomVersion, roomVersions } from '../../server/protocol/room-versions.ts'
import { sha256 } from '../support/primitives.ts'

const event = {
  type: 'm.room.message',
  room_id: '!r:example.org',
  sender: '@a:example.org',
  content: { body: 'hello' },
  hashes: { sha256: 'x' },
  depth: 3,
  prev_events: [],
  auth_events: [],
  origin_server_ts: 1,
}

for (const version of roomVersions) {
  const rules = roomVersion(version)!
  test(`in version ${version} an event's id is the same before and after redaction, signing and ageing`, t => {
    const id = eventIdOf(event, rules, sha256)
    t.is(parseEventId(id), id)
    t.is(eventIdOf(redact(event, rules), rules, sha256), id)
    t.is(eventIdOf({ ...event, signatures: { s: {} }, unsigned: { age: 1 } }, rules, sha256), id)
    t.is(eventIdOfText(signedText(event, rules), sha256), id)
  })

  test(`in version ${version} an event's id changes with every member that redaction keeps`, t => {
    const id = eventIdOf(event, rules, sha256)
    for (const change of [
      { type: 'm.room.topic' },
      { sender: '@b:example.org' },
      { hashes: { sha256: 'y' } },
      { depth: 4 },
      { origin_server_ts: 2 },
      { state_key: '' },
      { prev_events: ['$x'] },
      { auth_events: ['$x'] },
    ]) {
      t.not(eventIdOf({ ...event, ...change }, rules, sha256), id)
    }
    t.is(eventIdOf({ ...event, content: {} }, rules, sha256), id, 'the content counts through its hash')
  })
}

test('the origin counts in version 10 alone', t => {
  const withOrigin = { ...event, origin: 'example.org' }
  const ids = roomVersions.map(version => {
    const rules = roomVersion(version)!
    return eventIdOf(withOrigin, rules, sha256) === eventIdOf(event, rules, sha256)
  })
  t.deepEqual(ids, [false, true, true])
})

test('the content hash covers members that nobody knows, and not what is added later', t => {
  const hash = contentHash(event, sha256)
  t.not(contentHash({ ...event, 'org.example.extra': 1 }, sha256), hash)
  t.not(contentHash({ ...event, content: { body: 'other' } }, sha256), hash)
  t.is(contentHash({ ...event, hashes: {}, signatures: {}, unsigned: {} }, sha256), hash)
})

test('a create event without a room id makes the room of its own hash', t => {
  const rules = roomVersion('12')!
  const create = { ...event, type: 'm.room.create', room_id: undefined } as unknown as Pdu
  const id = eventIdOf(create, rules, sha256)
  const room = roomIdOf(create, id)
  t.is(parseRoomId(room), room)
  t.is<string, string>(room, `!${id.slice(1)}`)
  t.is(roomIdOf(event as unknown as Pdu, '$x' as EventId), '!r:example.org' as RoomId)
})
