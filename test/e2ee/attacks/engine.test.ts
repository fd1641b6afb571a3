/** What a hostile server, and people who write by their own programs, do to the engine: at one server, two devices of ours. */
import test from 'ava'
import { Account, megolmAlgorithm, olmAlgorithm } from '../../../pwa/e2ee/account.ts'
import { deviceTrust, signOwnDevice, verifyIdentity } from '../../../pwa/e2ee/cross-signing.ts'
import { type EditSide, isValidEdit } from '../../../pwa/e2ee/edits.ts'
import {
  buildHistoryBundle,
  historyOffer,
  importHistory,
  shareHistory,
} from '../../../pwa/e2ee/history-sharing.ts'
import { readIdentity } from '../../../pwa/e2ee/identity.ts'
import { InboundGroupSession } from '../../../pwa/e2ee/inbound-group-session.ts'
import { requestRoomKey } from '../../../pwa/e2ee/key-requests.ts'
import { knownDevice, knownDevices } from '../../../pwa/e2ee/known-device.ts'
import { claimMissingSessions, decryptFromDevice } from '../../../pwa/e2ee/olm-channel.ts'
import { OlmSession } from '../../../pwa/e2ee/olm-session.ts'
import { OutboundGroupSession } from '../../../pwa/e2ee/outbound-group-session.ts'
import { randomBytes, ready } from '../../../pwa/e2ee/primitives.ts'
import { readRoom } from '../../../pwa/e2ee/room-settings.ts'
import { isSignedBy, signingKeyId } from '../../../pwa/e2ee/signing-key.ts'
import { encodeBase64 } from '../../../server/protocol/base64.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { signJson } from '../../../server/protocol/signing.ts'
import { utf8Bytes } from '../../../server/protocol/utf8.ts'
import { Hub, OurDevice } from '../hub.ts'

const [alice, bob, mallory] = ['@alice:letro.test', '@bob:letro.test', '@mallory:letro.test']
const [room, otherRoom] = ['!room:letro.test', '!other:letro.test']

test.before(() => ready)

async function person(hub: Hub, userId: string, deviceId: string): Promise<OurDevice> {
  const device = await OurDevice.open(hub, userId, deviceId)
  await hub.settle()
  await device.bootstrap()
  return device
}

async function world() {
  const hub = new Hub()
  const a = await person(hub, alice, 'A')
  const b = await person(hub, bob, 'B')
  for (const each of [a, b]) await each.joinRoom(room, [alice, bob])
  return { hub, a, b }
}

/** Another device of Alice, which she verified from the first one. */
async function secondDevice(hub: Hub, a: OurDevice): Promise<OurDevice> {
  const second = await OurDevice.open(hub, alice, 'A2')
  await hub.settle()
  const { masterKey } = (await a.machine.run(step => readIdentity(step, alice)))!
  await a.machine.run((step, context) => signOwnDevice(step, context, 'A2'))
  await second.machine.run((step, context) => verifyIdentity(step, context, { userId: alice, masterKey }))
  await hub.settle()
  return second
}

/** Sees to it that the one can write to the other by Olm. */
async function connect(from: OurDevice, to: OurDevice): Promise<void> {
  const { userId, deviceId } = to
  await from.joinRoom('!meeting:letro.test', [from.userId, userId])
  await from.machine.run(async (step, context) => {
    const device = await knownDevice(step, userId, deviceId)
    await claimMissingSessions(step, context, [device!])
  })
  await from.hub.settle()
}

/** An Olm message as its writer pleases; not sent. */
async function olmEvent(
  from: OurDevice,
  to: OurDevice,
  type: string,
  content: JsonObject,
  more: JsonObject = {},
): Promise<JsonObject> {
  return from.machine.run(async (step, context) => {
    const { curve25519Key, ed25519Key } = (await knownDevice(step, to.userId, to.deviceId))!
    const [id, record] = (await step.entries('olm-session', `${curve25519Key}|`))[0]!
    const payload = {
      type,
      content,
      sender: from.userId,
      recipient: to.userId,
      recipient_keys: { ed25519: ed25519Key },
      keys: { ed25519: context.account.ed25519Key },
      ...more,
    }
    const before = OlmSession.fromRecord(record['session'] as JsonObject)
    const { message, session } = await before.encrypt(utf8Bytes(JSON.stringify(payload)), randomBytes)
    step.put('olm-session', id, { ...record, session: session.toRecord() })
    const ciphertext = { [curve25519Key]: { type: message.type, body: encodeBase64(message.body) } }
    const { curve25519Key: sender_key } = context.account
    const outer = { algorithm: olmAlgorithm, sender_key, ciphertext }
    return { type: 'm.room.encrypted', sender: from.userId, content: outer }
  })
}

