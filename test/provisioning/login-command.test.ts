/** `letro login` as a process, over the network, against the administration API; and who has to confirm what. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Harness, openHarness, passwordOf } from '../accounts/harness.ts'

const letro = join(import.meta.dirname, '../../provisioning/letro.ts')
const admin = '/_letro/admin/v1'

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function open(t: ExecutionContext) {
  const h = await openHarness({ asksToConfirm: true, now: Date.now() })
  const config = await mkdtemp(join(tmpdir(), 'letro-login-'))
  const env = { ...process.env, XDG_CONFIG_HOME: config }
  t.teardown(async () => {
    await h.close()
    await rm(config, { recursive: true, force: true })
  })
  return {
    h,
    config,
    run: (...args: string[]) =>
      new Promise<Outcome>(resolve => {
        execFile(process.execPath, [letro, ...args], { env }, (error, out, err) => {
          resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
        })
      }),
    start: (...args: string[]) => spawn(process.execPath, [letro, ...args], { env }),
  }
}

/** The code that the waiting command shows. */
async function codeOf(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const part of child.stdout!) {
    text += String(part)
    const code = /"code":"([A-Z-]{9})"/.exec(text)?.[1]
    if (code !== undefined) return code
  }
  throw new Error(`no code: ${text}`)
}

const ended = (child: ChildProcess) =>
  new Promise<number>(resolve => child.on('exit', code => resolve(code ?? -1)))

/** As the app does: asked to confirm, by password here. */
async function confirmed(h: Harness, path: string, body: object, token: string) {
  const asked = await h.post(path, body, token)
  const { session } = asked.body
  const auth = { type: 'm.login.password', session, password: passwordOf('root') }
  return { asked, done: await h.post(path, { ...body, auth }, token) }
}

test('an administrator lets a command line in; it acts in their name until it is logged out', async t => {
  const { h, config, run, start } = await open(t)
  const root = await h.administrator()
  const child = start('login', h.origin, '--json')
  const code = await codeOf(child)
  const waiting = `${admin}/command-lines/waiting/${code.toLowerCase().replace('-', '')}`
  t.like((await h.get(waiting, root.token)).body, { code, scope: 'manage' })

  const { asked, done } = await confirmed(h, `${waiting}/approve`, {}, root.token)
  t.is(asked.status, 401)
  t.is(done.status, 200)
  t.is(await ended(child), 0)
  const file = join(config, 'letro', 'logins.json')
  t.is((await stat(file)).mode & 0o777, 0o600)

  const [login] = JSON.parse(await readFile(file, 'utf8'))
  t.is(login.userId, root.userId)
  const listed = await run('peer', 'list', '--json')
  t.deepEqual(JSON.parse(listed.out), { peers: [] })
  const rotated = await run('peer', 'rotate-key')
  t.is(rotated.code, 0, rotated.err)
  const [last] = (await h.accounts.audit.list({ limit: 100 })).slice(-1)
  t.like(last, { actor: root.userId, action: 'site.rotate-key' })

  t.is((await run('logout')).code, 0)
  t.is((await h.get(`${admin}/peers`, login.token)).body.errcode, 'M_UNKNOWN_TOKEN')
  t.is((await run('peer', 'list')).code, 2)
})

test('a command line that was let in to look changes nothing; none outlives eight hours or its administrator', async t => {
  const { h } = await open(t)
  const root = await h.administrator()
  const tokens: string[] = []
  for (const scope of ['read', 'manage'] as const) {
    const { code, secret } = h.accounts.commandLines.begin('a test', scope)
    t.is(await h.accounts.commandLines.collect(secret), null)
    h.accounts.commandLines.approve(root.userId, code)
    tokens.push((await h.accounts.commandLines.collect(secret))!.token)
    await t.throwsAsync(() => h.accounts.commandLines.collect(secret), { message: /used/ })
  }
  const [reads, manages] = tokens as [string, string]
  t.is((await h.get(`${admin}/peers`, reads)).status, 200)
  t.is((await h.post(`${admin}/site-card/rotate-key`, {}, reads)).status, 403)
  t.is((await h.post(`${admin}/site-card/rotate-key`, {}, manages)).status, 200)
  t.is((await h.get('/_matrix/client/v3/account/whoami', manages)).status, 401)

  await h.administrator('second')
  await h.accounts.people.setKind('test', root.userId, 'member')
  t.is((await h.get(`${admin}/peers`, manages)).status, 401)
  await h.accounts.people.setKind('test', root.userId, 'administrator')
  t.is((await h.get(`${admin}/peers`, manages)).status, 200)
  h.advance(8 * 3_600_000)
  t.is((await h.get(`${admin}/peers`, manages)).status, 401)
})

test('a command line cannot let another one in, and a code works once, for ten minutes', async t => {
  const { h } = await open(t)
  const root = await h.administrator()
  const { commandLines } = h.accounts
  const first = commandLines.begin('a test', 'manage')
  commandLines.approve(root.userId, first.code)
  const { token } = (await commandLines.collect(first.secret))!
  const other = commandLines.begin('another', 'manage')
  const path = `${admin}/command-lines/waiting/${other.code}`
  t.is((await h.post(`${path}/approve`, {}, token)).status, 403)
  t.is((await h.get(path, token)).status, 403)
  h.advance(10 * 60_000)
  t.is((await h.get(path, root.token)).status, 404)
  await t.throwsAsync(() => commandLines.collect(other.secret))

  const refused = commandLines.begin('a third', 'manage')
  commandLines.refuse(refused.code)
  await t.throwsAsync(() => commandLines.collect(refused.secret))
})

test('what gives power or cannot be undone is confirmed; a stolen session is not enough', async t => {
  const { h } = await open(t)
  const root = await h.administrator()
  const alice = await h.member('alice')
  const person = `${admin}/people/${encodeURIComponent(alice.userId)}`
  const asked = [
    h.put(`${person}/lock`, { locked: true }, root.token),
    h.put(`${person}/kind`, { kind: 'administrator' }, root.token),
    h.post(`${person}/deactivate`, {}, root.token),
    h.post(`${person}/re-enrolment`, {}, root.token),
    h.post(`${admin}/enrolment-links`, { user_id: '@new:clinic.example', kind: 'administrator' }, root.token),
    h.post(`${admin}/site-card/rotate-key`, {}, root.token),
    h.post(`${admin}/people/import`, { csv: 'username\nzoe\n', apply: true }, root.token),
    h.delete(`${admin}/peers/court.example`, {}, root.token),
  ]
  for (const { status, body } of await Promise.all(asked)) {
    t.is(status, 401)
    t.truthy(body.session)
  }
  const before = (await h.accounts.people.get(alice.userId))!
  t.like(before, { kind: 'member' })
  t.falsy(before.locked)

  const member = { user_id: '@new:clinic.example' }
  t.is((await h.post(`${admin}/enrolment-links`, member, root.token)).status, 200)
  const { done } = await confirmed(h, `${person}/deactivate`, {}, root.token)
  t.is(done.status, 200)
  t.truthy((await h.accounts.people.get(alice.userId))!.deactivatedTs)
})

test('an address that is none, and a server that is not there', async t => {
  const { run } = await open(t)
  for (const url of ['chat.example', 'http://chat.example', 'ftp://localhost']) {
    const { code, err } = await run('login', url)
    t.is(code, 2, url)
    t.regex(err, /is no https address/)
  }
  const away = await run('login', 'https://localhost:9')
  t.is(away.code, 4)
  t.regex(away.err, /does not answer/)
  const none = await run('peer', 'list')
  t.is(none.code, 2)
  t.regex(none.err, /letro login URL/)
})
