/** From what is typed to what leaves. */
import test from 'ava'
import {
  type Draft,
  emptyDraft,
  givenBack,
  parseDraft,
  storedDraft,
  turnedTo,
} from '../../../pwa/views/room/draft.ts'
import { formattedBody } from '../../../pwa/views/room/markdown.ts'
import {
  matchingMembers,
  mentionName,
  mentionQuery,
  presentMentions,
  withMention,
} from '../../../pwa/views/room/mention-query.ts'
import { isTooLong, writtenContent } from '../../../pwa/views/room/written-message.ts'
import type { Member } from '../../../pwa/worker/calls.ts'
import { amal, jonas, samir } from './items.ts'

const jonasMention = { userId: jonas, name: 'Jonas Weber' }
const content = (draft: Partial<Draft>, thread: { root: string; last: string } | null = null) =>
  writtenContent({ draft: { ...emptyDraft, ...draft }, formatted: formattedBody, thread, ourUserId: amal })

test('plain words leave as plain words', t => {
  t.deepEqual(content({ text: ' The letter is ready. \n\nIt is < 3 pages & signed. ' }), {
    msgtype: 'm.text',
    body: 'The letter is ready. \n\nIt is < 3 pages & signed.',
    'm.mentions': {},
  })
})

const formatted: [string, string][] = [
  ['**now**', '<strong>now</strong>'],
  ['a _b_ ~~c~~ `d`', 'a <em>b</em> <del>c</del> <code>d</code>'],
  ['- one\n- two', '<ul>\n<li>one</li>\n<li>two</li>\n</ul>'],
  ['> quoted', '<blockquote>\n<p>quoted</p>\n</blockquote>'],
  ['[file](https://clinic.example/a?b=c&d)', '<a href="https://clinic.example/a?b=c&amp;d">file</a>'],
  [
    '**bold** <b onclick="x()">raw</b>',
    '<strong>bold</strong> &lt;b onclick=&quot;x()&quot;&gt;raw&lt;/b&gt;',
  ],
  ['**a** [x](javascript:alert(1))', '<strong>a</strong> x'],
  ['**a** ![seen](https://tracker.example/1.png)', '<strong>a</strong> seen'],
  ['- [x] done\n- [ ] open', '<ul>\n<li>☑ done</li>\n<li>☐ open</li>\n</ul>'],
]
for (const [text, html] of formatted) {
  test(`Markdown: ${JSON.stringify(text)}`, t => {
    t.is(formattedBody(text, []), html)
  })
}

test('what only looks like Markdown to a machine stays text', t => {
  for (const text of ['2 * 3 * 4', 'snake_case_name', '    four spaces', 'a\nb', '#1', '[a]: b'])
    t.is(formattedBody(text, []), null, text)
  t.false((formattedBody('<script>alert(1)</script> **x**', []) ?? '').includes('<script'))
})

test('a mention is told in m.mentions and a pill, and its name is never Markdown', t => {
  const odd = { userId: '@x:clinic.example', name: '**Dr** <b>X</b>' }
  const said = content({ text: `Please ask @${odd.name} and @Jonas Weber`, mentions: [odd, jonasMention] })
  t.deepEqual(said['m.mentions'], { user_ids: [odd.userId, jonas] })
  t.is(
    said['formatted_body'],
    'Please ask <a href="https://matrix.to/#/%40x%3Aclinic.example">**Dr** &lt;b&gt;X&lt;/b&gt;</a> and <a href="https://matrix.to/#/%40jonas%3Acourt.example">Jonas Weber</a>',
  )
})

test('a mention that was deleted from the text mentions nobody', t => {
  t.deepEqual(content({ text: 'never mind', mentions: [jonasMention] })['m.mentions'], {})
  t.deepEqual(presentMentions('@Jonas Weber @Jonas Weber', [jonasMention, jonasMention]), [jonasMention])
})

test('of two names that begin alike the longer one is found', t => {
  const short = { userId: '@a:x', name: 'Amal' }
  const long = { userId: '@b:x', name: 'Amal Nasser' }
  t.true(formattedBody('@Amal Nasser', [short, long])!.includes('%40b%3Ax'))
})

test('everybody is mentioned by choice, not by the word', t => {
  t.deepEqual(content({ text: '@room please read' })['m.mentions'], {})
  t.deepEqual(
    content({ text: '@room please read', mentions: [{ userId: null, name: 'room' }] })['m.mentions'],
    {
      room: true,
    },
  )
})

test('an answer mentions whom it answers, but for ourselves', t => {
  const replyTo = { eventId: '$1', sender: jonas, senderName: 'Jonas', text: 'x' }
  t.deepEqual(content({ text: 'yes', replyTo })['m.mentions'], { user_ids: [jonas] })
  t.deepEqual(content({ text: 'yes', replyTo })['m.relates_to'], { 'm.in_reply_to': { event_id: '$1' } })
  t.deepEqual(content({ text: 'yes', replyTo: { ...replyTo, sender: amal } })['m.mentions'], {})
})

test('an edit tells only those who were not told before', t => {
  const said = content({
    text: '@Jonas Weber: **page two**',
    mentions: [jonasMention],
    editing: { eventId: '$7', mentioned: [jonas] },
  })
  t.deepEqual(said['m.relates_to'], { rel_type: 'm.replace', event_id: '$7' })
  t.deepEqual(said['m.mentions'], {})
  t.like(said['m.new_content'], { body: '@Jonas Weber: **page two**', 'm.mentions': { user_ids: [jonas] } })
  t.is(said['body'], '* @Jonas Weber: **page two**')
})

