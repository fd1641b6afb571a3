/** Media from one server to another: our routes on one side, our client and its copies on the other. */
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { FederationClient } from '../../server/federation/client.ts'
import { remoteMediaClient } from '../../server/federation/remote-media-client.ts'
import { mediaRoutes } from '../../server/federation-api/media.ts'
import { openMedia } from '../../server/media/media.ts'
import { openPeerAccess } from '../../server/media/peer-access.ts'
import { openRemoteMediaCache, type RemoteMediaOptions } from '../../server/media/remote-media.ts'
import type { Thumbnailer } from '../../server/media/thumbnail.ts'
import type { RoomId, ServerName, UserId } from '../../server/protocol/ids.ts'
import { RemoteError } from '../../server/rooms/remote-rooms.ts'
import { openMemoryStore } from '../../server/store/memory-engine.ts'
import { authenticate, peer, startAsking } from './asking-peer.ts'

const here = 'hq.test' as ServerName
const ann = '@ann:hq.test' as UserId
const bob = '@bob:hq.test' as UserId
const thumbnailer: Thumbnailer = {
  thumbnail: async () => ({ kind: 'made', contentType: 'image/webp', bytes: Buffer.from('small') }),
}

/** Ann is in a room with the peer; Bob has invited somebody of `invited.test` to one of his. */
const annsRoom = { joinedServers: new Map([[peer, 1]]), frozen: null as object | null, members: () => [] }
const bobsRoom = {
  joinedServers: new Map(),
  frozen: null,
  members: () => [{ stateKey: '@zoe:invited.test' }],
}
let now = 0
const access = openPeerAccess(
  {
    view: async roomId => (roomId === '!ann' ? annsRoom : bobsRoom) as never,
    memberships: async userId => {
      const roomId = (userId === ann ? '!ann' : '!bob') as RoomId
      return new Map([[roomId, { roomId, everJoined: true } as never]])
    },
  },
  () => now,
)

const folder = await mkdtemp(join(tmpdir(), 'letro-media-'))
const media = await openMedia({
  store: await openMemoryStore(),
  serverName: here,
  dataFolder: join(folder, 'here'),
  clock: Date.now,
  randomBytes,
  thumbnailer,
  maxUploadBytes: 1_000_000,
  quotaBytes: 10_000_000,
})
const asking = await startAsking(mediaRoutes({ authenticate, media, access }))
const strange: Server = createServer((incoming, response) => strangely(incoming, response))
let strangely: Parameters<typeof createServer>[1] & object = (_, response) => response.end()
await new Promise<void>(resolve => strange.listen(0, '127.0.0.1', resolve))
test.after.always(async () => {
  await asking.close()
  strange.close()
  strange.closeAllConnections()
  await media.close()
  await rm(folder, { recursive: true, force: true })
})

async function upload(body: Buffer, contentType = 'text/plain', fileName?: string, userId = ann) {
  async function* bytes() {
    yield body
  }
  return media.upload({ userId, contentType, ...(fileName === undefined ? {} : { fileName }), body: bytes() })
}

let requests = 0
const client: Pick<FederationClient, 'open'> = {
  open(server, { path, query }) {
    requests++
    const address = strange.address() as AddressInfo
    const base = server === here ? asking.base : `http://127.0.0.1:${address.port}`
    if (server === 'stranger.test') throw new RemoteError('unpinned', 'not connected')
    return new Promise((resolve, reject) => {
      const sending = request(
        `${base}${path}?timeout_ms=${query!['timeout_ms']}`,
        { headers: { 'x-test-origin': peer } },
        (response: IncomingMessage) => {
          response.on('error', () => {})
          resolve({ response, signal: AbortSignal.timeout(10_000) })
        },
      )
      sending.on('error', reject)
      sending.end()
    })
  },
}

const store = await openMemoryStore()
const openCopies = (more: Partial<RemoteMediaOptions> = {}) =>
  openRemoteMediaCache({
    store,
    remote: remoteMediaClient(client),
    dataFolder: join(folder, 'there'),
    clock: Date.now,
    randomBytes,
    thumbnailer,
    maxFileBytes: 100_000,
    ...more,
  })

async function bytesOf(file: { read(): AsyncIterable<Uint8Array> }): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of file.read()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const filesIn = async (name: string) =>
  (await readdir(join(folder, name), { recursive: true, withFileTypes: true }).catch(() => [])).filter(
    entry => entry.isFile(),
  ).length

