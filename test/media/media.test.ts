import { readdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import sharp from 'sharp'
import { startTestServer, type TestPerson, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const limits = `
[limits]
upload_size = "1 MiB"
media_quota = "3 MiB"
`
const starting = startTestServer({ config: limits })
test.after.always(async () => (await starting).close())

const v1 = '/_matrix/client/v1/media'

async function person(name: string): Promise<TestPerson> {
  return (await starting).register(name)
}

/** Uploads and gives "server/mediaId". */
async function upload(who: TestPerson, body: string | Uint8Array, type: string, query = ''): Promise<string> {
  const answer = await who.call('POST', `/_matrix/media/v3/upload${query}`, {
    body,
    headers: { 'content-type': type },
  })
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body.content_uri.slice('mxc://'.length)
}

async function bytes(
  server: TestServer,
  who: TestPerson,
  path: string,
  headers: Record<string, string> = {},
) {
  const response = await fetch(server.base + path, {
    headers: { authorization: `Bearer ${who.token}`, ...headers },
  })
  return { response, body: Buffer.from(await response.arrayBuffer()) }
}

function picture(width: number, height: number, options: { alpha?: boolean } = {}) {
  const background = options.alpha ? { r: 9, g: 90, b: 200, alpha: 0.5 } : '#0a5ac8'
  return sharp({ create: { width, height, channels: options.alpha ? 4 : 3, background } })
    .png()
    .toBuffer()
}

test('what was uploaded comes back byte for byte, to signed-in people only', async t => {
  const server = await starting
  const ann = await person('byte')
  const content = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 251))
  const mxc = await upload(ann, content, 'application/octet-stream')
  const { response, body } = await bytes(server, ann, `${v1}/download/${mxc}`)
  t.is(response.status, 200)
  t.deepEqual(body, content)
  t.is(response.headers.get('content-length'), '70000')
  t.is((await server.call('GET', `${v1}/download/${mxc}`)).body.errcode, 'M_MISSING_TOKEN')
  const old = await server.call('GET', `/_matrix/media/v3/download/${mxc}`)
  t.is(old.status, 404)
  t.is(old.body.errcode, 'M_NOT_FOUND')
})

test('the old download endpoints serve those who show a token', async t => {
  const ann = await person('old')
  const mxc = await upload(ann, 'hello', 'text/plain')
  const old = await ann.call('GET', `/_matrix/media/v3/download/${mxc}`)
  t.is(old.status, 200)
  t.is(old.body, 'hello')
  t.is((await ann.call('GET', `/_matrix/media/r0/download/${mxc}`)).status, 200)
})

test('the empty file is a file', async t => {
  const ann = await person('empty')
  const mxc = await upload(ann, '', 'text/plain')
  const { response, body } = await bytes(await starting, ann, `${v1}/download/${mxc}`)
  t.is(response.status, 200)
  t.is(body.length, 0)
  t.is(response.headers.get('content-type'), 'text/plain')
})

test('a restart keeps what was uploaded', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const ann = await server.register('ann')
  const mxc = await upload(ann, 'kept', 'text/plain')
  await server.restart()
  t.is((await ann.call('GET', `${v1}/download/${mxc}`)).body, 'kept')
})

const dispositions: readonly (readonly [string, 'inline' | 'attachment'])[] = [
  ['image/png', 'inline'],
  ['text/plain; charset=utf-8', 'inline'],
  ['IMAGE/JPEG', 'inline'],
  ['text/html', 'attachment'],
  ['image/svg+xml', 'attachment'],
  ['application/xhtml+xml', 'attachment'],
  ['application/javascript', 'attachment'],
  ['text/xml', 'attachment'],
  ['application/pdf', 'attachment'],
]
for (const [type, expected] of dispositions) {
  test(`${type} is served as ${expected}, sandboxed, with no type to guess`, async t => {
    const ann = await person(`d${type.replaceAll(/[^a-z]/gi, '').toLowerCase()}`)
    const mxc = await upload(ann, '<script>alert(1)</script>', type)
    const { response } = await bytes(await starting, ann, `${v1}/download/${mxc}`)
    t.true(response.headers.get('content-disposition')?.startsWith(expected))
    t.regex(
      response.headers.get('content-security-policy') ?? '',
      /^sandbox; default-src 'none'; script-src 'none';/,
    )
    t.is(response.headers.get('x-content-type-options'), 'nosniff')
    t.is(response.headers.get('cross-origin-resource-policy'), 'cross-origin')
  })
}