function roomKey(roomId = room) {
  const session = OutboundGroupSession.create(randomBytes)
  const key = session.sessionKey()
  const content = { algorithm: megolmAlgorithm, room_id: roomId, session_id: session.id, session_key: key }
  const exported = InboundGroupSession.fromSessionKey(key).export()
  return { content, exported, id: `${roomId}|${session.id}` }
}

const receive = (device: OurDevice, ...toDevice: JsonObject[]) => device.machine.receiveSync({ toDevice })
const hasSession = async (device: OurDevice, id: string) =>
  (await device.records.get('inbound-group-session', id)) !== undefined

test('attack 2: a device that its owner did not sign gets no key, and is told so', async t => {
  const { hub, a, b } = await world()
  const injected = await OurDevice.open(hub, bob, 'INJECTED')
  await hub.settle()
  const event = await a.write(room, 'for Bob')
  t.is(await b.text(event), 'for Bob')
  t.like(await injected.read(event), { kind: 'failed', code: 'WITHHELD', withheld: 'm.unverified' })
  t.false(hub.log.some(({ to, event }) => to === `${bob} INJECTED` && event.type === 'm.room.encrypted'))
})

test('attack 3: no device has the name of a cross-signing key', async t => {
  const { hub, a } = await world()
  const { masterKey, selfSigningKey } = (await a.machine.run(step => readIdentity(step, bob)))!
  for (const name of [masterKey, selfSigningKey]) {
    const account = Account.create(randomBytes)
    const keys = signJson<JsonObject>(
      {
        user_id: bob,
        device_id: name,
        algorithms: [olmAlgorithm, megolmAlgorithm],
        keys: { [`ed25519:${name}`]: account.ed25519Key, [`curve25519:${name}`]: account.curve25519Key },
      },
      bob,
      signingKeyId(name),
      bytes => account.sign(bytes),
    )
    const published = { keys, oneTimeKeys: [], fallback: null, isFallbackUnused: false }
    hub.devices.get(bob)!.set(name, published)
  }
  hub.tellChanged(bob)
  await hub.settle()
  const names = (await a.machine.run(step => knownDevices(step, bob))).map(each => each.deviceId)
  t.deepEqual(names, ['B'])
  t.deepEqual(a.refusals, ['DEVICE_NAMED_LIKE_A_KEY', 'DEVICE_NAMED_LIKE_A_KEY'])
})

test('attack 4: a forwarded key counts only if it was asked for and a verified device of ours sends it', async t => {
  const { hub, a, b } = await world()
  const second = await secondDevice(hub, a)
  const stranger = await OurDevice.open(hub, alice, 'STRANGER')
  await hub.settle()
  for (const from of [second, b, stranger]) await connect(from, a)
  const { content, exported, id } = roomKey()
  const forwarded = { ...content, session_key: exported, sender_key: encodeBase64(randomBytes(32)) }
  const forward = async (from: OurDevice) =>
    void (await receive(a, await olmEvent(from, a, 'm.forwarded_room_key', forwarded)))

  await forward(second)
  t.deepEqual(a.refusals, ['FORWARDED_KEY_UNSOLICITED'])
  t.false(await hasSession(a, id))
  await a.machine.run((step, context) => requestRoomKey(step, context, room, content.session_id))
  for (const from of [b, stranger]) await forward(from)
  t.deepEqual(a.refusals.slice(1), ['FORWARDED_KEY_NOT_VERIFIED', 'FORWARDED_KEY_NOT_VERIFIED'])
  t.false(await hasSession(a, id))
  await forward(second)
  t.like(await a.records.get('inbound-group-session', id), { source: 'forwarded', givenBy: 'A2' })
})