test.serial('a file goes over byte for byte with its name and type, once for all who ask', async t => {
  const content = randomBytes(90_000)
  const mediaId = await upload(content, 'image/png', 'Grüße "2".png')
  const copies = await openCopies()
  requests = 0
  const files = await Promise.all([1, 2, 3].map(() => copies.download(here, mediaId, 0)))
  t.is(requests, 1)
  for (const file of files) {
    t.deepEqual(await bytesOf(file), content)
    t.like(file, { contentType: 'image/png', fileName: 'Grüße "2".png', sizeBytes: 90_000 })
  }
  await (await openCopies()).download(here, mediaId, 0)
  t.is(requests, 1)
})

test.serial('a thumbnail is made here from the copy', async t => {
  const mediaId = await upload(randomBytes(100), 'image/png')
  const copies = await openCopies()
  const wish = { width: 32, height: 32, method: 'crop', animated: false } as const
  t.is((await bytesOf(await copies.thumbnail(here, mediaId, wish, 0))).toString(), 'small')
  t.is((await copies.thumbnail(here, mediaId, wish, 0)).contentType, 'image/webp')
})

test.serial('a peer gets the empty file, a thumbnail, and what is not there as 404', async t => {
  const empty = await upload(Buffer.alloc(0))
  t.is((await (await openCopies()).download(here, empty, 0)).sizeBytes, 0)
  const small = await asking.get(`/media/thumbnail/${empty}?width=32&height=32`)
  t.is(small.status, 200)
  t.true(small.body.includes('small'))
  t.is((await asking.get(`/media/thumbnail/${empty}?width=32`)).body.errcode, 'M_MISSING_PARAM')
  t.is((await asking.get('/media/download/nothing')).status, 404)
  await t.throwsAsync((await openCopies()).download(here, 'A'.repeat(24), 0), { code: 'M_NOT_FOUND' })
})

test.serial(
  'only a server that is, or is invited, where the uploader is gets the file, and none while the room stands still',
  async t => {
    const anns = await upload(Buffer.from('a'))
    const bobs = await upload(Buffer.from('b'), 'text/plain', undefined, bob)
    const status = async (mediaId: string, origin: string) =>
      (await asking.get(`/media/download/${mediaId}`, origin)).status
    t.is(await status(anns, peer), 200)
    t.is(await status(anns, 'other.test'), 404)
    t.is(await status(bobs, peer), 404)
    t.is(await status(bobs, 'invited.test'), 200)
    annsRoom.frozen = {}
    t.is(await status(anns, peer), 404)
    annsRoom.frozen = null
    t.is(await status(anns, peer), 404)
    // A no is remembered for a moment.
    now += 2_000
    t.is(await status(anns, peer), 200)
  },
)

test.serial('a file that is larger than ours may be is refused, and nothing of it stays', async t => {
  const mediaId = await upload(randomBytes(100_001))
  const before = await filesIn('there/remote-media')
  await t.throwsAsync((await openCopies()).download(here, mediaId, 0), { code: 'M_TOO_LARGE' })
  t.is(await filesIn('there/remote-media'), before)
})

test.serial('the least recently used copies go when there are too many', async t => {
  const ids = await Promise.all([1, 2, 3].map(() => upload(randomBytes(1_000))))
  const own = { store: await openMemoryStore(), dataFolder: join(folder, 'few'), cacheBytes: 2_500 }
  const copies = await openCopies(own)
  await copies.download(here, ids[0]!, 0)
  await copies.download(here, ids[1]!, 0)
  await copies.download(here, ids[0]!, 0)
  await copies.download(here, ids[2]!, 0)
  t.is(await filesIn('few/remote-media'), 2)
  requests = 0
  await copies.download(here, ids[0]!, 0)
  t.is(requests, 0)
  await copies.download(here, ids[1]!, 0)
  t.is(requests, 1)
})