test('a content type that is none becomes "some bytes"', async t => {
  const ann = await person('notype')
  for (const type of ['html', 'text/html, image/png', 'image/png;x', 'a/b; c="d\\"e"']) {
    const mxc = await upload(ann, 'x', type)
    const { response } = await bytes(await starting, ann, `${v1}/download/${mxc}`)
    t.is(response.headers.get('content-type'), 'application/octet-stream', type)
    t.is(response.headers.get('content-disposition'), 'attachment')
  }
})

test('a file name is one name, whatever stands in it', async t => {
  const ann = await person('names')
  const server = await starting
  const cases: readonly (readonly [string, string])[] = [
    ['plan.txt', 'inline; filename="plan.txt"'],
    ['a"b\\c/../d', 'inline; filename="a_b_c_.._d"; filename*=UTF-8\'\'a%22b_c_.._d'],
    ['é€.txt', 'inline; filename="__.txt"; filename*=UTF-8\'\'%C3%A9%E2%82%AC.txt'],
    ['x\r\nSet-Cookie: a=b', 'inline; filename="x__Set-Cookie: a=b"'],
    ['\u202egnp.exe', 'inline; filename="_gnp.exe"'],
    ["it's (1).txt", 'inline; filename="it\'s (1).txt"'],
  ]
  for (const [name, expected] of cases) {
    const mxc = await upload(ann, 'x', 'text/plain', `?filename=${encodeURIComponent(name)}`)
    const { response } = await bytes(server, ann, `${v1}/download/${mxc}`)
    t.is(response.headers.get('content-disposition'), expected, name)
    t.is(response.headers.get('set-cookie'), null)
    const asked = await bytes(server, ann, `${v1}/download/${mxc}/other.txt`)
    t.is(asked.response.headers.get('content-disposition'), 'inline; filename="other.txt"')
  }
})

test('ranges are answered in part, impossible ones refused, odd ones ignored', async t => {
  const ann = await person('ranges')
  const server = await starting
  const mxc = await upload(ann, '0123456789', 'text/plain')
  const cases: readonly (readonly [string, number, string, string | null])[] = [
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-30', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=5-100', 206, '56789', 'bytes 5-9/10'],
    ['bytes=4-2', 200, '0123456789', null],
    ['bytes=0-1,3-4', 200, '0123456789', null],
    ['lines=1-2', 200, '0123456789', null],
  ]
  for (const [range, status, expected, contentRange] of cases) {
    const { response, body } = await bytes(server, ann, `${v1}/download/${mxc}`, { range })
    t.is(response.status, status, range)
    t.is(body.toString(), expected, range)
    t.is(response.headers.get('content-range'), contentRange, range)
  }
  for (const range of ['bytes=10-', 'bytes=-0']) {
    const { response } = await bytes(server, ann, `${v1}/download/${mxc}`, { range })
    t.is(response.status, 416, range)
    t.is(response.headers.get('content-range'), 'bytes */10')
  }
})

const traversals = [
  '..%2f..%2fidentity.json',
  '%2e%2e%2f%2e%2e%2fkeys%2fevent-signing.json',
  '..%5c..%5cidentity.json',
  '%2fetc%2fpasswd',
  'aaaaaaaaaaaaaaaa%00',
  '....................',
  'a'.repeat(300),
]
for (const id of traversals) {
  test(`the media id ${id.slice(0, 30)} reaches no file`, async t => {
    const server = await starting
    const ann = await person(`tr${traversals.indexOf(id)}`)
    for (const path of [
      `${v1}/download/localhost/${id}`,
      `${v1}/thumbnail/localhost/${id}?width=32&height=32`,
    ]) {
      const { response, body } = await bytes(server, ann, path)
      t.is(response.status, 404)
      t.regex(body.toString(), /M_NOT_FOUND|M_UNRECOGNIZED/)
    }
    const put = await ann.call('PUT', `/_matrix/media/v3/upload/localhost/${id}`, { body: 'x' })
    t.is(put.status, 404)
  })
}

test('media of another server, and unknown media, are not found', async t => {
  const ann = await person('other')
  for (const path of ['other.example/abcdefghijklmnop', 'localhost/abcdefghijklmnopqrstuvwx']) {
    const answer = await ann.call('GET', `${v1}/download/${path}`)
    t.is(answer.status, 404)
    t.is(answer.body.errcode, 'M_NOT_FOUND')
  }
})

