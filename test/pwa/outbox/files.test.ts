/** Files of messages: kept, uploaded, stopped, broken off. */
import test from 'ava'
import { ApiError } from '../../../pwa/api/api-error.ts'
import { decryptAttachment } from '../../../pwa/e2ee/attachment.ts'
import { randomBytes, ready } from '../../../pwa/e2ee/primitives.ts'
import { fileContent } from '../../../pwa/outbox/file-message.ts'
import { Uploads } from '../../../pwa/outbox/uploads.ts'
import { waitingFileId } from '../../../pwa/outbox/waiting.ts'
import { WaitingFiles } from '../../../pwa/outbox/waiting-files.ts'
import { VaultError } from '../../../pwa/vault/errors.ts'
import { MemoryRecords } from '../../../pwa/vault/memory-records.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { Desk, offline } from './desk.ts'

const room = '!room:a.example'
const MiB = 1024 * 1024

test.before(() => ready)

/** A file with a thumbnail, as message-calls.ts hands them in. */
async function send(desk: Desk, size = 1.2 * MiB, forEncrypted = true): Promise<string> {
  const content = fileContent({
    name: 'plan.png',
    mimetype: 'image/png',
    size,
    image: { width: 9, height: 9 },
  })
  const bytes = new Uint8Array(size).map((_, i) => i % 251)
  const files = [
    await desk.files.keep(new Blob(['small'], { type: 'image/webp' }), 'thumbnail'),
    await desk.files.keep(new Blob([bytes], { type: 'image/png' }), 'file'),
  ]
  return desk.queue.add({ roomId: room, type: 'm.room.message', content, forEncrypted, files })
}

async function leftAtRest(desk: Desk): Promise<string[]> {
  const ids: string[] = []
  for (const store of ['outbox', 'outbox-file', 'outbox-file-begun']) {
    for await (const [id] of desk.records.scan(store)) ids.push(`${store} ${id}`)
  }
  return ids
}

async function opened(desk: Desk, file: JsonObject): Promise<Uint8Array> {
  const blob = desk.uploaded.get(String(file['url']))!
  return await new Response(blob.stream().pipeThrough(decryptAttachment(file, 10 * MiB))).bytes()
}

test('a file and its thumbnail are uploaded encrypted, each under a key of its own; then nothing of them is left here', async t => {
  const desk = await Desk.open()
  await desk.encryptedRoom(room)
  const sent: JsonObject[] = []
  desk.queue.wake()
  const txnId = await send(desk)
  await desk.until(() => desk.puts.length === 1)
  await desk.hub.settle()
  const read = await desk.jonas.read(desk.hub.roomEvent(desk.amal, room, desk.puts[0]!.body))
  if (read.kind === 'decrypted') sent.push(read.content)
  const [content] = sent
  const info = content!['info'] as JsonObject
  const [file, thumbnail] = [content!['file'] as JsonObject, info['thumbnail_file'] as JsonObject]
  t.is(new TextDecoder().decode(await opened(desk, thumbnail)), 'small')
  t.deepEqual(
    await opened(desk, file),
    new Uint8Array(1.2 * MiB).map((_, i) => i % 251),
  )
  t.notDeepEqual(file['key'], thumbnail['key'])
  t.true([...desk.uploaded.values()].every(({ type }) => type === 'application/octet-stream'))
  t.like(desk.transfers.at(-1), { id: txnId, state: 'done', code: null })
  t.is(desk.transfers.at(-1)!.doneBytes, desk.transfers.at(-1)!.totalBytes)
  desk.queue.echoed([txnId])
  await desk.queue.stop()
  t.deepEqual(await leftAtRest(desk), [])
})

test('in a room that is not encrypted its address is enough', async t => {
  const desk = await Desk.open()
  desk.queue.wake()
  await send(desk, 10, false)
  await desk.until(() => desk.puts.length === 1)
  const { url, file, info } = desk.puts[0]!.body
  t.is(file, undefined)
  t.is(desk.uploaded.get(String(url))?.type, 'image/png')
  t.true(desk.uploaded.has(String((info as JsonObject)['thumbnail_url'])))
})

test('a room that was encrypted while its file waited gets it encrypted', async t => {
  const desk = await Desk.open()
  await send(desk, 10, false)
  await desk.encryptedRoom(room)
  desk.queue.wake()
  await desk.until(() => desk.puts.length === 1)
  t.true([...desk.uploaded.values()].every(({ type }) => type === 'application/octet-stream'))
  for (const blob of desk.uploaded.values()) t.not(await blob.text(), 'small')
})

