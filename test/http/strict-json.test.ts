import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { MatrixError } from '../../server/http/matrix-error.ts'
import { fault, maxJsonDepth, parseJsonObject, parseStrictJson } from '../../server/http/strict-json.ts'

const parse = (text: string) => parseStrictJson(Buffer.from(text))

function refusal(run: () => unknown): MatrixError {
  try {
    run()
  } catch (error) {
    if (error instanceof MatrixError) return error
    throw error
  }
  throw new Error('was accepted')
}

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

const valid = [
  '{}',
  ' { } \n',
  '[]',
  'null',
  '"x"',
  '-0.5e-3',
  '{"a":{"a":{"a":1}}}',
  '[{"a":1},{"a":1}]',
  '{"a:b":":","c":"{\\"a\\":1,\\"a\\":2}"}',
  '{"":1}',
  '{"__proto__":{"x":1},"constructor":2}',
  '{"e":"\\ud83d\\ude00"}',
  '{"e":"😀 é \u0000"}'.replace('\u0000', '\\u0000'),
  '{"order":0.25,"big":12345678901234567890,"small":1e-400}',
  '{"quote":"\\\\\\"","next":1}',
  '{"backslash":"\\\\","next":1}',
  nested(maxJsonDepth),
]

for (const [index, text] of valid.entries()) {
  test(`valid ${index} means what JSON.parse makes of it: ${text.slice(0, 40)}`, t => {
    t.deepEqual(parse(text), JSON.parse(text))
  })
}

const invalid: readonly (readonly [string, string, RegExp])[] = [
  ['', 'M_NOT_JSON', /too early, at position 0/],
  ['{', 'M_NOT_JSON', /too early/],
  ['{"a":1', 'M_NOT_JSON', /too early/],
  ['{"a":1}}', 'M_NOT_JSON', /position 7/],
  ['{"a":1,}', 'M_NOT_JSON', /position 7/],
  ['[1,]', 'M_NOT_JSON', /position 3/],
  ["{'a':1}", 'M_NOT_JSON', /position 1/],
  ['{a:1}', 'M_NOT_JSON', /position 1/],
  ['{"a" 1}', 'M_NOT_JSON', /position 5/],
  ['{"a":01}', 'M_NOT_JSON', /position 6/],
  ['{"a":+1}', 'M_NOT_JSON', /position 5/],
  ['{"a":.5}', 'M_NOT_JSON', /position 5/],
  ['{"a":NaN}', 'M_NOT_JSON', /position 5/],
  ['{"a":Infinity}', 'M_NOT_JSON', /position 5/],
  ['{"a":tru}', 'M_NOT_JSON', /position 5/],
  ['{"a":"\u0001"}', 'M_NOT_JSON', /position 6/],
  ['{"a":"\n"}', 'M_NOT_JSON', /position 6/],
  ['{"a":"\\x41"}', 'M_NOT_JSON', /position 6/],
  ['{"a":"\\u12"}', 'M_NOT_JSON', /position 6/],
  ['{"a":"x', 'M_NOT_JSON', /too early/],
  ['\ufeff{}', 'M_NOT_JSON', /position 0/],
  ['{}//', 'M_NOT_JSON', /position 2/],
  ['{"a":1} {"b":2}', 'M_NOT_JSON', /position 8/],
  ['{"a":1,"a":1}', 'M_BAD_JSON', /"a" stands twice/],
  ['{"a":1,"\\u0061":2}', 'M_BAD_JSON', /"a" stands twice/],
  ['{"__proto__":1,"__proto__":2}', 'M_BAD_JSON', /"__proto__" stands twice/],
  ['{"content":{"list":[{"k":1},{"k":1,"k":2}]}}', 'M_BAD_JSON', /in content\.list\.1 /],
  ['{"a":1e400}', 'M_BAD_JSON', /out of range, in a /],
  ['[-1e999]', 'M_BAD_JSON', /out of range, in 0 /],
  ['{"a":"\\ud800"}', 'M_BAD_JSON', /half a surrogate pair in a string, in a /],
  ['{"a":"\\ude00\\ud83d"}', 'M_BAD_JSON', /half a surrogate/],
  ['{"\\udfff":1}', 'M_BAD_JSON', /half a surrogate pair in a key/],
  [nested(maxJsonDepth + 1), 'M_BAD_JSON', /deeper than 100/],
  ['{"a":'.repeat(30_000), 'M_BAD_JSON', /deeper than 100/],
]

