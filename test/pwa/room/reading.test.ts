/** From content that anybody may have written to what is shown. */
import test from 'ava'
import {
  attachedFile,
  extensionOf,
  hasCaption,
  shownSize,
  shownType,
} from '../../../pwa/views/room/attached-file.ts'
import { isNestedTooDeep } from '../../../pwa/views/room/html-depth.ts'
import { linkedParts, misledHost } from '../../../pwa/views/room/link-text.ts'
import { addressInside, parseMatrixLink, personLink } from '../../../pwa/views/room/matrix-link.ts'
import { calmText, isEmojiOnly, saidBy, withoutFallback } from '../../../pwa/views/room/message-content.ts'
import { foldedCounts, stateWords } from '../../../pwa/views/room/state-words.ts'
import { shieldKey, unreadableWords } from '../../../pwa/views/room/trust-words.ts'
import { loudness, waveformOf } from '../../../pwa/views/room/waveform.ts'
import { parseRoute } from '../../../pwa/views/route.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { amal, item, jonas, member } from './items.ts'

const file = { url: 'mxc://clinic.example/abc', key: { k: 'x' }, iv: 'y', hashes: {}, v: 'v2' }
const said = (content: JsonObject, change = {}) => saidBy(item('a', { content, ...change }))

test('text, with HTML where it is HTML', t => {
  t.deepEqual(
    said({ msgtype: 'm.text', body: 'x', format: 'org.matrix.custom.html', formatted_body: '<b>x</b>' }),
    {
      kind: 'text',
      tone: 'plain',
      words: { text: 'x', html: '<b>x</b>' },
    },
  )
  t.like(said({ msgtype: 'm.text', body: 'x', format: 'text/rtf', formatted_body: '<b>x</b>' }), {
    words: { html: null },
  })
})

test('what an older client repeats of the message that it answers is left out', t => {
  t.is(withoutFallback('> <@a:x> one\n> two\n\nanswer\n> quoted by hand'), 'answer\n> quoted by hand')
  t.is(withoutFallback('> a quotation by hand\n\nx'), '> a quotation by hand\n\nx')
  const answer = said(
    {
      msgtype: 'm.text',
      body: '> <@a:x> q\n\nyes',
      format: 'org.matrix.custom.html',
      formatted_body: '<mx-reply><blockquote>q</blockquote></mx-reply><i>yes</i>',
    },
    { replyTo: { eventId: '$q', item: null } },
  )
  t.deepEqual(answer.kind === 'text' && answer.words, { text: 'yes', html: '<i>yes</i>' })
})

test('content of any shape is something', t => {
  const shapes: JsonObject[] = [
    {},
    { msgtype: 7 },
    { msgtype: 'm.text' },
    { msgtype: 'm.text', body: { a: 1 } },
    { msgtype: 'm.image' },
    { msgtype: 'm.image', info: [], url: 'https://tracker.example/x.png' },
    { msgtype: 'constructor' },
    {
      msgtype: 'm.audio',
      'org.matrix.msc3245.voice': {},
      'org.matrix.msc1767.audio': { waveform: ['x', -5, 1e9] },
    },
    { msgtype: 'm.location', geo_uri: 7 },
  ]
  for (const content of shapes) t.notThrows(() => said(content), JSON.stringify(content))
})

test('HTML that nests without end, or is endless, is shown as text', t => {
  const deep = `${'<div>'.repeat(101)}x`
  t.true(isNestedTooDeep(deep))
  t.false(isNestedTooDeep('<ul><li>x</li></ul>'.repeat(1000)))
  t.like(said({ msgtype: 'm.text', body: 'x', format: 'org.matrix.custom.html', formatted_body: deep }), {
    words: { html: null },
  })
})

test('an attachment: encrypted, or plain, or damaged', t => {
  const content = {
    msgtype: 'm.image',
    body: 'a.png',
    file,
    info: { mimetype: 'image/PNG; x', w: 400, h: 300, size: 9 },
  }
  t.like(attachedFile('m.room.message', content), {
    as: 'image',
    name: 'a.png',
    source: { file },
    mime: 'image/png',
    width: 400,
    sizeBytes: 9,
  })
  t.like(attachedFile('m.room.message', { msgtype: 'm.file', url: 'mxc://x/y' }), {
    source: { mxc: 'mxc://x/y' },
  })
  for (const url of ['https://evil.example/x', 'mxc://x/../y', 'mxc://x/y?z', 'javascript:1', '', null])
    t.is(attachedFile('m.room.message', { msgtype: 'm.file', url })!.source, null, String(url))
  t.is(attachedFile('m.room.message', { msgtype: 'm.text' }), null)
})