test('until it is uploaded a file is shown from here', async t => {
  const desk = await Desk.open()
  await send(desk, 10, false)
  const { content } = desk.queue.queued(room)[0]!.event
  const file = desk.queue.file(waitingFileId(String(content['url']))!)
  t.is((await desk.files.blob(file!)).size, 10)
})

test('an upload that breaks off begins again, under another key, and what was uploaded is not uploaded twice', async t => {
  const desk = await Desk.open()
  await desk.encryptedRoom(room)
  let uploads = 0
  desk.uploading = async () => {
    if (++uploads === 2) offline()
  }
  desk.queue.wake()
  await send(desk, 10)
  await desk.until(() => desk.puts.length === 1)
  t.is(uploads, 3)
  t.is(desk.uploaded.size, 2)
  t.true(desk.transfers.some(({ state, code }) => state === 'waiting' && code === 'OFFLINE'))
})

test('a paused upload holds up nobody, is paused after a restart too, and goes on when somebody says so', async t => {
  const desk = await Desk.open()
  desk.uploading = () => new Promise(() => {})
  desk.queue.wake()
  const txnId = await send(desk, 10, false)
  await desk.until(() =>
    desk.transfers.some(({ state, doneBytes }) => state === 'running' && doneBytes === 1),
  )
  await desk.write(room, 'behind it', false)
  await desk.queue.pause(txnId)
  await desk.until(() => desk.puts.length === 1)
  t.like(desk.transfers.at(-1), { id: txnId, state: 'paused' })
  t.deepEqual(desk.states(room), ['queued TRANSFER_PAUSED', 'sent'])
  await desk.queue.stop()
  await desk.reopen()
  desk.uploading = async () => {}
  desk.queue.wake()
  await desk.write(room, 'and this', false)
  await desk.until(() => desk.puts.length === 2)
  t.is(desk.uploaded.size, 0)
  await desk.queue.retry(txnId)
  await desk.until(() => desk.puts.length === 3)
  t.is(desk.puts[2]!.txnId, txnId)
})

test('an upload that is thrown away stops, and nothing of it is left', async t => {
  const desk = await Desk.open()
  desk.uploading = () => new Promise(() => {})
  desk.queue.wake()
  const txnId = await send(desk, 10, false)
  await desk.until(() => desk.transfers.some(({ doneBytes }) => doneBytes === 1))
  t.true(await desk.queue.discard(txnId))
  await desk.write(room, 'behind it', false)
  await desk.until(() => desk.puts.length === 1)
  t.is(desk.uploaded.size, 0)
  await desk.queue.stop()
  t.deepEqual(
    (await leftAtRest(desk)).filter(id => !id.startsWith('outbox 0')),
    [],
  )
})

test('what is too large for the server is refused before a byte of it is sent', async t => {
  const desk = await Desk.open()
  desk.maxUploadBytes = 9
  desk.queue.wake()
  await send(desk, 10, false)
  await desk.until(() => desk.states(room)[0] === 'failed M_TOO_LARGE')
  t.like(desk.transfers.at(-1), { state: 'failed', code: 'M_TOO_LARGE' })
})

test('what is too large for this device is refused before a byte of it is kept', async t => {
  const desk = await Desk.open()
  desk.freeBytes = 32 * MiB
  await t.throwsAsync(desk.files.keep(new Blob(['x']), 'file'), { code: 'NO_ROOM_FOR_FILE' })
  t.deepEqual(await leftAtRest(desk), [])
})

test('of a file for which the room gave out in the middle nothing is left', async t => {
  const desk = await Desk.open()
  let commits = 0
  desk.records.fails = writes =>
    writes.some(({ value }) => value !== null) && ++commits === 2
      ? new VaultError('VAULT_FULL', 'no more room')
      : null
  await t.throwsAsync(desk.files.keep(new Blob([new Uint8Array(6 * MiB)]), 'file'), { code: 'VAULT_FULL' })
  t.deepEqual(await leftAtRest(desk), [])
})

test('of a file whose message could not be stored nothing is left', async t => {
  const desk = await Desk.open()
  desk.records.fails = writes =>
    writes.some(({ collection, value }) => collection === 'outbox' && value !== null)
      ? new VaultError('VAULT_FULL', 'no more room')
      : null
  await t.throwsAsync(send(desk, 6 * MiB), { code: 'VAULT_FULL' })
  t.deepEqual(await leftAtRest(desk), [])
})

test('what a crash left of a file that was being kept is gone after the next opening', async t => {
  const desk = await Desk.open()
  await desk.files.keep(new Blob([new Uint8Array(6 * MiB)]), 'file')
  t.true((await leftAtRest(desk)).length > 1)
  await send(desk, 10)
  await desk.reopen()
  const left = await leftAtRest(desk)
  t.deepEqual(
    left.map(id => id.split(' ')[0]),
    ['outbox', 'outbox-file', 'outbox-file'],
  )
})

