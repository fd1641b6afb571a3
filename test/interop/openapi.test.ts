/**
 * Every endpoint of this server is asked at least once, and its answers are held against the specification's
 * OpenAPI files: status, required fields, types.
 */
import test, { type ExecutionContext } from 'ava'
import type { DeviceId, UserId } from '../../server/protocol/ids.ts'
import { Identity, TestDevice } from '../keys/people.ts'
import { adminToken, startAdministered } from '../support/administered.ts'
import type { Answer } from '../support/client.ts'
import { type TestPerson, testPassword } from '../support/server.ts'
import { faultsOf, isPromisedAsJson, operationOf, readOperations } from './openapi.ts'

const operations = readOperations()

/** Not in this server yet, or never: what federation, OAuth, application services, presence … need. */
const notHere = new Set([
  'setPresence',
  'getPresence',
  'search',
  'getUrlPreview',
  'getUrlPreviewAuthed',
  'redirectToSSO',
  'redirectToIdP',
  'getAuthMetadata',
  'getMutualRooms',
  'getTurnServer',
  'getWellknownSupport',
  'getWellknownPolicy',
  // Third-party identifiers: there is no identity server, and none is asked.
  'post3PIDs',
  'add3PID',
  'bind3PID',
  'delete3pidFromAccount',
  'unbind3pidFromAccount',
  'inviteBy3PID',
  'requestTokenTo3PIDEmail',
  'requestTokenTo3PIDMSISDN',
  'requestTokenToResetPasswordEmail',
  'requestTokenToResetPasswordMSISDN',
  'requestTokenToRegisterEmail',
  'requestTokenToRegisterMSISDN',
  // Bridged networks and application services.
  'pingAppservice',
  'updateAppserviceRoomDirectoryVisibility',
  'getProtocols',
  'getProtocolMetadata',
  'queryLocationByProtocol',
  'queryUserByProtocol',
  'queryLocationByAlias',
  'queryUserByID',
  // Deprecated.
  'getEvents',
  'peekEvents',
  'initialSync',
  'getOneEvent',
  'roomInitialSync',
])

const v3 = '/_matrix/client/v3'
const v1 = '/_matrix/client/v1'
const enc = encodeURIComponent

/** Asks, holds the answer against the specification, and remembers what was answered well. */
class Asker {
  readonly answered = new Set<string>()
  readonly faults: string[] = []

  async ask(
    who: Pick<TestPerson, 'call'>,
    method: string,
    path: string,
    body?: unknown,
    expected = 200,
  ): Promise<Answer['body']> {
    const answer = await who.call(method, path, body === undefined ? {} : { body })
    const label = `${method} ${path}`
    const operation = operationOf(operations, method, path)
    if (answer.status !== expected)
      this.faults.push(`${label}: ${answer.status} instead of ${expected}: ${JSON.stringify(answer.body)}`)
    if (!operation) {
      this.faults.push(`${label}: the specification has no such operation`)
      return answer.body
    }
    if (answer.status < 300) this.answered.add(operation.id)
    const isJson = answer.headers.get('content-type') === 'application/json'
    if (!isJson && isPromisedAsJson(operation, answer.status))
      this.faults.push(`${label}: is not application/json`)
    const found = isJson ? faultsOf(operation, answer.status, answer.body) : []
    this.faults.push(...found.map(fault => `${label} (${operation.id}, ${answer.status}) ${fault}`))
    return answer.body
  }
}

