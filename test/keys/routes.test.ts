import test, { type ExecutionContext } from 'ava'
import { crossSigningRoutes } from '../../server/client-api/cross-signing.ts'
import { keyBackupRoutes } from '../../server/client-api/key-backup.ts'
import { keysRoutes } from '../../server/client-api/keys.ts'
import { toDeviceRoutes } from '../../server/client-api/to-device.ts'
import { MatrixError } from '../../server/http/matrix-error.ts'
import type { Step } from '../../server/http/route.ts'
import type { UserId } from '../../server/protocol/ids.ts'
import type { Position } from '../../server/store/store.ts'
import { startHttp } from '../support/http.ts'
import { alice, bob, device, Identity, openDirectory, room1, signIn } from './people.ts'

/** All routes of this area; the token is user and device, `auth: "yes"` in a body passes the second authentication. */
async function start(t: ExecutionContext) {
  const directory = await openDirectory()
  const readToken = (token: string) => {
    const [userId, deviceId] = token.split('|')
    return {
      kind: 'valid',
      requester: { userId: userId as UserId, deviceId: device(deviceId!), kind: 'member', tokenHash: token },
      standing: 'good',
    } as const
  }
  const requireInteractiveAuth: Step = async (ctx, next) => {
    if (ctx.state.body['auth'] !== 'yes') throw new MatrixError(401, 'M_FORBIDDEN', 'who are you?')
    await next()
  }
  const deps = { accounts: { readToken }, keys: directory.keys }
  const positionOf = (token: string) => (/^[0-9]+$/.test(token) ? (Number(token) as Position) : null)
  const http = await startHttp([
    ...keysRoutes({ ...deps, positionOf }),
    ...crossSigningRoutes({ ...deps, requireInteractiveAuth }),
    ...keyBackupRoutes({ ...deps, backups: directory.keys.backups }),
    ...toDeviceRoutes(deps),
  ])
  t.teardown(() => http.close())
  const as = (userId: UserId, deviceId: string) => async (method: string, path: string, body?: unknown) => {
    const options = { token: `${userId}|${deviceId}`, ...(body === undefined ? {} : { body }) }
    const { status, body: answer } = await http.call(method, `/_matrix/client/v3${path}`, options)
    return { status, body: answer }
  }
  return { directory, as, http }
}

test('keys are uploaded, asked for and claimed; an answer has every part that the specification requires', async t => {
  const { directory, as } = await start(t)
  const phone = await signIn(directory, alice, '__proto__')
  const ours = as(alice, '__proto__')
  const theirs = as(bob, 'B')
  t.deepEqual(await ours('POST', '/keys/upload', { one_time_keys: phone.oneTimeKeys('K') }), {
    status: 200,
    body: { one_time_key_counts: { signed_curve25519: 1 } },
  })
  t.deepEqual(await ours('POST', '/keys/upload', {}), {
    status: 200,
    body: { one_time_key_counts: { signed_curve25519: 1 } },
  })
  const query = await theirs('POST', '/keys/query', { device_keys: { [alice]: [] }, timeout: 10_000 })
  t.is(query.status, 200)
  t.deepEqual(Object.keys(query.body).sort(), [
    'device_keys',
    'failures',
    'master_keys',
    'self_signing_keys',
    'user_signing_keys',
  ])
  t.deepEqual(Object.keys(query.body.device_keys[alice]), ['__proto__'])
  // JSON text, because in a literal `__proto__` would be the prototype.
  const claim = await theirs(
    'POST',
    '/keys/claim',
    `{"one_time_keys":{"${alice}":{"__proto__":"signed_curve25519"}}}`,
  )
  t.deepEqual(Object.entries(claim.body.one_time_keys[alice]).length, 1)
  t.deepEqual(claim.body.failures, {})
  const again = await theirs(
    'POST',
    '/keys/claim',
    `{"one_time_keys":{"${alice}":{"__proto__":"signed_curve25519"}}}`,
  )
  t.deepEqual(again.body, { one_time_keys: {}, failures: {} })
})

test('changes are told between two tokens', async t => {
  const { directory, as } = await start(t)
  for (const userId of [alice, bob]) await directory.rooms.set(room1, userId, 'join')
  const from = directory.store.durablePosition
  await signIn(directory, bob, 'B')
  const to = directory.store.durablePosition
  t.deepEqual(await as(alice, 'A')('GET', `/keys/changes?from=${from}&to=${to}`), {
    status: 200,
    body: { changed: [bob], left: [] },
  })
})

