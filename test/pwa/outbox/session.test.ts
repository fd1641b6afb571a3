/** What people write, by sessions of the worker against the real server. */
import '../person.ts'
import './upload-request.ts'
import anyTest, { type TestFn } from 'ava'
import type { TimelineItem } from '../../../pwa/sync/timeline-item.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { ServerProcess } from '../../support/server-process.ts'
import { Person, password } from '../person.ts'

const test = anyTest as TestFn<{ server: ServerProcess }>

test.beforeEach(async t => {
  t.context = { server: await ServerProcess.start({ compileCache: true }) }
})
test.afterEach.always(async t => {
  await t.context.server?.remove()
})

const passphrase = () => ({ kind: 'passphrase', passphrase: 'correct horse battery' }) as const

/** Somebody whose vault is on the disk. */
async function withVault(server: ServerProcess, name: string): Promise<Person> {
  const { userId, deviceId, token: accessToken } = await server.register(name, password)
  const person = new Person(userId, deviceId)
  await person.owner.calls.create([passphrase()])
  const { base: origin } = server
  await person.owner.calls.begin({ origin, deviceId, accessToken, refreshToken: null, expiresInMs: null })
  return person
}

async function together(amal: Person, jonas: Person, encrypted: boolean): Promise<string> {
  if (encrypted) {
    for (const { owner } of [amal, jonas]) await owner.calls.setUpIdentity({ prf: null, auth: null })
  }
  const roomId = await amal.owner.calls.createRoom({
    name: 'Ward 4',
    invite: [jonas.userId],
    isDirect: false,
    encrypted,
    joinRule: 'invite',
  })
  await jonas.until(async () => (await jonas.owner.calls.rooms(null)).length > 0)
  await jonas.owner.calls.join({ room: roomId })
  await amal.until(async () =>
    (await amal.owner.calls.members(roomId)).some(
      ({ userId, membership }) => userId === jonas.userId && membership === 'join',
    ),
  )
  return roomId
}

async function items(person: Person, roomId: string): Promise<readonly TimelineItem[]> {
  return (await person.owner.calls.timeline({ roomId, at: 'end', before: 100, after: 0 })).items
}

async function messages(person: Person, roomId: string): Promise<readonly TimelineItem[]> {
  return (await items(person, roomId)).filter(({ type }) => type === 'm.room.message')
}

/** `deepEqual` takes half a minute for as many bytes. */
async function same(blob: Blob): Promise<(byte: number, i: number) => boolean> {
  const bytes = await blob.bytes()
  return (byte, i) => bytes[i] === byte
}

const text = (body: string) => ({ msgtype: 'm.text', body })

test.serial('a picture with its thumbnail: seen here before it left, fetched and opened there', async t => {
  const { server } = t.context
  const [amal, jonas] = [await Person.begin(server, 'amal'), await Person.begin(server, 'jonas')]
  const roomId = await together(amal, jonas, true)
  const png = new Uint8Array(700_000).map((_, i) => i % 253)
  png.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a])
  const txnId = await amal.owner.calls.sendFile({
    roomId,
    file: new Blob([png], { type: 'image/png' }),
    name: 'plan.png',
    image: { width: 40, height: 30 },
    thumbnail: { blob: new Blob([png.slice(0, 500)], { type: 'image/png' }), width: 8, height: 6 },
  })
  const mine = (await messages(amal, roomId)).find(({ key }) => key === txnId)!
  const shown = await amal.owner.calls.media({ mxc: String(mine.content['url']), maxBytes: 1e6 })
  t.deepEqual([shown.size, shown.type], [png.length, 'image/png'])

  const theirs = await jonas.until(async () =>
    (await messages(jonas, roomId)).find(({ content }) => content['msgtype'] === 'm.image'),
  )
  const { file, info } = theirs.content as { file: JsonObject; info: JsonObject }
  t.like(info, { w: 40, h: 30, size: png.length, mimetype: 'image/png' })
  t.true(png.every(await same(await jonas.owner.calls.media({ file, maxBytes: 1e6 }))))
  const thumbnail = info['thumbnail_file'] as JsonObject
  t.is((await jonas.owner.calls.media({ file: thumbnail, maxBytes: 1e6 })).size, 500)
  await amal.until(() =>
    amal.notices('transfer').some(({ transfer: { id, state } }) => id === txnId && state === 'done'),
  )

  // Nothing has to be fetched of what was sent from here, and what was fetched is here without the server.
  await server.kill()
  for (const person of [amal, jonas]) {
    t.true(png.every(await same(await person.owner.calls.media({ file, maxBytes: 1e6 }))))
    await person.owner.calls.lock(null)
  }
})

