/** Files of others: fetched, checked, kept. */
import test from 'ava'
import { ApiError } from '../../../pwa/api/api-error.ts'
import { encryptAttachment } from '../../../pwa/e2ee/attachment.ts'
import { randomBytes, ready } from '../../../pwa/e2ee/primitives.ts'
import { Media, mediaPath } from '../../../pwa/outbox/media.ts'
import type { TransferNews } from '../../../pwa/outbox/uploads.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { FaultyRecords } from './desk.ts'

test.before(() => ready)

const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3])
const address = 'mxc://b.example/one'
const most = 1000

/** A server of files. */
function shelf() {
  const records = new FaultyRecords()
  const news: TransferNews[] = []
  const asked: string[] = []
  const own = {
    records,
    news,
    asked,
    free: Number.POSITIVE_INFINITY,
    answer: (_path: string, _signal: AbortSignal): Response | Promise<Response> => new Response(png),
    media: undefined as unknown as Media,
    reopen: () => {
      own.media = new Media({
        records,
        http: {
          send: async (_method, path, options) => {
            asked.push(path)
            return await own.answer(path, options!.signal!)
          },
        },
        tell: each => news.push(each),
        waiting: async fileId => (fileId === 'mine' ? new Blob([png]) : null),
        freeBytes: async () => own.free,
      })
    },
  }
  own.reopen()
  return own
}

async function encrypted(bytes: Uint8Array<ArrayBuffer>) {
  const encrypting = encryptAttachment(randomBytes)
  const body = await new Response(new Blob([bytes]).stream().pipeThrough(encrypting.stream)).bytes()
  return { body, file: { ...encrypting.info(), url: address } as JsonObject }
}

test('an encrypted file is opened, kept, and there without the server', async t => {
  const own = shelf()
  const { body, file } = await encrypted(png)
  own.answer = () => new Response(body)
  const blob = await own.media.get({ file, maxBytes: most })
  t.deepEqual(await blob.bytes(), png)
  t.is(blob.type, 'image/png')
  t.like(own.news.at(-1), { id: address, state: 'done' })
  own.reopen()
  own.answer = () => {
    throw new ApiError('OFFLINE', 'no answer')
  }
  t.deepEqual(await (await own.media.get({ file, maxBytes: most })).bytes(), png)
  t.is(own.asked.length, 1)
})

test('what is not what the message says is not given out, and not kept', async t => {
  const own = shelf()
  const { body, file } = await encrypted(png)
  const changed = body.slice()
  changed[3]! ^= 1
  own.answer = () => new Response(changed)
  await t.throwsAsync(own.media.get({ file, maxBytes: most }), { code: 'ATTACHMENT_WRONG_HASH' })
  t.like(own.news.at(-1), { state: 'failed', code: 'ATTACHMENT_WRONG_HASH' })
  t.is((await Array.fromAsync(own.records.scan('media'))).length, 0)
  own.answer = () => new Response(body)
  t.is((await own.media.get({ file, maxBytes: most })).size, png.length)
})

test('a message that names another’s file under a key of its own is shown nothing of it', async t => {
  const own = shelf()
  const { body, file } = await encrypted(png)
  const other = await encrypted(png)
  own.answer = () => new Response(body)
  await own.media.get({ file, maxBytes: most })
  await t.throwsAsync(own.media.get({ file: other.file, maxBytes: most }), { code: 'ATTACHMENT_WRONG_HASH' })
  const plain = await own.media.get({ mxc: address, maxBytes: most })
  t.deepEqual(await plain.bytes(), body, 'and the ciphertext is only that')
})

for (const [what, bytes, type] of [
  [
    'an SVG',
    '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    'application/octet-stream',
  ],
  ['HTML', '<!doctype html><script>alert(1)</script>', 'application/octet-stream'],
  ['HTML that calls itself a GIF in the middle', ' GIF89a<script>', 'application/octet-stream'],
  ['nothing', '', 'application/octet-stream'],
  ['a WebP', 'RIFF0000WEBPVP8 ', 'image/webp'],
  ['an MP4', '\0\0\0\x18ftypmp42', 'video/mp4'],
  ['an Ogg', 'OggS\0\x02', 'audio/ogg'],
] as const) {
  test(`${what} is ${type}, whatever the server says`, async t => {
    const own = shelf()
    own.answer = () => new Response(bytes, { headers: { 'content-type': 'text/html' } })
    t.is((await own.media.get({ mxc: address, maxBytes: most })).type, type)
  })
}

