/** What waits, as a timeline shows it. */
import test from 'ava'
import { queuedItem } from '../../../pwa/outbox/queued-item.ts'
import { contentOf, shownContent, type Waiting, type WaitingFile } from '../../../pwa/outbox/waiting.ts'
import type { QueuedItem } from '../../../pwa/sync/ports.ts'
import { hasOwnLine, withQueued } from '../../../pwa/sync/queued-relations.ts'
import { noRelations, validEdit } from '../../../pwa/sync/relations.ts'
import type { StoredEvent } from '../../../pwa/sync/stored-event.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'

const amal = '@amal:a.example'
const waiting: Waiting = {
  order: 1,
  txnId: 'txn',
  roomId: '!room:a.example',
  type: 'm.room.message',
  content: { msgtype: 'm.text', body: 'one' },
  ts: 5,
  forEncrypted: true,
  sealed: null,
  files: [],
  paused: false,
  redacts: null,
  eventId: null,
  failure: null,
}
const failure = { code: 'M_FORBIDDEN', message: '', blockedBy: [] }
const item = (more: Partial<Waiting>): QueuedItem => queuedItem({ ...waiting, ...more }, amal, false, null)
const related = (type: string, relation: JsonObject, more: JsonObject = {}) =>
  item({ type, content: { ...more, 'm.relates_to': relation } })

const original: StoredEvent = {
  ...item({}).event,
  eventId: '$one',
  txnId: null,
}
const edit = related(
  'm.room.message',
  { rel_type: 'm.replace', event_id: '$one' },
  { msgtype: 'm.text', body: '* two', 'm.new_content': { msgtype: 'm.text', body: 'two' } },
)
const reaction = related('m.reaction', { rel_type: 'm.annotation', event_id: '$one', key: '👍' })

test('an edit that waits shows in its message, not as one', t => {
  t.false(hasOwnLine(edit))
  const of = withQueued(noRelations, original, [edit], amal)
  t.is(validEdit(waiting.roomId, original, of)?.content['body'], 'two')
})

test('an edit of a message of somebody else counts as little as one that was sent', t => {
  const theirs = { ...original, sender: '@jonas:a.example' }
  t.is(validEdit(waiting.roomId, theirs, withQueued(noRelations, theirs, [edit], amal)), null)
})

test('a reaction that waits shows once, also when the sync has brought it meanwhile', t => {
  t.false(hasOwnLine(reaction))
  const of = withQueued(noRelations, original, [reaction], amal)
  t.deepEqual(of.reactions, [{ eventId: 'txn', sender: amal, key: '👍' }])
  t.is(withQueued(of, original, [reaction], amal).reactions.length, 1)
  t.is(withQueued(noRelations, { ...original, eventId: '$other' }, [reaction], amal).reactions.length, 0)
})

test('a redaction that waits hides its message, or takes a reaction away', t => {
  const redaction = item({ type: 'm.room.redaction', redacts: '$one', content: { reason: 'oops' } })
  t.false(hasOwnLine(redaction))
  t.deepEqual(withQueued(noRelations, original, [redaction], amal).redaction, {
    by: amal,
    reason: 'oops',
    eventId: 'txn',
  })
  const of = { ...noRelations, reactions: [{ eventId: '$reaction', sender: amal, key: '👍' }] }
  const taken = item({ type: 'm.room.redaction', redacts: '$reaction' })
  t.deepEqual(withQueued(of, original, [taken], amal).reactions, [])
  t.is(withQueued(of, original, [taken], amal).redaction, null)
})

test('what was refused does nothing any more, and has a line of its own', t => {
  for (const each of [
    { ...edit, state: 'failed' as const },
    { ...reaction, state: 'failed' as const },
    item({ type: 'm.room.redaction', redacts: '$one', failure }),
  ]) {
    t.true(hasOwnLine(each))
    t.deepEqual(withQueued(noRelations, original, [each], amal), noRelations)
  }
})

test('replies and threads have lines of their own', t => {
  t.true(hasOwnLine(related('m.room.message', { 'm.in_reply_to': { event_id: '$one' } })))
  t.true(hasOwnLine(related('m.room.message', { rel_type: 'm.thread', event_id: '$one' })))
})

test('an item is queued, sending, failed or sent; what was sent has no problem', t => {
  const problem = { code: 'BLOCKED', message: '', blockedBy: ['@m:a.example'] }
  t.like(item({}), { state: 'queued', problem: null, eventId: null })
  t.like(queuedItem(waiting, amal, true, problem), { state: 'sending', problem })
  t.like(queuedItem({ ...waiting, failure }, amal, false, failure), { state: 'failed', problem: failure })
  t.like(queuedItem({ ...waiting, eventId: '$one' }, amal, true, problem), { state: 'sent', problem: null })
})

test('uploads stand where the specification wants them; until then at an address of this device', t => {
  const file: WaitingFile = { fileId: 'f', mimetype: 'a/b', size: 1, pieces: 1, part: 'file', uploaded: null }
  const thumbnail: WaitingFile = { ...file, fileId: 't', part: 'thumbnail' }
  const content = { body: 'a', info: { size: 1 } }
  const files = [thumbnail, file]
  t.deepEqual(contentOf({ content, files }), content)
  t.deepEqual(shownContent({ content, files }), {
    body: 'a',
    info: { size: 1, thumbnail_url: 'mxc://waiting.invalid/t' },
    url: 'mxc://waiting.invalid/f',
  })
  const uploaded = [
    { ...thumbnail, uploaded: { url: 'mxc://a/t' } },
    { ...file, uploaded: 'mxc://a/f' },
  ]
  t.deepEqual(contentOf({ content, files: uploaded }), {
    body: 'a',
    info: { size: 1, thumbnail_file: { url: 'mxc://a/t' } },
    url: 'mxc://a/f',
  })
})