const whoami = operations.find(({ id }) => id === 'getTokenOwner')!
const sync = operations.find(({ id }) => id === 'sync')!
const event = { type: 'm.x', content: {}, event_id: '$a', sender: '@a:b', origin_server_ts: 1 }
const timelineOf = (...events: object[]) => ({
  next_batch: 's1',
  rooms: { join: { '!a:b': { timeline: { events, limited: false, prev_batch: 't1' } } } },
})
const faulty: [string, typeof whoami, number, object, RegExp | null][] = [
  ['a good answer has no fault', whoami, 200, { user_id: '@a:b', device_id: 'X' }, null],
  ['a missing field', whoami, 200, { device_id: 'X' }, /^\(whole\): user_id is missing$/],
  ['a wrong type', whoami, 200, { user_id: 7 }, /^\.user_id: is 7, not "string"$/],
  ['a status that the operation does not have', whoami, 202, {}, /status 202/],
  ['an error without a code', whoami, 404, { error: 'away' }, /errcode/],
  ['a good event, deep inside', sync, 200, timelineOf(event), null],
  [
    'an event without its sender',
    sync,
    200,
    timelineOf({ ...event, sender: undefined }),
    /sender is missing/,
  ],
  [
    'an event with a time that is text',
    sync,
    200,
    timelineOf({ ...event, origin_server_ts: '1' }),
    /not "integer"/,
  ],
]
for (const [what, operation, status, body, fault] of faulty) {
  test(`the check itself: ${what}`, t => {
    const found = faultsOf(operation, status, JSON.parse(JSON.stringify(body)))
    if (fault) t.regex(found.join('; '), fault)
    else t.deepEqual(found, [])
  })
}

test('every endpoint answers in the form that the specification gives it', async t => {
  const asker = new Asker()
  await everything(t, asker)
  t.deepEqual(asker.faults, [])
  const missing = operations
    .filter(({ id }) => !notHere.has(id) && !asker.answered.has(id))
    .map(({ id }) => id)
  t.deepEqual(missing, [], 'each operation is asked here, or listed as not here')
})