test('attack 4: a device that calls itself by the name of a verified one is not taken for it', async t => {
  const { hub, a } = await world()
  await secondDevice(hub, a)
  const stranger = await OurDevice.open(hub, alice, 'STRANGER')
  await hub.settle()
  await connect(stranger, a)
  const { content, exported, id } = roomKey()
  await a.machine.run((step, context) => requestRoomKey(step, context, room, content.session_id))
  const sender_device_keys = await stranger.machine.run(async (_step, { account }) =>
    signJson<JsonObject>(
      {
        user_id: alice,
        device_id: 'A2',
        keys: { 'ed25519:A2': account.ed25519Key, 'curve25519:A2': account.curve25519Key },
      },
      alice,
      signingKeyId('A2'),
      bytes => account.sign(bytes),
    ),
  )
  const forwarded = { ...content, session_key: exported, sender_key: encodeBase64(randomBytes(32)) }
  const event = await olmEvent(stranger, a, 'm.forwarded_room_key', forwarded, { sender_device_keys })
  await receive(a, event)
  t.deepEqual(a.refusals, ['FORWARDED_KEY_NOT_VERIFIED'])
  t.false(await hasSession(a, id))
  const messages = await receive(a, await olmEvent(stranger, a, 'org.example', {}, { sender_device_keys }))
  t.is(messages[0]?.encryptedBy, 'STRANGER')
})

test('attack 5: what goes between devices is not taken from a room, nor in the clear', async t => {
  const { a, b } = await world()
  await b.write(room, 'so that there is a key')
  const { content, id } = roomKey()
  for (const type of ['m.room_key', 'm.forwarded_room_key', 'm.secret.send', 'm.dummy']) {
    const encrypted = await b.machine.encryptRoomEvent(room, type, content)
    if (encrypted.kind !== 'encrypted') return t.fail()
    t.is(await a.text(a.hub.roomEvent(b, room, encrypted.content)), 'PROTOCOL_CONFUSION')
    // The same bytes as a message from device to device.
    await receive(a, { type: 'm.room.encrypted', sender: bob, content: encrypted.content })
  }
  t.deepEqual(new Set(a.refusals), new Set(['OLM_MALFORMED']))
  await receive(a, { type: 'm.room_key', sender: bob, content })
  t.is(a.refusals.at(-1), 'NOT_ENCRYPTED')
  t.false(await hasSession(a, id))
})

test('attack 9: only the owner of a session writes with it', async t => {
  const { a, b } = await world()
  const event = await b.write(room, 'by Bob')
  for (const sender of [mallory, alice]) t.is(await a.text({ ...event, sender }), 'SENDER_MISMATCH')
  t.is(await a.text(event), 'by Bob')
})

test('attack 10: device keys in a message are those of its sender and its session', async t => {
  const { hub, a, b } = await world()
  const m = await person(hub, mallory, 'M')
  await connect(m, a)
  const named = (userId: string, deviceId: string, account: Account) =>
    signJson<JsonObject>(
      {
        user_id: userId,
        device_id: deviceId,
        keys: {
          [`ed25519:${deviceId}`]: account.ed25519Key,
          [`curve25519:${deviceId}`]: account.curve25519Key,
        },
      },
      userId,
      signingKeyId(deviceId),
      bytes => account.sign(bytes),
    )
  const theirs = await m.machine.run(async (_step, { account }) => account)
  const another = named(mallory, 'OTHER', Account.create(randomBytes))
  const bobs = hub.devices.get(bob)!.get('B')!.keys
  for (const sender_device_keys of [named(bob, 'M', theirs), named(bob, 'B', theirs), bobs, another, {}, 7]) {
    const { content, id } = roomKey()
    await receive(a, await olmEvent(m, a, 'm.room_key', content, { sender_device_keys }))
    t.is(a.refusals.at(-1), 'OLM_WRONG_DEVICE_KEYS')
    t.false(await hasSession(a, id))
  }
  t.is(a.refusals.length, 6)
  const { content, id } = roomKey()
  const sender_device_keys = named(mallory, 'M', theirs)
  await receive(a, await olmEvent(m, a, 'm.room_key', content, { sender_device_keys }))
  t.like(await a.records.get('inbound-group-session', id), { senderUserId: mallory, senderDeviceId: 'M' })
  t.is(b.refusals.length, 0)
})

