import test from 'ava'
import type { JsonObject } from '#protocol/json.ts'
import { bootstrapCrossSigning, deviceTrust, signOwnDevice } from '../../pwa/e2ee/cross-signing.ts'
import { standingOf } from '../../pwa/e2ee/identity.ts'
import { ready } from '../../pwa/e2ee/primitives.ts'
import type { Step } from '../../pwa/e2ee/records.ts'
import {
  acceptVerification,
  cancelVerification,
  confirmSas,
  confirmScanned,
  expireVerifications,
  qrCodeOf,
  requestVerification,
  scanQrCode,
  startSas,
} from '../../pwa/e2ee/verification/flow.ts'
import type { VerificationEvent } from '../../pwa/e2ee/verification/flow-messages.ts'
import { readVerification, timeoutMs } from '../../pwa/e2ee/verification/flow-record.ts'
import { encodeQr, parseQr } from '../../pwa/e2ee/verification/qr.ts'
import { receiveVerificationEvent } from '../../pwa/e2ee/verification/received.ts'
import { chooseFrom, isOurOffer, sasOffer } from '../../pwa/e2ee/verification/sas.ts'
import { alice, bob, Host, Person } from './identity-world.ts'
import { KeyServer, OurClient, settle, type ToDevice } from './key-server.ts'

test.before(() => ready)

async function withIdentity(client: OurClient): Promise<OurClient> {
  const { host } = client
  await host.knows(host.userId, host.deviceKeys)
  await host.run(step => bootstrapCrossSigning(step, host))
  await host.run(step => signOwnDevice(step, host, host.deviceId))
  await client.flush()
  return client
}

/** Alice's first device has her identity; her second is new. Bob has his. All know each other's keys. */
async function world() {
  const server = new KeyServer()
  const a = await withIdentity(new OurClient(server, new Host(alice, 'A')))
  const b = await withIdentity(new OurClient(server, new Host(bob, 'B')))
  const a2 = new OurClient(server, new Host(alice, 'A2'))
  const all = async () => {
    for (const client of [a, a2, b]) await client.learn()
  }
  await all()
  return { server, a, a2, b, learnAll: all }
}

type World = Awaited<ReturnType<typeof world>>

async function act(client: OurClient, work: (step: Step, host: Host) => Promise<unknown>): Promise<void> {
  await client.host.run(step => work(step, client.host))
  await client.flush()
}

const view = async (client: OurClient) =>
  (await client.host.run(step => readVerification(step, client.flowId)))!

/** Both ends are ready. */
async function readyTwo({ server }: World, from: OurClient, to: OurClient): Promise<void> {
  const target =
    from.userId === to.userId
      ? { deviceIds: [to.deviceId] }
      : { userId: to.userId, roomId: server.room, body: 'verify?' }
  await act(from, (step, host) => requestVerification(step, host, target))
  await settle(server)
  await act(to, (step, host) => acceptVerification(step, host, to.flowId))
  await settle(server)
}

async function compare({ server }: World, starter: OurClient, other: OurClient, confirmFirst: OurClient) {
  await act(starter, (step, host) => startSas(step, host, starter.flowId))
  await settle(server)
  const shown = [await view(starter), await view(other)]
  const second = confirmFirst === starter ? other : starter
  for (const client of [confirmFirst, second]) {
    await act(client, (step, host) => confirmSas(step, host, client.flowId))
    await settle(server)
  }
  return shown
}

test('two people compare a string in a room and are verified to each other', async t => {
  const w = await world()
  const { a, b } = w
  await readyTwo(w, a, b)
  const [ours, theirs] = await compare(w, b, a, a)
  t.is(ours!.sas?.emoji.length, 7)
  t.deepEqual(ours!.sas, theirs!.sas)
  t.is((await view(a)).phase, 'done')
  t.is((await view(b)).phase, 'done')
  await w.learnAll()
  t.is(await a.host.run(step => standingOf(step, a.host, bob)), 'verified')
  t.is(await b.host.run(step => standingOf(step, b.host, alice)), 'verified')
  // The ephemeral key is gone.
  t.false(JSON.stringify([...a.host.records.values()]).includes('"started":{'))
})

