import test from 'ava'
import type { DeviceId } from '../../server/protocol/ids.ts'
import { deviceTable } from '../../server/store/catalogue.ts'
import { hourMs, openHarness, passwordOf } from './harness.ts'

const login = '/_matrix/client/v3/login'
const whoami = '/_matrix/client/v3/account/whoami'
const refresh = '/_matrix/client/v3/refresh'

const password = (user: string, secret: string, more: object = {}) => ({
  type: 'm.login.password',
  identifier: { type: 'm.id.user', user },
  password: secret,
  ...more,
})

test('the flows name what the configuration allows', async t => {
  const open = await openHarness()
  t.deepEqual((await open.get(login)).body, {
    flows: [
      { type: 'org.letro.login.passkey' },
      { type: 'm.login.token', get_login_token: true },
      { type: 'm.login.password' },
    ],
  })
  await open.close()
  const closed = await openHarness({ passwords: false })
  t.deepEqual((await closed.get(login)).body, {
    flows: [{ type: 'org.letro.login.passkey' }, { type: 'm.login.token', get_login_token: true }],
  })
  const refused = await closed.post(login, password('alice', 'anything'))
  t.is(refused.status, 400)
  await closed.close()
})

test('a password signs in, and the token says who it is', async t => {
  const h = await openHarness()
  const { userId } = await h.member('alice')
  for (const user of ['alice', '@alice:clinic.example', 'ALICE', '@Alice:clinic.example']) {
    const session = await h.post(login, password(user, passwordOf('alice'), { device_id: 'PHONE' }))
    t.is(session.status, 200)
    t.is(session.body.user_id, userId)
    t.is(session.body.device_id, 'PHONE')
    t.is(session.body.refresh_token, undefined)
    const who = await h.get(whoami, session.body.access_token)
    t.deepEqual(who.body, { user_id: userId, device_id: 'PHONE', is_guest: false })
  }
  await h.close()
})

test('signing in with a known device ends that device’s other tokens and keeps its name', async t => {
  const h = await openHarness()
  await h.member('alice')
  const first = await h.post(
    login,
    password('alice', passwordOf('alice'), { device_id: 'PHONE', initial_device_display_name: 'My phone' }),
  )
  t.is((await h.get(whoami, first.body.access_token)).status, 200)
  const second = await h.post(
    login,
    password('alice', passwordOf('alice'), { device_id: 'PHONE', initial_device_display_name: 'Another' }),
  )
  const old = await h.get(whoami, first.body.access_token)
  t.is(old.status, 401)
  t.is(old.body.errcode, 'M_UNKNOWN_TOKEN')
  const device = await h.get('/_matrix/client/v3/devices/PHONE', second.body.access_token)
  t.is(device.body.display_name, 'My phone')
  await h.close()
})

test('wrong password, unknown person and person without a password get the same answer for the same work', async t => {
  const h = await openHarness()
  await h.member('alice')
  const service = await h.accounts.people.createService('test', '@robot:clinic.example' as never, {})
  t.truthy(service.accessToken)
  const answers = []
  for (const user of ['alice', 'nobody', 'robot', '@alice:elsewhere.example', 'not a name!']) {
    const before = h.hasher.verifications
    const answer = await h.post(login, password(user, 'wrong password'))
    answers.push({ status: answer.status, body: answer.body, work: h.hasher.verifications - before })
  }
  for (const answer of answers) t.deepEqual(answer, answers[0])
  t.is(answers[0]!.status, 403)
  t.is(answers[0]!.body.errcode, 'M_FORBIDDEN')
  t.is(answers[0]!.work, 1)
  await h.close()
})

