import { request } from 'node:http'
import test from 'ava'
import { startTestServer } from '../support/server.ts'

const server = startTestServer()
test.after.always(async () => (await server).close())

test('two people talk, and a second start finds everything again', async t => {
  const own = await startTestServer()
  t.teardown(() => own.close())
  const ann = await own.register('ann')
  const ben = await own.register('ben')
  const { body: room } = await ann.call('POST', '/_matrix/client/v3/createRoom', {
    body: { preset: 'public_chat' },
  })
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room.room_id)}`
  t.is((await ben.call('POST', `${path}/join`, { body: {} })).status, 200)
  const message = { msgtype: 'm.text', body: 'hello' }
  const sent = await ann.call('PUT', `${path}/send/m.room.message/t1`, { body: message })
  t.is(sent.status, 200)
  await own.restart()
  const again = await ann.call('PUT', `${path}/send/m.room.message/t1`, { body: message })
  t.is(again.body.event_id, sent.body.event_id, 'a transaction id means the same event after a restart')
  const read = await ben.call('GET', `${path}/event/${encodeURIComponent(sent.body.event_id)}`)
  t.is(read.body.content.body, 'hello')
})

test('the versions are v1.1 to v1.19, to anybody', async t => {
  const { body } = await (await server).call('GET', '/_matrix/client/versions')
  t.is(body.versions.length, 19)
  t.is(body.versions[0], 'v1.1')
  t.is(body.versions[18], 'v1.19')
  t.true(body.unstable_features['org.matrix.msc4222'])
})

test('the well-known file names the origin', async t => {
  const { base, call } = await server
  const { body } = await call('GET', '/.well-known/matrix/client')
  t.deepEqual(body, { 'm.homeserver': { base_url: base } })
})

test('capabilities need a token and say what the configuration says', async t => {
  const { call, register } = await server
  t.is((await call('GET', '/_matrix/client/v3/capabilities')).status, 401)
  const { body } = await (await register('carla')).call('GET', '/_matrix/client/v3/capabilities')
  t.deepEqual(body.capabilities['m.room_versions'], {
    default: '12',
    available: { 10: 'stable', 11: 'stable', 12: 'stable' },
  })
  t.deepEqual(body.capabilities['m.change_password'], { enabled: true })
  t.deepEqual(body.capabilities['m.get_login_token'], { enabled: true })
})

test('health answers anybody', async t => {
  const { status, body } = await (await server).call('GET', '/_letro/health')
  t.is(status, 200)
  t.deepEqual(body, { status: 'ok' })
})

test('maintenance answers its token only', async t => {
  const { call, app } = await server
  const { readFile } = await import('node:fs/promises')
  const token = (await readFile(app.maintenanceTokenFile, 'utf8')).trim()
  t.is((await call('POST', '/_letro/maintenance/v1/check')).status, 401)
  t.is((await call('POST', '/_letro/maintenance/v1/check', { token: 'x'.repeat(43) })).status, 401)
  const checked = await call('POST', '/_letro/maintenance/v1/check', { token })
  t.is(checked.status, 200)
  t.deepEqual(checked.body.findings, [])
  t.is((await call('POST', '/_letro/maintenance/v1/repair', { token })).status, 409)
})

test('a stop answers a long poll instead of waiting for it', async t => {
  const own = await startTestServer()
  const ann = await own.register('ann')
  const first = await ann.call('GET', '/_matrix/client/v3/sync')
  const poll = ann.call('GET', `/_matrix/client/v3/sync?timeout=600000&since=${first.body.next_batch}`)
  await new Promise(resolve => setTimeout(resolve, 200))
  // What was asked later was answered: the wait has begun.
  await ann.call('GET', '/_matrix/client/v3/account/whoami')
  await own.close()
  t.is((await poll).status, 200)
})

test('no secret, content or identity is logged', async t => {
  const own = await startTestServer()
  const dora = await own.register('dora')
  await dora.call('PUT', '/_matrix/client/v3/rooms/!nothing:here/send/m.room.message/1', {
    body: { body: 'secret words' },
  })
  await dora.call('POST', '/_matrix/client/v3/createRoom', { body: '{"broken' })
  await own.close()
  const log = own.lines.join('\n')
  for (const word of ['dora', dora.token, dora.deviceId, 'secret', '127.0.0.1'])
    t.false(log.includes(word), word)
})

test('an absolute URL and a foreign Host are served like any other', async t => {
  const { port } = await server
  const status = await new Promise<number | undefined>((resolve, reject) => {
    request(
      {
        port,
        host: '127.0.0.1',
        path: 'http://evil.example/_matrix/client/versions',
        headers: { host: 'evil.example' },
      },
      answer => {
        answer.resume()
        resolve(answer.statusCode)
      },
    )
      .on('error', reject)
      .end()
  })
  t.is(status, 200)
})
