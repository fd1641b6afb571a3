/** The fault table: a browser that is killed at any point on a message's way. Each message arrives, once, in its order. */
import test from 'ava'
import { decryptAttachment } from '../../../pwa/e2ee/attachment.ts'
import { VaultError } from '../../../pwa/vault/errors.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { Desk, offline } from './desk.ts'

const room = '!room:a.example'

/** What people wrote before the server was there. */
async function write(desk: Desk): Promise<void> {
  await desk.write(room, 'one')
  const files = [
    await desk.files.keep(new Blob(['small']), 'thumbnail'),
    await desk.files.keep(new Blob(['the file']), 'file'),
  ]
  const content = { msgtype: 'm.file', body: 'plan.txt' }
  await desk.queue.add({ roomId: room, type: 'm.room.message', content, forEncrypted: true, files })
  await desk.write(room, 'two')
}

/** Runs until everything was sent, or until that point; then nothing of the process happens any more. */
async function run(desk: Desk, killAt: number): Promise<{ points: string[]; killed: boolean }> {
  const points: string[] = []
  let killed = false
  const answerOf = desk.amal.answer.bind(desk.amal)
  const upload = desk.uploading
  desk.amal.answer = async request => (killed ? offline() : answerOf(request))
  desk.uploading = async () => (killed ? offline() : undefined)
  desk.records.point = name => {
    if (!killed) points.push(name)
    killed ||= points.length === killAt
    if (killed) throw new VaultError('STORAGE_FAILED', 'killed')
  }
  desk.queue.wake()
  await desk.until(() => killed || desk.queue.size === 0)
  // A process that is gone writes nothing; what its promises still do comes to nothing.
  await desk.queue.stop()
  desk.records.point = () => {}
  desk.amal.answer = answerOf
  desk.uploading = upload
  return { points, killed }
}

/** As the server keeps events: the first of a transaction is the event. */
function arrived(desk: Desk): Map<string, JsonObject> {
  const events = new Map<string, JsonObject>()
  for (const { txnId, body } of desk.puts) if (!events.has(txnId)) events.set(txnId, body)
  return events
}

async function read(desk: Desk, events: Map<string, JsonObject>): Promise<JsonObject[]> {
  await desk.hub.settle()
  const contents: JsonObject[] = []
  for (const body of events.values()) {
    const result = await desk.jonas.read(desk.hub.roomEvent(desk.amal, room, body))
    contents.push(result.kind === 'decrypted' ? result.content : { code: result.code })
  }
  return contents
}

async function opened(desk: Desk, file: JsonObject): Promise<string> {
  const blob = desk.uploaded.get(String(file['url']))!
  return await new Response(blob.stream().pipeThrough(decryptAttachment(file, 1000))).text()
}

const whole = async () => {
  const desk = await Desk.open()
  await desk.encryptedRoom(room)
  await write(desk)
  return desk
}

test('killed at any point, everything arrives once, in its order, and can be read', async t => {
  const { points } = await run(await whole(), 0)
  t.true(points.length > 20, points.join())
  for (const [i, point] of points.entries()) {
    const where = `${i + 1}: ${point}`
    const desk = await whole()
    const { killed } = await run(desk, i + 1)
    t.true(killed, where)
    await desk.reopen()
    t.false((await run(desk, 0)).killed)
    const events = arrived(desk)
    t.is(events.size, 3, where)
    for (const { txnId, body } of desk.puts) t.deepEqual(body, events.get(txnId), where)
    const [one, file, two] = await read(desk, events)
    t.is(one?.['body'], 'one', where)
    t.is(two?.['body'], 'two', where)
    t.is(await opened(desk, file!['file'] as JsonObject), 'the file', where)
    t.is(await opened(desk, (file!['info'] as JsonObject)['thumbnail_file'] as JsonObject), 'small', where)
  }
})