test('what could run as a program is never shown as a picture, whatever it calls itself', t => {
  for (const mimetype of [
    'image/svg+xml',
    'text/html',
    'application/xhtml+xml',
    'image/svg+xml; charset=x',
    '',
  ])
    t.is(
      attachedFile('m.room.message', { msgtype: 'm.image', url: 'mxc://x/y', info: { mimetype } })!.as,
      'file',
    )
  t.is(shownType('image/svg+xml'), 'application/octet-stream')
  t.is(shownType('text/html'), 'application/octet-stream')
  t.is(shownType('image/png'), 'image/png')
})

test('words with a file are those that are not its name', t => {
  t.true(hasCaption({ body: 'see page 2', filename: 'a.pdf' }))
  t.false(hasCaption({ body: 'a.pdf', filename: 'a.pdf' }))
  t.false(hasCaption({ body: 'a.pdf' }))
})

test('the place of a picture is known before it is here, and has an end', t => {
  t.deepEqual(shownSize({ width: 4000, height: 2000 }, { width: 400, height: 300 }), {
    width: 400,
    height: 200,
  })
  t.deepEqual(shownSize({ width: 40, height: 20 }, { width: 400, height: 300 }), { width: 40, height: 24 })
  t.deepEqual(shownSize({ width: null, height: 20 }, { width: 400, height: 300 }), {
    width: 400,
    height: 300,
  })
  const huge = attachedFile('m.room.message', { msgtype: 'm.image', info: { w: 1e12, h: -1 } })!
  t.deepEqual([huge.width, huge.height], [null, null])
  t.is(extensionOf({ name: 'letter.final.PDF', mime: '' }), 'PDF')
  t.is(extensionOf({ name: 'x', mime: 'audio/x-wav' }), 'WAV')
  t.is(extensionOf({ name: null, mime: '' }), '•')
})

test('addresses in text end where the sentence goes on', t => {
  const hrefs = (text: string) => linkedParts(text).flatMap(part => part.href ?? [])
  t.deepEqual(hrefs('see https://a.example/x, or (https://b.example/y_(z)).'), [
    'https://a.example/x',
    'https://b.example/y_(z)',
  ])
  t.deepEqual(hrefs('javascript:alert(1) data:text/html,x file:///etc'), [])
  t.deepEqual(hrefs('https://a.example/\u202egpj.exe'), ['https://a.example/'])
  t.is(
    linkedParts('a https://b.example c')
      .map(part => part.text)
      .join(''),
    'a https://b.example c',
  )
})

test('a link whose words name another host says where it leads', t => {
  t.is(misledHost('https://clinic.example', 'https://evil.example/'), 'evil.example')
  t.is(
    misledHost('clinic.example/login', 'https://clinic.example.evil.example/'),
    'clinic.example.evil.example',
  )
  t.is(misledHost('clinic.example', 'https://clinic.example/x'), null)
  t.is(misledHost('clinic.example', 'https://www.clinic.example/x'), null)
  t.is(misledHost('the letter', 'https://evil.example/'), null)
})

test('people, rooms and messages are known by each of their addresses', t => {
  const person = { kind: 'person', userId: amal } as const
  t.deepEqual(parseMatrixLink('https://matrix.to/#/@amal:clinic.example'), person)
  t.deepEqual(parseMatrixLink(personLink(amal)), person)
  t.deepEqual(parseMatrixLink('matrix:u/amal:clinic.example?action=chat'), person)
  t.deepEqual(parseMatrixLink('https://matrix.to/#/!r:x/$e?via=x&via=y'), {
    kind: 'room',
    room: '!r:x',
    eventId: '$e',
    via: ['x', 'y'],
  })
  t.like(parseMatrixLink('matrix:roomid/r:x/e/e1'), { room: '!r:x', eventId: '$e1' })
  t.like(parseMatrixLink('https://a.example/#/room/!r%3Ax/%24e', 'https://a.example'), {
    room: '!r:x',
    eventId: '$e',
  })
  for (const address of [
    'https://matrix.to/#/nobody',
    'https://evil.example/#/@amal:clinic.example',
    'https://matrix.to/#/%',
    'x',
    '',
  ])
    t.is(parseMatrixLink(address, 'https://a.example'), null, address)
})

test('people, rooms and messages open in the app, never at the site that their address names', t => {
  const inside = (address: string) => addressInside(parseMatrixLink(address, 'https://a.example')!)
  t.is(inside('https://matrix.to/#/@amal:clinic.example'), '#/person/%40amal%3Aclinic.example')
  t.is(inside('https://a.example/#/room/!r%3Ax/%24e'), '#/room/!r%3Ax/%24e')
  const room = inside('https://matrix.to/#/%23ward:clinic.example')
  t.deepEqual(parseRoute(room), { view: 'new', kind: 'join-#ward:clinic.example' })
})