for (const first of ['old', 'new'] as const) {
  test(`a new device of ours is compared, the ${first} one confirming first: it trusts the identity and is signed`, async t => {
    const w = await world()
    const { a, a2 } = w
    await readyTwo(w, a2, a)
    const [ours, theirs] = await compare(w, a2, a, first === 'old' ? a : a2)
    t.deepEqual(ours!.sas, theirs!.sas)
    await w.learnAll()
    t.is(await a2.host.run(step => standingOf(step, a2.host, alice)), 'verified')
    t.is(await a.host.run(step => deviceTrust(step, a.host, alice, 'A2')), 'verified')
    // It asks for the secrets that it lacks.
    t.true(a.others.some(({ type, content }) => type === 'm.secret.request' && content['name'] !== undefined))
  })
}

test('two people verify by one scan', async t => {
  const w = await world()
  const { a, b } = w
  await readyTwo(w, a, b)
  const code = await a.host.run(step => qrCodeOf(step, a.host, a.flowId))
  await act(b, (step, host) => scanQrCode(step, host, b.flowId, code))
  await settle(w.server)
  t.is((await view(a)).phase, 'scanned')
  t.is((await view(b)).phase, 'waiting')
  await act(a, (step, host) => confirmScanned(step, host, a.flowId))
  await settle(w.server)
  t.deepEqual([(await view(a)).phase, (await view(b)).phase], ['done', 'done'])
  t.is(await a.host.run(step => standingOf(step, a.host, bob)), 'verified')
  t.is(await b.host.run(step => standingOf(step, b.host, alice)), 'verified')
})

for (const shower of ['old', 'new'] as const) {
  test(`a new device is verified by a scan, the ${shower} one showing the code`, async t => {
    const w = await world()
    const { a, a2 } = w
    await readyTwo(w, a2, a)
    const [show, scan] = shower === 'old' ? [a, a2] : [a2, a]
    const code = await show.host.run(step => qrCodeOf(step, show.host, show.flowId))
    t.is(parseQr(code).mode, shower === 'old' ? 'self-trusted' : 'self-untrusted')
    await act(scan, (step, host) => scanQrCode(step, host, scan.flowId, code))
    await settle(w.server)
    await act(show, (step, host) => confirmScanned(step, host, show.flowId))
    await settle(w.server)
    await w.learnAll()
    t.is(await a2.host.run(step => standingOf(step, a2.host, alice)), 'verified')
    t.is(await a.host.run(step => deviceTrust(step, a.host, alice, 'A2')), 'verified')
  })
}

test('a code with another key in it cancels the verification', async t => {
  const w = await world()
  const { a, b } = w
  await readyTwo(w, a, b)
  const code = parseQr(await a.host.run(step => qrCodeOf(step, a.host, a.flowId)))
  const forged = encodeQr({ ...code, firstKey: code.secondKey })
  await act(b, (step, host) => scanQrCode(step, host, b.flowId, forged))
  await settle(w.server)
  t.like(await view(a), { phase: 'cancelled', cancelCode: 'm.key_mismatch' })
  t.is(await b.host.run(step => standingOf(step, b.host, alice)), 'pinned')
})

test('a start that does not bring the secret of our code cancels the verification', async t => {
  const w = await world()
  const { a, b } = w
  await readyTwo(w, a, b)
  await a.host.run(step => qrCodeOf(step, a.host, a.flowId))
  w.server.sendToRoom(bob, 'm.key.verification.start', {
    from_device: 'B',
    method: 'm.reciprocate.v1',
    secret: 'AAAAAAAAAAAAAAAAAAAAAA',
    'm.relates_to': { rel_type: 'm.reference', event_id: a.flowId },
  })
  await settle(w.server)
  t.like(await view(a), { phase: 'cancelled', cancelCode: 'm.key_mismatch' })
})