test('what is wrong with a login is named', async t => {
  const h = await openHarness()
  await h.member('alice')
  const good = password('alice', passwordOf('alice'))
  const cases: [object | string, number, string, RegExp][] = [
    [{}, 400, 'M_MISSING_PARAM', /type/],
    ['{', 400, 'M_NOT_JSON', /./],
    [{ type: 'm.login.magic' }, 400, 'M_UNKNOWN', /type/],
    [{ type: 5 }, 400, 'M_BAD_JSON', /type/],
    [{ ...good, identifier: undefined }, 400, 'M_MISSING_PARAM', /identifier/],
    [{ ...good, identifier: 'alice' }, 400, 'M_BAD_JSON', /identifier/],
    [{ ...good, identifier: { type: 'm.id.magic' } }, 400, 'M_BAD_JSON', /identifier.type/],
    [
      { ...good, identifier: { type: 'm.id.thirdparty', medium: 'email', address: 'a@b' } },
      403,
      'M_FORBIDDEN',
      /identifier/,
    ],
    [{ ...good, password: undefined }, 400, 'M_MISSING_PARAM', /password/],
    [{ ...good, password: ['x'] }, 400, 'M_BAD_JSON', /password/],
    [{ ...good, device_id: 7 }, 400, 'M_BAD_JSON', /device_id/],
    [{ ...good, device_id: '' }, 400, 'M_INVALID_PARAM', /device_id/],
    [{ ...good, refresh_token: 'yes' }, 400, 'M_BAD_JSON', /refresh_token/],
    [{ type: 'org.letro.login.passkey' }, 400, 'M_MISSING_PARAM', /assertion/],
    [{ type: 'org.letro.login.passkey', assertion: {} }, 400, 'M_BAD_JSON', /assertion/],
  ]
  for (const [body, status, errcode, error] of cases) {
    const answer = await h.post(login, body)
    t.is(answer.status, status, JSON.stringify(body))
    t.is(answer.body.errcode, errcode, JSON.stringify(body))
    t.regex(answer.body.error, error)
  }
  t.is((await h.accounts.sessions.devices('@alice:clinic.example' as never)).length, 1)
  await h.close()
})

test('a device id that is a cross-signing key is refused', async t => {
  const h = await openHarness()
  await h.member('alice')
  h.accounts.refuseDeviceIds(async (_userId, deviceId) => deviceId === 'MASTERKEY')
  const answer = await h.post(login, password('alice', passwordOf('alice'), { device_id: 'MASTERKEY' }))
  t.is(answer.status, 403)
  await h.close()
})

test('an access token with a refresh token runs out after an hour, softly', async t => {
  const h = await openHarness()
  const { body: session } = await h
    .member('alice')
    .then(() => h.post(login, password('alice', passwordOf('alice'), { refresh_token: true })))
  t.is(session.expires_in_ms, hourMs)
  t.is((await h.get(whoami, session.access_token)).status, 200)
  h.advance(hourMs)
  const late = await h.get(whoami, session.access_token)
  t.is(late.status, 401)
  t.like(late.body, { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true })
  const fresh = await h.post(refresh, { refresh_token: session.refresh_token })
  t.is(fresh.status, 200)
  t.is((await h.get(whoami, fresh.body.access_token)).body.device_id, session.device_id)
  await h.close()
})

test('a refresh token works until what it gave out is used, then never again', async t => {
  const h = await openHarness()
  const alice = await h.member('alice', { refresh_token: true })
  const lost = await h.post(refresh, { refresh_token: alice.refreshToken })
  const again = await h.post(refresh, { refresh_token: alice.refreshToken })
  t.is(again.status, 200, 'the first answer may have been lost')
  t.is((await h.get(whoami, lost.body.access_token)).status, 401, 'what was given out before ends')
  t.is((await h.get(whoami, alice.token)).status, 200, 'the old access token goes on until then')

  t.is((await h.get(whoami, again.body.access_token)).status, 200)
  await h.accounts.settled()
  t.is((await h.post(refresh, { refresh_token: alice.refreshToken })).status, 401)
  t.is((await h.get(whoami, alice.token)).status, 401)
  t.is((await h.get(whoami, again.body.access_token)).status, 200)
  const next = await h.post(refresh, { refresh_token: again.body.refresh_token })
  t.is(next.status, 200)
  const unknown = await h.post(refresh, { refresh_token: 'ltr_unknown' })
  t.is(unknown.body.errcode, 'M_UNKNOWN_TOKEN')
  await h.close()
})