test('a few emoji alone are drawn larger', t => {
  for (const text of ['👍', '❤️ ✅', '🧑‍⚕️', '👍🏽👍🏽']) t.true(isEmojiOnly(text), text)
  for (const text of ['', '12', 'ok 👍', '👍'.repeat(7)]) t.false(isEmojiOnly(text), text)
})

test('changes are said in words that fit them', t => {
  const words = (change: Parameters<typeof member>) => stateWords(member(...change)).key
  t.is(words(['a', jonas, 'join']), 'changes.joined')
  t.is(words(['a', jonas, 'leave']), 'changes.left')
  t.is(words(['a', jonas, 'leave', { previousContent: { membership: 'invite' } }]), 'changes.declined')
  t.is(words(['a', jonas, 'leave', { stateKey: jonas, sender: amal }]), 'changes.removed')
  t.is(
    words(['a', jonas, 'leave', { sender: amal, stateKey: jonas, previousContent: { membership: 'ban' } }]),
    'changes.unbanned',
  )
  t.like(
    stateWords(member('a', jonas, 'join', { previousContent: { membership: 'join', displayname: 'J.' } })),
    { key: 'changes.renamedSelf', texts: { before: 'J.', after: 'Jonas Weber' } },
  )
  const state = (type: string, content: JsonObject, previousContent: JsonObject | null = null) =>
    stateWords(item('a', { type, stateKey: '', content, previousContent }))
  t.is(state('m.room.power_levels', { users: { [jonas]: 50 } }, { users: {} }).key, 'changes.roleModerator')
  t.is(
    state('m.room.power_levels', { users: { [jonas]: 50 }, ban: 3 }, { users: { [jonas]: 50 } }).key,
    'changes.powers',
  )
  t.is(state('m.room.join_rules', { join_rule: 'constructor' }).key, 'changes.powers')
  t.is(state('m.room.pinned_events', { pinned: ['$1'] }, {}).key, 'changes.pinned')
  t.is(state('m.room.name', {}).key, 'changes.unnamed')
})

test('many changes are counted by kind', t => {
  const changes = [
    member('a', jonas, 'join'),
    member('b', amal, 'join'),
    member('c', amal, 'leave'),
    member('d', amal, 'ban'),
  ]
  t.deepEqual(foldedCounts(changes), [
    { key: 'changes.foldJoined', count: 2 },
    { key: 'changes.foldLeft', count: 1 },
    { key: 'changes.foldOther', count: 1 },
  ])
})

test('what is wrong with a message is said, and nothing where nothing is', t => {
  t.is(shieldKey(item('a'), true), null)
  const request = { encrypted: false, content: { msgtype: 'm.key.verification.request', body: 'x' } }
  t.is(shieldKey(item('a', request), true), null)
  t.is(shieldKey(item('a', { shield: 'unsigned-device' }), true), 'room.shieldUnsigned')
  t.is(shieldKey(item('a', { shield: 'not-authentic', keyGivenBy: amal }), true), 'room.shieldGivenBy')
  t.is(shieldKey(item('a', { encrypted: false }), true), 'room.shieldPlain')
  t.is(shieldKey(item('a', { encrypted: false }), false), null)
  t.is(shieldKey(item('a', { eventId: null, encrypted: false }), true), null)
})

test('of a message that cannot be read it is said why, and what to do', t => {
  t.deepEqual(unreadableWords({ code: 'NO_SESSION', withheld: null }), {
    key: 'room.unreadableNoKey',
    act: 'backup',
  })
  t.is(unreadableWords({ code: 'WITHHELD', withheld: 'm.unverified' }).act, 'confirm')
  t.is(unreadableWords({ code: 'REPLAY', withheld: null }).key, 'room.unreadableReplay')
  t.is(unreadableWords({ code: 'toString', withheld: 'toString' }).key, 'room.unreadableBroken')
})

test('a waveform has about a hundred levels, the loudest at the top', t => {
  const wave = waveformOf(Array.from({ length: 1000 }, (_, i) => (i === 500 ? 0.8 : 0.2)))
  t.is(wave.length, 100)
  t.is(Math.max(...wave), 1024)
  t.is(wave[0], 256)
  t.deepEqual(waveformOf([]), [])
  t.is(Math.max(...waveformOf([0, 0.001])), 20)
  t.is(loudness(new Float32Array([0, 0])), 0)
})

test('a text turns nothing around it, and towers over nothing', t => {
  t.is(calmText('\u202egnp.exe'), 'gnp.exe')
  t.is(calmText(`a${'\u0301'.repeat(5000)}b`), `a${'\u0301'.repeat(8)}b`)
  t.is(calmText('مُحَمَّدٌ שָׁלוֹם ที่นี่'), 'مُحَمَّدٌ שָׁלוֹם ที่นี่')
})
