/** Whoever is invited can read what is written from then on, however late our own server tells us that they were. */
import type { ServerProcess } from '../support/server-process.ts'
import { Person } from './person.ts'
import { testsWithServer } from './with-server.ts'

const test = testsWithServer()
const { fetch } = globalThis

test.afterEach.always(() => {
  globalThis.fetch = fetch
})
async function begun(server: ServerProcess, name: string): Promise<Person> {
  const person = await Person.begin(server, name)
  const { calls } = person.owner
  await calls.setUpIdentity({ prf: null, auth: null })
  await person.until(async () => (await calls.session(null))!.setup === 'ready')
  return person
}

const reads = (person: Person, roomId: string, text: string) =>
  person.until(async () =>
    (await person.owner.calls.timeline({ roomId, at: 'end', before: 20, after: 0 })).items.find(
      ({ content }) => content['body'] === text,
    ),
  )

test.serial('a room is made and written into before a sync has told of the invited', async t => {
  const { server } = t.context
  const amal = await begun(server, 'amal')
  const jonas = await begun(server, 'jonas')
  const { calls } = amal.owner
  const here = async () => (await calls.rooms(null))[0]
  let isHeld = false
  const isSent = Promise.withResolvers<void>()
  globalThis.fetch = async (url, init) => {
    const path = new URL(String(url)).pathname
    if (path.includes('/state/m.room.member/')) {
      await amal.until(here)
      isHeld = true
    }
    const response = await fetch(url, init)
    if (/\/send\/m\.room\.encrypted\//.test(path)) isSent.resolve()
    if (isHeld && path.endsWith('/sync')) await isSent.promise
    return response
  }
  const roomId = await calls.createRoom({
    ...{ name: 'Ward 4', invite: [jonas.userId], isDirect: false, encrypted: true, joinRule: 'invite' },
  })
  t.deepEqual(await calls.members(roomId).then(list => list.map(({ userId }) => userId)), [amal.userId])
  await calls.send({ roomId, type: 'm.room.message', content: { msgtype: 'm.text', body: 'for you' } })
  await isSent.promise
  await jonas.until(async () => (await jonas.owner.calls.rooms(null)).some(each => each.roomId === roomId))
  await jonas.owner.calls.join({ room: roomId })
  t.truthy(await reads(jonas, roomId, 'for you'))
  for (const person of [amal, jonas]) await person.owner.calls.lock(null)
})
