/** Two parts, as servers write them, in pieces of any size; and what is not two parts. */
import test from 'ava'
import { boundaryIn, MultipartError, readFilePart } from '../../server/federation/multipart.ts'

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read(text: string | Buffer, size = 7, boundary = 'b') {
  const { headers, body } = await readFilePart(pieces(Buffer.from(text), size), boundary)
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return { headers: Object.fromEntries(headers), body: Buffer.concat(chunks).toString('latin1') }
}

const file = 'two\r\nlines\r\n--not the end\r\n--'
const whole = `--b\r\nContent-Type: application/json\r\n\r\n{}\r\n--b\r\nContent-Type: text/plain\r\nX: y\r\n\r\n${file}\r\n--b--\r\n`

for (const size of [1, 2, 3, 5, 64, 10_000]) {
  test(`a file comes out whole, ${size} bytes at a time`, async t => {
    t.deepEqual(await read(whole, size), { headers: { 'content-type': 'text/plain', x: 'y' }, body: file })
  })
}

test('a preamble, parts without headers, spaces after a delimiter, an empty file, an epilogue', async t => {
  const text = `words before\r\n--b  \r\n\r\n{}\r\n--b\r\n\r\n\r\n--b--\r\nwords after`
  t.deepEqual(await read(text), { headers: {}, body: '' })
})

for (const [name, text] of [
  ['nothing', ''],
  ['no delimiter', 'x'.repeat(100_000)],
  ['one part', '--b\r\n\r\n{}\r\n--b--\r\n'],
  ['no end', whole.slice(0, -8)],
  ['headers without end', `--b\r\n\r\n{}\r\n--b\r\nX: ${'y'.repeat(100_000)}`],
  ['metadata without end', `--b\r\n\r\n${'{'.repeat(1_000_000)}`],
] as const) {
  test(`not whole: ${name}`, async t => {
    await t.throwsAsync(read(text, 1_000), { instanceOf: MultipartError })
  })
}

test('the boundary is found in the type, quoted or not', t => {
  t.is(boundaryIn('multipart/mixed; boundary=abc'), 'abc')
  t.is(boundaryIn('Multipart/Mixed;charset=x; boundary="a b;c"'), 'a b;c')
  for (const type of [
    undefined,
    'text/plain; boundary=abc',
    'multipart/mixed',
    'multipart/mixed; boundary=',
  ]) {
    t.is(boundaryIn(type), null)
  }
})