test.serial('a file without a row, as a crash leaves it, goes at the next start', async t => {
  const own = { store: await openMemoryStore(), dataFolder: join(folder, 'crashed') }
  const copies = await openCopies(own)
  await copies.download(here, await upload(Buffer.from('kept')), 0)
  const left = 'x'.repeat(24)
  await writeFile(join(folder, 'crashed/remote-media/incoming', left), 'half')
  await mkdir(join(folder, 'crashed/remote-media/xx/xx'), { recursive: true })
  await writeFile(join(folder, 'crashed/remote-media/xx/xx', left), 'whole, but no row')
  t.is(await filesIn('crashed/remote-media'), 3)
  await openCopies(own)
  t.is(await filesIn('crashed/remote-media'), 1)
})

const liar = 'liar.test'
const multipart =
  (text: string): typeof strangely =>
  (_, response) => {
    response.setHeader('content-type', 'multipart/mixed; boundary=b')
    response.end(text)
  }
for (const [name, answer] of [
  ['no parts', (_, response) => response.end('bytes')],
  ['a place elsewhere', multipart('--b\r\n\r\n{}\r\n--b\r\nLocation: https://evil.test/x\r\n\r\n\r\n--b--')],
  ['a file that is cut off', multipart('--b\r\n\r\n{}\r\n--b\r\n\r\nhalf')],
  [
    'a connection that breaks',
    (_, response) => {
      response.setHeader('content-type', 'multipart/mixed; boundary=b')
      response.write('--b\r\n\r\n{}\r\n--b\r\n\r\nhalf', () => response.destroy())
    },
  ],
] as [string, typeof strangely][]) {
  test.serial(`a peer that answers with ${name} gives no file, and leaves none`, async t => {
    strangely = answer
    const before = await filesIn('there/remote-media')
    const error = await t.throwsAsync((await openCopies()).download(liar, 'id', 0))
    t.true(error instanceof RemoteError)
    t.is(await filesIn('there/remote-media'), before)
  })
}

test.serial('a type and a name that are none become bytes and a text', async t => {
  strangely = multipart(
    '--b\r\n\r\n{}\r\n--b\r\nContent-Type: text/html<script>\r\nContent-Disposition: inline; filename=../../x\r\n\r\nx\r\n--b--',
  )
  const file = await (await openCopies()).download(liar, 'typed', 0)
  t.is(file.contentType, 'application/octet-stream')
  t.is(file.fileName, '../../x')
})

test.serial('a refusal of the peer, a stranger and a wrong id are no media', async t => {
  strangely = (_, response) => {
    response.statusCode = 504
    response.end('{"errcode":"M_NOT_YET_UPLOADED"}')
  }
  const copies = await openCopies()
  await t.throwsAsync(copies.download(liar, 'late', 0), { code: 'M_NOT_YET_UPLOADED' })
  await t.throwsAsync(copies.download('stranger.test', 'id', 0), { code: 'M_NOT_FOUND' })
  await t.throwsAsync(copies.download(liar, '../etc', 0), { code: 'M_NOT_FOUND' })
})

const waysOut = [
  '..',
  '../../secret',
  '..%2f..%2fsecret',
  '%2e%2e/secret',
  '..\\secret',
  '/etc/passwd',
  'a/../../secret',
  'ok\u0000/../secret',
  `${'../'.repeat(20)}etc/passwd`,
  'x'.repeat(5_000),
]

test.serial(
  'an id that leads out of the folder of files is none, whoever says it: path traversal',
  async t => {
    await writeFile(join(folder, 'secret'), 'TOP SECRET')
    const copies = await openCopies()
    strangely = multipart('--b\r\n\r\n{}\r\n--b\r\n\r\nTOP SECRET\r\n--b--')
    const before = await readdir(folder, { recursive: true })
    for (const way of waysOut) {
      for (const act of ['download', 'thumbnail']) {
        const answer = await asking.get(`/media/${act}/${encodeURIComponent(way)}?width=32&height=32`)
        t.true(answer.status === 404 || answer.status === 400, `${act} ${way.slice(0, 40)}: ${answer.status}`)
        t.false(JSON.stringify(answer.body).includes('SECRET'))
      }
      requests = 0
      await t.throwsAsync(copies.download(liar, way, 0), { code: 'M_NOT_FOUND' }, way.slice(0, 40))
      await t.throwsAsync(copies.download(`${liar}/${way}`, 'id', 0), { code: 'M_NOT_FOUND' })
      t.is(requests, 0)
    }
    t.deepEqual((await readdir(folder, { recursive: true })).sort(), before.sort())
  },
)