test('a file above the limit is refused and leaves nothing, announced or not', async t => {
  // Of its own: on the other one somebody always uploads.
  const server = await startTestServer({ config: limits })
  t.teardown(() => server.close())
  const ann = await server.register('large')
  const announced = await ann.call('POST', '/_matrix/media/v3/upload', { body: 'x'.repeat(1024 * 1024 + 1) })
  t.is(announced.status, 413)
  t.is(announced.body.errcode, 'M_TOO_LARGE')
  const socket = connect(server.port, '127.0.0.1')
  let answer = ''
  socket.on('data', chunk => {
    answer += chunk.toString()
  })
  socket.on('error', () => {})
  socket.write(
    `POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ann.token}\r\nTransfer-Encoding: chunked\r\n\r\n`,
  )
  for (let i = 0; i < 9; i++) socket.write(`20000\r\n${'x'.repeat(0x20000)}\r\n`)
  await until(() => answer.includes('\r\n\r\n'))
  socket.destroy()
  t.regex(answer, /^HTTP\/1\.1 413/)
  await until(async () => (await incoming(server)).length === 0)
})

test('an upload that breaks off leaves nothing and is no line in the log', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const ann = await server.register('ann')
  const logged = server.lines.length
  const socket = connect(server.port, '127.0.0.1')
  socket.write(
    `POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ann.token}\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(50_000)}`,
  )
  await until(async () => (await incoming(server)).length === 1)
  socket.destroy()
  await until(async () => (await incoming(server)).length === 0)
  t.deepEqual(await incoming(server), [])
  t.deepEqual(server.lines.slice(logged), [])
})

test('files together have a limit for each person', async t => {
  const ann = await person('quota')
  const block = 'x'.repeat(1024 * 1024)
  for (let i = 0; i < 3; i++) await upload(ann, block, 'text/plain')
  const refused = await ann.call('POST', '/_matrix/media/v3/upload', { body: 'x' })
  t.is(refused.status, 403)
  t.is(refused.body.errcode, 'M_FORBIDDEN')
  await upload(await person('quota2'), 'x', 'text/plain')
})

test('what a crash left in the middle of an upload is gone after the next start', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const ann = await server.register('ann')
  const mxc = await upload(ann, 'kept', 'text/plain')
  const id = mxc.split('/')[1]!
  // A crash before the row, and one after it: both have a name in incoming.
  await writeFile(join(server.dataFolder, 'media', 'incoming', 'abcdefghijklmnopqrstuvwx'), 'half')
  await writeFile(join(server.dataFolder, 'media', 'incoming', id), 'kept')
  await server.restart()
  t.deepEqual(await incoming(server), [])
  t.is((await ann.call('GET', `${v1}/download/${mxc}`)).body, 'kept')
})

// ── asynchronous upload ──────────────────────────────────────────────────────────────────────────────

test('a download waits for its upload', async t => {
  const ann = await person('async1')
  const created = await ann.call('POST', '/_matrix/media/v1/create')
  t.true(created.body.unused_expires_at > Date.now() + 23 * 3_600_000)
  const mxc = created.body.content_uri.slice(6)
  const waiting = ann.call('GET', `${v1}/download/${mxc}?timeout_ms=60000`)
  await new Promise(resolve => setTimeout(resolve, 50))
  const put = await ann.call('PUT', `/_matrix/media/v3/upload/${mxc}`, {
    body: 'late',
    headers: { 'content-type': 'text/plain' },
  })
  t.deepEqual([put.status, put.body], [200, {}])
  t.is((await waiting).body, 'late')
})

test('a download that waited in vain is 504', async t => {
  const ann = await person('async2')
  const { body } = await ann.call('POST', '/_matrix/media/v1/create')
  const answer = await ann.call('GET', `${v1}/download/${body.content_uri.slice(6)}?timeout_ms=50`)
  t.is(answer.status, 504)
  t.is(answer.body.errcode, 'M_NOT_YET_UPLOADED')
})

test('a file is never overwritten, not by two uploads at once, not by another person', async t => {
  const ann = await person('async3')
  const ben = await person('async4')
  const { body } = await ann.call('POST', '/_matrix/media/v1/create')
  const path = `/_matrix/media/v3/upload/${body.content_uri.slice(6)}`
  const stolen = await ben.call('PUT', path, { body: 'mine' })
  t.deepEqual([stolen.status, stolen.body.errcode], [403, 'M_FORBIDDEN'])
  const both = await Promise.all([
    ann.call('PUT', path, { body: 'first', headers: { 'content-type': 'text/plain' } }),
    ann.call('PUT', path, { body: 'second', headers: { 'content-type': 'text/plain' } }),
  ])
  t.deepEqual(both.map(({ status }) => status).sort(), [200, 409])
  const again = await ann.call('PUT', path, { body: 'third' })
  t.deepEqual([again.status, again.body.errcode], [409, 'M_CANNOT_OVERWRITE_MEDIA'])
  const kept = await ann.call('GET', `${v1}/download/${body.content_uri.slice(6)}`)
  t.is(kept.body, both[0].status === 200 ? 'first' : 'second')
})

