/** Updates through the server: uploaded, checked, applied by a real updater on files, restarted for, audited, in health. */
import { readdir, readFile, rename } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { serveUpdater } from '../../appliance/update/socket.ts'
import type { Updater } from '../../appliance/update/updater.ts'
import { adminToken, startAdministered } from '../support/administered.ts'
import type { Answer } from '../support/client.ts'
import type { TestServer } from '../support/server.ts'
import { makeRelease, makeUpdateFile, TestAppliance } from '../support/update-disk.ts'

const one = makeRelease('1.0.0')
const two = makeRelease('1.1.0', { counter: 2 })
const api = '/_letro/admin/v1/update'

interface Site {
  readonly made: TestAppliance
  readonly server: TestServer
  readonly updater: Updater
  readonly ask: (method: string, path?: string, body?: object) => Promise<Answer>
  readonly upload: (bytes: Uint8Array) => Promise<Answer>
}

async function site(t: ExecutionContext): Promise<Site> {
  const made = await TestAppliance.make(one)
  // The server's clock is the real one.
  made.now = Date.now()
  const socket = join(made.folder, 'socket')
  const updater = await made.updater()
  const listening = await serveUpdater(updater, socket)
  let minutes = 0
  // Each look at health is a new one.
  const monotonic = () => 61_000 * minutes++
  const server = await startAdministered(t, `[appliance]\nupdate_socket = "${socket}"\n`, { monotonic })
  t.teardown(async () => {
    listening.close()
    await made.close()
  })
  const url = `${server.base}${api}`
  return {
    made,
    server,
    updater,
    ask: (method, path = '', body) =>
      server.call(method, api + path, { token: adminToken, ...(body && { body }) }),
    upload: async bytes => {
      const headers = { Authorization: `Bearer ${adminToken}` }
      const response = await fetch(url, { method: 'POST', headers, body: Buffer.from(bytes) })
      return { status: response.status, body: await response.json() } as Answer
    },
  }
}

async function bytesOf(made: TestAppliance, release = two): Promise<Buffer> {
  return readFile(await makeUpdateFile(join(made.folder, 'made.update'), release))
}

