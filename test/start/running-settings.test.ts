/** Settings that an administrator changes while the server runs: what counts, from when, and what is refused. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openApp } from '../../server/app.ts'
import { parseConfig } from '../../server/config.ts'
import { silentLog } from '../../server/http/log.ts'
import { openListeners } from '../../server/listeners.ts'
import { adminToken, startAdministered } from '../support/administered.ts'
import { freePort } from '../support/free-port.ts'
import type { TestServer } from '../support/server.ts'

const path = '/_letro/admin/v1/configuration'
const byToken = { token: adminToken }

const put = (server: TestServer, key: string, value: unknown, version?: string) =>
  server.call('PUT', `${path}/${key}`, { ...byToken, body: { value, ...(version ? { version } : {}) } })
const reset = (server: TestServer, key: string) =>
  server.call('DELETE', `${path}/${key}`, { ...byToken, body: {} })

async function setting(server: TestServer, key: string) {
  const { body } = await server.call('GET', path, byToken)
  return body.settings.find((each: { key: string }) => each.key === key)
}

const register = (server: TestServer, username: string) =>
  server.call('POST', '/_matrix/client/v3/register', {
    body: { username, password: 'correct horse battery' },
  })

test('a setting counts at once, is in the audit, outlives a restart, and goes back to what the file says', async t => {
  const server = await startAdministered(t, '[accounts]\nregistration = "invite"')
  const flow = async (name: string) => (await register(server, name)).body.flows[0].stages[0]
  t.is(await flow('a'), 'm.login.registration_token')
  const done = await put(server, 'accounts.registration', 'open')
  t.is(done.status, 200)
  t.like(done.body, {
    value: '"open"',
    from: 'set',
    changes: 'now',
    kind: 'choice',
    choices: ['invite', 'open'],
  })
  t.is(await flow('b'), 'm.login.dummy')
  await server.restart()
  t.is(await flow('c'), 'm.login.dummy')
  const { body: audit } = await server.call(
    'GET',
    '/_letro/admin/v1/audit?order=newest&action=site.setting',
    byToken,
  )
  t.like(audit.entries[0], { actor: 'token', detail: { key: 'accounts.registration', value: '"open"' } })
  t.like((await reset(server, 'accounts.registration')).body, { value: '"invite"', from: 'file' })
  t.is(await flow('d'), 'm.login.registration_token')
})

test('sizes, limits and passwords are asked anew each time', async t => {
  const server = await startAdministered(
    t,
    '[limits]\nenabled = false\nupload_size = "1 MiB"\n[accounts]\npasswords = true',
  )
  const alice = await server.register('alice')
  const size = async () => (await alice.call('GET', '/_matrix/client/v1/media/config')).body['m.upload.size']
  t.is(await size(), 1024 ** 2)
  await put(server, 'limits.upload_size', '2 MiB')
  t.is(await size(), 2 * 1024 ** 2)
  await put(server, 'limits.account', '1/h burst 1')
  await put(server, 'limits.enabled', 'true')
  t.is((await setting(server, 'limits.enabled')).value, 'true', 'a word becomes what the file would hold')
  const name = { body: { displayname: 'A' } }
  const profile = `/_matrix/client/v3/profile/${encodeURIComponent(alice.userId)}/displayname`
  t.is((await alice.call('PUT', profile, name)).status, 200)
  t.is((await alice.call('PUT', profile, name)).status, 429)
  await put(server, 'limits.enabled', false)
  t.is((await alice.call('PUT', profile, name)).status, 200)
  await put(server, 'accounts.passwords', false)
  const { flows } = (await server.call('GET', '/_matrix/client/v3/login')).body
  t.false(flows.some(({ type }: { type: string }) => type === 'm.login.password'))
})

test('what other parts were built on waits for the next start, and says so', async t => {
  const server = await startAdministered(t)
  const done = await put(server, 'presence.enabled', true)
  t.like(done.body, { value: 'true', in_force: 'false', changes: 'restart' })
  await server.restart()
  const after = await setting(server, 'presence.enabled')
  t.is(after.value, 'true')
  t.false('in_force' in after)
})

test('a long value is told whole: the firewall of an appliance opens what it reads here', async t => {
  const server = await startAdministered(t)
  const hosts = [
    'fcm.googleapis.com',
    'updates.push.services.mozilla.com',
    'web.push.apple.com',
    '*.notify.windows.com',
    'push.clinic.example',
  ]
  t.is((await put(server, 'push.hosts', hosts)).status, 200)
  t.deepEqual(JSON.parse((await setting(server, 'push.hosts')).value), hosts)
})

test('who decided on another value than the one of now is told', async t => {
  const server = await startAdministered(t)
  const { version } = await setting(server, 'devices.lock_after_days')
  t.is((await put(server, 'devices.lock_after_days', 10, version)).status, 200)
  const late = await put(server, 'devices.lock_after_days', 20, version)
  t.is(late.status, 403)
  t.is(late.body['org.letro.reason'], 'CHANGED')
  t.is((await setting(server, 'devices.lock_after_days')).value, '10')
})

test('whoever watches whom the server talks to is told of a change', async t => {
  const server = await startAdministered(t)
  const file = join(server.dataFolder, 'peers-changed')
  await rm(file, { force: true })
  t.is((await put(server, 'devices.lock_after_days', 7)).status, 200)
  t.is(await readFile(file, 'utf8'), '')
})

const refused: readonly (readonly [key: string, value: unknown, status: number, sentence: RegExp])[] = [
  ['accounts.registration', 'everybody', 400, /allowed is "invite" or "open"/],
  ['devices.lock_after_days', 366, 400, /0 to 365/],
  ['devices.lock_after_days', null, 400, /0 to 365/],
  ['push.hosts', ['https://x'], 400, /host names/],
  ['backup.folder', '/no/such/folder', 400, /there is no such folder/],
  ['backup.sftp', 'sftp://a@b/c', 400, /backup\.sftp_host_key .*needed, because backup\.sftp is given/],
  ['metrics.token_file', '/no/such/file', 400, /metrics\.token_file/],
  ['syslog.key', '/no/such/file', 403, /does not change while the server runs/],
  ['server.name', 'other.example', 403, /does not change while the server runs/],
  ['admin.token_file', '/etc/passwd', 403, /does not change while the server runs/],
  ['backup.recipients', ['age1x'], 403, /does not change while the server runs/],
  ['limits.enabled', true, 403, /fixed by the environment/],
  ['nonsense', 1, 404, /no setting/],
]

for (const [key, value, status, sentence] of refused) {
  test(`refused: ${key} = ${JSON.stringify(value)}`, async t => {
    const server = await startAdministered(t, '[accounts]\nregistration = "invite"')
    const before = (await server.call('GET', path, byToken)).body
    const answer = await put(server, key, value)
    t.is(answer.status, status)
    t.regex(answer.body.error, sentence)
    t.deepEqual((await server.call('GET', path, byToken)).body, before)
    await t.throwsAsync(readFile(join(server.dataFolder, 'settings.json')), { code: 'ENOENT' })
  })
}

test('a server starts with what it can use of the settings, and says what it left out', async t => {
  const server = await startAdministered(t)
  await put(server, 'devices.lock_after_days', 5)
  await server.restart(async () => {
    const set = {
      'devices.lock_after_days': 5,
      'limits.upload_size': 'much',
      'metrics.token_file': '/gone',
      'later.release': 1,
      'server.name': 'other.example',
    }
    await writeFile(join(server.dataFolder, 'settings.json'), JSON.stringify({ set }))
  })
  t.is((await setting(server, 'devices.lock_after_days')).value, '5')
  t.is((await setting(server, 'limits.upload_size')).from, 'default')
  t.is(String(server.app.settings.current.server.name), 'localhost')
  t.is(server.app.warnings.filter(warning => /not in force/.test(warning)).length, 2)
  await put(server, 'devices.lock_after_days', 6)
  const { set } = JSON.parse(await readFile(join(server.dataFolder, 'settings.json'), 'utf8'))
  t.is(set['later.release'], 1, 'what a later release wrote stays')
  await server.restart(() => writeFile(join(server.dataFolder, 'settings.json'), '{"set":'))
  t.regex(server.app.warnings.join(), /cannot be read/)
})

async function withListeners(t: ExecutionContext, trustPage: number) {
  const data = await mkdtemp(join(tmpdir(), 'letro-settings-'))
  const { config } = parseConfig(`[listen]\ntrust_page = "127.0.0.1:${trustPage}"`, {
    LETRO_SERVER_DATA: data,
    LETRO_LISTEN_CLIENT: `localhost:${await freePort()}`,
  })
  const means = {
    clock: Date.now,
    log: silentLog,
    randomBytes: (size: number) => crypto.getRandomValues(new Uint8Array(size)),
  }
  const app = await openApp(config, means)
  const listeners = await openListeners(config, app, silentLog, Date.now)
  t.teardown(async () => {
    await listeners.close(0)
    await app.close()
    await rm(data, { recursive: true, force: true })
  })
  return app
}

const answers = (port: number) =>
  fetch(`http://127.0.0.1:${port}/`).then(
    ({ status }) => status === 200,
    () => false,
  )

test('the trust page is turned off and on while the server runs; a port that is taken is refused', async t => {
  const [first, second] = [await freePort(), await freePort()]
  const { settings } = await withListeners(t, first)
  t.true(await answers(first))
  await settings.set('local', 'listen.trust_page', null, undefined)
  t.false(await answers(first))
  await settings.set('local', 'listen.trust_page', `127.0.0.1:${second}`, undefined)
  t.true(await answers(second))
  const taken = `127.0.0.1:${settings.current.listen.client.port}`
  await t.throwsAsync(
    settings.set('local', 'listen.trust_page', taken.replace('127.0.0.1', 'localhost'), undefined),
    {
      message: /is taken by another program/,
    },
  )
  t.true(await answers(second))
  await settings.reset('local', 'listen.trust_page', undefined)
  t.true(await answers(first))
  t.false(await answers(second))
})