test.serial(
  'the server goes, people write on, the browser is closed; everything arrives once, in its order',
  async t => {
    const { server } = t.context
    const [amal, jonas] = [await withVault(server, 'amal'), await Person.begin(server, 'jonas')]
    const roomId = await together(amal, jonas, true)
    const { calls } = amal.owner
    await calls.send({ roomId, type: 'm.room.message', content: text('before') })
    const before = await amal.until(async () =>
      (await messages(amal, roomId)).find(({ content, eventId }) => content['body'] === 'before' && eventId),
    )
    await jonas.until(async () => (await messages(jonas, roomId)).length === 1)

    await server.kill()
    await amal.until(async () => (await calls.connection(null)).state === 'offline')
    const bodies = Array.from({ length: 12 }, (_, i) => `offline ${i}`)
    for (const body of bodies) await calls.send({ roomId, type: 'm.room.message', content: text(body) })
    const relation = { rel_type: 'm.annotation', event_id: before.eventId!, key: '👍' }
    await calls.send({ roomId, type: 'm.reaction', content: { 'm.relates_to': relation } })
    await calls.send({
      roomId,
      type: 'm.room.message',
      content: {
        ...text('* mended'),
        'm.new_content': text('mended'),
        'm.relates_to': { rel_type: 'm.replace', event_id: before.eventId! },
      },
    })
    await calls.sendFile({ roomId, file: new Blob(['a file']), name: 'a.txt' })
    const seen = async (person: Person) => {
      const all = await messages(person, roomId)
      return {
        bodies: all.map(({ content }) => content['body']),
        reactions: all[0]!.reactions.map(({ key, ours }) => [key, ours !== null]),
      }
    }
    const expected = ['mended', ...bodies, 'a.txt']
    t.deepEqual(await seen(amal), { bodies: expected, reactions: [['👍', true]] })
    t.is(await calls.waiting(null), bodies.length + 3)
    await calls.lock(null)

    // The browser again, cold, and no server.
    const again = new Person(amal.userId, amal.deviceId)
    await again.owner.calls.unlock(passphrase())
    t.deepEqual(await seen(again), { bodies: expected, reactions: [['👍', true]] })
    const [entry] = await again.owner.calls.rooms(null)
    t.is(entry!.waiting, bodies.length + 3)
    t.true((await messages(again, roomId)).slice(1).every(({ state }) => state === 'queued'))
    const taken = await again.owner.calls.send({
      roomId,
      type: 'm.room.message',
      content: text('never mind'),
    })
    t.true(await again.owner.calls.discard(taken))

    await server.start()
    for (const { owner } of [again, jonas]) await owner.calls.reconnect(null)
    await jonas.until(async () => (await messages(jonas, roomId)).length === expected.length)
    t.deepEqual(await seen(jonas), { bodies: expected, reactions: [['👍', false]] })
    const sent = await again.until(async () => {
      const all = await messages(again, roomId)
      return all.every(({ eventId }) => eventId !== null) ? all : null
    })
    t.is(new Set(sent.map(({ eventId }) => eventId)).size, expected.length)
    t.is(await again.owner.calls.waiting(null), 0)
    await again.until(async () => (await again.owner.calls.rooms(null))[0]!.waiting === 0)
    const { file } = (await messages(jonas, roomId)).at(-1)!.content as { file: JsonObject }
    t.is(await (await jonas.owner.calls.media({ file, maxBytes: 100 })).text(), 'a file')
    for (const person of [again, jonas]) await person.owner.calls.lock(null)
  },
)

test.serial(
  'a session that was ended while messages wait keeps nothing, and does not go round in circles',
  async t => {
    const { server } = t.context
    const [amal, jonas] = [await withVault(server, 'nour'), await Person.begin(server, 'omar')]
    const roomId = await together(amal, jonas, false)
    const other = await server.login('nour', password)
    const { calls } = amal.owner
    const answer = await fetch(`${server.base}/_matrix/client/v3/logout/all`, {
      method: 'POST',
      headers: { authorization: `Bearer ${other.token}` },
    })
    t.is(answer.status, 200)
    await calls
      .send({ roomId, type: 'm.room.message', content: text('too late') })
      .catch(({ code }) => t.is(code, 'VAULT_LOCKED'))
    await amal.until(() => amal.notices('session-ended').length > 0)
    t.is(amal.notices('session-ended')[0]!.why, 'revoked')
    t.is((await calls.state(null)).vault, 'none')
    await jonas.owner.calls.lock(null)
  },
)
