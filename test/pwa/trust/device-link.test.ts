/** A new device brought in by a code: both ends know each other's keys, and a hostile server in between gets nothing. */
import test from 'ava'
import { ApiError } from '../../../pwa/api/api-error.ts'
import { deviceTrust } from '../../../pwa/e2ee/cross-signing.ts'
import { readIdentity } from '../../../pwa/e2ee/identity.ts'
import { randomBytes, ready } from '../../../pwa/e2ee/primitives.ts'
import { backupSecret, crossSigningSecrets, readSecret, storageSecret } from '../../../pwa/e2ee/secrets.ts'
import { parseLinkAddress } from '../../../pwa/trust/link-address.ts'
import { linkMessageType, writeLinkMessage } from '../../../pwa/trust/link-message.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { OurDevice } from '../../e2ee/hub.ts'
import { Host, Person } from '../../e2ee/identity-world.ts'
import { TrustDevice, TrustServer } from './world.ts'

const alice = '@alice:letro.test'

test.before(() => ready)

/** A trusted device that shows a code, and a new one that has read it. */
async function world() {
  const server = new TrustServer()
  const first = await TrustDevice.open(server, alice, 'FIRST')
  await first.calls.setUpIdentity({ prf: null, auth: null })
  await server.settle()
  const offer = await first.calls.offerDeviceLink({ auth: null })
  const link = parseLinkAddress(offer.url)!
  const fresh = await TrustDevice.open(server, alice, 'NEW')
  return { server, first, fresh, link, offer }
}

type World = Awaited<ReturnType<typeof world>>

const begun = ({ fresh, link }: Pick<World, 'fresh' | 'link'>) => {
  const { linkId, key } = link
  const outcome = fresh.calls.completeDeviceLink({ linkId, key }).then(
    () => 'done',
    (error: { code: string }) => error.code,
  )
  return outcome
}

/** Everybody sends and receives until a hello has been said and answered, or not. */
async function play({ server }: World) {
  for (let i = 0; i < 5; i++) {
    await new Promise(resolve => setImmediate(resolve))
    await server.settle()
  }
}

const trustOf = (device: TrustDevice, deviceId: string) =>
  device.machine.run((step, own) => deviceTrust(step, own, alice, deviceId))

const secretsOf = (device: TrustDevice) =>
  device.machine.run(async step => {
    const names = [...crossSigningSecrets, backupSecret, storageSecret] as const
    const found = await Promise.all(names.map(name => readSecret(step, name)))
    return found.filter(secret => secret !== null)
  })

/** Nothing came of it, on either end: no signature, no secret, no identity taken. */
async function nothingCameOfIt(t: import('ava').ExecutionContext, { first, fresh }: World) {
  t.is(await trustOf(first, 'NEW'), 'unsigned')
  t.deepEqual(await secretsOf(fresh), [])
  t.not((await fresh.calls.identity(null)).state, 'ready')
  t.is(await fresh.machine.run(async step => (await readIdentity(step, alice))?.verifiedKey ?? null), null)
}

test('a new device and the one that shows the code trust each other, and the new one has all secrets', async t => {
  const w = await world()
  const { first, fresh, link, offer } = w
  t.is(link.loginToken, 'a token. of letters/')
  t.is(offer.expiresTs, first.device.now + 120_000)
  const outcome = begun(w)
  await play(w)
  t.is(await outcome, 'done')
  await w.server.settle()
  t.deepEqual(first.links, ['joined', 'done'])
  t.is(await trustOf(first, 'NEW'), 'verified')
  t.is(await trustOf(fresh, 'FIRST'), 'verified')
  t.deepEqual(await secretsOf(fresh), await secretsOf(first))
  t.is((await secretsOf(fresh)).length, 5)
  t.is((await fresh.calls.identity(null)).state, 'ready')
  // Its passkey opens secret storage from now on, and it knows the recovery key when it is typed back.
  const opener = { kind: 'passkey', credentialId: 'c', prfOutput: randomBytes(32) } as const
  await fresh.calls.addPasskeyToIdentity(opener)
  t.deepEqual((await fresh.calls.identity(null)).passkeys, ['c'])
  t.deepEqual(opener.prfOutput, new Uint8Array(32))
  // The code works for its time only; what was done stays done.
  first.fire(120_000 + 600_000)
  t.deepEqual(first.links, ['joined', 'done'])
})

