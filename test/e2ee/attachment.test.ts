/** Encrypted files: the published vectors, a large one in little memory, and what is refused. */
import test from 'ava'
import { decryptAttachment, encryptAttachment } from '../../pwa/e2ee/attachment.ts'
import { randomBytes, ready } from '../../pwa/e2ee/primitives.ts'

test.before(() => ready)
const max = 1024 * 1024 * 1024

async function through(
  stream: TransformStream<Uint8Array, Uint8Array>,
  chunks: Iterable<Uint8Array>,
): Promise<Buffer> {
  const out: Uint8Array[] = []
  for await (const piece of ReadableStream.from(chunks).pipeThrough(stream)) out.push(piece)
  return Buffer.concat(out)
}

// The vectors of matrix-js-sdk's and the other clients' attachment libraries (Apache-2.0), as they are published.
const vectors = [
  {
    ciphertext: '',
    plaintext: '',
    info: {
      v: 'v2',
      key: {
        alg: 'A256CTR',
        k: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
        key_ops: ['encrypt', 'decrypt'],
        kty: 'oct',
      },
      iv: 'AAAAAAAAAAAAAAAAAAAAAA',
      hashes: { sha256: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU' },
    },
  },
  {
    ciphertext: '5xJZTt5cQicm+9f4',
    plaintext: 'SGVsbG8sIFdvcmxk',
    info: {
      v: 'v2',
      key: {
        alg: 'A256CTR',
        k: '__________________________________________8',
        key_ops: ['encrypt', 'decrypt'],
        kty: 'oct',
      },
      iv: '//////////8AAAAAAAAAAA',
      hashes: { sha256: 'YzF08lARDdOCzJpzuSwsjTNlQc4pHxpdHcXiD/wpK6k' },
    },
  },
]

for (const [i, { ciphertext, plaintext, info }] of vectors.entries()) {
  test(`the published vector ${i + 1} opens`, async t => {
    const opened = await through(decryptAttachment(info, max), [Buffer.from(ciphertext, 'base64')])
    t.is(opened.toString('base64'), plaintext)
  })
}

for (const size of [0, 1, 15, 16, 17, 65_535, 65_536, 65_537, 200_000]) {
  test(`${size} bytes come back, in chunks of any size`, async t => {
    const file = Buffer.from(randomBytes(size))
    const chunks = [file.subarray(0, size / 3), file.subarray(size / 3, size / 2), file.subarray(size / 2)]
    const encrypting = encryptAttachment(randomBytes)
    const ciphertext = await through(encrypting.stream, chunks)
    t.is(ciphertext.length, size)
    const opened = await through(decryptAttachment(encrypting.info(), max), [ciphertext])
    t.true(opened.equals(file))
    if (size > 16) t.false(ciphertext.equals(file))
  })
}

test('100 MB pass in bounded memory', async t => {
  const chunk = randomBytes(1024 * 1024)
  const encrypting = encryptAttachment(randomBytes)
  function* chunks() {
    for (let i = 0; i < 100; i++) yield chunk
  }
  const before = process.memoryUsage()
  let size = 0
  let most = 0
  for await (const piece of ReadableStream.from(chunks()).pipeThrough(encrypting.stream)) {
    size += piece.length
    most = Math.max(most, process.memoryUsage().arrayBuffers)
  }
  t.is(size, 100 * 1024 * 1024)
  t.true(most - before.arrayBuffers < 64 * 1024 * 1024, `${most - before.arrayBuffers} bytes held`)
})

test('a changed file fails before its last piece is given out', async t => {
  const encrypting = encryptAttachment(randomBytes)
  const ciphertext = await through(encrypting.stream, [randomBytes(100_000)])
  ciphertext[5] = ciphertext[5]! ^ 1
  let given = 0
  await t.throwsAsync(
    async () => {
      const opened = ReadableStream.from([ciphertext]).pipeThrough(decryptAttachment(encrypting.info(), max))
      for await (const piece of opened) given += piece.length
    },
    { code: 'ATTACHMENT_WRONG_HASH' },
  )
  t.true(given < 100_000)
})

test('a file that is larger than it may be is cut off', async t => {
  const encrypting = encryptAttachment(randomBytes)
  const ciphertext = await through(encrypting.stream, [randomBytes(200_000)])
  await t.throwsAsync(through(decryptAttachment(encrypting.info(), 100_000), [ciphertext]), {
    code: 'ATTACHMENT_TOO_LARGE',
  })
})

for (const [name, change] of Object.entries({
  'no key': { key: undefined },
  'another version': { v: 'v1' },
  'a short key': { key: { alg: 'A256CTR', kty: 'oct', k: 'AAAA' } },
  'another algorithm': { key: { alg: 'A128CTR', kty: 'oct', k: vectors[0]!.info.key.k } },
  'a short iv': { iv: 'AAAA' },
  'no hash': { hashes: {} },
})) {
  test(`refused: ${name}`, t => {
    t.throws(() => decryptAttachment({ ...vectors[0]!.info, ...change }, max), {
      code: 'ATTACHMENT_MALFORMED',
    })
  })
}