/** Delivers everything, each event changed on its way as a dishonest server would. */
async function settleThrough(w: World, change: (event: ToDevice) => ToDevice): Promise<void> {
  for (const client of w.server.clients as OurClient[]) {
    const receiveRoom = OurClient.prototype.receiveRoom
    client.receiveRoom = event => receiveRoom.call(client, { ...event, ...change(event) })
  }
  await settle(w.server)
}

test('a server that replaces the key breaks its commitment', async t => {
  const w = await world()
  const { a, b } = w
  await readyTwo(w, a, b)
  await act(a, (step, host) => startSas(step, host, a.flowId))
  await settleThrough(w, event =>
    event.type === 'm.key.verification.key' && event.sender === bob
      ? { ...event, content: { ...event.content, key: 'CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' } }
      : event,
  )
  t.like(await view(a), { phase: 'cancelled', cancelCode: 'm.mismatched_commitment' })
})

test('a key of small order cancels instead of making a string that everybody knows', async t => {
  const w = await world()
  const { a, b } = w
  await readyTwo(w, a, b)
  await act(a, (step, host) => startSas(step, host, a.flowId))
  await settleThrough(w, event =>
    event.type === 'm.key.verification.key' && event.sender === alice
      ? { ...event, content: { ...event.content, key: 'A'.repeat(43) } }
      : event,
  )
  t.like(await view(b), { phase: 'cancelled', cancelCode: 'm.invalid_message' })
})

for (const [what, change] of [
  ['MAC of a key', (mac: JsonObject) => ({ ...mac, mac: mapValues(mac['mac'], () => 'AAAA') })],
  ['list of keys', (mac: JsonObject) => ({ ...mac, mac: {} })],
  ['MAC of the list', (mac: JsonObject) => ({ ...mac, keys: 'AAAA' })],
  ['shape', () => ({})],
] as [string, (content: JsonObject) => JsonObject][]) {
  test(`another ${what} on the way: nobody is verified`, async t => {
    const w = await world()
    const { a, b } = w
    await readyTwo(w, a, b)
    await act(a, (step, host) => startSas(step, host, a.flowId))
    await settle(w.server)
    await act(b, (step, host) => confirmSas(step, host, b.flowId))
    await settleThrough(w, event =>
      event.type === 'm.key.verification.mac'
        ? { ...event, content: { ...event.content, ...change(event.content) } }
        : event,
    )
    await act(a, (step, host) => confirmSas(step, host, a.flowId))
    if (what === 'shape') return t.is((await view(a)).phase, 'done')
    t.like(await view(a), { phase: 'cancelled', cancelCode: 'm.key_mismatch' })
    t.is(await a.host.run(step => standingOf(step, a.host, bob)), 'pinned')
  })
}

test('an identity that was replaced between the string and the MACs is not verified', async t => {
  const w = await world()
  const { a, b } = w
  await readyTwo(w, a, b)
  await act(a, (step, host) => startSas(step, host, a.flowId))
  await settle(w.server)
  await act(b, (step, host) => confirmSas(step, host, b.flowId))
  await settle(w.server)
  await a.host.learns(new Person(bob))
  await act(a, (step, host) => confirmSas(step, host, a.flowId))
  t.like(await view(a), { phase: 'cancelled', cancelCode: 'm.key_mismatch' })
})

test('when both start, the smaller user id has started', async t => {
  const w = await world()
  const { a, b } = w
  await readyTwo(w, a, b)
  await act(a, (step, host) => startSas(step, host, a.flowId))
  await act(b, (step, host) => startSas(step, host, b.flowId))
  await settle(w.server)
  const [ours, theirs] = [await view(a), await view(b)]
  t.is(ours.phase, 'comparing')
  t.deepEqual(ours.sas, theirs.sas)
})

test('the other devices hear that one of them was taken', async t => {
  const w = await world()
  const a3 = new OurClient(w.server, new Host(alice, 'A3'))
  await act(w.a, (step, host) => requestVerification(step, host, { deviceIds: ['A2', 'A3'] }))
  await settle(w.server)
  t.is((await view(a3)).phase, 'requested')
  await act(w.a2, (step, host) => acceptVerification(step, host, w.a2.flowId))
  await settle(w.server)
  t.like(await view(a3), { phase: 'cancelled', cancelCode: 'm.accepted' })
  t.is((await view(w.a)).deviceId, 'A2')
})