for (const [index, [text, errcode, message]] of invalid.entries()) {
  test(`invalid ${index} is refused with its place: ${JSON.stringify(text.slice(0, 40))}`, t => {
    const error = refusal(() => parse(text))
    t.is(error.status, 400)
    t.is(error.errcode, errcode)
    t.regex(error.message, message)
  })
}

test('bytes that are no UTF-8 are refused', t => {
  for (const bytes of [
    [0x22, 0xff, 0x22],
    [0x22, 0xc3, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
    [0x22, 0xc0, 0xaf, 0x22],
  ]) {
    t.is(refusal(() => parseStrictJson(Buffer.from(bytes))).errcode, 'M_NOT_JSON')
  }
})

test('a body must be an object', t => {
  for (const text of ['[]', 'null', '1', '"x"', 'true']) {
    t.is(refusal(() => parseJsonObject(Buffer.from(text))).errcode, 'M_BAD_JSON')
  }
})

test('the place is named even where key and string are huge', t => {
  const error = refusal(() =>
    parse(`{"${'k'.repeat(500_000)}":{"x":1,"x":2},"s":"${'\\n'.repeat(300_000)}"}`),
  )
  t.is(error.errcode, 'M_BAD_JSON')
  t.true(error.message.length < 500)
})

test('what stringify writes is read back', t => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), value => {
      const text = JSON.stringify(value)
      t.deepEqual(parse(text), JSON.parse(text))
    }),
    { numRuns: 300 },
  )
})

/** The slow reader is the oracle: a text passes the fast way exactly when the slow one finds no fault. */
function waysAgree(bytes: Buffer): boolean {
  let accepted = true
  try {
    parseStrictJson(bytes)
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error
    accepted = false
  }
  const clean = fault(bytes.toString('utf8')).message === 'The body is not valid JSON.'
  return accepted === clean
}

test('the fast way and the slow way refuse the same', t => {
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"a"',
    '"b"',
    '"\\ud800"',
    '1',
    '1e400',
    '-',
    'null',
    ' ',
    '"',
    '\\',
    '\\u0061',
  ]
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 14 }), parts =>
      waysAgree(Buffer.from(parts.join(''))),
    ),
    { numRuns: 5_000 },
  )
  t.pass()
})

test('a changed byte in good JSON never splits the two ways', t => {
  const good = Buffer.from('{"a":{"b":[1,2.5e3,"\\u00e9\\n"],"c":null},"d":"x:y","e":{"a":true}}')
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(127), (at, byte) => {
      const changed = Buffer.from(good)
      changed[at] = byte
      return waysAgree(changed)
    }),
    { numRuns: 2_000 },
  )
  t.pass()
})

// Saved finds of the properties above and of hand: one file a case, its name says what must come of it.
const corpus = new URL('../corpus/strict-json/', import.meta.url)
for (const name of readdirSync(corpus)) {
  test(`corpus: ${name}`, t => {
    const bytes = readFileSync(new URL(name, corpus))
    if (name.startsWith('valid-')) t.notThrows(() => parseStrictJson(bytes))
    else if (name.startsWith('bad-')) t.is(refusal(() => parseStrictJson(bytes)).errcode, 'M_BAD_JSON')
    else t.is(refusal(() => parseStrictJson(bytes)).errcode, 'M_NOT_JSON')
  })
}
