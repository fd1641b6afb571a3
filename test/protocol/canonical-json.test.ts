import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { CanonicalJsonError, canonicalJson } from '../../server/protocol/canonical-json.ts'
import type { Json, JsonObject } from '../../server/protocol/json.ts'

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/canonical-json.json', import.meta.url), 'utf8'),
) as { cases: { json: string; canonical: string }[] }

for (const { json, canonical } of vectors.cases) {
  test(`the specification's example ${json} becomes ${canonical}`, t => {
    t.is(canonicalJson(JSON.parse(json) as Json), canonical)
  })
}

const refused: [what: string, value: unknown, code: string][] = [
  ['a fraction', { a: 1.5 }, 'NOT_AN_INTEGER'],
  ['infinity, which 1e400 parses to', JSON.parse('{"a":1e400}'), 'NOT_AN_INTEGER'],
  ['what is not a number', [Number.NaN], 'NOT_AN_INTEGER'],
  ['2^53', { a: 2 ** 53 }, 'INTEGER_OUT_OF_RANGE'],
  ['2^53 + 1, which parses to 2^53', JSON.parse('[9007199254740993]'), 'INTEGER_OUT_OF_RANGE'],
  ['-2^53', { a: -(2 ** 53) }, 'INTEGER_OUT_OF_RANGE'],
  ['half of a surrogate pair in a string', { a: 'x\ud800y' }, 'LONE_SURROGATE'],
  ['half of a surrogate pair in a key', { '\udc00': 1 }, 'LONE_SURROGATE'],
  ['a hole in an array', [undefined], 'NOT_JSON'],
  ['a function', { a: () => 1 }, 'NOT_JSON'],
  ['a bigint', { a: 1n }, 'NOT_JSON'],
]
for (const [what, value, code] of refused) {
  test(`${what} is refused as ${code}`, t => {
    const error = t.throws(() => canonicalJson(value as Json), { instanceOf: CanonicalJsonError })
    t.is(error?.code, code as CanonicalJsonError['code'])
  })
}

test('the largest and smallest integers pass', t => {
  t.is(canonicalJson([2 ** 53 - 1, -(2 ** 53) + 1]), '[9007199254740991,-9007199254740991]')
})

test('keys sort by code point, also where UTF-16 would sort them otherwise', t => {
  // U+FF21 is one code unit; U+1F600 begins with D83D, which is smaller.
  t.is(canonicalJson({ '😀': 1, Ａ: 2, a: 3, ab: 4 }), '{"a":3,"ab":4,"Ａ":2,"😀":1}')
  t.is(canonicalJson({ Ａ: 2, '😀x': 1, '😀': 0 }), '{"Ａ":2,"😀":0,"😀x":1}')
})

test('keys that look like numbers sort as text', t => {
  t.is(canonicalJson({ 10: 1, 9: 2, a: 3, 1: 4 }), '{"1":4,"10":1,"9":2,"a":3}')
})

test('members that are undefined do not exist', t => {
  t.is(canonicalJson({ b: undefined, a: 1, c: { d: undefined } }), '{"a":1,"c":{}}')
})

test('names of what every object inherits are keys like any other', t => {
  t.is(
    canonicalJson(JSON.parse('{"constructor":1,"__proto__":{"a":2},"toString":3}') as Json),
    '{"__proto__":{"a":2},"constructor":1,"toString":3}',
  )
})

test('control characters are escaped as the grammar has it, others are not', t => {
  const text = '\u0000\u0007\b\t\n\u000b\f\r\u001f"\\/\u007f\u2028é'
  t.is(canonicalJson(text), '"\\u0000\\u0007\\b\\t\\n\\u000b\\f\\r\\u001f\\"\\\\/\u007f\u2028é"')
})

test('a value 30,000 deep is written without overflowing the stack', t => {
  const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
  t.is(canonicalJson(JSON.parse(deep) as Json), deep)
  const objects = `${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}`
  t.is(canonicalJson(JSON.parse(objects) as Json), objects)
})

const integers = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })
const values = fc.letrec<{ value: Json }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json>(null, true, false),
    integers,
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.string({ unit: 'binary', maxLength: 4 }), tie('value'), { maxKeys: 6 }),
  ) as fc.Arbitrary<Json>,
})).value

test('for any value the text parses back to the same value, and writing it again changes nothing', t => {
  fc.assert(
    fc.property(values, value => {
      const text = canonicalJson(value)
      const back = JSON.parse(text) as Json
      t.deepEqual(back, JSON.parse(JSON.stringify(value)))
      t.is(canonicalJson(back), text)
    }),
    { numRuns: 300 },
  )
  t.pass()
})

test('the order in which members were set makes no difference', t => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary', maxLength: 3 }), integers), object => {
      const reversed = Object.fromEntries(Object.entries(object).reverse()) as JsonObject
      t.is(canonicalJson(reversed), canonicalJson(object))
    }),
    { numRuns: 300 },
  )
})

test('keys come in the order of their code points', t => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary', maxLength: 3 }), fc.constant(0)), object => {
      const written = [...canonicalJson(object).matchAll(/"(?:[^"\\]|\\.)*"/g)].map(
        ([text]) => JSON.parse(text) as string,
      )
      const byCodePoints = [...written].sort((a, b) => compare([...a], [...b]))
      t.deepEqual(written, byCodePoints)
    }),
    { numRuns: 300 },
  )
})

function compare(a: string[], b: string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = a[i]!.codePointAt(0)! - b[i]!.codePointAt(0)!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
