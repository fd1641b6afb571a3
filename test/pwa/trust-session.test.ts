/** Our identity over its life, by sessions of the worker against the real server. */
import { parseLinkAddress } from '../../pwa/trust/link-address.ts'
import type { Opener } from '../../pwa/vault/vault-key.ts'
import { Person, password } from './person.ts'
import { testsWithServer } from './with-server.ts'

const test = testsWithServer()

const passkey = (byte: number): Opener => ({
  kind: 'passkey',
  credentialId: `credential${byte}`,
  prfOutput: new Uint8Array(32).fill(byte),
})

const byPassword = (person: Person) => ({
  type: 'm.login.password',
  identifier: { type: 'm.id.user', user: person.userId },
  password,
})

test('a new person has identity, secret storage and backup at once; a second device opens them by passkey and reads', async t => {
  const { server } = t.context
  const amal = await Person.begin(server, 'amal')
  const { calls } = amal.owner
  t.is((await calls.session(null))!.setup, 'identity')
  const prf = passkey(1)
  const { recoveryKey } = await calls.setUpIdentity({ prf, auth: null })
  t.regex(recoveryKey, /^(\w{4} ){11,}\w{1,4}$/)
  t.deepEqual(prf, { ...prf, prfOutput: new Uint8Array(32) }, 'the PRF output was wiped')
  const made = await amal.until(async () => {
    const state = await calls.identity(null)
    return state.state === 'ready' && state.hasRecoveryKey && state.backup ? state : null
  })
  t.like(made, { passkeys: ['credential1'], recoveryCheckedTs: 0, otherDevices: false })
  await t.throwsAsync(calls.setUpIdentity({ prf: null, auth: null }), { code: 'IDENTITY_EXISTS' })
  await amal.until(async () => (await calls.session(null))!.setup === 'ready')

  t.false(await calls.checkRecoveryKey({ group: -1, text: 'nope' }))
  t.true(await calls.checkRecoveryKey({ group: -1, text: ` ${recoveryKey.split(' ').at(-1)} ` }))
  t.true((await calls.identity(null)).recoveryCheckedTs > 0)

  const roomId = await calls.createRoom({
    name: 'Alone',
    invite: [],
    isDirect: false,
    encrypted: true,
    joinRule: 'invite',
  })
  await calls.send({ roomId, type: 'm.room.message', content: { msgtype: 'm.text', body: 'kept for later' } })
  const last = async (person: Person) =>
    (await person.owner.calls.timeline({ roomId, at: 'end', before: 20, after: 0 })).items.find(
      item => item.content['body'] === 'kept for later' && item.eventId !== null,
    )
  await amal.until(() => last(amal))
  await amal.until(async () => {
    const { backup } = await calls.identity(null)
    return backup && backup.total > 0 && backup.waiting === 0
  })

  const second = await Person.again(server, 'amal')
  const locked = await second.until(async () => {
    const state = await second.owner.calls.identity(null)
    return state.state === 'locked' && state.hasRecoveryKey ? state : null
  })
  t.like(locked, { otherDevices: true, passkeys: ['credential1'] })
  await t.throwsAsync(second.owner.calls.openIdentity(passkey(9)), { code: 'STORAGE_KEY_NO_PASSKEY' })
  const wrong = { ...passkey(9), credentialId: 'credential1' } as Opener
  await t.throwsAsync(second.owner.calls.openIdentity(wrong), { code: 'STORAGE_KEY_WRONG' })
  t.is((await second.owner.calls.identity(null)).state, 'locked')
  await second.owner.calls.openIdentity(passkey(1))
  t.is((await second.owner.calls.identity(null)).state, 'ready')
  await second.until(() => last(second))
  const previews = async () => (await second.owner.calls.rooms(null)).map(({ preview }) => preview?.text)
  await second.until(async () => (await previews()).includes('kept for later'))
  t.true(second.notices('backup-restore').some(({ done, total }) => done === total && total > 0))

  const devices = await amal.until(async () => {
    const list = await calls.ourDevices(null)
    return list.length === 2 && list[1]!.trust === 'verified' ? list : null
  })
  t.is(devices[0]!.trust, 'own')
  t.regex(devices[0]!.fingerprint, /^(\S{4} ){10}\S{3}$/)
  await calls.renameDevice({ deviceId: devices[1]!.deviceId, name: 'The other one' })
  t.is((await calls.ourDevices(null))[1]!.displayName, 'The other one')

  // A second passkey opens it too, and a new recovery key ends the old one.
  await second.owner.calls.addPasskeyToIdentity(passkey(2))
  await amal.until(async () => (await calls.identity(null)).passkeys.length === 2)
  await calls.removePasskeyFromIdentity('credential2')
  const fourth = await Person.again(server, 'amal')
  await t.throwsAsync(fourth.owner.calls.openIdentity(passkey(2)), { code: 'STORAGE_KEY_NO_PASSKEY' })
  await fourth.owner.calls.signOut(null)
  const { recoveryKey: fresh } = await calls.newRecoveryKey(null)
  t.true(await calls.checkRecoveryKey({ group: 0, text: fresh.slice(0, 4) }))
  const third = await Person.again(server, 'amal')
  const open = (text: string) => third.owner.calls.openIdentity({ kind: 'recovery-text', text })
  await t.throwsAsync(open('EsTx nonsense'), { code: 'RECOVERY_KEY_MALFORMED' })
  await t.throwsAsync(open(recoveryKey), { code: 'STORAGE_KEY_WRONG' })
  await open(fresh)
  t.is((await third.owner.calls.identity(null)).state, 'ready')
  await third.until(() => last(third))

  const deviceIds = [second.deviceId]
  const wish = await t.throwsAsync(calls.deleteDevices({ deviceIds, auth: null }), {
    code: 'CONFIRMATION_NEEDED',
  })
  const { session } = (wish as unknown as { details: { session: string } }).details
  await calls.deleteDevices({ deviceIds, auth: { ...byPassword(amal), session } })
  await second.until(() => second.notices('session-ended').length > 0)
  // The other device hears of it by its own sync, this one by ours.
  await amal.until(async () =>
    (await calls.ourDevices(null)).every(({ deviceId }) => deviceId !== second.deviceId),
  )
  for (const person of [amal, third]) await person.owner.calls.lock(null)
})