test('an id that was not used in time is gone, and so many are given out, not more', async t => {
  let now = Date.now()
  const server = await startTestServer({ clock: () => now })
  t.teardown(() => server.close())
  const ann = await server.register('ann')
  const first = await ann.call('POST', '/_matrix/media/v1/create')
  for (let i = 1; i < 100; i++) await ann.call('POST', '/_matrix/media/v1/create')
  const refused = await ann.call('POST', '/_matrix/media/v1/create')
  t.deepEqual([refused.status, refused.body.errcode], [429, 'M_LIMIT_EXCEEDED'])
  now += 24 * 3_600_000
  await server.restart()
  const login = await server.login('ann')
  const late = await login.call('PUT', `/_matrix/media/v3/upload/${first.body.content_uri.slice(6)}`, {
    body: 'x',
  })
  t.deepEqual([late.status, late.body.errcode], [404, 'M_NOT_FOUND'])
  t.is((await login.call('POST', '/_matrix/media/v1/create')).status, 200)
})

// ── thumbnails ───────────────────────────────────────────────────────────────────────────────────────

async function thumbnail(who: TestPerson, mxc: string, query: string) {
  const { response, body } = await bytes(await starting, who, `${v1}/thumbnail/${mxc}?${query}`)
  const found = response.status === 200 ? await sharp(body, { pages: -1 }).metadata() : null
  return { response, body, found }
}

const wishes: readonly (readonly [string, number, number])[] = [
  ['width=32&height=32&method=crop', 32, 32],
  ['width=20&height=30&method=crop', 32, 32],
  ['width=96&height=96&method=crop', 96, 96],
  ['width=320&height=240&method=scale', 320, 160],
  ['width=640&height=480', 640, 320],
  ['width=800&height=600', 800, 400],
]
for (const [query, width, height] of wishes) {
  test(`a thumbnail has a size of the specification: ${query}`, async t => {
    const ann = await person(`th${wishes.findIndex(wish => wish[0] === query)}`)
    const mxc = await upload(ann, await picture(2000, 1000), 'image/png')
    const { response, found } = await thumbnail(ann, mxc, query)
    t.is(response.status, 200)
    t.deepEqual([found?.width, found?.height], [width, height])
    t.is(response.headers.get('content-type'), 'image/jpeg')
    t.is(response.headers.get('content-disposition'), 'inline; filename="thumbnail.jpeg"')
  })
}

test('a picture with transparency keeps it, and a second request comes from the disk', async t => {
  const ann = await person('alpha')
  const mxc = await upload(ann, await picture(500, 500, { alpha: true }), 'image/png')
  const first = await thumbnail(ann, mxc, 'width=96&height=96&method=crop')
  t.is(first.response.headers.get('content-type'), 'image/png')
  const second = await thumbnail(ann, mxc, 'width=96&height=96&method=crop')
  t.deepEqual(second.body, first.body)
})

test('nothing is enlarged: a small picture is its own thumbnail, as the picture that it is', async t => {
  const ann = await person('small')
  const original = await picture(20, 20)
  const mxc = await upload(ann, original, 'text/html')
  const { response, body } = await thumbnail(ann, mxc, 'width=96&height=96&method=crop')
  t.deepEqual(body, original)
  t.is(response.headers.get('content-type'), 'image/png')
})

test('a thumbnail moves only where that was asked for', async t => {
  const ann = await person('moving')
  const frames = await Promise.all(
    [1, 2, 3].map(i =>
      sharp({ create: { width: 200, height: 200, channels: 3, background: { r: i * 60, g: 0, b: 0 } } })
        .png()
        .toBuffer(),
    ),
  )
  const gif = await sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer()
  const mxc = await upload(ann, gif, 'image/gif')
  const moving = await thumbnail(ann, mxc, 'width=32&height=32&method=crop&animated=true')
  t.is(moving.response.headers.get('content-type'), 'image/webp')
  t.is(moving.found?.pages, 3)
  const still = await thumbnail(ann, mxc, 'width=32&height=32&method=crop&animated=false')
  t.is(still.found?.pages ?? 1, 1)
  // Smaller than what was asked for, but moving: it is not served as it is.
  const large = await thumbnail(ann, mxc, 'width=640&height=480&method=scale')
  t.is(large.found?.pages ?? 1, 1)
})

