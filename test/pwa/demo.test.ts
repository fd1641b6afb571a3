/** The demonstration as people get it: its history, one click, the server gone and back, and what the store holds. */
import test from 'ava'
import { DemoDevice } from '../../scripts/demo/demo-device.ts'
import { DemoServer, userIdOf } from '../../scripts/demo/demo-server.ts'
import { sentTexts } from '../../scripts/demo/history.ts'
import { historyMs, liveThrough } from '../../scripts/demo/live.ts'
import { wordsInTheOpen } from '../../scripts/demo/organisation.ts'
import { searchData, wordsOf } from '../../scripts/demo/plaintext.ts'
import { freePort } from '../support/free-port.ts'

const nowTs = Date.now()
let server: DemoServer
let browser: DemoDevice | undefined
let devices: Awaited<ReturnType<typeof liveThrough>>
test.before(async () => {
  server = await DemoServer.start(await freePort(), nowTs - historyMs)
  devices = await liveThrough(server, nowTs, () => {})
})
test.after.always(async () => {
  for (const device of [...(devices?.values() ?? []), ...(browser ? [browser] : [])])
    await device.calls.lock(null)
  await server?.remove()
})

const demoOf = async () => (await (await fetch(`${server.origin}/_letro/client/v1/app`)).json()).demo

test.serial('the server says that it is a demonstration, and who can be signed in', async t => {
  const { people } = await demoOf()
  t.is(people.length, 5)
  t.like(people[0], { user_id: '@amal:noor-clinic.example', language: 'ar' })
  t.false(JSON.stringify(people).includes('recovery'))
})

test.serial('a new device of one click opens the identity and reads what was written before it', async t => {
  const device = await DemoDevice.signIn(server, 'amal', 'Browser')
  browser = device
  const answer = await fetch(`${server.origin}/_letro/demo/v1/sign-in`, {
    method: 'POST',
    body: JSON.stringify({ user_id: device.userId }),
  })
  const { recovery_key: text } = await answer.json()
  await device.calls.openIdentity({ kind: 'recovery-text', text })
  const ward = await device.until('ward 4', async () =>
    (await device.calls.rooms(null)).find(({ name }) => name === 'Ward 4'),
  )
  const first = await device.until('its history', async () => {
    const query = { roomId: ward.roomId, at: 'end', before: 100, after: 0 } as const
    const { items } = await device.calls.timeline(query)
    return items.find(item => String(item.content['body']).startsWith('Handover: quiet night'))
  })
  t.is(first.sender, userIdOf('jonas'))
  t.true(first.ts < nowTs - historyMs / 2, 'it was written in the past')
  t.is(ward.unread, 3)
  const entry = await device.until('its newest line in the list', async () =>
    (await device.calls.rooms(null)).find(
      ({ roomId, preview }) => roomId === ward.roomId && preview?.type === 'm.room.message',
    ),
  )
  t.regex(entry.preview!.text, /painters are done/)
  t.is(entry.parents.length, 1)
})

test.serial('everybody reads everything in their rooms, and knows the device that wrote it', async t => {
  for (const [name, device] of devices) {
    for (const { roomId, name: room } of await device.calls.rooms(null)) {
      const { items } = await device.calls.timeline({ roomId, at: 'end', before: 100, after: 0 })
      for (const item of items) {
        const words = `${name} in ${room}: ${item.type} of ${item.sender}`
        t.not(item.type, 'm.room.encrypted', words)
        t.is(item.shield, 'none', words)
      }
    }
  }
})

test.serial('the server is stopped, they keep writing, it is started: each message arrives once', async t => {
  const amal = devices.get('amal')!
  const jonas = devices.get('jonas')!
  const room = (await amal.calls.rooms(null)).find(({ directWith }) => directWith[0] === jonas.userId)!
  const { roomId } = room
  await server.stop()
  const write = (device: DemoDevice, body: string) =>
    device.calls.send({ roomId, type: 'm.room.message', content: { msgtype: 'm.text', body } })
  const texts = ['one', 'two', 'three'].map(word => `${word} while it was away`)
  for (const text of texts) await write(amal, text)
  await write(jonas, 'and I')
  t.is(await amal.calls.waiting(null), 3)
  await server.start()
  for (const device of [amal, jonas]) {
    await device.calls.reconnect(null)
    const bodies = await device.until('all four', async () => {
      const { items } = await device.calls.timeline({ roomId, at: 'end', before: 8, after: 0 })
      const written = items
        .filter(item => item.state === null || item.state === 'sent' || item.state === 'read')
        .map(item => String(item.content['body']))
      return written.filter(body => [...texts, 'and I'].includes(body)).length >= 4 ? written : null
    })
    t.deepEqual(
      bodies.filter(body => texts.includes(body)),
      texts,
    )
    t.is(bodies.filter(body => body === 'and I').length, 1)
  }
})

test.serial('the store holds nothing of what was written, and the search would see it if it did', async t => {
  const amal = devices.get('amal')!
  const roomId = await amal.calls.createRoom({
    name: 'Notice board',
    invite: [],
    isDirect: false,
    encrypted: false,
    joinRule: 'invite',
  })
  await amal.until('the room', async () =>
    (await amal.calls.rooms(null)).find(entry => entry.roomId === roomId),
  )
  await amal.write(roomId, { msgtype: 'm.text', body: 'for everybody’s eyes, unencrypted' })
  await server.stop()
  const open = 'for everybody’s eyes, unencrypted'
  const hidden = wordsOf(sentTexts(), [...wordsInTheOpen(), open])
  t.true(hidden.length > 90)
  const { found } = await searchData(server.dataFolder, [open, 'Notice board', ...hidden])
  t.deepEqual([...found.keys()].sort(), ['Notice board', open])
})