test('a key that is in no backup is asked of our other devices, once they trust this one', async t => {
  const w = await world()
  const { server, first, fresh } = w
  const bob = await OurDevice.open(server, '@bob:letro.test', 'BOB')
  await server.settle()
  await bob.bootstrap()
  for (const device of [first.device, bob]) await device.joinRoom('!room:letro.test', [alice, bob.userId])
  const event = await bob.write('!room:letro.test', 'only for those who are trusted')
  t.is(await first.device.text(event), 'only for those who are trusted')
  t.is(await fresh.device.text(event), 'WITHHELD')
  // As the sync side notes it.
  const id = `!room:letro.test|${event.content['session_id']}`
  await fresh.records.commit([{ collection: 'unread-session', id, value: {} }])
  const asked = () => server.log.filter(({ event: each }) => each.type === 'm.room_key_request').length
  for (let i = 0; i < 3; i++) await fresh.trust.missingKeys.look()
  await server.settle()
  t.is(asked(), 0)
  const outcome = begun(w)
  await play(w)
  t.is(await outcome, 'done')
  await fresh.trust.missingKeys.look()
  await play(w)
  t.is(await fresh.device.text(event), 'only for those who are trusted')
  const before = asked()
  for (let i = 0; i < 3; i++) await fresh.trust.missingKeys.look()
  await play(w)
  t.is(asked(), before)
})

test('a hello that is lost is said again, and saying it twice does no harm', async t => {
  const w = await world()
  let lost = 0
  w.server.tamper = (_to, event) => (event.type === linkMessageType && lost++ === 0 ? null : event)
  const outcome = begun(w)
  await play(w)
  t.deepEqual(w.first.links, [])
  w.fresh.fire(10_000)
  await play(w)
  t.is(await outcome, 'done')
  t.is(lost, 3)
})

test('attack: the server lists a device of its own under the name of the new one', async t => {
  const w = await world()
  const { server, first } = w
  const mallory = new Host(alice, 'NEW')
  const answer = server.answer.bind(server)
  server.answer = (from, kind, body, type) => {
    const answered = answer(from, kind, body, type)
    if (from === first && kind === 'keys-query') answered.device_keys[alice].NEW = mallory.deviceKeys
    return answered
  }
  const outcome = begun(w)
  await play(w)
  t.is(await outcome, 'LINK_OTHER_KEYS')
  t.deepEqual(first.links, ['joined', 'failed LINK_OTHER_KEYS'])
  await nothingCameOfIt(t, w)
})

test('attack: the server puts a device of its own in by a hello of its making', async t => {
  const w = await world()
  const { server, first, link } = w
  const mallory = await TrustDevice.open(server, alice, 'MALLORY')
  await server.settle()
  const masterKey = (await first.machine.run(step => readIdentity(step, alice)))!.masterKey
  const ed25519Key = (server.devices.get(alice)!.get('MALLORY')!.keys['keys'] as Record<string, string>)[
    'ed25519:MALLORY'
  ]!
  const message = { deviceId: mallory.deviceId, ed25519Key, masterKey, answers: null, refused: null }
  // The server knows the link's id from a hello that it carried, and everything but the key.
  const secret = { linkId: link.linkId, key: randomBytes(32), userId: alice }
  for (const content of [
    writeLinkMessage(secret, 'new', message),
    { ...writeLinkMessage(secret, 'new', message), mac: '' },
    { ...writeLinkMessage(secret, 'new', message), mac: undefined },
    { link_id: link.linkId },
  ]) {
    server.deliver(`${alice} FIRST`, { sender: alice, type: linkMessageType, content: content as JsonObject })
    await play(w)
  }
  t.deepEqual(first.links, [])
  t.is(await trustOf(first, 'MALLORY'), 'unsigned')
  // The right one still can.
  const outcome = begun(w)
  await play(w)
  t.is(await outcome, 'done')
})

test('attack: the server changes one member of a hello or of its answer', async t => {
  for (const from of ['new', 'first']) {
    for (const member of [
      'device_id',
      'ed25519',
      'master_key',
      'link_id',
      'version',
      'refused',
      'answers',
      'more',
    ]) {
      const w = await world()
      w.server.tamper = (_to, event) => {
        const isIt = event.type === linkMessageType && event.content['from'] === from
        return isIt ? { ...event, content: { ...event.content, [member]: 'OTHER' } } : event
      }
      const outcome = begun(w)
      await play(w)
      w.fresh.fire(120_000)
      t.is(await outcome, 'LINK_TIMED_OUT', `${from} ${member}`)
      t.deepEqual(await secretsOf(w.fresh), [], `${from} ${member}`)
      if (from === 'new') t.deepEqual(w.first.links, [], member)
    }
  }
})

test('attack: the server shows the new device an identity of its own', async t => {
  const w = await world()
  const { server, first, fresh } = w
  const mallory = new Person(alice)
  const answer = server.answer.bind(server)
  server.answer = (from, kind, body, type) => {
    const answered = answer(from, kind, body, type)
    if (from === fresh && kind === 'keys-query') {
      answered.master_keys = { [alice]: mallory.masterObject }
      answered.self_signing_keys = { [alice]: mallory.selfSigningObject }
      answered.user_signing_keys = { [alice]: mallory.userSigningObject }
    }
    return answered
  }
  const outcome = begun(w)
  await play(w)
  t.is(await outcome, 'LINK_OTHER_IDENTITY')
  t.deepEqual(first.links, ['joined', 'failed LINK_OTHER_IDENTITY'])
  await nothingCameOfIt(t, w)
})

