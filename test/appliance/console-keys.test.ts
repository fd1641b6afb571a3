import test from 'ava'
import { type Key, KeyReader } from '../../appliance/console/keys.ts'

const named = (keys: readonly Key[]) =>
  keys
    .map(key =>
      key.key === 'text' ? key.text : key.key === 'size' ? `${key.columns}x${key.rows}` : `<${key.key}>`,
    )
    .join('')

const rows: [string, string][] = [
  ['abc\r', 'abc<enter>'],
  ['a\nb\r\nc', 'a<enter>b<enter>c'],
  ['\x1b[A\x1b[B\x1bOC\x1b[D', '<up><down><right><left>'],
  ['\x1b[5~\x1b[6~\x1b[3~\x1b[1~\x1b[4~\x1b[Z', '<page-up><page-down><delete><home><end><back-tab>'],
  ['\x1b[1;5A', '<up>'],
  ['\x7f\b\t\x0c\x15', '<backspace><backspace><tab><redraw><clear>'],
  ['\x1b[24;80R', '80x24'],
  ['ü€😀', 'ü€😀'],
  ['\x03\x04\x1a\x00\x11\x13', ''],
  ['\x1b[99X\x1b[200~', ''],
  ['\x1b[[A', ''],
]
for (const [bytes, wanted] of rows) {
  test(`${JSON.stringify(bytes)} is read as ${wanted}`, t =>
    t.is(named(new KeyReader().read(Buffer.from(bytes))), wanted))
  test(`${JSON.stringify(bytes)} is read the same byte by byte`, t => {
    const reader = new KeyReader()
    t.is(named([...Buffer.from(bytes)].flatMap(byte => reader.read(Buffer.from([byte])))), wanted)
  })
}

test('an escape that stands alone is the key, once nothing follows', t => {
  const reader = new KeyReader()
  t.deepEqual(reader.read(Buffer.from('\x1b')), [])
  t.true(reader.waits)
  t.is(named(reader.flush()), '<escape>')
  t.false(reader.waits)
})

test('a sequence that never ends is dropped', t => {
  const reader = new KeyReader()
  t.is(named(reader.read(Buffer.from(`\x1b[${'1;'.repeat(5000)}`))).includes('<escape>'), true)
  t.is(named([...reader.read(Buffer.from('x')), ...reader.flush()]).endsWith('x'), true)
})

test('random bytes never throw, and never make a control character', t => {
  let seed = 7
  const next = () => (seed = (seed * 1103515245 + 12345) % 2147483648)
  const reader = new KeyReader()
  for (let i = 0; i < 3000; i++) {
    const bytes = Buffer.from(Array.from({ length: next() % 12 }, () => (next() >> 8) % 256))
    for (const key of [...reader.read(bytes), ...reader.flush()])
      if (key.key === 'text' && /\p{Cc}/u.test(key.text)) t.fail(JSON.stringify(key.text))
  }
  t.pass()
})