test('a thumbnail carries no place and no camera', async t => {
  const ann = await person('exif')
  const original = await sharp({ create: { width: 400, height: 300, channels: 3, background: '#fff' } })
    .withExif({ IFD0: { Make: 'SecretCamera' }, IFD3: { GPSLatitude: '52/1 30/1 0/1' } })
    .jpeg()
    .toBuffer()
  t.true(original.includes('SecretCamera'))
  const mxc = await upload(ann, original, 'image/jpeg')
  const { body, found } = await thumbnail(ann, mxc, 'width=96&height=96&method=crop')
  t.false(body.includes('SecretCamera'))
  t.is(found?.exif, undefined)
})

test('what is no picture, a picture of a format that we decode not, and a broken one get no thumbnail (CVE-2024-53863)', async t => {
  const ann = await person('nopicture')
  const good = await picture(500, 500)
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="500" height="500"><image href="file:///etc/passwd"/></svg>'
  const cases: readonly (readonly [string | Uint8Array, string])[] = [
    ['words', 'text/plain'],
    ['words that say they are a picture', 'image/png'],
    [svg, 'image/svg+xml'],
    [svg, 'image/png'],
    [await sharp(good).tiff().toBuffer(), 'image/tiff'],
    [good.subarray(0, 60), 'image/png'],
    ['%PDF-1.4', 'application/pdf'],
  ]
  for (const [content, type] of cases) {
    const mxc = await upload(ann, content, type)
    const { response, body } = await thumbnail(ann, mxc, 'width=32&height=32&method=crop')
    t.is(response.status, 400, type)
    t.regex(body.toString(), /M_UNKNOWN/)
  }
})

test('a picture of few bytes and very many pixels is refused before it is decoded', async t => {
  const ann = await person('bomb')
  const bomb = await sharp(await picture(9_000, 9_000))
    .png({ palette: true })
    .toBuffer()
  t.true(bomb.length < 1024 * 1024)
  const mxc = await upload(ann, bomb, 'image/png')
  const { response, body } = await thumbnail(ann, mxc, 'width=32&height=32&method=crop')
  t.is(response.status, 413)
  t.regex(body.toString(), /M_TOO_LARGE/)
})

test('a wish that is none is refused by name', async t => {
  const ann = await person('wish')
  const mxc = await upload(ann, await picture(50, 50), 'image/png')
  for (const [query, name] of [
    ['height=32', 'width'],
    ['width=32', 'height'],
    ['width=0&height=32', 'width'],
    ['width=a&height=32', 'width'],
    ['width=32&height=32&method=stretch', 'method'],
    ['width=32&height=32&animated=maybe', 'animated'],
  ] as const) {
    const { response, body } = await thumbnail(ann, mxc, query)
    t.is(response.status, 400, query)
    t.true(body.toString().includes(name), query)
  }
})

test('the configured size is told', async t => {
  const ann = await person('config')
  t.deepEqual((await ann.call('GET', `${v1}/config`)).body, { 'm.upload.size': 1024 * 1024 })
})

test('a preview of a URL is not offered', async t => {
  const ann = await person('preview')
  const answer = await ann.call('GET', `${v1}/preview_url?url=https://example.org`)
  t.deepEqual([answer.status, answer.body.errcode], [404, 'M_UNRECOGNIZED'])
})

test('one person sends at most twenty files at the same time, and others send all the same', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const [ann, ben] = [await server.register('many'), await server.register('single')]
  const head =
    'POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n' +
    `Authorization: Bearer ${ann.token}\r\n\r\nx`
  const sockets = Array.from({ length: 20 }, () => connect(server.port, '127.0.0.1').on('error', () => {}))
  for (const socket of sockets) socket.write(head)
  await until(async () => (await incoming(server)).length === 20)
  const refused = await ann.call('POST', '/_matrix/media/v3/upload', { body: 'x' })
  t.deepEqual([refused.status, refused.body.errcode], [429, 'M_LIMIT_EXCEEDED'])
  await upload(ben, 'x', 'text/plain')
  for (const socket of sockets) socket.destroy()
  await until(async () => (await incoming(server)).length === 0)
  await upload(ann, 'x', 'text/plain')
})

function incoming(server: TestServer): Promise<string[]> {
  return readdir(join(server.dataFolder, 'media', 'incoming'))
}