test('attack: the server answers in place of the first device, with the hello itself', async t => {
  const w = await world()
  const { server } = w
  server.tamper = (to, event) => {
    if (event.type !== linkMessageType || to !== `${alice} FIRST`) return event
    for (const from of ['new', 'first']) {
      server.deliver(`${alice} NEW`, { ...event, content: { ...event.content, from } })
    }
    return null
  }
  const outcome = begun(w)
  await play(w)
  w.fresh.fire(120_000)
  t.is(await outcome, 'LINK_TIMED_OUT')
  await nothingCameOfIt(t, w)
})

test('attack: what the first device said to one new device is said to another', async t => {
  const w = await world()
  const { server } = w
  const outcome = begun(w)
  await play(w)
  t.is(await outcome, 'done')
  const answer = server.log.findLast(
    ({ to, event }) => to === `${alice} NEW` && event.type === linkMessageType,
  )!
  const late = await TrustDevice.open(server, alice, 'LATE')
  const second = begun({ fresh: late, link: w.link })
  await play(w)
  server.deliver(`${alice} LATE`, answer.event)
  await play(w)
  late.fire(120_000)
  t.is(await second, 'LINK_TIMED_OUT')
  t.deepEqual(await secretsOf(late), [])
})

test('a code is for one device: a second one that read it as well is not taken', async t => {
  const w = await world()
  const outcome = begun(w)
  await play(w)
  t.is(await outcome, 'done')
  const late = await TrustDevice.open(w.server, alice, 'LATE')
  const second = begun({ fresh: late, link: w.link })
  await play(w)
  late.fire(120_000)
  t.is(await second, 'LINK_TIMED_OUT')
  t.is(await trustOf(w.first, 'LATE'), 'unsigned')
})

test('a code that was put away, or whose time is over, brings nobody in', async t => {
  for (const end of ['cancelled', 'over']) {
    const w = await world()
    if (end === 'cancelled') await w.first.calls.cancelDeviceLink(w.link.linkId)
    else w.first.fire(120_000 + 600_000)
    t.deepEqual(w.first.links, end === 'over' ? ['failed LINK_TIMED_OUT'] : [])
    const outcome = begun(w)
    await play(w)
    w.fresh.fire(120_000)
    t.is(await outcome, 'LINK_TIMED_OUT')
    await nothingCameOfIt(t, w)
  }
})

test('somebody else’s messages are not looked at, and another person’s hello is nothing', async t => {
  const w = await world()
  const { linkId, key } = w.link
  const secret = {
    linkId,
    key: Uint8Array.fromBase64(key, { alphabet: 'base64url' }),
    userId: '@eve:letro.test',
  }
  const message = { deviceId: 'E', ed25519Key: 'x', masterKey: 'x', answers: null, refused: null }
  const content = writeLinkMessage(secret, 'new', message)
  for (const sender of [alice, '@eve:letro.test']) {
    w.server.deliver(`${alice} FIRST`, { sender, type: linkMessageType, content })
  }
  await play(w)
  t.deepEqual(w.first.links, [])
})

test('a device that our identity does not vouch for offers no code', async t => {
  const w = await world()
  await w.server.settle()
  await t.throwsAsync(w.fresh.calls.offerDeviceLink({ auth: null }), { code: 'IDENTITY_NOT_HERE' })
  await t.throwsAsync(w.fresh.calls.completeDeviceLink({ linkId: w.link.linkId, key: 'AAAA' }), {
    code: 'LINK_MALFORMED',
  })
})

test('a server that is away for a while ends nothing: the next hello is taken up', async t => {
  const w = await world()
  const { server, first } = w
  const answer = server.answer.bind(server)
  let isFirstTime = true
  server.answer = (from, kind, body, type) => {
    if (from === first && kind === 'signatures-upload' && isFirstTime) {
      isFirstTime = false
      throw new ApiError('OFFLINE', 'away')
    }
    return answer(from, kind, body, type)
  }
  const outcome = begun(w)
  await play(w)
  w.fresh.fire(10_000)
  await play(w)
  t.is(await outcome, 'done')
})

test('addresses of links are read as they are written, and nothing else is', t => {
  const key = 'A'.repeat(43)
  const good = `https://letro.test:8448/link#abcdefghij.${key}.tok%2Fen.x`
  t.deepEqual(parseLinkAddress(` ${good}\n`), {
    origin: 'https://letro.test:8448',
    linkId: 'abcdefghij',
    key,
    loginToken: 'tok/en.x',
  })
  for (const bad of [
    '',
    'letro',
    good.replace('/link', '/enrol'),
    good.replace('https', 'javascript'),
    good.replace('abcdefghij', 'short'),
    good.replace(key, key.slice(1)),
    good.replace('.tok%2Fen.x', ''),
    good.replace('tok%2Fen', '%E0%A4'),
  ]) {
    t.is(parseLinkAddress(bad), null, bad)
  }
})