test('a refresh token that is refused says whether its device is still there', async t => {
  const h = await openHarness()
  const alice = await h.member('alice', { refresh_token: true })
  const whose = { 'org.letro.user_id': alice.userId, 'org.letro.device_id': alice.deviceId }
  const ask = async (token: string, more: object = whose) =>
    (await h.post(refresh, { refresh_token: token, ...more })).body
  const next = await ask(alice.refreshToken!)
  await h.get(whoami, next.access_token)
  await h.accounts.settled()
  t.like(
    await ask(alice.refreshToken!),
    { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true },
    'used, as by a copy',
  )
  t.is((await ask(alice.refreshToken!, {})).soft_logout, undefined)
  t.is((await ask(alice.refreshToken!, { ...whose, 'org.letro.user_id': 'alice' })).soft_logout, undefined)
  // Signed out by another device, and away since: its access token has run out long ago.
  await h.post('/_matrix/client/v3/logout', {}, next.access_token)
  h.advance(24 * hourMs)
  t.like(await ask(next.refresh_token), { errcode: 'M_UNKNOWN_TOKEN', soft_logout: false })
  await h.close()
})

test('tokens of an epoch that a restore took away have run out, and are not unknown', async t => {
  const h = await openHarness()
  const alice = await h.member('alice', { refresh_token: true })
  const epoch = Number(/^lta(\d+)_/.exec(alice.token)![1])
  const soft = async (token: string) => (await h.get(whoami, token)).body.soft_logout
  t.is(await soft(`lta${epoch}_${'x'.repeat(43)}`), false)
  t.is(await soft(`lta_${'x'.repeat(43)}`), false)
  t.is(await soft(`lta${epoch - 1}_${'x'.repeat(43)}`), true)
  const gone = { 'org.letro.user_id': alice.userId, 'org.letro.device_id': 'NEVERHERE' }
  const refreshed = async (token: string) =>
    (await h.post(refresh, { refresh_token: token, ...gone })).body.soft_logout
  t.is(await refreshed(`ltr${epoch}_${'x'.repeat(43)}`), false)
  t.is(await refreshed(`ltr${epoch - 1}_${'x'.repeat(43)}`), true, 'a device that only the lost days knew')
  await h.close()
})

test('logout ends the session and its device; logout/all ends them all', async t => {
  const h = await openHarness()
  const removed: string[] = []
  h.accounts.onDeviceRemoved((_tx, userId, deviceId) => void removed.push(`${userId} ${deviceId}`))
  const alice = await h.member('alice', { device_id: 'ONE' })
  const open = (id: string) => h.post(login, password('alice', passwordOf('alice'), { device_id: id }))
  const two = await open('TWO')
  const three = await open('THREE')
  t.is((await h.post('/_matrix/client/v3/logout', {}, two.body.access_token)).status, 200)
  t.is((await h.get(whoami, two.body.access_token)).status, 401)
  t.is((await h.get(whoami, alice.token)).status, 200)
  t.deepEqual(removed, ['@alice:clinic.example TWO'])
  t.is((await h.post('/_matrix/client/v3/logout/all', undefined, three.body.access_token)).status, 200)
  for (const token of [alice.token, three.body.access_token]) t.is((await h.get(whoami, token)).status, 401)
  t.deepEqual(await h.accounts.sessions.devices(alice.userId), [])
  await h.close()
})

