import test from 'ava'
import { ApiError } from '../../../pwa/api/api-error.ts'
import { VaultError } from '../../../pwa/vault/errors.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { Desk, offline, type Put, refused } from './desk.ts'

const room = '!room:a.example'
const other = '!other:a.example'

test('messages leave in the order in which they were written, encrypted, and are read in it', async t => {
  const desk = await Desk.open()
  await desk.encryptedRoom(room)
  for (const body of ['one', 'two', 'three']) await desk.write(room, body)
  t.is(desk.puts.length, 0, 'nothing leaves before the server is known to be there')
  desk.queue.wake()
  await desk.until(() => desk.puts.length === 3)
  t.deepEqual(await desk.read(), ['one', 'two', 'three'])
  t.true(desk.puts.every(({ body }) => !JSON.stringify(body).includes('one')))
})

test('a room that gets no answer holds up itself alone', async t => {
  const desk = await Desk.open()
  const answered = Promise.withResolvers<JsonObject>()
  desk.answer = put => (put.roomId === room ? answered.promise : { event_id: `$${put.txnId}` })
  desk.queue.wake()
  await desk.write(room, 'waits', false)
  await desk.write(room, 'behind it', false)
  await desk.write(other, 'goes', false)
  await desk.until(() => desk.puts.length === 1)
  t.is(desk.puts[0]!.roomId, other)
  t.deepEqual(desk.states(room), ['sending', 'queued'])
  answered.resolve({ event_id: '$late' })
  await desk.until(() => desk.puts.length === 3)
})

test('what is written in a room that stands still waits with the reason, and leaves when it goes on', async t => {
  const desk = await Desk.open()
  desk.queue.wake()
  desk.frozen.add(room)
  await desk.write(room, 'waits', false)
  await desk.write(other, 'goes', false)
  await desk.until(() => desk.puts.length === 1)
  t.is(desk.puts[0]!.roomId, other)
  t.is(desk.queue.queued(room)[0]?.problem?.code, 'ROOM_FROZEN')
  await desk.queue.retry(desk.queue.queued(room)[0]!.txnId)
  t.is(desk.puts.length, 1)
  desk.frozen.delete(room)
  desk.queue.decided()
  await desk.until(() => desk.puts.length === 2)
  t.is(desk.puts[1]!.roomId, room)
})

test('what was sent in the instant before the notice of a standstill waits like the rest, and fails not', async t => {
  const desk = await Desk.open()
  const standstill = { 'org.letro.frozen': { server: 'stranger.example', by: '@bob:b.example' } }
  desk.answer = () => {
    throw new ApiError('M_FORBIDDEN', 'This room stands still.', { status: 403, body: standstill })
  }
  desk.queue.wake()
  await desk.write(room, 'a moment too late', false)
  await desk.until(() => desk.queue.queued(room)[0]?.problem?.code === 'ROOM_FROZEN')
  t.deepEqual(desk.states(room), ['queued ROOM_FROZEN'])
  desk.frozen.add(room)
  desk.answer = put => ({ event_id: `$${put.txnId}` })
  desk.queue.decided()
  t.is(desk.queue.queued(room)[0]?.problem?.code, 'ROOM_FROZEN')
  desk.frozen.delete(room)
  desk.queue.decided()
  await desk.until(() => desk.queue.size === 0)
  t.is(desk.queue.queued(room)[0]?.problem, null)
})

test('a refusal of another kind stays one', async t => {
  const desk = await Desk.open()
  desk.answer = refused('M_FORBIDDEN')
  desk.queue.wake()
  await desk.write(room, 'not allowed', false)
  await desk.until(() => desk.states(room)[0] === 'failed M_FORBIDDEN')
  t.is(desk.puts.length, 0)
})

for (const [what, failure] of [
  ['no answer', offline],
  ['500', refused('M_UNKNOWN', 500)],
  ['429', refused('M_LIMIT_EXCEEDED', 429)],
  ['a 404 of something that stands before the server', refused('HTTP_404', 404)],
  ['an answer without an event id', () => ({})],
] as const) {
  test(`after ${what} the same message leaves again under the same id, before those behind it`, async t => {
    const desk = await Desk.open()
    const seen: string[] = []
    desk.answer = put => {
      seen.push(put.txnId)
      return seen.length === 1 ? failure() : { event_id: `$${put.txnId}` }
    }
    desk.queue.wake()
    const first = await desk.write(room, 'one', false)
    const second = await desk.write(room, 'two', false)
    await desk.until(() => desk.queue.size === 0)
    t.deepEqual(seen, [first, first, second])
  })
}