test('attack 11: an edit counts only from the sender of what it replaces, for the same type, encrypted if that was', t => {
  const original: EditSide = {
    eventId: '$one',
    roomId: room,
    sender: bob,
    type: 'm.room.message',
    isState: false,
    isEncrypted: true,
    isEdit: false,
  }
  const edit = { ...original, eventId: '$two', isEdit: true, replaces: '$one' }
  t.true(isValidEdit(original, edit))
  t.true(isValidEdit({ ...original, isEncrypted: false }, { ...edit, isEncrypted: false }))
  for (const wrong of [
    { sender: mallory },
    { type: 'm.sticker' },
    { roomId: otherRoom },
    { replaces: '$other' },
    { isState: true },
    { isEncrypted: false },
  ]) {
    t.false(isValidEdit(original, { ...edit, ...wrong }), JSON.stringify(wrong))
  }
  t.false(isValidEdit({ ...original, isState: true }, edit))
  t.false(isValidEdit({ ...original, isEdit: true }, edit))
})

test('attack 13: a message is shown under one event id, also after a restart', async t => {
  const { a, b } = await world()
  const event = await b.write(room, 'once')
  const again = { ...event, event_id: '$again' }
  t.is(await a.text(event), 'once')
  t.is(await a.text(again), 'REPLAY')
  await a.reopen()
  t.is(await a.text(again), 'REPLAY')
  t.is(await a.text(event), 'once')
  // Both in one batch, the copy first: the first one is the one.
  const next = await b.write(room, 'twice')
  const copy = { ...next, event_id: '$copy' }
  const batch = [copy, next] as unknown as JsonObject[]
  const results = await a.machine.decryptRoomEvents(room, batch)
  t.like(results, [{ kind: 'decrypted' }, { kind: 'failed', code: 'REPLAY' }])
})

test('attack 14: an Olm message is from whom it says, and for this person and this device', async t => {
  const { hub, a, b } = await world()
  const m = await person(hub, mallory, 'M')
  await connect(m, a)
  const key = encodeBase64(randomBytes(32))
  for (const [more, code] of [
    [{ sender: bob }, 'OLM_WRONG_SENDER'],
    [{ sender: null }, 'OLM_WRONG_SENDER'],
    [{ recipient: bob }, 'OLM_WRONG_RECIPIENT'],
    [{ recipient_keys: { ed25519: key } }, 'OLM_WRONG_RECIPIENT'],
    [{ recipient_keys: 'none' }, 'OLM_WRONG_RECIPIENT'],
    [{ keys: {} }, 'OLM_WRONG_KEYS'],
  ] as const) {
    const { content, id } = roomKey()
    await receive(a, await olmEvent(m, a, 'm.room_key', content, more))
    t.is(a.refusals.at(-1), code)
    t.false(await hasSession(a, id))
  }
  // The server puts another name on the outside.
  const { content, id } = roomKey()
  const event = await olmEvent(m, a, 'm.room_key', content)
  await receive(a, { ...event, sender: bob })
  t.is(a.refusals.at(-1), 'OLM_WRONG_SENDER')
  t.false(await hasSession(a, id))
  t.is(a.refusals.length, 7)
  t.is(b.refusals.length, 0)
})

test('attack 15: an Olm message with a broken MAC moves no ratchet of the engine', async t => {
  const { a, b } = await world()
  await connect(b, a)
  const { content, id } = roomKey()
  await receive(a, await olmEvent(b, a, 'm.dummy', {}))
  const good = await olmEvent(b, a, 'm.room_key', content)
  const sessions = () => a.records.entries('olm-session')
  const before = await sessions()
  const [[recipient, message]] = Object.entries(
    (good['content'] as { ciphertext: Record<string, { type: number; body: string }> }).ciphertext,
  ) as [[string, { type: number; body: string }]]
  for (const at of [0.2, 0.5, 0.9]) {
    const i = Math.floor(message.body.length * at)
    const body = message.body.slice(0, i) + (message.body[i] === 'A' ? 'B' : 'A') + message.body.slice(i + 1)
    const ciphertext = { [recipient]: { ...message, body } }
    await receive(a, { ...good, content: { ...(good['content'] as JsonObject), ciphertext } })
    t.deepEqual(await sessions(), before)
  }
  t.is(a.refusals.length, 3)
  await receive(a, good)
  t.true(await hasSession(a, id))
})