async function everything(t: ExecutionContext, asker: Asker): Promise<void> {
  const server = await startAdministered(t)
  const ask = asker.ask.bind(asker)
  const ann = await server.register('ann')
  const ben = await server.register('ben')
  const root = await server.register('root')
  const kind = `/_letro/admin/v1/people/${enc(root.userId)}/kind`
  await server.call('PUT', kind, { token: adminToken, body: { kind: 'administrator' } })
  const anyone = { call: server.call }
  const password = (user: string) => ({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user },
    password: testPassword,
  })

  // ── server, session, account
  await ask(anyone, 'GET', '/_matrix/client/versions')
  await ask(anyone, 'GET', '/.well-known/matrix/client')
  await ask(ann, 'GET', `${v3}/capabilities`)
  await ask(anyone, 'GET', `${v3}/login`)
  await ask(anyone, 'POST', `${v3}/login`, { ...password('ann'), password: 'wrong' }, 403)
  const session = await ask(anyone, 'POST', `${v3}/login`, { ...password('ann'), refresh_token: true })
  await ask(anyone, 'POST', `${v3}/refresh`, { refresh_token: session.refresh_token })
  await ask(anyone, 'POST', `${v3}/refresh`, { refresh_token: 'nonsense' }, 401)
  await ask(ann, 'GET', `${v3}/account/whoami`)
  await ask(anyone, 'GET', `${v3}/account/whoami`, undefined, 401)
  await ask(ann, 'GET', `${v3}/account/3pid`)
  await ask(anyone, 'GET', `${v3}/register/available?username=zoe`)
  await ask(anyone, 'GET', `${v3}/register/available?username=ann`, undefined, 400)
  await ask(anyone, 'GET', `${v1}/register/m.login.registration_token/validity?token=nonsense`)
  const wanted = { username: 'zoe', password: testPassword }
  const asked = await ask(anyone, 'POST', `${v3}/register`, wanted, 401)
  const zoe = await ask(anyone, 'POST', `${v3}/register`, {
    ...wanted,
    auth: { type: 'm.login.dummy', session: asked.session },
  })
  const withToken = (token: string): Pick<TestPerson, 'call'> => ({
    call: (method, path, options) => server.call(method, path, { token, ...options }),
  })
  await ask(withToken(zoe.access_token), 'POST', `${v3}/logout`, {})
  const again = await server.login('zoe')
  await ask(again, 'POST', `${v3}/logout/all`, {})
  const leaving = await server.login('zoe')
  await ask(leaving, 'POST', `${v3}/account/password`, { new_password: 'another long password' }, 401)
  await ask(leaving, 'POST', `${v3}/account/password`, {
    new_password: 'another long password',
    auth: password('zoe'),
  })
  await ask(leaving, 'POST', `${v3}/account/deactivate`, {
    auth: { ...password('zoe'), password: 'another long password' },
  })
  await ask(ann, 'POST', `${v3}/user/${enc(ann.userId)}/openid/request_token`, {})

  // ── devices
  const second = await server.login('ann', 'SECOND')
  await ask(ann, 'GET', `${v3}/devices`)
  await ask(ann, 'GET', `${v3}/devices/SECOND`)
  await ask(ann, 'GET', `${v3}/devices/NONE`, undefined, 404)
  await ask(ann, 'PUT', `${v3}/devices/SECOND`, { display_name: 'Second' })
  await ask(ann, 'DELETE', `${v3}/devices/SECOND`, {}, 401)
  await ask(second, 'DELETE', `${v3}/devices/SECOND`, { auth: password('ann') })
  await server.login('ann', 'THIRD')
  await ask(ann, 'POST', `${v3}/delete_devices`, { devices: ['THIRD'], auth: password('ann') })

  // ── profile, account data, filters, push rules
  const profile = `${v3}/profile/${enc(ann.userId)}`
  await ask(ann, 'PUT', `${profile}/displayname`, { displayname: 'Ann' })
  await ask(ann, 'PUT', `${profile}/avatar_url`, { avatar_url: 'picture' }, 400)
  await ask(ann, 'PUT', `${profile}/m.tz`, { 'm.tz': 'Europe/Berlin' })
  await ask(ben, 'GET', `${profile}/displayname`)
  await ask(ben, 'GET', `${profile}/org.example.none`, undefined, 404)
  await ask(ben, 'GET', profile)
  await ask(anyone, 'GET', profile, undefined, 403)
  await ask(ann, 'DELETE', `${profile}/m.tz`)
  const own = `${v3}/user/${enc(ann.userId)}`
  await ask(ann, 'PUT', `${own}/account_data/org.example.x`, { a: 1 })
  await ask(ann, 'GET', `${own}/account_data/org.example.x`)
  await ask(ann, 'GET', `${own}/account_data/org.example.none`, undefined, 404)
  const { filter_id: filterId } = await ask(ann, 'POST', `${own}/filter`, {
    room: { timeline: { limit: 5, lazy_load_members: true } },
  })
  await ask(ann, 'GET', `${own}/filter/${filterId}`)
  await ask(ann, 'GET', `${own}/filter/none`, undefined, 404)
  await ask(ann, 'GET', `${v3}/pushers`)
  await ask(ann, 'POST', `${v3}/pushers/set`, { kind: null, app_id: 'org.example', pushkey: 'x' })
  await ask(ann, 'POST', `${v3}/pushers/set`, { kind: 'http', app_id: 'org.example', pushkey: 'x' }, 400)
  await ask(ann, 'GET', `${v3}/notifications`)
  await ask(ann, 'POST', `${v1}/login/get_token`, {}, 401)
  const { login_token: token } = await ask(ann, 'POST', `${v1}/login/get_token`, { auth: password('ann') })
  await ask(anyone, 'POST', `${v3}/login`, { type: 'm.login.token', token })
  await ask(ann, 'GET', `${v3}/pushrules/`)
  await ask(ann, 'GET', `${v3}/pushrules/global/`)
  const rule = `${v3}/pushrules/global/content/org.example.rule`
  await ask(ann, 'PUT', rule, { actions: ['notify'], pattern: 'tea' })
  await ask(ann, 'GET', rule)
  await ask(ann, 'GET', `${rule}/enabled`)
  await ask(ann, 'PUT', `${rule}/enabled`, { enabled: false })
  await ask(ann, 'GET', `${rule}/actions`)
  await ask(ann, 'PUT', `${rule}/actions`, { actions: [] })
  await ask(ann, 'DELETE', rule)
  await ask(ann, 'GET', rule, undefined, 404)

  // ── rooms
  const { room_id: roomId } = await ask(ann, 'POST', `${v3}/createRoom`, {
    preset: 'public_chat',
    visibility: 'public',
    name: 'Tea',
    topic: 'All about tea',
    room_alias_name: 'tea',
  })
  await ask(ann, 'POST', `${v3}/createRoom`, { room_alias_name: 'tea' }, 400)
  const room = `${v3}/rooms/${enc(roomId)}`
  const alias = enc('#tea:localhost')
  await ask(ben, 'GET', `${room}/messages`, undefined, 403)
  await ask(ben, 'POST', `${room}/join`, {})
  await ask(ben, 'POST', `${v3}/join/${alias}`, {})
  await ask(ben, 'GET', `${v3}/joined_rooms`)
  const message = (body: string, more: object = {}) => ({ msgtype: 'm.text', body, ...more })
  const { event_id: first } = await ask(ann, 'PUT', `${room}/send/m.room.message/t1`, message('first'))
  const related = (relType: string, more: object = {}) => ({
    'm.relates_to': { rel_type: relType, event_id: first, ...more },
  })
  await ask(ben, 'PUT', `${room}/send/m.room.message/t2`, message('reply', related('m.thread')))
  await ask(ben, 'PUT', `${room}/send/m.reaction/t3`, related('m.annotation', { key: '👍' }))
  await ask(
    ann,
    'PUT',
    `${room}/send/m.room.message/t4`,
    message('* edited', { ...related('m.replace'), 'm.new_content': message('edited') }),
  )
  const { event_id: gone } = await ask(ann, 'PUT', `${room}/send/m.room.message/t5`, message('gone'))
  await ask(ann, 'PUT', `${room}/redact/${enc(gone)}/t6`, { reason: 'no' })
  await ask(ann, 'PUT', `${room}/state/m.room.topic/`, { topic: 'Green tea' })
  await ask(ben, 'PUT', `${room}/state/m.room.topic/`, { topic: 'Coffee' }, 403)
  await ask(ann, 'GET', `${room}/state/m.room.topic/`)
  await ask(ann, 'GET', `${room}/state/m.room.topic/?format=event`)
  await ask(ann, 'GET', `${room}/state/org.example.none/`, undefined, 404)
  await ask(ann, 'GET', `${room}/state`)
  await ask(ann, 'GET', `${room}/members`)
  await ask(ann, 'GET', `${room}/joined_members`)
  await ask(ann, 'GET', `${room}/event/${enc(first)}`)
  await ask(ann, 'GET', `${room}/event/${enc(gone)}`)
  await ask(ann, 'GET', `${room}/context/${enc(first)}`)
  await ask(ann, 'GET', `${room}/messages?dir=b&limit=50`)
  await ask(ann, 'GET', `${room}/messages?dir=f&limit=2&filter=${enc('{"lazy_load_members":true}')}`)
  const inRoom = `${v1}/rooms/${enc(roomId)}`
  await ask(ann, 'GET', `${inRoom}/relations/${enc(first)}`)
  await ask(ann, 'GET', `${inRoom}/relations/${enc(first)}/m.annotation`)
  await ask(ann, 'GET', `${inRoom}/relations/${enc(first)}/m.thread/m.room.message`)
  await ask(ann, 'GET', `${inRoom}/threads`)
  await ask(ann, 'GET', `${inRoom}/timestamp_to_event?ts=0&dir=f`)
  await ask(ann, 'GET', `${inRoom}/timestamp_to_event?ts=0&dir=b`, undefined, 404)
  await ask(ann, 'GET', `${v1}/room_summary/${alias}`)
  await ask(ann, 'POST', `${room}/read_markers`, { 'm.fully_read': first, 'm.read': first })
  await ask(ben, 'POST', `${room}/receipt/m.read/${enc(first)}`, {})
  await ask(ben, 'PUT', `${room}/typing/${enc(ben.userId)}`, { typing: true, timeout: 30_000 })
  const ownRoom = `${own}/rooms/${enc(roomId)}`
  await ask(ann, 'PUT', `${ownRoom}/account_data/org.example.y`, { b: 2 })
  await ask(ann, 'GET', `${ownRoom}/account_data/org.example.y`)
  await ask(ann, 'PUT', `${ownRoom}/tags/m.favourite`, { order: 0.5 })
  await ask(ann, 'GET', `${ownRoom}/tags`)
  await ask(ann, 'DELETE', `${ownRoom}/tags/m.favourite`)
  await ask(ben, 'POST', `${room}/report`, { reason: 'test' })
  await ask(ben, 'POST', `${room}/report/${enc(first)}`, { reason: 'test' })
  await ask(ben, 'POST', `${v3}/users/${enc(ann.userId)}/report`, { reason: 'test' })
  const space = await ask(ann, 'POST', `${v3}/createRoom`, {
    preset: 'public_chat',
    creation_content: { type: 'm.space' },
    initial_state: [{ type: 'm.space.child', state_key: roomId, content: { via: ['localhost'] } }],
  })
  await ask(ann, 'GET', `${v1}/rooms/${enc(space.room_id)}/hierarchy`)

  // ── directory
  await ask(ann, 'PUT', `${v3}/directory/room/${enc('#chai:localhost')}`, { room_id: roomId })
  await ask(ann, 'PUT', `${v3}/directory/room/${enc('#chai:localhost')}`, { room_id: roomId }, 409)
  await ask(ben, 'GET', `${v3}/directory/room/${enc('#chai:localhost')}`)
  await ask(ann, 'GET', `${room}/aliases`)
  await ask(ann, 'DELETE', `${v3}/directory/room/${enc('#chai:localhost')}`)
  await ask(ben, 'GET', `${v3}/directory/room/${enc('#chai:localhost')}`, undefined, 404)
  await ask(ann, 'GET', `${v3}/directory/list/room/${enc(roomId)}`)
  await ask(ann, 'PUT', `${v3}/directory/list/room/${enc(roomId)}`, { visibility: 'public' })
  await ask(ann, 'GET', `${v3}/publicRooms`)
  await ask(ann, 'POST', `${v3}/publicRooms`, { filter: { generic_search_term: 'tea' } })
  await ask(ben, 'POST', `${v3}/user_directory/search`, { search_term: 'ann' })

  // ── members coming and going, with a sync of each kind of room
  const door = await ask(ann, 'POST', `${v3}/createRoom`, {
    initial_state: [{ type: 'm.room.join_rules', content: { join_rule: 'knock' } }],
  })
  const atDoor = `${v3}/rooms/${enc(door.room_id)}`
  await ask(ben, 'POST', `${atDoor}/join`, {}, 403)
  await ask(ben, 'POST', `${v3}/knock/${enc(door.room_id)}`, { reason: 'let me in' })
  const before = await ask(ben, 'GET', `${v3}/sync`)
  await ask(ann, 'POST', `${atDoor}/invite`, { user_id: ben.userId })
  await ask(ben, 'GET', `${v3}/sync?since=${before.next_batch}`)
  await ask(ben, 'POST', `${atDoor}/join`, {})
  await ask(ann, 'POST', `${atDoor}/kick`, { user_id: ben.userId })
  await ask(ann, 'POST', `${atDoor}/ban`, { user_id: ben.userId })
  await ask(ben, 'GET', `${v3}/sync?since=${before.next_batch}`)
  await ask(ann, 'POST', `${atDoor}/unban`, { user_id: ben.userId })
  await ask(ben, 'POST', `${atDoor}/forget`, {})
  await ask(ann, 'POST', `${atDoor}/leave`, {})
  await ask(ann, 'POST', `${v3}/rooms/${enc(space.room_id)}/upgrade`, { new_version: '11' })
  await ask(ben, 'POST', `${room}/upgrade`, { new_version: '12' }, 403)

  // ── keys
  const device = new TestDevice(ann.userId as UserId, ann.deviceId as DeviceId)
  await ask(ann, 'POST', `${v3}/keys/upload`, {
    device_keys: device.deviceKeys(),
    one_time_keys: device.oneTimeKeys('A', 'B'),
    fallback_keys: { 'signed_curve25519:F': device.key({ fallback: true }) },
  })
  const identity = new Identity(ann.userId as UserId)
  await ask(ann, 'POST', `${v3}/keys/device_signing/upload`, {
    ...identity.upload(),
    auth: password('ann'),
  })
  await ask(ann, 'POST', `${v3}/keys/signatures/upload`, {
    [ann.userId]: {
      [ann.deviceId]: identity.selfSigning.sign(device.deviceKeys(), ann.userId),
      nothing: { user_id: ann.userId, device_id: 'nothing', signatures: {} },
    },
  })
  await ask(ben, 'POST', `${v3}/keys/query`, { device_keys: { [ann.userId]: [], '@x:else.test': [] } })
  await ask(ben, 'POST', `${v3}/keys/claim`, {
    one_time_keys: { [ann.userId]: { [ann.deviceId]: 'signed_curve25519' } },
  })
  const after = await ask(ben, 'GET', `${v3}/sync?since=${before.next_batch}`)
  await ask(ben, 'GET', `${v3}/keys/changes?from=${before.next_batch}&to=${after.next_batch}`)
  await ask(ben, 'PUT', `${v3}/sendToDevice/org.example.z/t1`, {
    messages: { [ann.userId]: { '*': { hello: 1 } } },
  })
  await ask(ann, 'GET', `${v3}/sync?full_state=true&filter=${filterId}`)
  await ask(ann, 'GET', `${v3}/sync?use_state_after=true`)
  await backup(asker, ann, device, roomId)

  // ── media
  const upload = await ann.call('POST', '/_matrix/media/v3/upload?filename=dot.png', {
    body: Buffer.from(dot, 'base64'),
    headers: { 'content-type': 'image/png' },
  })
  t.is(upload.status, 200)
  asker.answered.add('uploadContent')
  const mxc = upload.body.content_uri.slice('mxc://'.length)
  const created = await ask(ann, 'POST', '/_matrix/media/v1/create')
  await ask(ann, 'GET', `${v1}/media/download/${created.content_uri.slice(6)}?timeout_ms=0`, undefined, 504)
  await ask(ann, 'PUT', `/_matrix/media/v3/upload/${created.content_uri.slice(6)}`, 'hello')
  await ask(ann, 'PUT', `/_matrix/media/v3/upload/${created.content_uri.slice(6)}`, 'hello', 409)
  for (const media of [`${v1}/media`, '/_matrix/media/v3']) {
    await ask(ann, 'GET', `${media}/config`)
    await ask(ann, 'GET', `${media}/download/${mxc}`)
    await ask(ann, 'GET', `${media}/download/${mxc}/dot.png`)
    await ask(ann, 'GET', `${media}/thumbnail/${mxc}?width=32&height=32`)
  }

  // ── administrators
  const whois = await ask(root, 'GET', `${v3}/admin/whois/${enc(ben.userId)}`)
  t.is(whois.user_id, ben.userId)
  for (const act of ['suspend', 'lock']) {
    const flag = act === 'lock' ? 'locked' : 'suspended'
    await ask(root, 'PUT', `${v1}/admin/${act}/${enc(ben.userId)}`, { [flag]: true })
    await ask(root, 'GET', `${v1}/admin/${act}/${enc(ben.userId)}`)
    await ask(ann, 'GET', `${v1}/admin/${act}/${enc(ben.userId)}`, undefined, 403)
    await ask(root, 'PUT', `${v1}/admin/${act}/${enc(ben.userId)}`, { [flag]: false })
  }
}

