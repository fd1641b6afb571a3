import test from 'ava'
import { asciiOf, shown, wrapped } from '../../appliance/console/shown-text.ts'

const painted: [string, string][] = [
  ['clinic.example', 'clinic.example'],
  ['Gesundheitsamt Köln, Straße 5', 'Gesundheitsamt Köln, Straße 5'],
  ['Łódź, Željko, Čapek', '?ódz, Zeljko, Capek'],
  ['it’s “quoted” … – —', 'it\'s "quoted" ... - -'],
  ['\x1b[2J\x1b]0;title\x07', '·[2J·]0;title·'],
  ['\x9b31m', '·31m'],
  ['a\r\nb\u2028c', 'a··b·c'],
  ['\u202eexe.gpj\u202c', '·exe.gpj·'],
  ['zero\u200bwidth\ufeff', 'zero·width·'],
  ['a\u0301\u0302\u0303 b', 'a b'],
  ['漢字 عربي', '?? ????'],
  ['👩‍⚕️ 🔒', '?·? ?'],
  ['\ud800', '?'],
]
for (const [given, wanted] of painted)
  test(`${JSON.stringify(given)} is painted as ${wanted}`, t => t.is(shown(given), wanted))

test('nothing in the whole of Unicode becomes anything but one glyph of the font, or nothing', t => {
  for (let code = 0; code < 0x110000; code += code < 0x3000 ? 1 : 7) {
    const out = shown(String.fromCodePoint(code))
    if (out.length > 3 || /[^ -~·─│┌┐└┘├┤┬┴┼═║▀▄█▌▐░▒▓■•°±²»«½¼\u00a1-\u00ff]/.test(out))
      t.fail(`U+${code.toString(16)}: ${out}`)
    for (const glyph of out)
      if (!/^[ -~]$/.test(asciiOf(glyph))) t.fail(`U+${code.toString(16)} on a serial line`)
  }
  t.pass()
})

test('lines break between words, and inside what is longer than a line', t => {
  t.deepEqual(wrapped('one two three', 7), ['one two', 'three'])
  t.deepEqual(wrapped('abcdefghij kl', 4), ['abcd', 'efgh', 'ij', 'kl'])
  t.deepEqual(wrapped('  indented text', 10), ['  indented', 'text'])
  t.deepEqual(wrapped('a\n\nb', 4), ['a', '', 'b'])
  t.true(wrapped('漢'.repeat(500), 60).every(line => line.length <= 60))
})
