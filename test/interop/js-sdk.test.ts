/**
 * Unmodified clients against the real server: matrix-js-sdk with the Rust crypto, LevelDB, a process that is killed.
 *
 * One story in order, each chapter a test: what a chapter leaves is what the next one begins with.
 */
import { Attachment, EncryptedAttachment } from '@matrix-org/matrix-sdk-crypto-wasm'
import test, { registerCompletionHandler } from 'ava'
import { EventStatus, Preset } from 'matrix-js-sdk'
import { call } from '../support/client.ts'
import { ServerProcess } from '../support/server-process.ts'
import { SdkDevice, until, verifyBySas } from './sdk-client.ts'

const password = 'correct horse battery staple'
let server: ServerProcess
let alicePhone: SdkDevice
let aliceLaptop: SdkDevice
let bob: SdkDevice
let roomId: string
/** Every message that was acknowledged, in the order of sending. */
const acknowledged: { readonly eventId: string; readonly text: string }[] = []

// The SDK leaves timers behind, of minutes.
registerCompletionHandler(() => process.exit())

test.before(async () => {
  server = await ServerProcess.start()
})

test.after.always(async t => {
  for (const device of [alicePhone, aliceLaptop, bob]) device?.stop()
  if (!t.passed)
    t.log(server?.output.slice(-5_000), alicePhone?.complaints.slice(-20), bob?.complaints.slice(-20))
  await server?.remove()
})

async function say(from: SdkDevice, text: string): Promise<string> {
  const eventId = await from.sendText(roomId, text)
  acknowledged.push({ eventId, text })
  return eventId
}

test.serial('two people sign up and set up cross-signing, a recovery key and a key backup', async t => {
  alicePhone = await new SdkDevice(server, await server.register('alice', password)).start()
  bob = await new SdkDevice(server, await server.register('bob', password)).start()
  for (const device of [alicePhone, bob]) {
    const { crypto } = device
    await crypto.bootstrapCrossSigning({
      authUploadDeviceSigningKeys: async makeRequest => await makeRequest(null),
    })
    const recoveryKey = await crypto.createRecoveryKeyFromPassphrase()
    await crypto.bootstrapSecretStorage({
      createSecretStorageKey: async () => recoveryKey,
      setupNewKeyBackup: true,
      setupNewSecretStorage: true,
    })
    t.true(await crypto.isCrossSigningReady())
    t.true(await crypto.isSecretStorageReady())
    t.truthy(await crypto.getActiveSessionBackupVersion())
    const own = await crypto.getDeviceVerificationStatus(device.userId, device.deviceId)
    t.true(own?.crossSigningVerified)
  }
})

test.serial('other cross-signing keys are taken only with the password', async t => {
  const dora = await new SdkDevice(server, await server.register('dora', password)).start()
  t.teardown(() => dora.stop())
  const { crypto, userId } = dora
  await crypto.bootstrapCrossSigning({
    authUploadDeviceSigningKeys: async makeRequest => await makeRequest(null),
  })
  const query = { token: dora.client.getAccessToken()!, body: { device_keys: { [userId]: [] } } }
  const masterKey = async () => {
    const { body } = await call(server.base, 'POST', '/_matrix/client/v3/keys/query', query)
    return JSON.stringify(body.master_keys[userId].keys)
  }
  const first = await masterKey()
  let asked = 0
  await crypto.bootstrapCrossSigning({
    setupNewCrossSigning: true,
    authUploadDeviceSigningKeys: async makeRequest => {
      try {
        await makeRequest(null)
      } catch (error) {
        asked++
        const { session } = (error as { data: { session: string } }).data
        await makeRequest({
          type: 'm.login.password',
          identifier: { type: 'm.id.user', user: userId },
          password,
          session,
        })
      }
    },
  })
  t.is(asked, 1)
  t.not(await masterKey(), first)
})

