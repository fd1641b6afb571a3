/** What of a message stands in lists and notifications, and what it is found by. */
import test from 'ava'
import { plainText, searchedText } from '../../../pwa/sync/reading.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'

const message = (content: JsonObject): { type: string; content: JsonObject } => ({
  type: 'm.room.message',
  content: { msgtype: 'm.text', ...content },
})
const html = (formatted: string, body = 'body') =>
  message({ body, format: 'org.matrix.custom.html', formatted_body: formatted })

const lines: [what: string, event: ReturnType<typeof message>, line: string][] = [
  ['plain words as they are', message({ body: 'a **b**\n c' }), 'a **b** c'],
  [
    'formatted words without their marks',
    html('Hello <strong>Jonas</strong><br>x', 'Hello **Jonas**'),
    'Hello Jonas x',
  ],
  ['each paragraph and point apart', html('<p>a</p><ul><li>b</li><li>c</li></ul>'), 'a b c'],
  ['what is hidden hidden', html('He <span data-mx-spoiler="why">dies</span>.', 'He ||dies||.'), 'He ▒▒▒.'],
  [
    'a mention by its name',
    html('<a href="https://matrix.to/#/@a:b">Amal</a> &amp; &lt;b&gt;'),
    'Amal & <b>',
  ],
  ['no quotation of what it answers', html('<mx-reply><blockquote>old</blockquote></mx-reply>new'), 'new'],
  ['its body where nothing is left', html('<img src=x>'), 'body'],
  ['its body where the HTML is none', message({ body: 'body', formatted_body: '<b>x</b>' }), 'body'],
  ['no word of what is no message', { type: 'm.reaction', content: { body: 'x' } }, ''],
]
for (const [what, event, line] of lines)
  test(`a line of text says ${what}`, t => t.is(plainText(event), line))

test('HTML that is no end of tags costs no time worth a word', t => {
  const started = process.cpuUsage()
  plainText(html('<'.repeat(60_000)))
  plainText(html('<span data-mx-spoiler '.repeat(3_000)))
  t.true(process.cpuUsage(started).user < 1_000_000)
})

test('a message is found by its last word, and a file with words by its name', t => {
  const long = `${'word '.repeat(4_000)}needle`
  t.true(searchedText(message({ body: long })).endsWith('needle'))
  t.is(searchedText(message({ body: 'look', filename: 'scan 12.pdf' })), 'look scan 12.pdf')
  t.is(searchedText(message({ body: 'scan.pdf', filename: 'scan.pdf' })), 'scan.pdf')
})
