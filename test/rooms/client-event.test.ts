import test from 'ava'
import {
  clientEvent,
  clientEventText,
  clientEventWithoutRoomId,
  type Reader,
  strippedStateEvent,
} from '../../server/rooms/client-event.ts'
import { sampleEvent } from './sample-event.ts'

const alice = { userId: '@alice:hq.test', deviceId: 'PHONE', now: 5_000 } as Reader
const aliceElsewhere = { ...alice, deviceId: 'LAPTOP' } as Reader
const bob = { userId: '@bob:hq.test', deviceId: 'PHONE', now: 5_000 } as Reader

const transaction = { userId: '@alice:hq.test', deviceId: 'PHONE', txnId: 'txn1' }

test('a message has exactly the fields of the specification', t => {
  t.deepEqual(clientEvent(sampleEvent(), bob, { membership: 'join' }), {
    type: 'm.room.message',
    event_id: `$${'1'.padStart(43, 'A')}`,
    room_id: '!room:hq.test',
    sender: '@alice:hq.test',
    origin_server_ts: 1_000,
    content: { msgtype: 'm.text', body: 'hello' },
    unsigned: { age: 4_000, membership: 'join' },
  })
})

test('without room id the room id alone is missing', t => {
  const { room_id: _roomId, ...rest } = clientEvent(sampleEvent(), bob)
  t.deepEqual(clientEventWithoutRoomId(sampleEvent(), bob), rest)
})

test('an empty state key is shown, the absence of one is not', t => {
  t.is(clientEvent(sampleEvent({ type: 'm.room.name', stateKey: '' }), bob)['state_key'], '')
  t.false('state_key' in clientEvent(sampleEvent(), bob))
})

test('only the device that sent an event gets its transaction id', t => {
  const event = sampleEvent({ transaction })
  t.like(clientEvent(event, alice), { unsigned: { transaction_id: 'txn1' } })
  for (const reader of [aliceElsewhere, bob]) {
    t.false('transaction_id' in (clientEvent(event, reader)['unsigned'] as object))
  }
})

test('a state event shows what it replaced, and only the id where the reader may not see it', t => {
  const event = sampleEvent({
    type: 'm.room.name',
    stateKey: '',
    replacesState: { eventId: '$old', content: { name: 'old' }, sender: '@bob:hq.test' },
  })
  t.like(clientEvent(event, bob), { unsigned: { replaces_state: '$old', prev_content: { name: 'old' } } })
  const hidden = clientEvent(event, bob, { hidesPrevContent: true })['unsigned'] as object
  t.like(hidden, { replaces_state: '$old' })
  t.false('prev_content' in hidden)
  t.false('prev_sender' in hidden)
})

test('a redaction names its target at the top and in its content, whatever the room version', t => {
  const older = sampleEvent({ type: 'm.room.redaction', redacts: '$target', content: { reason: 'spam' } })
  const newer = sampleEvent({ type: 'm.room.redaction', redacts: '$target', content: { redacts: '$target' } })
  t.like(clientEvent(older, bob), { redacts: '$target', content: { reason: 'spam', redacts: '$target' } })
  t.like(clientEvent(newer, bob), { redacts: '$target', content: { redacts: '$target' } })
  t.deepEqual(older.content, { reason: 'spam' }, 'the event itself is not changed')
})

test('a redacted event carries its redaction in the same form', t => {
  const redactedBecause = sampleEvent({ position: 2, type: 'm.room.redaction', content: { reason: 'spam' } })
  const event = sampleEvent({ content: {}, redactedBecause })
  t.like(clientEvent(event, bob), {
    content: {},
    unsigned: { redacted_because: { event_id: redactedBecause.eventId, room_id: '!room:hq.test' } },
  })
  const inSync = clientEventWithoutRoomId(event, bob)['unsigned'] as { redacted_because: object }
  t.false('room_id' in inSync.redacted_because)
})

test('bundled aggregations stand under unsigned', t => {
  const relations = { 'm.reference': { chunk: [{ event_id: '$child' }] } }
  t.like(clientEvent(sampleEvent(), bob, { relations }), { unsigned: { 'm.relations': relations } })
})

test('the text form says the same as the object form, for every reader', t => {
  const event = sampleEvent({ transaction, stateKey: 'ünïcode "key"', content: { body: '"}\u2028' } })
  for (const reader of [alice, aliceElsewhere, bob]) {
    const shown = { membership: 'invite' as const }
    t.deepEqual(
      JSON.parse(clientEventText(event, reader, shown)),
      clientEventWithoutRoomId(event, reader, shown),
    )
  }
})

test('stripped state has type, key, sender and content', t => {
  t.deepEqual(
    strippedStateEvent(sampleEvent({ type: 'm.room.name', stateKey: '', content: { name: 'x' } })),
    { type: 'm.room.name', state_key: '', sender: '@alice:hq.test', content: { name: 'x' } },
  )
})