test('attack 16: who left has no key to what follows, even if they are back at once', async t => {
  const { a, b } = await world()
  const before = await a.write(room, 'one')
  t.is(await b.text(before), 'one')
  await a.machine.receiveRoom(room, { members: { [bob]: null } })
  await a.machine.receiveRoom(room, { members: { [bob]: 'join' } })
  await a.admit(room, bob)
  const after = await a.write(room, 'two')
  t.not(after.content['session_id'], before.content['session_id'])
})

test('attack 16: history is taken from who invited us, for that room, and is shown as theirs', async t => {
  const hub = new Hub()
  const [a, b, m] = [
    await person(hub, alice, 'A'),
    await person(hub, bob, 'B'),
    await person(hub, mallory, 'M'),
  ]
  for (const one of [room, otherRoom]) {
    await b.joinRoom(one, [bob], { historyVisibility: 'shared', isOurs: true })
  }
  const event = await b.write(room, 'before Alice came')
  await b.write(otherRoom, 'not for Alice')
  const bundle = (await b.machine.run(step => buildHistoryBundle(step, room)))!
  const others = (await b.machine.run(step => buildHistoryBundle(step, otherRoom)))!
  const file = { url: 'mxc://letro.test/bundle', v: 'v2' }
  const offer = async (from: OurDevice) => {
    await connect(from, a)
    await from.machine.run((step, context) => shareHistory(step, context, room, alice, file))
    await hub.settle()
  }
  const offered = (inviter: string) =>
    a.machine.run((step, context) => historyOffer(step, context, room, inviter))
  const take = (bytes: Uint8Array, inviter = bob) =>
    a.machine.run((step, context) => importHistory(step, context, room, inviter, bytes))

  await offer(m)
  t.is(await offered(bob), null)
  await t.throwsAsync(take(bundle), { code: 'BUNDLE_UNSOLICITED' })
  // A device of Bob's that the server made.
  const injected = await OurDevice.open(hub, bob, 'INJECTED')
  await hub.settle()
  await connect(injected, a)
  await receive(a, await olmEvent(injected, a, 'm.room_key_bundle', { room_id: room, file }))
  await hub.settle()
  t.is(await offered(bob), null)
  await t.throwsAsync(take(bundle), { code: 'BUNDLE_UNSOLICITED' })

  await offer(b)
  t.deepEqual(await offered(bob), file)
  const lists = [bundle, others].map(bytes => JSON.parse(new TextDecoder().decode(bytes)).room_keys)
  const mixed = utf8Bytes(JSON.stringify({ room_keys: lists.flat() }))
  t.is(await take(mixed), 1)
  t.like(await a.read(event), {
    kind: 'decrypted',
    content: { body: 'before Alice came' },
    shield: 'not-authentic',
    source: 'history',
    givenBy: bob,
  })
})

test('attack 16: what was written while history was closed is not handed on', async t => {
  const hub = new Hub()
  const b = await person(hub, bob, 'B')
  await b.joinRoom(room, [bob], { historyVisibility: 'joined', isOurs: true })
  await b.write(room, 'for members')
  t.is(await b.machine.run(step => buildHistoryBundle(step, room)), null)
  await b.machine.receiveRoom(room, { historyVisibility: 'shared' })
  const open = await b.write(room, 'for everybody')
  const bundle = JSON.parse(
    new TextDecoder().decode((await b.machine.run(step => buildHistoryBundle(step, room)))!),
  )
  t.deepEqual(
    bundle.room_keys.map((each: JsonObject) => each['session_id']),
    [open.content['session_id']],
  )
})

test('attack 17: every Olm message carries its device’s keys, signed by their owner', async t => {
  const { hub, a, b } = await world()
  let caught: JsonObject | undefined
  hub.tamper = (to, event) => {
    if (to !== `${bob} B` || event.type !== 'm.room.encrypted') return event
    caught = event as unknown as JsonObject
    return null
  }
  await a.write(room, 'with my keys')
  const payload = await b.machine.run((step, context) => decryptFromDevice(step, context, caught!))
  const { selfSigningKey } = (await b.machine.run(step => readIdentity(step, alice)))!
  t.is(payload.senderDeviceKeys?.deviceId, 'A')
  t.true(isSignedBy(payload.senderDeviceKeys!.object, alice, selfSigningKey))
})