test('strings that differ cancel it', async t => {
  const w = await world()
  const { a, b } = w
  await readyTwo(w, a, b)
  await act(a, (step, host) => startSas(step, host, a.flowId))
  await settle(w.server)
  await act(a, (step, host) => cancelVerification(step, host, a.flowId, 'm.mismatched_sas'))
  await settle(w.server)
  t.like(await view(b), { phase: 'cancelled', cancelCode: 'm.mismatched_sas' })
})

test('after ten minutes a verification is over, whoever speaks', async t => {
  const w = await world()
  const { a, b } = w
  await readyTwo(w, a, b)
  a.host.now += timeoutMs
  await t.throwsAsync(
    act(a, (step, host) => startSas(step, host, a.flowId)),
    { code: 'VERIFICATION_TIMED_OUT' },
  )
  await act(a, (step, host) => expireVerifications(step, host))
  await settle(w.server)
  t.like(await view(b), { phase: 'cancelled', cancelCode: 'm.timeout' })
})

test('a person verifies others only from a verified device', async t => {
  const { a2, server } = await world()
  const to = { userId: bob, roomId: server.room, body: '' }
  await t.throwsAsync(
    act(a2, (step, host) => requestVerification(step, host, to)),
    { code: 'OWN_IDENTITY_UNVERIFIED' },
  )
})

const request = (more: JsonObject = {}, event: Partial<VerificationEvent> = {}): VerificationEvent => ({
  sender: alice,
  type: 'm.key.verification.request',
  content: {
    from_device: 'A2',
    methods: ['m.sas.v1'],
    transaction_id: 'x',
    timestamp: Date.parse('2026-11-21T00:00:00Z'),
    ...more,
  },
  room: null,
  ...event,
})

for (const [what, event, code] of [
  ['older than ten minutes', request({ timestamp: 0 }), 'VERIFICATION_TOO_OLD'],
  ['from the future', request({ timestamp: 2e15 }), 'VERIFICATION_TOO_OLD'],
  ['without a time', request({ timestamp: 'now' }), 'VERIFICATION_TOO_OLD'],
  ['without a device', request({ from_device: 1 }), 'VERIFICATION_MALFORMED'],
  ['without methods', request({ methods: 'm.sas.v1' }), 'VERIFICATION_MALFORMED'],
  ['with an id beyond reason', request({ transaction_id: 'x'.repeat(256) }), 'VERIFICATION_MALFORMED'],
  ['of another person outside a room', request({}, { sender: bob }), 'VERIFICATION_NOT_IN_ROOM'],
] as [string, VerificationEvent, string][]) {
  test(`a request ${what} is refused and leaves nothing`, async t => {
    const host = new Host(alice, 'A')
    await host.run(step => receiveVerificationEvent(step, host, event))
    t.like(host.told, [{ kind: 'refused', code }])
    t.is(host.records.size, 0)
  })
}

test('a second request of the same device cancels both; the same request twice is refused', async t => {
  const host = new Host(alice, 'A')
  const receive = (event: VerificationEvent) => host.run(step => receiveVerificationEvent(step, host, event))
  await receive(request())
  await receive(request())
  t.like(host.told.at(-1), { kind: 'refused', code: 'VERIFICATION_REPEATED' })
  await receive(request({ transaction_id: 'y' }))
  const codes = host
    .take('to-device')
    .map(({ eventType, body }) => [
      eventType,
      ((body['messages'] as Record<string, Record<string, JsonObject>>)[alice]!['A2'] as JsonObject)['code'],
    ])
  t.deepEqual(codes, [
    ['m.key.verification.cancel', 'm.unexpected_message'],
    ['m.key.verification.cancel', 'm.unexpected_message'],
  ])
})