test.serial('messages in an encrypted room go both ways, and the server sees ciphertext only', async t => {
  const created = await alicePhone.client.createRoom({
    preset: Preset.PrivateChat,
    name: 'Ward round',
    invite: [bob.userId],
    initial_state: [
      { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
    ],
  })
  roomId = created.room_id
  await until(() => bob.client.getRoom(roomId)?.getMyMembership() === 'invite', 'Bob is invited')
  await bob.client.joinRoom(roomId)
  await bob.room(roomId)
  await until(
    () => alicePhone.client.getRoom(roomId)?.getMember(bob.userId)?.membership === 'join',
    'Alice sees Bob in the room',
  )
  const first = await say(alicePhone, 'bed 4 is ready')
  t.is(await bob.read(roomId, first), 'bed 4 is ready')
  const second = await say(bob, 'coming at ten')
  t.is(await alicePhone.read(roomId, second), 'coming at ten')
  const stored = await alicePhone.client.fetchRoomEvent(roomId, first)
  t.is(stored.type, 'm.room.encrypted')
  t.false(JSON.stringify(stored).includes('bed 4'))
})

test.serial('two people verify each other by emoji, to the end', async t => {
  const request = await alicePhone.crypto.requestVerificationDM(bob.userId, roomId)
  const emoji = await verifyBySas(request, await bob.verificationRequest())
  t.is(emoji.ours.split(' ').length, 7)
  t.is(emoji.ours, emoji.theirs)
  const verified = async (by: SdkDevice, of: SdkDevice) =>
    (await by.crypto.getUserVerificationStatus(of.userId)).isCrossSigningVerified()
  await until(() => verified(alicePhone, bob), 'Alice has verified Bob')
  await until(() => verified(bob, alicePhone), 'Bob has verified Alice')
  t.pass()
})

test.serial(
  'a fresh device reads nothing, then verifies itself with the first and restores the key backup',
  async t => {
    const token = alicePhone.client.getAccessToken()!
    const backup = () => call(server.base, 'GET', '/_matrix/client/v3/room_keys/version', { token })
    await until(async () => (await backup()).body.count >= 2, 'both room keys are backed up')
    aliceLaptop = await new SdkDevice(server, await server.login('alice', password)).start()
    await aliceLaptop.room(roomId)
    const { eventId, text } = acknowledged[0]!
    const old = await aliceLaptop.event(roomId, eventId)
    t.true(old.isDecryptionFailure())

    await aliceLaptop.crypto.getUserDeviceInfo([aliceLaptop.userId], true)
    const request = await aliceLaptop.crypto.requestOwnUserVerification()
    const emoji = await verifyBySas(request, await alicePhone.verificationRequest())
    t.is(emoji.ours, emoji.theirs)
    const status = () =>
      aliceLaptop.crypto.getDeviceVerificationStatus(aliceLaptop.userId, aliceLaptop.deviceId)
    await until(async () => (await status())?.crossSigningVerified === true, 'the laptop is cross-signed')

    aliceLaptop.recoveryKey = alicePhone.recoveryKey
    await aliceLaptop.crypto.loadSessionBackupPrivateKeyFromSecretStorage()
    const restored = await aliceLaptop.crypto.restoreKeyBackup()
    t.true(restored.imported >= 2)
    t.is(restored.imported, restored.total)
    t.is(await aliceLaptop.read(roomId, eventId), text)
    for (const message of acknowledged) t.is(await aliceLaptop.read(roomId, message.eventId), message.text)
  },
)

test.serial('three devices of two people: each reads what any of them writes', async t => {
  await until(async () => {
    const devices = await bob.crypto.getUserDeviceInfo([alicePhone.userId])
    return devices.get(alicePhone.userId)?.has(aliceLaptop.deviceId) === true
  }, 'Bob knows of the laptop')
  for (const [from, text] of [
    [aliceLaptop, 'from the laptop'],
    [bob, 'from Bob'],
    [alicePhone, 'from the phone'],
  ] as const) {
    const eventId = await say(from, text)
    for (const reader of [alicePhone, aliceLaptop, bob]) t.is(await reader.read(roomId, eventId), text)
  }
})

test.serial('an encrypted file goes through the media repository', async t => {
  const plain = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 256)
  const attachment = Attachment.encrypt(plain)
  const info = JSON.parse(attachment.mediaEncryptionInfo!)
  const ciphertext = attachment.encryptedData
  const { content_uri } = await alicePhone.client.uploadContent(new Blob([new Uint8Array(ciphertext)]), {
    type: 'application/octet-stream',
    includeFilename: false,
  })
  const { event_id } = await alicePhone.client.sendMessage(roomId, {
    msgtype: 'm.file' as never,
    body: 'x-ray.bin',
    file: { ...info, url: content_uri },
  } as never)
  const event = await bob.event(roomId, event_id)
  await until(() => event.getType() === 'm.room.message', 'Bob can read the message')
  const { file } = event.getContent()
  const address = bob.client.mxcUrlToHttp(
    file.url,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    true,
  )!
  t.is((await fetch(address)).status, 401)
  const answer = await fetch(address, { headers: { authorization: `Bearer ${bob.client.getAccessToken()}` } })
  t.is(answer.status, 200)
  const received = new Uint8Array(await answer.arrayBuffer())
  t.deepEqual(received, new Uint8Array(ciphertext))
  const { url: _url, ...keys } = file
  t.deepEqual(Attachment.decrypt(new EncryptedAttachment(received, JSON.stringify(keys))), plain)
})

