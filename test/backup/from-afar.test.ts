/** Restoring by the maintenance API, and backing up a server that does not run. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { orderReplacing, replaceWithRestored } from '../../server/restored-data.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { newKeys } from './backup-data.ts'

const command = join(import.meta.dirname, '../../provisioning/letro.ts')
const maintenance = '/_letro/maintenance/v1'

async function scratch(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'letro-afar-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function letro(...args: string[]) {
  return new Promise<{ code: number; out: string; err: string }>(done => {
    execFile(process.execPath, [command, ...args], (error, out, err) =>
      done({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
  })
}

const exists = (server: TestServer, name: string) =>
  server
    .call('GET', `/_matrix/client/v3/register/available?username=${name}`)
    .then(({ status }) => status === 400)

async function until(t: ExecutionContext, what: string, holds: () => Promise<boolean>) {
  for (let i = 0; i < 2_000; i++) {
    if (await holds().catch(() => false)) return
    await new Promise(next => setTimeout(next, 50))
  }
  t.fail(what)
}

test('a backup of a stopped server, uploaded to another one in maintenance, is what that serves then', async t => {
  const place = await scratch(t)
  const { identity, recipient } = await newKeys()
  const old = await startTestServer()
  t.teardown(() => old.close())
  await old.register('anna')
  const name = 'letro-localhost-20261121T020000Z-000.age'
  const file = join(place, name)
  const create = [
    'backup',
    'create',
    '--offline',
    '--data',
    old.dataFolder,
    '--recipient',
    recipient,
    '--out',
    file,
  ]
  const locked = await letro(...create)
  t.is(locked.code, 3, locked.err)
  t.regex(locked.err, /The server runs/)
  await old.restart(async () => {
    const made = await letro(...create, '--json')
    t.is(made.code, 0, made.err)
    t.is(JSON.parse(made.out).file, file)
    t.regex((await letro(...create.slice(0, 5))).err, /Nobody said for whom/)
  })

  const server = await startTestServer()
  t.teardown(() => server.close())
  await server.register('bert')
  const token = (await readFile(server.app.maintenanceTokenFile, 'utf8')).trim()
  const ask = (method: string, path: string, body?: object) =>
    server.call(method, `${maintenance}${path}`, { token, ...(body ? { body } : {}) })
  const upload = () =>
    fetch(`${server.base}${maintenance}/backups/${name}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}` },
      body: new Uint8Array(sealed),
    })
  const sealed = await readFile(file)
  t.is((await upload()).status, 409, 'people are served')
  t.is((await server.call('POST', `${maintenance}/enter`)).status, 401)
  t.is((await ask('POST', '/enter')).body.status, 'maintenance')
  const away = await server.call('GET', '/_matrix/client/versions')
  t.is(away.status, 503)
  t.regex(away.body.error, /^An administrator has taken the server into maintenance/)
  t.is((await upload()).status, 200)
  t.deepEqual((await ask('GET', '/status')).body.restore, {
    state: 'none',
    uploaded: [name],
    kept_aside: null,
  })

  const { identity: other } = await newKeys()
  t.is((await ask('POST', '/restore', { backup: name, keys: [other] })).status, 202)
  await until(
    t,
    'the wrong key is said',
    async () => (await ask('GET', '/status')).body.restore.state === 'failed',
  )
  t.like((await ask('GET', '/status')).body.restore, { code: 'BACKUP_WRONG_KEY' })
  t.is((await ask('POST', '/restore', { backup: '../x.age', keys: [identity] })).status, 400)
  t.is(
    (await ask('POST', '/restore', { backup: name.replace('2026', '2025'), keys: [identity] })).status,
    404,
  )
  t.is((await ask('POST', '/leave')).body.status, 'ok')
  t.true(await exists(server, 'bert'), 'what failed touched nothing')

  await ask('POST', '/enter')
  t.is((await ask('POST', '/restore', { backup: name, keys: [identity] })).status, 202)
  await until(t, 'it serves the backup', () => exists(server, 'anna'))
  t.false(await exists(server, 'bert'))
  const names = await readdir(server.dataFolder)
  t.true(names.some(each => each.startsWith('before-restore-')))
  t.false(
    names.includes('restored') || names.includes('uploaded-backups') || names.includes('replacing.json'),
  )
})

test('cut off at any rename, the next start puts the restored data in place', async t => {
  for (let cut = 0; cut < 6; cut++) {
    const data = await scratch(t)
    const put = (path: string, text: string) => writeFile(join(data, path), text)
    for (const name of ['identity.json', 'a', 'only-old']) await put(name, 'old')
    await put('maintenance.token', 'stays')
    const { mkdir, rename } = await import('node:fs/promises')
    await mkdir(join(data, 'restored'))
    for (const name of ['identity.json', 'a', 'only-new']) await put(`restored/${name}`, 'new')
    await orderReplacing(data, 0)
    const order = JSON.parse(await readFile(join(data, 'replacing.json'), 'utf8'))
    const moves = [
      ...order.out.map((name: string) => [name, `${order.aside}/${name}`]),
      ...['a', 'identity.json', 'only-new'].map(name => [`restored/${name}`, name]),
    ]
    await mkdir(join(data, order.aside))
    for (const [i, [from, to]] of moves.slice(0, cut).entries()) {
      if (i === order.out.length)
        await put('replacing.json', JSON.stringify({ ...order, in: await readdir(join(data, 'restored')) }))
      await rename(join(data, from), join(data, to))
    }
    t.true(await replaceWithRestored(data))
    t.false(await replaceWithRestored(data))
    t.deepEqual((await readdir(data)).sort(), [
      'a',
      order.aside,
      'identity.json',
      'maintenance.token',
      'only-new',
    ])
    t.is(await readFile(join(data, 'a'), 'utf8'), 'new')
    t.is(await readFile(join(data, order.aside, 'only-old'), 'utf8'), 'old')
  }
})