test('all is lost: a new identity, once the person confirmed it; others see the change and decide', async t => {
  const { server } = t.context
  const nour = await Person.begin(server, 'nour')
  const jonas = await Person.begin(server, 'jonas')
  for (const { owner } of [nour, jonas]) await owner.calls.setUpIdentity({ prf: null, auth: null })
  const roomId = await nour.owner.calls.createRoom({
    invite: [jonas.userId],
    isDirect: true,
    encrypted: true,
    joinRule: 'invite',
  })
  await jonas.until(async () => (await jonas.owner.calls.rooms(null)).length > 0)
  await jonas.owner.calls.join({ room: roomId })
  const before = await jonas.until(async () => {
    const person = await jonas.owner.calls.person(nour.userId)
    return person.standing === 'pinned' ? person : null
  })
  t.is(before.devices[0]!.trust, 'cross-signed')

  const again = await Person.again(server, 'nour')
  const { calls } = again.owner
  const wish = await t.throwsAsync(calls.resetIdentity({ prf: null, auth: null }), {
    code: 'CONFIRMATION_NEEDED',
  })
  t.is((await calls.identity(null)).state, 'locked')
  const { session } = (wish as unknown as { details: { session: string } }).details
  const { recoveryKey } = await calls.resetIdentity({ prf: null, auth: { ...byPassword(nour), session } })
  t.true(recoveryKey.length > 40)
  t.is((await calls.identity(null)).state, 'ready')

  const after = await jonas.until(async () => {
    const person = await jonas.owner.calls.person(nour.userId)
    return person.standing === 'changed' ? person : null
  })
  t.not(after.fingerprint, before.fingerprint)
  t.true(jonas.notices('person').some(({ userId }) => userId === nour.userId))
  await jonas.owner.calls.acceptIdentity(nour.userId)
  t.is((await jonas.owner.calls.person(nour.userId)).standing, 'pinned')
  // The first device is out, until it opens the new identity.
  await nour.until(async () => (await nour.owner.calls.identity(null)).state === 'locked')
  await nour.owner.calls.openIdentity({ kind: 'recovery-text', text: recoveryKey })
  t.is((await nour.owner.calls.identity(null)).state, 'ready')
  for (const person of [nour, jonas, again]) await person.owner.calls.lock(null)
})