test('a file that waits and is broken at rest fails with its code; those behind it go on', async t => {
  const desk = await Desk.open()
  await send(desk, 10, false)
  const ids = (await leftAtRest(desk)).filter(id => id.startsWith('outbox-file '))
  await desk.records.commit([{ collection: 'outbox-file', id: ids[1]!.split(' ')[1]!, value: null }])
  await desk.write(room, 'behind it', false)
  desk.queue.wake()
  await desk.until(() => desk.puts.length === 1)
  t.deepEqual(desk.states(room), ['failed WAITING_FILE_GONE', 'sent'])
})

test('100 MiB are kept and uploaded in pieces: never is more than 4 MiB of it in our hands', async t => {
  const size = 100 * MiB
  const held: number[] = []
  /** A vault that keeps sizes. */
  class Sizes extends MemoryRecords {
    override async commit(writes: Parameters<MemoryRecords['commit']>[0]): Promise<void> {
      held.push(writes.reduce((sum, { value }) => sum + (value instanceof Uint8Array ? value.length : 0), 0))
    }
    override async getBytes(): Promise<Uint8Array> {
      held.push(MiB / 2)
      return new Uint8Array(MiB / 2)
    }
  }
  const files = new WaitingFiles({
    records: new Sizes(),
    newId: () => 'one',
    freeBytes: async () => Number.POSITIVE_INFINITY,
  })
  /** As much as anybody asked for at once. */
  let largest = 0
  const whole = new Blob([new Uint8Array(size)])
  const slice = whole.slice.bind(whole)
  whole.slice = (...range) => {
    const part = slice(...range)
    largest = Math.max(largest, part.size)
    return part
  }
  const { file, writes } = await files.keep(whole, 'file')
  t.is(file.pieces, 200)
  t.true(
    Math.max(largest, ...held, ...writes.map(({ value }) => (value as Uint8Array)?.length ?? 0)) <= 4 * MiB,
  )
  let uploadedBytes = 0
  const uploads = new Uploads({
    files,
    upload: async content => {
      uploadedBytes = content.size
      return 'mxc://a.example/large'
    },
    maxUploadBytes: async () => null,
    randomBytes,
    tell: () => {},
    uploaded: async () => {},
  })
  const info = await uploads.upload({ txnId: 't', files: [file] }, file, true)
  t.is(uploadedBytes, size)
  t.like(info, { url: 'mxc://a.example/large', v: 'v2' })
})

test('numbers in events are whole, loudness is between 0 and 1,024', t => {
  const content = fileContent({
    name: 'voice.ogg',
    mimetype: 'audio/ogg',
    size: 5,
    durationMs: 1234.5,
    waveform: [-3, 0.4, 511.6, 5000],
  })
  t.is(content['msgtype'], 'm.audio')
  t.deepEqual(content['org.matrix.msc1767.audio'], { duration: 1235, waveform: [0, 0, 512, 1024] })
  t.deepEqual(content['org.matrix.msc3245.voice'], {})
  const image = fileContent({
    name: 'a.png',
    mimetype: 'image/png',
    size: 5,
    image: { width: 1.5, height: 2.4 },
  })
  t.like(image['info'], { w: 2, h: 2 })
})

test('an SVG is a file, not a picture; a caption stands beside the name; a thread is named', t => {
  const svg = fileContent({
    name: 'a.svg',
    mimetype: 'image/svg+xml',
    size: 5,
    image: { width: 1, height: 1 },
  })
  t.is(svg['msgtype'], 'm.file')
  const captioned = fileContent({
    name: 'a.pdf',
    mimetype: 'application/pdf',
    size: 5,
    caption: 'the plan',
    threadRoot: '$root',
  })
  t.like(captioned, { body: 'the plan', filename: 'a.pdf' })
  t.like(captioned['m.relates_to'], { rel_type: 'm.thread', event_id: '$root', is_falling_back: true })
})

test('a server that does not say how much it takes within reach is asked again later', async t => {
  const desk = await Desk.open()
  const files = desk.files
  const { file } = await files.keep(new Blob(['x']), 'file')
  const uploads = new Uploads({
    files,
    upload: async () => 'mxc://a.example/x',
    maxUploadBytes: async () => {
      throw new ApiError('OFFLINE', 'no answer')
    },
    randomBytes,
    tell: news => desk.transfers.push(news),
    uploaded: async () => {},
  })
  await t.throwsAsync(uploads.upload({ txnId: 't', files: [file] }, file, false), { code: 'OFFLINE' })
  t.like(desk.transfers.at(-1), { state: 'waiting' })
})