test('attack 19: a room that was encrypted stays encrypted, with keys that change', async t => {
  const { a, b } = await world()
  const settings = () => a.machine.run(step => readRoom(step, room))
  const before = await settings()
  for (const encryption of [{}, { algorithm: 'none' }, { algorithm: 'org.example.none' }]) {
    await a.machine.receiveRoom(room, { encryption })
    t.is(a.refusals.at(-1), 'ROOM_DOWNGRADE')
  }
  t.deepEqual(await settings(), before)
  const weak = { rotation_period_msgs: 1e9, rotation_period_ms: 1e15 }
  await a.machine.receiveRoom(room, { encryption: { algorithm: megolmAlgorithm, ...weak } })
  t.deepEqual(await settings(), before)
  t.is(await b.text(await a.write(room, 'still a secret')), 'still a secret')
})

test('attack 20: a one-time key that is used twice makes one session, and one new one an hour', async t => {
  const { hub, a, b } = await world()
  const m = await person(hub, mallory, 'M')
  const { oneTimeKeys } = hub.devices.get(alice)!.get('A')!
  const key = oneTimeKeys[0]!
  await connect(b, a)
  // The server hands out the same key again.
  oneTimeKeys.unshift(key)
  await connect(m, a)
  await a.joinRoom('!meeting:letro.test', [alice, mallory])
  const one = roomKey()
  await receive(a, await olmEvent(b, a, 'm.room_key', one.content))
  t.true(await hasSession(a, one.id))
  const claims = () => a.machine.outgoingRequests().filter(({ kind }) => kind === 'keys-claim').length
  const two = roomKey()
  for (let i = 0; i < 3; i++) await receive(a, await olmEvent(m, a, 'm.room_key', two.content))
  t.deepEqual(a.refusals, ['OLM_UNDECRYPTABLE', 'OLM_UNDECRYPTABLE', 'OLM_UNDECRYPTABLE'])
  t.false(await hasSession(a, two.id))
  t.is(claims(), 1)
  const undecryptable = await olmEvent(m, a, 'm.room_key', two.content)
  await hub.settle()
  await receive(a, undecryptable)
  t.is(claims(), 0)
  a.now += 61 * 60 * 1000
  await receive(a, undecryptable)
  t.is(claims(), 1)
})

test('attack 21: a profile that was restored writes with nothing that it wrote with before', async t => {
  const { hub, a, b } = await world()
  const before = await a.write(room, 'before')
  const old = a.records.copy()
  const uploaded = new Set(
    hub.devices
      .get(alice)!
      .get('A')!
      .oneTimeKeys.map(([name]) => name),
  )
  for (const body of ['not', 'in the copy']) t.is(await b.text(await a.write(room, body)), body)
  for (let i = 0; i < 3; i++) {
    hub.devices.get(alice)!.get('A')!.oneTimeKeys.splice(0, 20)
    await hub.settle()
    for (const [name] of hub.devices.get(alice)!.get('A')!.oneTimeKeys) uploaded.add(name)
  }
  const lastGeneration = a.machine.generation
  a.records.rows = old.rows
  a.notices.length = 0
  await a.reopen({ lastGeneration })
  t.true(a.notices.some(({ kind }) => kind === 'rolled-back'))
  t.true(a.machine.generation > lastGeneration)
  t.deepEqual(await a.records.entries('olm-session'), [])
  const after = await a.write(room, 'after')
  t.not(after.content['session_id'], before.content['session_id'])
  t.is(await b.text(after), 'after')
  t.is(await a.text(before), 'before')
  hub.devices.get(alice)!.get('A')!.oneTimeKeys.length = 0
  await hub.settle()
  const fresh = hub.devices
    .get(alice)!
    .get('A')!
    .oneTimeKeys.map(([name]) => name)
  t.true(fresh.length > 0)
  t.false(fresh.some(name => uploaded.has(name)))
  // It opens as it is from now on.
  a.notices.length = 0
  await a.reopen({ lastGeneration })
  t.deepEqual(a.notices, [])
  t.is(await a.machine.run((step, context) => deviceTrust(step, context, bob, 'B')), 'cross-signed')
})
