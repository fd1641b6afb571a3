/** Who is there: two sessions as the worker has them at the real server, with presence on, and with it off. */
import test from 'ava'
import { useLock } from '../../pwa/worker/ownership.ts'
import { call } from '../support/client.ts'
import { ServerProcess } from '../support/server-process.ts'
import { Person } from './person.ts'

/** As a tab does while somebody is at it. Returns how to go. */
async function sitDown(person: Person): Promise<() => Promise<void>> {
  const gone = Promise.withResolvers<void>()
  let held: Promise<unknown> | undefined
  await new Promise<void>(resolve => {
    held = navigator.locks.request(useLock(person.userId), { mode: 'shared' }, () => {
      resolve()
      return gone.promise
    })
  })
  await person.owner.calls.reconnect(null)
  return async () => {
    gone.resolve()
    await held
    await person.owner.calls.reconnect(null)
  }
}

async function twoInARoom(server: ServerProcess) {
  const amal = await Person.begin(server, 'amal')
  const jonas = await Person.begin(server, 'jonas')
  const roomId = await amal.owner.calls.createRoom({
    invite: [jonas.userId],
    isDirect: true,
    encrypted: false,
    joinRule: 'invite',
  })
  await jonas.until(async () => (await jonas.owner.calls.rooms(null)).some(room => room.roomId === roomId))
  await jonas.owner.calls.join({ room: roomId })
  await amal.until(async () =>
    (await amal.owner.calls.members(roomId)).some(
      member => member.userId === jonas.userId && member.membership === 'join',
    ),
  )
  return { amal, jonas }
}

test('who is at a tab is online for others, who left it was there a while ago, and who hides is gone', async t => {
  const server = await ServerProcess.start({ settings: { 'presence.enabled': 'true' } })
  t.teardown(() => server.remove())
  const { amal, jonas } = await twoInARoom(server)
  const seen = () => amal.owner.calls.presence(jonas.userId)
  const goAway = await sitDown(jonas)
  await amal.until(async () => (await seen())?.isOnline)
  t.true(amal.notices('presence').some(({ userIds }) => userIds.includes(jonas.userId)))
  await goAway()
  const left = await amal.until(async () => {
    const status = await seen()
    return status && !status.isOnline ? status : null
  })
  t.true(left.lastActiveTs !== null && left.lastActiveTs <= Date.now())

  const leave = await sitDown(jonas)
  await amal.until(async () => (await seen())?.isOnline)
  await jonas.owner.calls.setAccountData({ type: 'org.letro.privacy', content: { hide_presence: true } })
  await amal.until(async () => (await seen())?.isOnline === false)
  // A new device does not know yet what its person chose: it says nothing before it does.
  const other = await Person.again(server, 'jonas')
  await other.until(async () => (await other.owner.calls.accountData('org.letro.privacy'))?.['hide_presence'])
  t.false((await seen())!.isOnline)
  t.is(await amal.owner.calls.presence('@nobody:localhost'), null)
  await leave()
  for (const person of [amal, jonas, other]) await person.owner.calls.lock(null)
})

test('where the server has presence off nothing is said, asked or shown', async t => {
  const server = await ServerProcess.start()
  t.teardown(() => server.remove())
  const { amal, jonas } = await twoInARoom(server)
  const leave = await sitDown(jonas)
  t.is(await amal.owner.calls.presence(jonas.userId), null)
  const { body } = await call(server.base, 'GET', '/_letro/client/v1/app')
  t.deepEqual(body.presence, { enabled: false })
  t.deepEqual(amal.notices('presence'), [])
  await leave()
  for (const person of [amal, jonas]) await person.owner.calls.lock(null)
})