test('after a crash the same ciphertext leaves, under the same id, and its keys before it', async t => {
  const desk = await Desk.open()
  await desk.encryptedRoom(room)
  const tried: Put[] = []
  desk.answer = put => {
    tried.push(put)
    return offline()
  }
  desk.queue.wake()
  await desk.write(room, 'one')
  await desk.until(() => tried.length === 1)
  await desk.queue.stop()
  await desk.reopen()
  desk.answer = put => ({ event_id: `$${put.txnId}` })
  desk.log.splice(0)
  desk.queue.wake()
  await desk.until(() => desk.puts.length === 1)
  t.deepEqual(desk.puts[0], tried[0])
  t.deepEqual(await desk.read(), ['one'])
})

test('keys that were not handed over before a crash are handed over before the message', async t => {
  const desk = await Desk.open()
  await desk.encryptedRoom(room)
  // The crash comes right after the commit that encrypted: nothing has left yet.
  let dead = false
  const record = (writes: readonly { collection: string; value: unknown }[]) =>
    writes.find(({ collection, value }) => collection === 'outbox' && value !== null)?.value as
      | { sealed?: unknown }
      | undefined
  desk.records.fails = writes => {
    if (dead) return new VaultError('STORAGE_FAILED', 'the browser was killed')
    if (record(writes)?.sealed) dead = true
    return null
  }
  const kept = desk.amal.answer.bind(desk.amal)
  desk.amal.answer = async request => (dead ? offline() : kept(request))
  desk.queue.wake()
  const txnId = await desk.write(room, 'one')
  await desk.until(() => dead)
  await desk.queue.stop()
  t.is(desk.puts.length, 0)
  desk.records.fails = () => null
  desk.amal.answer = kept
  dead = false
  await desk.reopen()
  desk.log.splice(0)
  desk.queue.wake()
  await desk.until(() => desk.puts.length === 1)
  t.deepEqual(desk.log, ['to-device', `put ${txnId}`])
  t.deepEqual(await desk.read(), ['one'])
})

test('a commit that fails moves no ratchet and sends nothing; after room was made it goes on', async t => {
  const desk = await Desk.open()
  await desk.encryptedRoom(room)
  desk.queue.wake()
  await desk.write(room, 'one')
  await desk.until(() => desk.puts.length === 1)
  const before = JSON.stringify(await desk.records.get('outbound-group-session', room))
  desk.records.fails = writes =>
    writes.some(({ collection }) => collection === 'outbound-group-session')
      ? new VaultError('VAULT_FULL', 'no more room')
      : null
  await desk.write(room, 'two')
  await desk.until(() => desk.states(room).includes('queued VAULT_FULL'))
  t.is(desk.puts.length, 1)
  t.is(JSON.stringify(await desk.records.get('outbound-group-session', room)), before)
  desk.records.fails = () => null
  desk.queue.decided()
  await desk.until(() => desk.puts.length === 2)
  t.deepEqual(await desk.read(), ['one', 'two'])
})

test('what was written for an encrypted room never leaves in the clear (attack 19); those behind it go on', async t => {
  const desk = await Desk.open()
  await desk.amal.machine.receiveRoom(room, { members: { [desk.amal.userId]: 'join' } })
  desk.queue.wake()
  await desk.write(room, 'secret')
  await desk.write(room, 'not secret', false)
  await desk.until(() => desk.puts.length === 1)
  t.deepEqual(desk.states(room), ['failed ROOM_NOT_ENCRYPTED', 'sent'])
  t.deepEqual(await desk.read(), ['not secret'])
})

test('a message for a room that no sync brought yet waits for it', async t => {
  const desk = await Desk.open()
  desk.queue.wake()
  await desk.write(room, 'early')
  await desk.until(() => desk.states(room)[0] === 'queued')
  await desk.encryptedRoom(room)
  await desk.until(() => desk.puts.length === 1)
  t.deepEqual(await desk.read(), ['early'])
})

test('an encrypted message and a plain one: what a room became meanwhile counts', async t => {
  const desk = await Desk.open()
  await desk.write(room, 'written before the room was encrypted', false)
  await desk.encryptedRoom(room)
  desk.queue.wake()
  await desk.until(() => desk.puts.length === 1)
  t.is(desk.puts[0]!.what, 'send/m.room.encrypted')
})