test('in a thread, clients without threads see an answer to what came last', t => {
  t.deepEqual(content({ text: 'x' }, { root: '$root', last: '$last' })['m.relates_to'], {
    rel_type: 'm.thread',
    event_id: '$root',
    is_falling_back: true,
    'm.in_reply_to': { event_id: '$last' },
  })
})

test('/me is an act; a message that no event can hold is too long', t => {
  t.like(content({ text: '/me nods' }), { msgtype: 'm.emote', body: 'nods' })
  t.false(isTooLong(content({ text: 'x'.repeat(30_000) })))
  t.true(isTooLong(content({ text: 'ع'.repeat(30_000) })))
})

test('a name that is being typed is found at the caret, an address of mail is not', t => {
  t.deepEqual(mentionQuery('ask @jo', 7), { start: 4, text: 'jo' })
  t.deepEqual(mentionQuery('@', 1), { start: 0, text: '' })
  t.deepEqual(mentionQuery('@Jonas We', 9), { start: 0, text: 'Jonas We' })
  t.is(mentionQuery('me@clinic', 9), null)
  t.is(mentionQuery('ask @jo now', 2), null)
})

test('members are found by name and id, without accents, those who wrote lately first', t => {
  const member = (userId: string, name: string, change: Partial<Member> = {}): Member => ({
    userId,
    name,
    ambiguous: false,
    avatar: null,
    membership: 'join',
    power: 0,
    external: false,
    ...change,
  })
  const members = [
    member(amal, 'Amal Nasser'),
    member(jonas, 'Jonas Weber'),
    member(samir, 'Samir Haddad'),
    member('@renée:x', 'Renée'),
    member('@gone:x', 'Jona', { membership: 'ban' }),
    member('@ahmad:x', 'أحمد'),
  ]
  const found = (query: string, recent: string[] = []) =>
    matchingMembers(members, query, { recent, ourUserId: amal, limit: 3 }).map(each => each.userId)
  t.deepEqual(found('jo'), [jonas])
  t.deepEqual(found('web'), [jonas])
  t.deepEqual(found('renee'), ['@renée:x'])
  t.deepEqual(found('احمد'), ['@ahmad:x'])
  t.is(found('', [samir])[0], samir)
  t.deepEqual(withMention('ask @jo now', { start: 4, text: 'jo' }, 7, 'Jonas Weber'), {
    text: 'ask @Jonas Weber now',
    caret: 17,
  })
  t.is(mentionName({ name: '\u202e\u200b', userId: '@odd:x' }), 'odd')
})

test('whoever edits a message finds afterwards what they were writing before', t => {
  const draft: Draft = { ...emptyDraft, text: 'half a thought' }
  const edit: Draft = { ...emptyDraft, text: 'it was', editing: { eventId: '$1', mentioned: [] } }
  const editing = turnedTo(edit, { draft, aside: emptyDraft })
  t.is(editing.draft, edit)
  const typed = turnedTo({ ...edit, text: 'it is' }, editing)
  t.is(typed.draft.text, 'it is')
  t.deepEqual(turnedTo(emptyDraft, typed), { draft, aside: emptyDraft })
  const other = turnedTo({ ...edit, editing: { eventId: '$2', mentioned: [] } }, typed)
  t.deepEqual(turnedTo(emptyDraft, other).draft, draft)
  const replyTo = { eventId: '$3', sender: jonas, senderName: 'Jonas', text: 'x' }
  t.deepEqual(turnedTo({ ...emptyDraft, replyTo }, typed).draft, { ...draft, replyTo })
})

test('what could not leave is written again, in its order, and takes nothing from what is being written', t => {
  const of = (text: string, more: Partial<Draft> = {}): Draft => ({ ...emptyDraft, text, ...more })
  const one = of('one', { mentions: [jonasMention] })
  t.deepEqual(givenBack([one], { draft: emptyDraft, aside: emptyDraft }).draft, one)
  t.deepEqual(givenBack([one, of('two')], { draft: of('three'), aside: emptyDraft }).draft, {
    ...of('one\ntwo\nthree'),
    mentions: [jonasMention],
  })
  const edit = of('it was', { editing: { eventId: '$1', mentioned: [] } })
  t.deepEqual(givenBack([one], { draft: edit, aside: of('aside') }), {
    draft: edit,
    aside: { ...one, text: 'one\naside' },
  })
  t.deepEqual(givenBack([one, edit], { draft: of('three'), aside: emptyDraft }), {
    draft: edit,
    aside: { ...one, text: 'one\nthree' },
  })
})

test('a draft survives being kept; what is not one is empty', t => {
  const draft: Draft = {
    text: '@Jonas Weber hello',
    mentions: [jonasMention],
    replyTo: { eventId: '$1', sender: jonas, senderName: 'Jonas', text: 'x' },
    editing: null,
  }
  t.deepEqual(parseDraft(storedDraft(draft)), draft)
  t.is(storedDraft(emptyDraft), null)
  t.is(storedDraft({ ...draft, editing: { eventId: '$1', mentioned: [] } }), null)
  for (const broken of [null, {}, { text: 7 }, { text: 'x', mentions: [1, null, { name: 3 }], replyTo: 'y' }])
    t.notThrows(() => parseDraft(broken as never))
})
