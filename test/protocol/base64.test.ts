import test from 'ava'
import fc from 'fast-check'
import { decodeBase64, decodeBase64Url, encodeBase64, encodeBase64Url } from '../../server/protocol/base64.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

// Spec: appendices#unpadded-base64
for (const [text, encoded] of [
  ['', ''],
  ['f', 'Zg'],
  ['fo', 'Zm8'],
  ['foo', 'Zm9v'],
  ['foob', 'Zm9vYg'],
  ['fooba', 'Zm9vYmE'],
  ['foobar', 'Zm9vYmFy'],
] as const) {
  test(`the specification's example "${text}" is ${encoded || 'empty'}, with padding or without`, t => {
    t.is(encodeBase64(bytes(text)), encoded)
    t.deepEqual(decodeBase64(encoded), bytes(text))
    t.deepEqual(decodeBase64(encoded.padEnd(Math.ceil(encoded.length / 4) * 4, '=')), bytes(text))
  })
}

for (const text of [
  'A',
  'AAAAA',
  'Zg=',
  'Z===',
  'Zm9v====',
  '=',
  '====',
  'Zm 9v',
  'Zm9v\n',
  'Zm9_',
  'Zm-v',
  'Zé',
  'Zg=A',
]) {
  test(`${JSON.stringify(text)} is not standard base64`, t => {
    t.is(decodeBase64(text), null)
  })
}

test('the URL-safe alphabet is its own', t => {
  const odd = new Uint8Array([0xfb, 0xff, 0xbf])
  t.is(encodeBase64(odd), '+/+/')
  t.is(encodeBase64Url(odd), '-_-_')
  t.deepEqual(decodeBase64Url('-_-_'), odd)
  t.is(decodeBase64Url('+/+/'), null)
  t.is(decodeBase64('-_-_'), null)
})

test("unused bits in the last character are ignored, as the specification's own signing key needs", t => {
  t.deepEqual(decodeBase64('Zh'), bytes('f'))
  t.is(decodeBase64('YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1')?.length, 32)
})

test('any bytes survive in both alphabets', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), data => {
      t.deepEqual(decodeBase64(encodeBase64(data)), new Uint8Array(data))
      t.deepEqual(decodeBase64Url(encodeBase64Url(data)), new Uint8Array(data))
    }),
  )
})