test('two people compare emoji in a room, and two devices of one person theirs', async t => {
  const { server } = t.context
  const [a, b] = [await Person.begin(server, 'laila'), await Person.begin(server, 'omar')]
  for (const { owner } of [a, b]) await owner.calls.setUpIdentity({ prf: null, auth: null })
  const roomId = await a.owner.calls.createRoom({
    invite: [b.userId],
    isDirect: true,
    encrypted: true,
    joinRule: 'invite',
  })
  await b.until(async () => (await b.owner.calls.rooms(null)).length > 0)
  await b.owner.calls.join({ room: roomId })
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    await one.until(async () => (await one.owner.calls.person(other.userId)).standing === 'pinned')
  }
  await t.throwsAsync(a.owner.calls.requestVerification({ userId: b.userId }), { code: 'ROOM_NEEDED' })
  const inRoom = await a.owner.calls.requestVerification({ userId: b.userId, roomId })
  t.true(inRoom.startsWith('$'))
  await compare(t, a, b, inRoom)
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    await one.until(async () => (await one.owner.calls.person(other.userId)).standing === 'verified')
  }

  const second = await Person.again(server, 'laila')
  await second.until(async () => (await second.owner.calls.identity(null)).state === 'locked')
  const between = await second.owner.calls.requestVerification({ userId: a.userId })
  await compare(t, second, a, between)
  await second.until(async () => (await second.owner.calls.identity(null)).state === 'ready')
  // Secrets came along: it can vouch for others itself.
  await second.until(async () => (await second.owner.calls.person(b.userId)).standing !== 'none')
  for (const person of [a, b, second]) await person.owner.calls.lock(null)
})

test('a code on the first device signs a second one in, and both trust each other', async t => {
  const { server } = t.context
  const first = await Person.begin(server, 'salma')
  const { calls } = first.owner
  await calls.setUpIdentity({ prf: null, auth: null })
  const roomId = await calls.createRoom({ invite: [], isDirect: false, encrypted: true, joinRule: 'invite' })
  await calls.send({
    roomId,
    type: 'm.room.message',
    content: { msgtype: 'm.text', body: 'before the link' },
  })
  const before = (person: Person) => async () =>
    (await person.owner.calls.timeline({ roomId, at: 'end', before: 20, after: 0 })).items.find(
      item => item.content['body'] === 'before the link' && item.eventId !== null,
    )
  await first.until(before(first))
  const wish = await t.throwsAsync(calls.offerDeviceLink({ auth: null }), { code: 'CONFIRMATION_NEEDED' })
  const { session } = (wish as unknown as { details: { session: string } }).details
  const { linkId, url } = await calls.offerDeviceLink({ auth: { ...byPassword(first), session } })
  const link = parseLinkAddress(url)!
  t.is(link.origin, server.base)
  const second = await Person.byToken(server, link.loginToken)
  t.is(second.userId, first.userId)
  await second.owner.calls.completeDeviceLink({ linkId, key: link.key })
  t.is((await second.owner.calls.identity(null)).state, 'ready')
  await first.until(() => first.notices('device-link').some(({ state }) => state === 'done'))
  const devices = await first.until(async () => {
    const list = await calls.ourDevices(null)
    return list.find(({ deviceId, trust }) => deviceId === second.deviceId && trust === 'verified')
  })
  t.is(devices.enrolment['kind'], 'none')
  await second.until(before(second))
  // It is a full member: what the first one does not need to be there for.
  await second.owner.calls.addPasskeyToIdentity(passkey(5))
  await first.until(async () => (await calls.identity(null)).passkeys.includes('credential5'))
  for (const person of [first, second]) await person.owner.calls.lock(null)
})

async function compare(t: import('ava').ExecutionContext, asks: Person, asked: Person, flowId: string) {
  const at = (person: Person, phase: string) =>
    person.until(async () =>
      (await person.owner.calls.verifications(null)).find(
        each => each.flowId === flowId && each.phase === phase,
      ),
    )
  await at(asked, 'requested')
  await asked.owner.calls.acceptVerification(flowId)
  await at(asks, 'ready')
  await asks.owner.calls.startSas(flowId)
  const [one, other] = [await at(asks, 'comparing'), await at(asked, 'comparing')]
  t.deepEqual(one.sas, other.sas)
  await asks.owner.calls.confirmSas(flowId)
  await asked.owner.calls.confirmSas(flowId)
  await Promise.all([at(asks, 'done'), at(asked, 'done')])
  t.true(asks.notices('verification').some(({ verification }) => verification.phase === 'done'))
}
