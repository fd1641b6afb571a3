/** Keys keep the order of their parts, and give the parts back. */
import test from 'ava'
import fc from 'fast-check'
import { jsonTable, tableOf, textTable } from '../../server/store/key.ts'

const mixed = jsonTable<null>()('zm', 'key test: mixed', ['text', 'position', 'u32', 'signed', 'text'])
const named = textTable('zn', 'key test: names', ['text', 'text'])

const text = fc.string({ unit: 'binary' }).filter(value => value.isWellFormed())
const parts = fc.tuple(
  text,
  fc.maxSafeNat(),
  fc.nat(2 ** 32 - 1),
  fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }),
  text,
)

test('parts come back as they went in', t => {
  fc.assert(fc.property(parts, p => t.deepEqual(mixed.parts(mixed.key(...p)), p)))
  t.pass()
})

test('keys sort as their parts do, as strings and as the bytes on disk', t => {
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const expected = Math.sign(compareParts(a, b)) as -1 | 0 | 1
      const [x, y] = [mixed.key(...a), mixed.key(...b)]
      t.is(x < y ? -1 : x > y ? 1 : 0, expected)
      t.is(Buffer.compare(Buffer.from(x, 'utf8'), Buffer.from(y, 'utf8')), expected)
    }),
  )
  t.pass()
})

test('texts that share a beginning stay apart', t => {
  const close = fc.array(fc.constantFrom('\x00', '\x01', '\xff', 'a', 'ä', '\u{10ffff}'), { maxLength: 4 })
  fc.assert(
    fc.property(close, close, close, close, (a, b, c, d) => {
      const [p, q] = [
        [a.join(''), b.join('')],
        [c.join(''), d.join('')],
      ] as [[string, string], [string, string]]
      const [x, y] = [named.key(...p), named.key(...q)]
      t.is(Math.sign(compareParts(p, q)), x < y ? -1 : x > y ? 1 : 0)
      t.deepEqual(named.parts(x), p)
      const { from, to } = named.under(p[0])
      t.is(y >= from && y < to, q[0] === p[0])
    }),
  )
  t.pass()
})

test('a number that does not fit is refused, not put somewhere else', t => {
  for (const [position, u32, signed] of [
    [-1, 0, 0],
    [2 ** 53, 0, 0],
    [0.5, 0, 0],
    [Number.NaN, 0, 0],
    [0, 2 ** 32, 0],
    [0, -1, 0],
    [0, 0, 2 ** 52],
    [0, 0, -(2 ** 52) - 1],
  ] as const) {
    t.throws(() => mixed.key('', position, u32, signed, ''), { instanceOf: RangeError })
  }
  t.throws(() => named.key('\ud800', ''), { instanceOf: RangeError })
})

test('a prefix belongs to one table', t => {
  t.is(tableOf(named.key('a', 'b')) as unknown, named)
  t.throws(() => textTable('zn', 'another', ['text']), { message: /taken by key test: names/ })
  t.throws(() => textTable('z', 'short', ['text']), { message: /two letters/ })
  t.throws(() => tableOf('??'), { message: /no table/ })
})

function compareParts(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (const [i, x] of a.entries()) {
    const y = b[i]!
    const order =
      typeof x === 'number'
        ? x - (y as number)
        : Buffer.compare(Buffer.from(x, 'utf8'), Buffer.from(y as string, 'utf8'))
    if (order !== 0) return order
  }
  return 0
}