test('other cross-signing keys are taken only after a second authentication', async t => {
  const { directory, as } = await start(t)
  directory.devices.add(alice, device('A'))
  const call = as(alice, 'A')
  const path = '/keys/device_signing/upload'
  t.is((await call('POST', path, new Identity(alice).upload())).status, 200)
  const other = new Identity(alice).upload()
  t.is((await call('POST', path, other)).status, 401)
  t.deepEqual(await call('POST', path, { ...other, auth: 'yes' }), { status: 200, body: {} })
  t.deepEqual(await call('POST', path, other), { status: 200, body: {} })
  // What would be refused anyway is refused before anyone is asked to authenticate.
  const broken = { ...new Identity(alice).upload(), self_signing_key: other.self_signing_key }
  t.like(await call('POST', path, broken), { status: 400, body: { errcode: 'M_INVALID_SIGNATURE' } })
})

test('signatures that do not hold are listed by user and key', async t => {
  const { as } = await start(t)
  const answer = await as(alice, 'A')('POST', '/keys/signatures/upload', { [bob]: { KEY: { user_id: bob } } })
  t.is(answer.status, 200)
  t.is(answer.body.failures[bob].KEY.errcode, 'M_NOT_FOUND')
})

const backup = { algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2', auth_data: { public_key: 'x' } }
const data = (mark: string) => ({
  first_message_index: 1,
  forwarded_count: 0,
  is_verified: true,
  session_data: { ciphertext: mark },
})

test('a key backup, from the first request to the last', async t => {
  const { as } = await start(t)
  const call = as(alice, 'A')
  t.like(await call('GET', '/room_keys/version'), { status: 404, body: { errcode: 'M_NOT_FOUND' } })
  t.deepEqual(await call('POST', '/room_keys/version', backup), { status: 200, body: { version: '1' } })
  const room2 = '!weird"room:letro.test'
  const at = (path = '') => `/room_keys/keys${path}?version=1`
  const inRoom = encodeURIComponent(room1)
  t.deepEqual(await call('GET', at()), { status: 200, body: { rooms: {} } })
  t.deepEqual(await call('GET', at(`/${inRoom}`)), { status: 200, body: { sessions: {} } })
  t.deepEqual(
    await call('PUT', at(), {
      rooms: {
        [room1]: { sessions: { a: data('1'), b: data('2') } },
        [room2]: { sessions: { a: data('3') } },
      },
    }),
    { status: 200, body: { etag: '1', count: 3 } },
  )
  t.deepEqual(await call('PUT', at(`/${inRoom}`), { sessions: { c: data('4') } }), {
    status: 200,
    body: { etag: '2', count: 4 },
  })
  const slashed = encodeURIComponent('d/+=')
  t.deepEqual(await call('PUT', at(`/${inRoom}/${slashed}`), data('5')), {
    status: 200,
    body: { etag: '3', count: 5 },
  })
  t.deepEqual(await call('GET', at(`/${inRoom}/${slashed}`)), { status: 200, body: data('5') })
  t.deepEqual(await call('GET', at()), {
    status: 200,
    body: {
      rooms: {
        [room1]: { sessions: { a: data('1'), b: data('2'), c: data('4'), 'd/+=': data('5') } },
        [room2]: { sessions: { a: data('3') } },
      },
    },
  })
  t.deepEqual((await call('GET', at(`/${encodeURIComponent(room2)}`))).body, { sessions: { a: data('3') } })
  t.deepEqual(await call('DELETE', at(`/${inRoom}/a`)), { status: 200, body: { etag: '4', count: 4 } })
  t.deepEqual(await call('DELETE', at(`/${inRoom}`)), { status: 200, body: { etag: '5', count: 1 } })
  t.deepEqual(await call('GET', '/room_keys/version'), {
    status: 200,
    body: { ...backup, version: '1', etag: '5', count: 1 },
  })
  t.deepEqual(await call('PUT', '/room_keys/version/1', { ...backup, auth_data: { public_key: 'y' } }), {
    status: 200,
    body: {},
  })
  t.deepEqual(await call('POST', '/room_keys/version', backup), { status: 200, body: { version: '2' } })
  t.deepEqual(await call('PUT', at(), { rooms: {} }), {
    status: 403,
    body: {
      errcode: 'M_WRONG_ROOM_KEYS_VERSION',
      error: 'version is not the current backup version.',
      current_version: '2',
    },
  })
  t.deepEqual(await call('DELETE', at()), { status: 200, body: { etag: '6', count: 0 } })
  t.deepEqual(await call('DELETE', '/room_keys/version/1'), { status: 200, body: {} })
  t.like(await call('GET', '/room_keys/version/1'), { status: 404 })
})

test('five thousand sessions pass through one request each way', async t => {
  const { as } = await start(t)
  const call = as(alice, 'A')
  await call('POST', '/room_keys/version', backup)
  const sessions = Object.fromEntries(
    Array.from({ length: 5_000 }, (_, i) => [`s${i}`, data('x'.repeat(500))]),
  )
  t.like(await call('PUT', '/room_keys/keys?version=1', { rooms: { [room1]: { sessions } } }), {
    status: 200,
    body: { count: 5_000 },
  })
  const { body } = await call('GET', '/room_keys/keys?version=1')
  t.deepEqual(body, { rooms: { [room1]: { sessions } } })
})

test('messages reach another device', async t => {
  const { directory, as } = await start(t)
  directory.devices.add(bob, device('B'))
  const call = as(alice, 'A')
  const body = { messages: { [bob]: { B: { n: 1 }, '*': { n: 2 } } } }
  t.deepEqual(await call('PUT', '/sendToDevice/m.test/t1', body), { status: 200, body: {} })
  t.deepEqual(await call('PUT', '/sendToDevice/m.test/t1', body), { status: 200, body: {} })
  const { keys, store } = directory
  const { events } = await keys.toDevice(bob, device('B'), 0 as Position, store.durablePosition)
  t.deepEqual(
    events.map(({ sender, type, content }) => [sender, type, content['n']]),
    [
      [alice, 'm.test', 1],
      [alice, 'm.test', 2],
    ],
  )
})

const refusals: [string, string, unknown, number, string][] = [
  ['POST', '/keys/upload', '[]', 400, 'M_BAD_JSON'],
  ['POST', '/keys/upload', { device_keys: 1 }, 400, 'M_BAD_JSON'],
  ['POST', '/keys/query', {}, 400, 'M_MISSING_PARAM'],
  ['POST', '/keys/query', { device_keys: { alice: [] } }, 400, 'M_INVALID_PARAM'],
  ['POST', '/keys/query', { device_keys: { [alice]: {} } }, 400, 'M_BAD_JSON'],
  ['POST', '/keys/query', { device_keys: { [alice]: [1] } }, 400, 'M_INVALID_PARAM'],
  ['POST', '/keys/query', { device_keys: {}, timeout: 'soon' }, 400, 'M_BAD_JSON'],
  ['POST', '/keys/claim', {}, 400, 'M_MISSING_PARAM'],
  ['POST', '/keys/claim', { one_time_keys: { [alice]: [] } }, 400, 'M_BAD_JSON'],
  ['POST', '/keys/claim', { one_time_keys: { [alice]: { A: 1 } } }, 400, 'M_BAD_JSON'],
  ['GET', '/keys/changes?from=1', undefined, 400, 'M_MISSING_PARAM'],
  ['GET', '/keys/changes?from=x&to=1', undefined, 400, 'M_INVALID_PARAM'],
  ['POST', '/keys/device_signing/upload', {}, 400, 'M_MISSING_PARAM'],
  ['POST', '/keys/signatures/upload', { alice: {} }, 400, 'M_INVALID_PARAM'],
  ['POST', '/keys/signatures/upload', { [alice]: { A: 1 } }, 400, 'M_BAD_JSON'],
  ['POST', '/room_keys/version', {}, 400, 'M_MISSING_PARAM'],
  ['PUT', '/room_keys/keys', { rooms: {} }, 400, 'M_MISSING_PARAM'],
  ['PUT', '/room_keys/keys?version=1', {}, 400, 'M_MISSING_PARAM'],
  ['PUT', '/room_keys/keys/room?version=1', { sessions: {} }, 400, 'M_INVALID_PARAM'],
  ['PUT', '/room_keys/keys/!r:x?version=1', { sessions: {} }, 404, 'M_NOT_FOUND'],
  ['GET', '/room_keys/keys/!r:x/s?version=1', undefined, 404, 'M_NOT_FOUND'],
  ['DELETE', '/room_keys/version/1', undefined, 404, 'M_NOT_FOUND'],
  ['PUT', '/sendToDevice/m.test/t', {}, 400, 'M_MISSING_PARAM'],
  ['PUT', '/sendToDevice/m.test/t', { messages: { bob: {} } }, 400, 'M_INVALID_PARAM'],
  ['PUT', '/sendToDevice/m.test/t', { messages: { [bob]: { B: 1 } } }, 400, 'M_BAD_JSON'],
  ['PUT', `/sendToDevice/m.test/${'t'.repeat(256)}`, { messages: {} }, 400, 'M_INVALID_PARAM'],
]
for (const [method, path, body, status, errcode] of refusals) {
  test(`${method} ${path.slice(0, 60)} with ${JSON.stringify(body)?.slice(0, 60)} is refused: ${errcode}`, async t => {
    const { as } = await start(t)
    const answer = await as(alice, 'A')(method, path, body)
    t.like(answer, { status, body: { errcode } })
    t.true(answer.body.error.length > 10)
  })
}