test('a message out of turn cancels; one of an unknown verification is answered once, a cancel never', async t => {
  const host = new Host(alice, 'A')
  const receive = (type: string, more: JsonObject = {}) =>
    host.run(step => {
      const content = { transaction_id: 'x', from_device: 'A2', ...more }
      return receiveVerificationEvent(step, host, { sender: alice, type, content, room: null })
    })
  await receive('m.key.verification.accept')
  t.is(host.take('to-device').length, 1)
  await receive('m.key.verification.cancel')
  t.is(host.take('to-device').length, 0)
  await host.run(step => receiveVerificationEvent(step, host, request()))
  await receive('m.key.verification.mac')
  t.like(await host.run(step => readVerification(step, 'x')), { cancelCode: 'm.unexpected_message' })
})

test('another device or person does not get into a verification', async t => {
  const w = await world()
  const { a, b } = w
  await readyTwo(w, a, b)
  const room = { roomId: w.server.room, eventId: '$x', originServerTs: w.server.now }
  const relates = { 'm.relates_to': { rel_type: 'm.reference', event_id: a.flowId } }
  const type = 'm.key.verification.start'
  const send = (sender: string, content: JsonObject) =>
    a.host.run(step => receiveVerificationEvent(step, a.host, { sender, type, content, room }))
  await send(bob, { ...sasOffer, from_device: 'B2', ...relates })
  t.like(a.host.told.at(-1), { kind: 'refused', code: 'VERIFICATION_OTHER_DEVICE' })
  await send('@carol:letro.test', { ...sasOffer, from_device: 'B', ...relates })
  t.like(a.host.told.at(-1), { kind: 'refused', code: 'VERIFICATION_OTHER_SENDER' })
  t.is((await view(a)).phase, 'ready')
})

test('a start without what we take is not chosen from, an accept beyond our offer not believed', t => {
  const offer = sasOffer as unknown as JsonObject
  const choice = chooseFrom(offer)!
  t.true(isOurOffer({ ...choice, commitment: 'x' }))
  for (const name of [
    'key_agreement_protocols',
    'hashes',
    'message_authentication_codes',
    'short_authentication_string',
  ]) {
    t.is(chooseFrom({ ...offer, [name]: ['other'] }), null)
    t.is(chooseFrom({ ...offer, [name]: 'sha256' }), null)
  }
  // Nobody can make a commitment to what has no canonical form.
  t.is(chooseFrom({ ...offer, more: 1.5 }), null)
  t.is(chooseFrom({ ...offer, message_authentication_codes: ['hkdf-hmac-sha256'] }), null)
  t.false(isOurOffer({ ...choice, commitment: 'x', message_authentication_code: 'hkdf-hmac-sha256' }))
  t.false(isOurOffer({ ...choice, commitment: 1 }))
})

const code = encodeQr({
  mode: 'other-user',
  flowId: '$ABCD',
  firstKey: new Uint8Array(32).fill(1),
  secondKey: new Uint8Array(32).fill(2),
  secret: new Uint8Array(8).fill(3),
})

test('the code of the specification has its bytes where the specification has them', t => {
  t.is(
    Buffer.from(code).toString('hex'),
    `4d41545249580200000524${'41424344'}${'01'.repeat(32)}${'02'.repeat(32)}${'03'.repeat(8)}`,
  )
  t.is(parseQr(code).flowId, '$ABCD')
})

for (const [what, bytes] of [
  ['cut off at any byte', null],
  ['of another version', patched(6, 3)],
  ['of another mode', patched(7, 3)],
  ['not ours', patched(0, 0)],
  ['with an id longer than itself', patched(8, 0xff)],
  ['with an id that is no text', patched(10, 0xff)],
  ['longer than any code', new Uint8Array([...code, ...new Uint8Array(3000)])],
] as [string, Uint8Array | null][]) {
  test(`a code ${what} is refused`, t => {
    const all = bytes ? [bytes] : Array.from(code, (_, length) => code.slice(0, length))
    for (const one of all) t.regex(t.throws(() => parseQr(one)).message, /code/)
  })
}

function patched(at: number, byte: number): Uint8Array {
  const copy = code.slice()
  copy[at] = byte
  return copy
}

function mapValues(object: unknown, value: () => string): JsonObject {
  return Object.fromEntries(Object.keys(object as object).map(key => [key, value()]))
}