async function done({ ask }: Site): Promise<Answer['body']> {
  for (;;) {
    const { body } = await ask('GET')
    if (body.underway === null && (body.waiting !== null || body.events.at(-1)?.kind === 'refused'))
      return body
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

test('an upload is checked, applied, waits, is restarted for, and each act is in the audit', async t => {
  const here = await site(t)
  const { made, ask, upload, server } = here
  const uploaded = await upload(await bytesOf(made))
  t.is(uploaded.status, 200)
  t.like(uploaded.body.update, { version: '1.1.0', counter: 2, architecture: 'amd64' })
  t.like((await ask('GET')).body, {
    uploaded: { version: '1.1.0' },
    waiting: null,
    running: { version: '1.0.0' },
  })
  t.is((await ask('POST', '/apply', { version: '9.9.9' })).body.errcode, 'UPDATE_NOT_UPLOADED')
  t.is((await ask('POST', '/apply', { version: '1.1.0' })).status, 202)
  const status = await done(here)
  t.is(status.waiting.version, '1.1.0')
  t.is(await made.boot([one, two]), two)
  t.is((await ask('PUT', '/window', { window: '02:00-04:00' })).status, 200)
  t.is((await ask('PUT', '/window', { window: 'at night' })).body.errcode, 'UPDATE_BAD_REQUEST')
  t.is((await ask('GET')).body.window, '02:00-04:00')
  t.is((await ask('POST', '/restart')).status, 202)
  t.is(made.restarts, 1)
  // What was uploaded has done its work.
  t.deepEqual(await readdir(made.spool), [])
  const audit = await server.call('GET', '/_letro/admin/v1/audit?limit=50', { token: adminToken })
  const acts = audit.body.entries.map((entry: { action: string }) => entry.action)
  t.deepEqual(acts.filter((act: string) => act.startsWith('update.')).sort(), [
    'update.applied',
    'update.asked',
    'update.restart',
    'update.uploaded',
    'update.window',
  ])
})

test('what is refused leaves nothing behind, and says why', async t => {
  const { made, ask, upload } = await site(t)
  const good = await bytesOf(made)
  const before = await made.contents()
  const bad = Buffer.from(good)
  bad[bad.length - 5]! ^= 1
  for (const [bytes, code] of [
    [bad, 'UPDATE_DAMAGED'],
    [good.subarray(0, 5000), 'UPDATE_TRUNCATED'],
    [Buffer.from('a letter'), 'UPDATE_NOT_ONE'],
    [await bytesOf(made, one), 'UPDATE_RUNNING_ALREADY'],
  ] as const) {
    const answer = await upload(bytes)
    t.is(answer.status, 409)
    t.is(answer.body.errcode, code)
    t.regex(answer.body.error, /Nothing was changed/)
  }
  t.deepEqual(await readdir(made.spool), [])
  t.is((await ask('POST', '/apply', { version: '1.1.0' })).body.errcode, 'UPDATE_NOT_UPLOADED')
  t.is((await ask('POST', '/restart')).body.errcode, 'UPDATE_NOT_APPLIED')
  t.deepEqual(await made.contents(), before)
})

test('an upload that breaks off leaves nothing, and the next one is taken', async t => {
  const { made, server, ask, upload } = await site(t)
  const socket = connect(server.port, '127.0.0.1')
  socket.write(
    `POST ${api} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${adminToken}\r\nContent-Length: 300000\r\n\r\n${'letro'.repeat(1000)}`,
  )
  while ((await ask('GET')).body.upload === null) await new Promise(resolve => setTimeout(resolve, 20))
  t.is((await upload(Buffer.from('another'))).body.errcode, 'UPDATE_BUSY')
  socket.destroy()
  while ((await ask('GET')).body.upload !== null) await new Promise(resolve => setTimeout(resolve, 20))
  t.deepEqual(await readdir(made.spool), [])
  t.is((await upload(await bytesOf(made))).status, 200)
})

test('an upload that is larger than any update is refused before it is sent', async t => {
  const { server } = await site(t)
  const answer = await new Promise<string>(resolve => {
    const socket = connect(server.port, '127.0.0.1')
    let text = ''
    socket.on('data', piece => {
      text += piece
      if (text.includes('UPDATE_')) resolve(text)
    })
    socket.write(
      `POST ${api} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${adminToken}\r\nContent-Length: 99999999999\r\n\r\n`,
    )
    t.teardown(() => socket.destroy())
  })
  t.regex(answer, /UPDATE_NOT_ONE/)
})

test('health says that an update waits or was refused; the status, that the machine went back from one', async t => {
  const here = await site(t)
  const { made, server, upload, ask } = here
  const codes = async () => {
    const { body } = await server.call('GET', '/_letro/admin/v1/health', { token: adminToken })
    const found = body.findings.map(({ code }: { code: string }) => code)
    return found.filter((code: string) => code.startsWith('update.'))
  }
  t.deepEqual(await codes(), [])
  await upload(Buffer.from('a letter'))
  t.deepEqual(await codes(), ['update.refused'])
  await upload(await bytesOf(made))
  await ask('POST', '/apply', { version: '1.1.0' })
  await done(here)
  t.deepEqual(await codes(), ['update.waiting'])
  await rename(made.image('letro_1.1.0+3.efi'), made.image('letro_1.1.0+0-3.efi'))
  made.bootId = 'boot-5'
  await here.updater.look()
  // That the machine went back is in its own report: appliance.went-back.
  t.deepEqual(await codes(), [])
  t.is((await ask('GET')).body.went_back.version, '1.1.0')
})

test('a server that is no appliance says so, and one whose updater is away as well', async t => {
  const plain = await startAdministered(t)
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['POST', '/apply', { version: '1.0.0' }],
    ['PUT', '/window', { window: null }],
    ['POST', '/restart', {}],
  ] as const) {
    const answer = await plain.call(method, api + path, { token: adminToken, ...(body && { body }) })
    t.is(answer.status, 404)
    t.is(answer.body.errcode, 'UPDATE_NOT_HERE')
  }
  const lonely = await startAdministered(t, '[appliance]\nupdate_socket = "/nowhere/socket"\n')
  const answer = await lonely.call('GET', api, { token: adminToken })
  t.is(answer.status, 409)
  t.is(answer.body.errcode, 'UPDATER_AWAY')
})

test('who is no administrator learns nothing and uploads nothing', async t => {
  const { made, server } = await site(t)
  const amal = await server.register('amal')
  for (const method of ['GET', 'POST']) t.is((await amal.call(method, api)).status, 403)
  t.deepEqual(await readdir(made.spool), [])
})

test('the socket takes one line of JSON, and answers anything else with a sentence', async t => {
  const { made } = await site(t)
  const say = (text: string) =>
    new Promise<{ done: boolean; code: string }>(resolve => {
      const socket = connect(join(made.folder, 'socket'))
      let answer = ''
      socket.on('data', piece => {
        answer += piece
      })
      socket.on('close', () => resolve(JSON.parse(answer)))
      socket.write(text)
    })
  for (const text of ['hello\n', '[]\n', '{"do":"format"}\n', '{"do":"check"}\n', `${'x'.repeat(9000)}`])
    t.like(await say(text), { done: false, code: 'UPDATE_BAD_REQUEST' }, text.slice(0, 20))
  t.like(await say('{"do":"status"}\n'), { done: true })
})