test('somebody to be decided about holds up the rooms they are in, once each, until somebody decides', async t => {
  const desk = await Desk.open()
  for (const roomId of [room, other]) await desk.encryptedRoom(roomId)
  await desk.encryptedRoom('!free:a.example')
  const mallory = '@mallory:a.example'
  for (const roomId of [room, other]) {
    await desk.amal.machine.receiveRoom(roomId, { members: { [mallory]: 'join' } })
  }
  // As the session does it.
  desk.amal.machine.onNotice(notice => {
    if (notice.kind === 'identity-changed') desk.queue.decided()
  })
  desk.queue.wake()
  for (const roomId of [room, other, '!free:a.example']) await desk.write(roomId, 'hello')
  await desk.until(() => desk.puts.length === 1)
  await desk.until(() => [room, other].every(each => desk.states(each).includes('queued BLOCKED')))
  t.deepEqual(desk.queue.queued(room)[0]!.problem?.blockedBy, [mallory])
  t.is(desk.puts[0]!.roomId, '!free:a.example')
  const changes = desk.changes.length
  await new Promise(resolve => setTimeout(resolve, 50))
  t.is(desk.changes.length, changes, 'it is quiet')
  await desk.amal.admit(room, mallory)
  desk.queue.decided()
  await desk.until(() => desk.puts.length === 2)
  t.is(desk.puts[1]!.roomId, room)
  await desk.until(() => desk.states(other).includes('queued BLOCKED'))
})

test('what the server refuses for good has failed with its code; those behind it go on', async t => {
  const desk = await Desk.open()
  const bad = await desk.write(room, 'bad', false)
  await desk.write(room, 'good', false)
  const refuse = refused('M_FORBIDDEN')
  desk.answer = put => (put.txnId === bad ? refuse() : { event_id: `$${put.txnId}` })
  desk.queue.wake()
  await desk.until(() => desk.puts.length === 1)
  t.deepEqual(desk.states(room), ['failed M_FORBIDDEN', 'sent'])
  await desk.queue.stop()
  await desk.reopen()
  t.deepEqual(desk.states(room), ['failed M_FORBIDDEN', 'sent'])
  desk.answer = put => ({ event_id: `$${put.txnId}` })
  desk.queue.wake()
  await desk.queue.retry(bad)
  await desk.until(() => desk.puts.length === 2)
  t.is(desk.puts[1]!.txnId, bad)
})

test('an account that is locked fails nothing: its messages wait', async t => {
  const desk = await Desk.open()
  desk.answer = refused('M_USER_LOCKED', 401)
  desk.queue.wake()
  await desk.write(room, 'one', false)
  await desk.write(room, 'two', false)
  await desk.until(() => desk.states(room)[0] === 'queued M_USER_LOCKED')
  t.is(desk.log.length, 1)
  desk.answer = put => ({ event_id: `$${put.txnId}` })
  desk.queue.wake()
  await desk.until(() => desk.queue.size === 0)
})

test('a session that has ended is asked once; everything waits', async t => {
  const desk = await Desk.open()
  desk.answer = refused('M_UNKNOWN_TOKEN', 401)
  desk.queue.wake()
  await desk.write(room, 'one', false)
  await desk.until(() => desk.log.length === 1)
  await new Promise(resolve => setTimeout(resolve, 20))
  t.is(desk.log.length, 1)
  t.deepEqual(desk.states(room), ['queued'])
})

test('while the server is away nothing is tried, so that everything can be thrown away', async t => {
  const desk = await Desk.open()
  desk.queue.wake()
  desk.queue.sleep()
  const txnId = await desk.write(room, 'one', false)
  await desk.write(room, 'two', false)
  t.true(await desk.queue.discard(txnId))
  desk.queue.wake()
  await desk.until(() => desk.queue.size === 0)
  t.deepEqual(await desk.read(), ['two'])
})

test('what left without an answer may have arrived, and cannot be thrown away', async t => {
  const desk = await Desk.open()
  let tries = 0
  desk.answer = () => {
    tries++
    return offline()
  }
  desk.queue.wake()
  const txnId = await desk.write(room, 'one', false)
  await desk.until(() => tries === 1 && desk.states(room)[0] === 'queued')
  t.false(await desk.queue.discard(txnId))
  t.is(desk.queue.size, 1)
  desk.answer = refused('M_FORBIDDEN')
  await desk.until(() => desk.states(room)[0] === 'failed M_FORBIDDEN')
  t.true(await desk.queue.discard(txnId))
  t.deepEqual(await desk.records.entries('outbox'), [])
})

