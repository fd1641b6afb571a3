import test from 'ava'
import fc from 'fast-check'
import { fitsUtf8, utf8Bytes, utf8Length } from '../../server/protocol/utf8.ts'

test('the length is the number of bytes, for any text', t => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.constantFrom('a', 'é', '日', '😀', '\ud800', '\udc00') }),
      ),
      text => {
        const bytes = utf8Bytes(text).length
        t.is(utf8Length(text), bytes)
        t.true(fitsUtf8(text, bytes))
        t.is(fitsUtf8(text, bytes - 1), false)
      },
    ),
    { numRuns: 500 },
  )
})