async function backup(asker: Asker, who: TestPerson, device: TestDevice, roomId: string): Promise<void> {
  const ask = asker.ask.bind(asker, who)
  const versions = `${v3}/room_keys/version`
  const about = {
    algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2',
    auth_data: device.sign({ public_key: device.signer.publicKey }),
  }
  await ask('GET', versions, undefined, 404)
  const { version } = await ask('POST', versions, about)
  await ask('GET', versions)
  await ask('GET', `${versions}/${version}`)
  await ask('PUT', `${versions}/${version}`, { ...about, version })
  const session = {
    first_message_index: 1,
    forwarded_count: 0,
    is_verified: true,
    session_data: { ephemeral: 'YQ', ciphertext: 'Yg', mac: 'Yw' },
  }
  const keys = `${v3}/room_keys/keys`
  const room = `${keys}/${enc(roomId)}`
  const query = `?version=${version}`
  await ask('PUT', `${room}/one${query}`, session)
  await ask('PUT', `${room}${query}`, { sessions: { two: session } })
  await ask('PUT', `${keys}${query}`, { rooms: { [roomId]: { sessions: { three: session } } } })
  await ask('PUT', `${keys}?version=999`, { rooms: {} }, 404)
  await ask('GET', `${room}/one${query}`)
  await ask('GET', `${room}${query}`)
  await ask('GET', `${keys}${query}`)
  await ask('DELETE', `${room}/one${query}`)
  await ask('DELETE', `${room}${query}`)
  await ask('DELETE', `${keys}${query}`)
  await ask('DELETE', `${versions}/${version}`)
}

/** A picture of one pixel. */
const dot = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
