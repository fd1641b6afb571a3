/** End-to-end encryption across servers: matrix-js-sdk with the Rust crypto at home on either side. */
import test, { registerCompletionHandler } from 'ava'
import { EventType, Preset } from 'matrix-js-sdk'
import { SdkDevice, until } from '../sdk-client.ts'
import { World } from './world.ts'

const password = 'correct horse battery staple'
let world: World
let ours: SdkDevice
let theirs: SdkDevice
let roomId: string

// The SDK leaves timers behind, of minutes.
registerCompletionHandler(() => process.exit())

test.before(async () => {
  world = await World.open()
  ours = await new SdkDevice(
    world.letro.process,
    await world.letro.process.register('amal', password),
  ).start()
  theirs = await new SdkDevice(world.synapse, await world.synapse.register('jonas', password)).start()
})
test.after.always(async t => {
  for (const device of [ours, theirs]) device?.stop()
  if (!t.passed) t.log(world?.words, ours?.complaints.slice(-20), theirs?.complaints.slice(-20))
  await world?.close()
})

test.serial('an encrypted room across servers: each reads the other', async t => {
  const made = await ours.client.createRoom({
    preset: Preset.PrivateChat,
    invite: [theirs.userId],
    initial_state: [
      { type: EventType.RoomEncryption, state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
    ],
  })
  roomId = made.room_id
  await until(() => theirs.client.getRoom(roomId)?.getMyMembership() === 'invite', 'the invite')
  await theirs.client.joinRoom(roomId)
  await theirs.room(roomId)
  await until(() => (ours.client.getRoom(roomId)?.getJoinedMembers().length ?? 0) === 2, 'both are in')
  t.is(
    await theirs.read(roomId, await ours.sendText(roomId, 'only you can read this')),
    'only you can read this',
  )
  t.is(await ours.read(roomId, await theirs.sendText(roomId, 'and only you this')), 'and only you this')
})

test.serial('a new device on either side is told of, and reads what comes after it', async t => {
  const cases = [
    {
      owner: ours,
      other: theirs,
      at: world.letro.process,
      name: 'amal',
      login: () => world.letro.process.login('amal', password),
    },
    {
      owner: theirs,
      other: ours,
      at: world.synapse,
      name: 'jonas',
      login: () => world.synapse.login('jonas', password),
    },
  ]
  for (const { owner, other, at, login } of cases) {
    const second = await new SdkDevice(at, await login()).start()
    t.teardown(() => second.stop())
    await until(
      async () =>
        (await other.crypto.getUserDeviceInfo([owner.userId], true))
          .get(owner.userId)
          ?.has(second.deviceId) === true,
      `${other.userId} knows the new device of ${owner.userId}`,
    )
    const text = `for both devices of ${owner.userId}`
    const sent = await other.sendText(roomId, text)
    t.is(await second.read(roomId, sent), text)
    t.is(await owner.read(roomId, sent), text)
  }
})