test('tokens survive a restart, and are stored as hashes only', async t => {
  const h = await openHarness()
  const alice = await h.member('alice', { refresh_token: true })
  await h.close()
  const text = JSON.stringify(
    await (async () => {
      await h.engine.open()
      const rows = await h.engine.range({ from: '', to: '\xff', reverse: false, limit: 10_000 })
      await h.engine.close()
      return rows
    })(),
  )
  t.true(text.includes('alice'))
  t.false(text.includes(alice.token))
  t.false(text.includes(alice.refreshToken!))
  const after = await openHarness({ engine: h.engine })
  t.is((await after.get(whoami, alice.token)).body.user_id, alice.userId)
  await after.close()
})

test('last seen is the hour, and nothing of the address', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  await h.get(whoami, alice.token)
  await h.accounts.settled()
  const [device] = await h.accounts.sessions.devices(alice.userId)
  t.is(device!.lastSeenTs! % hourMs, 0)
  const shown = await h.get('/_matrix/client/v3/devices', alice.token)
  t.deepEqual(Object.keys(shown.body.devices[0]).sort(), ['device_id', 'last_seen_ts'])
  await h.close()
})

test('a locked account gets M_USER_LOCKED everywhere but at logout, and keeps its session', async t => {
  const h = await openHarness()
  const root = await h.administrator()
  const alice = await h.member('alice')
  t.is((await h.get(whoami, alice.token)).status, 200)
  await h.accounts.people.setLocked(root.userId, alice.userId, true)
  const locked = await h.get(whoami, alice.token)
  t.is(locked.status, 401)
  t.like(locked.body, { errcode: 'M_USER_LOCKED', soft_logout: true })
  const again = await h.post(login, password('alice', passwordOf('alice')))
  t.like(again.body, { errcode: 'M_USER_LOCKED', soft_logout: true })
  t.is((await h.post(login, password('alice', 'wrong password'))).body.errcode, 'M_FORBIDDEN')
  await h.accounts.people.setLocked(root.userId, alice.userId, false)
  t.is((await h.get(whoami, alice.token)).status, 200)
  await h.accounts.people.setLocked(root.userId, alice.userId, true)
  t.is((await h.post('/_matrix/client/v3/logout', {}, alice.token)).status, 200)
  await h.close()
})

test('a store that lost its trust in itself ends old tokens softly, and all links', async t => {
  const h = await openHarness()
  const alice = await h.member('alice', { refresh_token: true })
  const link = await h.accounts.enrolment.createLink('test', '@new:clinic.example' as never, {})
  await h.close()
  const { accountSettingTable } = await import('../../server/store/catalogue.ts')
  const { openGroupCommit } = await import('../../server/store/group-commit.ts')
  const store = await openGroupCommit(h.engine)
  // As after a repair: the store's epoch is another one than that of our tokens.
  await store.transact('accounts', tx => tx.put(accountSettingTable.key('epoch'), store.epoch - 1))
  await store.close()
  const after = await openHarness({ engine: h.engine })
  t.like((await after.get(whoami, alice.token)).body, { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true })
  t.is((await after.post(refresh, { refresh_token: alice.refreshToken })).status, 401)
  t.deepEqual(await after.accounts.enrolment.links(), [])
  await t.throwsAsync(after.accounts.enrolment.begin(link.secret))
  t.is((await after.accounts.audit.check()).kind, 'whole')
  t.true((await after.accounts.audit.list({ limit: 100 })).some(entry => entry.action === 'store.repaired'))
  await after.close()
})

test('an account has a bounded number of devices; one that is there already can still sign in', async t => {
  const h = await openHarness({ passwords: true })
  const alice = await h.member('alice')
  await h.store.transact(alice.userId, tx => {
    for (let i = 1; i < 1_000; i++) tx.put(deviceTable.key(alice.userId, `D${i}`), { createdTs: 0 })
  })
  const { sessions } = h.accounts
  await t.throwsAsync(sessions.open(alice.userId, {}), { code: 'M_LIMIT_EXCEEDED' })
  t.is((await sessions.open(alice.userId, { deviceId: 'D7' })).deviceId, 'D7' as DeviceId)
  await sessions.removeDevices(alice.userId, ['D8'])
  await sessions.open(alice.userId, {})
  await h.close()
})