test.serial('who joins later reads what follows, and nothing of what was before', async t => {
  const carol = await new SdkDevice(server, await server.register('carol', password)).start()
  t.teardown(() => carol.stop())
  await alicePhone.client.invite(roomId, carol.userId)
  await until(() => carol.client.getRoom(roomId)?.getMyMembership() === 'invite', 'Carol is invited')
  await carol.client.joinRoom(roomId)
  await carol.room(roomId)
  await until(
    () => alicePhone.client.getRoom(roomId)?.getMember(carol.userId)?.membership === 'join',
    'Alice sees Carol in the room',
  )
  const eventId = await say(alicePhone, 'welcome')
  t.is(await carol.read(roomId, eventId), 'welcome')
  await carol.readHistory(roomId)
  for (const { eventId: earlier } of acknowledged.slice(0, -1)) {
    const event = await carol.event(roomId, earlier)
    t.true(event.isDecryptionFailure(), 'an earlier message stays unreadable')
  }
  await carol.client.leave(roomId)
  await until(
    () => alicePhone.client.getRoom(roomId)?.getMember(carol.userId)?.membership === 'leave',
    'Alice sees that Carol has left',
  )
})

test.serial(
  'the server is killed with kill -9 again and again: nothing acknowledged is missing, clients go on',
  async t => {
    for (let round = 0; round < 3; round++) {
      const killed = (async () => {
        await new Promise(resolve => setTimeout(resolve, 300))
        await server.kill()
        await server.start()
      })()
      const sending = Array.from({ length: 20 }, (_, i) => `round ${round}, message ${i}`)
      const lost: string[] = []
      for (const [i, text] of sending.entries()) {
        // A new room key every few messages: to-device messages and claimed keys are under way as well.
        if (i % 5 === 0) await bob.crypto.forceDiscardSession(roomId)
        try {
          await say(bob, text)
        } catch {
          lost.push(text)
        }
      }
      await killed
      // What the client could not deliver stands in its room; sent again, it keeps its transaction id.
      const room = bob.client.getRoom(roomId)!
      for (const event of room.getPendingEvents().filter(({ status }) => status === EventStatus.NOT_SENT)) {
        const { event_id } = await bob.client.resendEvent(event, room)
        const text = String(event.getContent()['body'])
        acknowledged.push({ eventId: event_id, text })
        lost.splice(lost.indexOf(text), 1)
      }
      t.deepEqual(lost, [])
    }
    for (const { eventId, text } of acknowledged) {
      for (const reader of [alicePhone, aliceLaptop]) t.is(await reader.read(roomId, eventId), text)
    }
    // No event twice: what was sent again under its transaction id was not written again.
    const texts = new Map<string, number>()
    const timelines = alicePhone.client.getRoom(roomId)!.getUnfilteredTimelineSet().getTimelines()
    for (const event of timelines.flatMap(timeline => timeline.getEvents())) {
      const body = event.getContent()['body']
      if (typeof body === 'string' && body.startsWith('round')) texts.set(body, (texts.get(body) ?? 0) + 1)
    }
    t.deepEqual(
      [...texts].filter(([, count]) => count !== 1),
      [],
    )
    t.is(texts.size, 60)
    // And an answer travels back.
    const eventId = await say(alicePhone, 'we are back')
    t.is(await bob.read(roomId, eventId), 'we are back')
  },
)

test.serial('a client that starts again after the kills finds every message in its history', async t => {
  const tablet = await new SdkDevice(server, await server.login('alice', password)).start()
  t.teardown(() => {
    if (!t.passed) t.log(tablet.complaints.slice(-10), tablet.requests)
    tablet.stop()
  })
  tablet.recoveryKey = alicePhone.recoveryKey
  t.true(await tablet.crypto.userHasCrossSigningKeys(undefined, true))
  await tablet.crypto.bootstrapCrossSigning({})
  await until(
    async () => (await alicePhone.crypto.getActiveSessionBackupVersion()) !== null,
    'the backup is in use',
  )
  const room = await tablet.room(roomId)
  await tablet.readHistory(roomId)
  for (const { eventId } of acknowledged) t.truthy(room.findEventById(eventId))
})

test.serial('the server stops in order when it is asked to', async t => {
  for (const device of [alicePhone, aliceLaptop, bob]) device.stop()
  t.is(await server.stop(), 0)
})
