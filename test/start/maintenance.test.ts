/** Damaged data: noticed, nobody is served, the operator's token brings the server back without a restart. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { startTestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

test('a flipped bit in the log puts the server into maintenance, and repair brings it back', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const ann = await server.register('ann')
  const { body: room } = await ann.call('POST', '/_matrix/client/v3/createRoom', { body: {} })
  for (let i = 0; i < 30; i++) {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room.room_id)}/send/m.room.message/t${i}`
    t.is((await ann.call('PUT', path, { body: { msgtype: 'm.text', body: `message ${i}` } })).status, 200)
  }
  await server.restart(async () => {
    const db = join(server.dataFolder, 'store', 'db')
    const [log] = (await readdir(db)).filter(name => name.endsWith('.log'))
    const bytes = await readFile(join(db, log!))
    bytes[bytes.length >> 1]! ^= 8
    await writeFile(join(db, log!), bytes)
  })

  t.is(server.app.state, 'maintenance')
  const health = await server.call('GET', '/_letro/health')
  t.deepEqual([health.status, health.body], [503, { status: 'maintenance' }])
  for (const [method, path] of [
    ['GET', '/_matrix/client/versions'],
    ['GET', '/_matrix/client/v3/sync'],
    ['POST', '/_matrix/client/v3/login'],
    ['GET', '/anything'],
  ] as const) {
    const { status, body, headers } = await ann.call(method, path)
    t.is(status, 503, path)
    t.is(body.errcode, 'M_UNKNOWN')
    t.regex(body.error, /in maintenance until an administrator repairs it/)
    t.is(headers.get('access-control-allow-origin'), '*')
  }

  const maintenance = '/_letro/maintenance/v1'
  t.is((await ann.call('GET', `${maintenance}/status`)).status, 401, 'an access token is none here')
  const token = (await readFile(server.app.maintenanceTokenFile, 'utf8')).trim()
  const found = await server.call('GET', `${maintenance}/status`, { token })
  t.is(found.body.status, 'maintenance')
  t.true(found.body.findings.length > 0)
  t.true((await server.call('POST', `${maintenance}/check`, { token })).body.findings.length > 0)

  const repaired = await server.call('POST', `${maintenance}/repair`, { token })
  t.is(repaired.status, 200)
  t.is(server.app.state, 'serving')
  t.is((await server.call('GET', '/_letro/health')).status, 200)
  const checked = await server.call('POST', `${maintenance}/check`, { token })
  t.deepEqual(checked.body.findings, [])
})

test('while a backup is being restored nobody is served: what they wrote would be gone with the data of now', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'letro-backups-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const server = await startTestServer({ config: `[backup]\nfolder = "${folder}"\n` })
  t.teardown(() => server.close())
  const token = (await readFile(server.app.maintenanceTokenFile, 'utf8')).trim()
  const ask = async (method: string, act: string, body?: object) => {
    const options = { token, ...(body && { body }) }
    return server.call(method, `/_letro/maintenance/v1/${act}`, options)
  }
  // A disk that is slow without end.
  const backup = 'letro-localhost-20261122T000000Z-000.age'
  const pipe = join(folder, backup)
  execFileSync('mkfifo', [pipe])
  t.is((await ask('POST', 'enter', {})).status, 200)
  t.is((await ask('POST', 'restore', { backup, passphrase: 'x' })).status, 202)
  for (const act of ['leave', 'repair']) {
    const { status, body } = await ask('POST', act, {})
    t.is(status, 409, act)
    t.regex(body.error, /is being restored/)
  }
  t.is((await server.call('GET', '/_letro/health')).status, 503)
  await writeFile(pipe, 'no backup')
  await until(async () => (await ask('GET', 'status')).body.restore.state === 'failed')
  t.is((await ask('POST', 'leave', {})).status, 200)
  t.is((await server.call('GET', '/_letro/health')).status, 200)
})