test('what is larger than wanted is broken off, whether or not the server says so before', async t => {
  const own = shelf()
  own.answer = () => new Response('x', { headers: { 'content-length': '5000' } })
  await t.throwsAsync(own.media.get({ mxc: address, maxBytes: most }), { code: 'M_TOO_LARGE' })
  let pulled = 0
  own.answer = () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          pulled++
          controller.enqueue(new Uint8Array(400))
        },
      }),
    )
  await t.throwsAsync(own.media.get({ mxc: address, maxBytes: most }), { code: 'M_TOO_LARGE' })
  t.true(pulled < 10)
})

test('two who want the same at once fetch it once', async t => {
  const own = shelf()
  const [one, two] = await Promise.all([
    own.media.get({ mxc: address, maxBytes: most }),
    own.media.get({ mxc: address, maxBytes: most }),
  ])
  t.is(one, two)
  t.is(own.asked.length, 1)
})

test('a paused download waits, and is fetched when somebody goes on', async t => {
  const own = shelf()
  own.answer = (_, signal) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
    )
  const fetched = own.media.get({ mxc: address, maxBytes: most })
  await new Promise(resolve => setTimeout(resolve))
  own.media.pause(address)
  await new Promise(resolve => setTimeout(resolve))
  t.like(own.news.at(-1), { state: 'paused' })
  own.answer = () => new Response(png)
  own.media.resume(address)
  t.is((await fetched).size, png.length)
})

test('the end of the session ends downloads, also paused ones', async t => {
  const own = shelf()
  own.answer = (_, signal) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
    )
  const [paused, running] = [
    own.media.get({ mxc: address, maxBytes: most }),
    own.media.get({ mxc: 'mxc://b.example/two', maxBytes: most }),
  ]
  await new Promise(resolve => setTimeout(resolve))
  own.media.pause(address)
  await new Promise(resolve => setTimeout(resolve))
  own.media.stop()
  await t.throwsAsync(paused, { code: 'OFFLINE' })
  await t.throwsAsync(running, { code: 'OFFLINE' })
})

test('where the device has little room left nothing is kept, and everything is shown', async t => {
  const own = shelf()
  own.free = 1024
  t.is((await own.media.get({ mxc: address, maxBytes: most })).size, png.length)
  t.is((await Array.fromAsync(own.records.scan('media'))).length, 0)
})

test('what is kept stays within its budget: the oldest goes', async t => {
  const own = shelf()
  const big = new Uint8Array(4 * 1024 * 1024)
  own.answer = () => new Response(big)
  for (let i = 0; i < 34; i++) await own.media.get({ mxc: `mxc://b.example/f${i}`, maxBytes: 2 ** 30 })
  const kept = (await Array.fromAsync(own.records.scan('media'))).map(([id]) => id)
  t.is(kept.length, 33)
  t.false(kept.includes('mxc://b.example/f0'))
  t.true(kept.includes('mxc://b.example/f33'))
})

test('what was sent from here is here', async t => {
  const own = shelf()
  const { file } = await encrypted(png)
  await own.media.keepOwn(file, png.length, async () => new Blob([png]))
  t.deepEqual(await (await own.media.get({ file, maxBytes: most })).bytes(), png)
  t.is(own.asked.length, 0)
})

test('a file that waits to be uploaded is shown from the vault', async t => {
  const own = shelf()
  t.is((await own.media.get({ mxc: 'mxc://waiting.invalid/mine', maxBytes: most })).type, 'image/png')
  await t.throwsAsync(own.media.get({ mxc: 'mxc://waiting.invalid/other', maxBytes: most }), {
    code: 'M_NOT_FOUND',
  })
  t.is(own.asked.length, 0)
})

test('an address that is none leaves this device for nowhere', async t => {
  const own = shelf()
  for (const mxc of [
    'https://b.example/a',
    'mxc://b.example/../../x',
    'mxc://b.example/a?x',
    'mxc:///a',
    '',
  ]) {
    await t.throwsAsync(own.media.get({ mxc, maxBytes: most }), { code: 'BAD_ADDRESS' }, mxc)
  }
  await t.throwsAsync(own.media.get({ file: {}, maxBytes: most }), { code: 'BAD_ADDRESS' })
  t.is(own.asked.length, 0)
  t.is(mediaPath('mxc://b.example:8448/a_b-c'), '/_matrix/client/v1/media/download/b.example%3A8448/a_b-c')
})

test('what is no encrypted file fails with its code', async t => {
  const own = shelf()
  await t.throwsAsync(own.media.get({ file: { url: address, v: 'v2' }, maxBytes: most }), {
    code: 'ATTACHMENT_MALFORMED',
  })
})
