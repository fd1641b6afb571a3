import test from 'ava'
import { openHarness, passwordOf } from './harness.ts'

const change = '/_matrix/client/v3/account/password'
const deleteDevices = '/_matrix/client/v3/delete_devices'
const whoami = '/_matrix/client/v3/account/whoami'

const confirm = (localpart: string, session?: string, more: object = {}) => ({
  type: 'm.login.password',
  identifier: { type: 'm.id.user', user: localpart },
  password: passwordOf(localpart),
  ...(session === undefined ? {} : { session }),
  ...more,
})

test('a confirmation is asked for, may fail, may succeed, and works once', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  const body = { new_password: 'another password', logout_devices: false }
  const asked = await h.post(change, body, alice.token)
  t.is(asked.status, 401)
  t.deepEqual(asked.body.flows, [{ stages: ['m.login.password'] }])
  const { session } = asked.body
  const wrong = await h.post(
    change,
    { ...body, auth: confirm('alice', session, { password: 'wrong password' }) },
    alice.token,
  )
  t.is(wrong.status, 401)
  t.like(wrong.body, { errcode: 'M_FORBIDDEN', session, completed: [] })
  const right = await h.post(change, { ...body, auth: confirm('alice', session) }, alice.token)
  t.is(right.status, 200)
  const again = await h.post(change, { ...body, auth: confirm('alice', session) }, alice.token)
  t.is(again.status, 401)
  await h.close()
})

test('a confirmation is for one operation, one body and one person', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  const bob = await h.member('bob')
  const asked = await h.post(deleteDevices, { devices: ['ONE'] }, alice.token)
  const { session } = asked.body
  const cases: [string, object, string][] = [
    [deleteDevices, { devices: ['TWO'] }, alice.token],
    [change, { new_password: 'another password' }, alice.token],
    [deleteDevices, { devices: ['ONE'] }, bob.token],
  ]
  for (const [path, body, token] of cases) {
    const answer = await h.post(path, { ...body, auth: confirm('alice', session) }, token)
    t.is(answer.status, 403, path)
  }
  const stranger = await h.post(
    deleteDevices,
    { devices: ['ONE'], auth: confirm('bob', session) },
    alice.token,
  )
  t.is(stranger.status, 403)
  t.is(stranger.body.errcode, 'M_FORBIDDEN')
  const done = await h.post(deleteDevices, { devices: ['ONE'], auth: confirm('alice', session) }, alice.token)
  t.is(done.status, 200)
  await h.close()
})

test('a session that is unknown or too old begins again; a client may answer without one', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  const body = { devices: ['NONE'] }
  const asked = await h.post(deleteDevices, body, alice.token)
  h.advance(15 * 60_000)
  const late = await h.post(
    deleteDevices,
    { ...body, auth: confirm('alice', asked.body.session) },
    alice.token,
  )
  t.is(late.status, 401)
  t.not(late.body.session, asked.body.session)
  const unknown = await h.post(deleteDevices, { ...body, auth: confirm('alice', 'xyz') }, alice.token)
  t.is(unknown.status, 401)
  const onlySession = await h.post(
    deleteDevices,
    { ...body, auth: { session: unknown.body.session } },
    alice.token,
  )
  t.is(onlySession.status, 401)
  const strange = await h.post(
    deleteDevices,
    { ...body, auth: { type: 'm.login.sso', session: unknown.body.session } },
    alice.token,
  )
  t.is(strange.status, 401)
  t.is((await h.post(deleteDevices, { ...body, auth: confirm('alice') }, alice.token)).status, 200)
  await h.close()
})

test('an account with nothing to confirm with is told so', async t => {
  const h = await openHarness()
  const robot = await h.accounts.people.createService('test', '@robot:clinic.example' as never, {})
  const answer = await h.post(deleteDevices, { devices: [] }, robot.accessToken)
  t.is(answer.status, 403)
  t.is(answer.body.errcode, 'M_FORBIDDEN')
  await h.close()
})

test('changing the password ends other sessions, unless the person wants otherwise', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  const other = await h.accounts.sessions.open(alice.userId, {})
  const keep = { new_password: 'second password', logout_devices: false, auth: confirm('alice') }
  t.is((await h.post(change, keep, alice.token)).status, 200)
  t.is((await h.get(whoami, other.accessToken)).status, 200)
  const end = {
    new_password: 'third password',
    auth: confirm('alice', undefined, { password: 'second password' }),
  }
  t.is((await h.post(change, end, alice.token)).status, 200)
  t.is((await h.get(whoami, other.accessToken)).status, 401)
  t.is((await h.get(whoami, alice.token)).status, 200)
  t.is((await h.post(change, { new_password: 'short' }, alice.token)).body.errcode, 'M_WEAK_PASSWORD')
  t.is((await h.post(change, {}, alice.token)).body.errcode, 'M_MISSING_PARAM')
  t.is((await h.post(change, { new_password: 'third password' })).body.errcode, 'M_MISSING_TOKEN')
  await h.close()
})

test('devices are listed, named, and deleted with a confirmation; what areas keep of one goes with it', async t => {
  const h = await openHarness()
  const removed: string[] = []
  h.accounts.onDeviceRemoved((_tx, _userId, deviceId) => void removed.push(deviceId))
  const alice = await h.member('alice', { device_id: 'ONE' })
  const two = await h.accounts.sessions.open(alice.userId, { deviceId: 'TWO', displayName: 'Old phone' })
  await h.accounts.sessions.open(alice.userId, { deviceId: 'THREE' })
  const path = '/_matrix/client/v3/devices'
  const list = await h.get(path, alice.token)
  t.deepEqual(
    list.body.devices.map((device: { device_id: string }) => device.device_id),
    ['ONE', 'THREE', 'TWO'],
  )
  t.is((await h.put(`${path}/TWO`, { display_name: 'Older phone' }, alice.token)).status, 200)
  t.is((await h.get(`${path}/TWO`, alice.token)).body.display_name, 'Older phone')
  t.is((await h.put(`${path}/TWO`, {}, alice.token)).status, 200)
  t.is((await h.put(`${path}/NONE`, { display_name: 'x' }, alice.token)).status, 404)
  t.is((await h.put(`${path}/TWO`, { display_name: 'x'.repeat(257) }, alice.token)).status, 400)
  t.is((await h.get(`${path}/NONE`, alice.token)).status, 404)

  t.is((await h.delete(`${path}/TWO`, undefined, alice.token)).status, 401)
  t.is((await h.get(whoami, two.accessToken)).status, 200)
  t.is((await h.delete(`${path}/TWO`, { auth: confirm('alice') }, alice.token)).status, 200)
  t.is((await h.get(whoami, two.accessToken)).status, 401)
  t.is(
    (await h.delete(`${path}/TWO`, { auth: confirm('alice') }, alice.token)).status,
    200,
    'it is gone already',
  )
  const both = { devices: ['THREE', 'THREE', 'NONE'], auth: confirm('alice') }
  t.is((await h.post(deleteDevices, both, alice.token)).status, 200)
  t.deepEqual(removed, ['TWO', 'THREE'])
  t.is((await h.post(deleteDevices, {}, alice.token)).body.errcode, 'M_MISSING_PARAM')
  t.is((await h.post(deleteDevices, { devices: 'ONE' }, alice.token)).body.errcode, 'M_BAD_JSON')
  await h.close()
})