test('what was sent is shown until a sync brings it back', async t => {
  const desk = await Desk.open()
  desk.queue.wake()
  const txnId = await desk.write(room, 'one', false)
  await desk.until(() => desk.states(room)[0] === 'sent')
  t.is(desk.queue.queued(room)[0]!.eventId, `$of-${txnId}`)
  t.is(desk.queue.size, 0)
  desk.queue.echoed([])
  t.is(desk.queue.queued(room).length, 1)
  desk.queue.echoed([txnId])
  t.is(desk.queue.queued(room).length, 0)
  await desk.queue.stop()
  t.deepEqual(await desk.records.entries('outbox'), [])
})

test('what two syncs did not bring back lies in a gap, and is the timeline’s', async t => {
  const desk = await Desk.open()
  desk.queue.wake()
  await desk.write(room, 'one', false)
  await desk.until(() => desk.states(room)[0] === 'sent')
  desk.queue.echoed([])
  desk.queue.echoed([])
  t.is(desk.queue.queued(room).length, 0)
})

test('a sync that is quicker than the answer is enough', async t => {
  const desk = await Desk.open()
  const answered = Promise.withResolvers<JsonObject>()
  desk.answer = () => answered.promise
  desk.queue.wake()
  const txnId = await desk.write(room, 'one', false)
  await desk.until(() => desk.log.length === 1)
  desk.queue.echoed([txnId])
  t.is(desk.queue.queued(room).length, 0)
  answered.resolve({ event_id: '$one' })
  await desk.until(() => desk.states(room).length === 0)
  await desk.queue.stop()
  t.deepEqual(await desk.records.entries('outbox'), [])
})

test('a redaction of a message that waits itself finds it by the id that it gets', async t => {
  const desk = await Desk.open()
  const txnId = await desk.write(room, 'one', false)
  await desk.queue.add({
    roomId: room,
    type: 'm.room.redaction',
    content: {},
    forEncrypted: false,
    redacts: txnId,
  })
  desk.queue.wake()
  await desk.until(() => desk.puts.length === 2)
  t.is(desk.puts[1]!.what, `redact/$of-${txnId}`)
})

test('a reaction is in the clear, as everywhere', async t => {
  const desk = await Desk.open()
  await desk.encryptedRoom(room)
  const content = { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$a', key: '👍' } }
  await desk.queue.add({ roomId: room, type: 'm.reaction', content, forEncrypted: true })
  desk.queue.wake()
  await desk.until(() => desk.puts.length === 1)
  t.is(desk.puts[0]!.what, 'send/m.reaction')
})

test('a message that could not be stored is not in the queue, and the next one is', async t => {
  const desk = await Desk.open()
  desk.records.fails = () => new VaultError('VAULT_FULL', 'no more room')
  await t.throwsAsync(desk.write(room, 'one', false), { code: 'VAULT_FULL' })
  desk.records.fails = () => null
  await desk.write(room, 'two', false)
  t.is(desk.queue.size, 1)
})

test('a bug in between fails that message alone', async t => {
  const desk = await Desk.open()
  const bad = await desk.write(room, 'one', false)
  await desk.write(room, 'two', false)
  desk.answer = put => {
    if (put.txnId === bad) throw new TypeError('cannot read properties')
    return { event_id: `$${put.txnId}` }
  }
  desk.queue.wake()
  await desk.until(() => desk.puts.length === 1)
  t.deepEqual(desk.states(room), ['failed INTERNAL', 'sent'])
})

test('a session that is closed waits for no answer', async t => {
  const desk = await Desk.open()
  desk.answer = () => new Promise(() => {})
  desk.queue.wake()
  await desk.write(room, 'one', false)
  await desk.until(() => desk.log.length === 1)
  await desk.queue.stop()
  await desk.reopen()
  t.deepEqual(desk.states(room), ['queued'])
})

test('a room that is forgotten takes what waits for it and its draft along', async t => {
  const desk = await Desk.open()
  await desk.write(room, 'one', false)
  await desk.write(other, 'two', false)
  await desk.queue.setDraft({ roomId: room }, { text: 'half a' })
  await desk.queue.setDraft({ roomId: room, threadRoot: '$root' }, { text: 'half an answer' })
  t.true(desk.queue.hasDraft(room))
  await desk.queue.forgetRoom(room)
  t.deepEqual([...desk.queue.roomIds], [other])
  t.is((await desk.records.entries('outbox')).length, 1)
  t.deepEqual(await desk.records.entries('draft'), [])
})
