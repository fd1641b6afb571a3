import test from 'ava'
import { voiceType } from '../../../pwa/sync/preview.ts'
import type { Preview } from '../../../pwa/sync/room-entry.ts'
import { directWith, knownPeople } from '../../../pwa/views/rooms/direct-chat.ts'
import { type Command, commandOf } from '../../../pwa/views/rooms/key-commands.ts'
import { previewWords, wayOf } from '../../../pwa/views/rooms/preview-words.ts'
import { type Planned, readersOf } from '../../../pwa/views/rooms/readers-of.ts'
import { sharedText } from '../../../pwa/views/rooms/shared-in.ts'
import { entry } from './entries.ts'

const preview = (change: Partial<Preview>): Preview => ({
  eventId: '$e',
  sender: '@a:clinic.example',
  senderName: 'Amal',
  type: 'm.room.message',
  msgtype: 'm.text',
  text: 'hello',
  ...change,
})
const previews: [what: string, change: Partial<Preview>, expected: object][] = [
  ['a text by its words', {}, { text: 'hello' }],
  ['an emote by its words', { msgtype: 'm.emote' }, { text: 'hello' }],
  ['a picture as one', { msgtype: 'm.image', text: 'cat.png' }, { key: 'rooms.preview_image' }],
  ['a voice message as one', { msgtype: voiceType, text: 'Voice message.ogg' }, { key: 'room.fileVoice' }],
  ['a sticker as one', { type: 'm.sticker', msgtype: null }, { key: 'rooms.preview_sticker' }],
  [
    'what cannot be read as encrypted',
    { type: 'm.room.encrypted', msgtype: null, text: '' },
    { key: 'rooms.preview_unreadable' },
  ],
  ['a kind named as a member of every object by its words', { msgtype: 'constructor' }, { text: 'hello' }],
  ['a text of nothing visible as encrypted', { text: '\u202e\u200b' }, { key: 'rooms.preview_unreadable' }],
]
for (const [what, change, expected] of previews) {
  test(`the list shows ${what}`, t => {
    t.deepEqual(previewWords(preview(change)) as object, expected)
  })
}

const planned: Planned = {
  access: 'invite',
  encrypted: true,
  isSpace: false,
  invited: 2,
  servers: ['clinic.example'],
  spaceName: null,
}
const plans: [what: string, change: Partial<Planned>, expected: string[]][] = [
  ['of invited people is theirs alone', {}, ['rooms.reads_invite 3']],
  [
    'with people of others names the organisations',
    { servers: ['clinic.example', 'ministry.example'] },
    ['rooms.reads_inviteIn 3 \u2068clinic.example\u2069 and \u2068ministry.example\u2069'],
  ],
  [
    'that is not encrypted is the server’s too',
    { encrypted: false },
    ['rooms.reads_invite 3', 'rooms.reads_server'],
  ],
  ['that anybody may enter is not called private', { access: 'public' }, ['rooms.reads_public']],
  ['that lets in who asks says so', { access: 'knock' }, ['rooms.reads_knock']],
  ['for a space names it', { access: 'restricted', spaceName: 'Clinic' }, ['rooms.reads_restricted Clinic']],
  ['for a space that is none is by invitation', { access: 'restricted' }, ['rooms.reads_invite 3']],
]
for (const [what, change, expected] of plans) {
  test(`a room ${what}`, t => {
    t.deepEqual(
      readersOf({ ...planned, ...change }).map(([key, values]) => [key, ...Object.values(values)].join(' ')),
      expected,
    )
  })
}
test('a space has no messages that a server could read', t => {
  t.deepEqual(readersOf({ ...planned, isSpace: true, encrypted: false }), [
    ['rooms.reads_invite', { count: 3 }],
  ])
})

const key = (name: string, change = {}) => ({
  key: name,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...change,
})
const keys: [what: string, pressed: ReturnType<typeof key>, isTyping: boolean, expected: Command | null][] = [
  ['Ctrl K', key('k', { ctrlKey: true }), true, 'switch'],
  ['⌘ K', key('K', { metaKey: true }), false, 'switch'],
  ['Ctrl and the same key of an Arabic keyboard', key('ن', { ctrlKey: true }), true, 'switch'],
  ['Ctrl Shift K, which is the browser’s', key('K', { ctrlKey: true, shiftKey: true }), false, null],
  ['Alt ↓', key('ArrowDown', { altKey: true }), true, 'next-unread'],
  ['Alt ↑', key('ArrowUp', { altKey: true }), true, 'previous-unread'],
  ['Alt Shift ↓', key('ArrowDown', { altKey: true, shiftKey: true }), false, 'next'],
  ['Ctrl Alt ↓', key('ArrowDown', { altKey: true, ctrlKey: true }), false, null],
  ['↓', key('ArrowDown'), false, null],
  ['? in the list', key('?', { shiftKey: true }), false, 'help'],
  ['؟ in the list', key('؟', { shiftKey: true }), false, 'help'],
  ['? in a message', key('?', { shiftKey: true }), true, null],
  ['Escape in a message', key('Escape'), true, null],
  ['Escape on a page', key('Escape'), false, 'leave'],
  ['k', key('k'), false, null],
]
for (const [what, pressed, isTyping, expected] of keys) {
  test(`${what} means ${expected ?? 'nothing of ours'}`, t => {
    t.is(commandOf(pressed, isTyping), expected)
  })
}

test('what was shared is one text, without saying an address twice', t => {
  t.is(sharedText({ title: ' A page ', text: '', url: 'https://a.example' }), 'A page\nhttps://a.example')
  t.is(
    sharedText({ title: '', text: 'see https://a.example', url: 'https://a.example' }),
    'see https://a.example',
  )
  t.is(sharedText({ title: '', text: ' ', url: '' }), '')
})

test('a conversation with a person is the one that was used last, and of two', t => {
  const person = '@b:clinic.example'
  const entries = [
    entry('!old', { directWith: [person], lastTs: 1 }),
    entry('!new', { directWith: [person], lastTs: 2 }),
    entry('!left', { directWith: [person], lastTs: 3, membership: 'leave' }),
    entry('!three', { directWith: [person, '@c:clinic.example'], lastTs: 4 }),
  ]
  t.is(directWith(entries, person)?.roomId, '!new')
  t.is(directWith(entries, '@c:clinic.example'), null)
})

test('people are found among those whom one writes with, the latest first, each once', t => {
  const entries = [
    entry('!b', { directWith: ['@b:clinic.example'], name: 'Basma', lastTs: 1 }),
    entry('!b2', { directWith: ['@b:clinic.example'], name: 'Basma', lastTs: 3 }),
    entry('!c', { directWith: ['@c:court.example'], name: 'Claire', lastTs: 2 }),
    entry('!gone', { directWith: ['@d:clinic.example'], name: 'Dina', membership: 'leave' }),
    entry('!three', { directWith: ['@e:clinic.example', '@f:clinic.example'] }),
  ]
  const found = (typed: string) => knownPeople(entries, typed).map(({ userId }) => userId)
  t.deepEqual(found(''), ['@b:clinic.example', '@c:court.example'])
  t.deepEqual(found('cla'), ['@c:court.example'])
  t.deepEqual(found('court'), ['@c:court.example'])
})

test('a preview runs the way of most of its letters, not of the name that it begins with', t => {
  t.is(wayOf('@أمل ناصر the painters are done with the corridor'), 'ltr')
  t.is(wayOf('@Jonas Weber وصلت الرسالة أمس إلى القسم'), 'rtl')
  t.is(wayOf('👍 12:30'), 'ltr')
})
