/**
 * `letro certificate --server` as a process, after `letro login`: a server that answers by its private authority's
 * certificate, an administrator who lets the command in, and each act on what that server is answered by.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { connect } from '../../provisioning/server-connection.ts'
import { freePort } from '../support/free-port.ts'
import { testPassword } from '../support/server.ts'
import { until } from '../support/until.ts'
import { OwnAuthority } from './own-authority.ts'

const root = join(import.meta.dirname, '../..')
const organisation = new OwnAuthority()
test.after.always(() => organisation.remove())

async function open(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'letro-far-'))
  const port = await freePort()
  const { PATH } = process.env
  const server = spawn(process.execPath, [join(root, 'server/main.ts')], {
    cwd: folder,
    env: {
      PATH,
      LETRO_SERVER_NAME: 'localhost',
      LETRO_SERVER_ORIGIN: `https://localhost:${port}`,
      LETRO_LISTEN_CLIENT: `127.0.0.1:${port}`,
      LETRO_TLS_AUTHORITY: 'own',
      LETRO_ACCOUNTS_PASSWORDS: 'true',
      LETRO_ACCOUNTS_REGISTRATION: 'open',
    },
  })
  t.teardown(async () => {
    server.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })
  const output = said(server)
  await until(() => output().includes('"started"') || server.exitCode !== null)
  const data = join(folder, 'data')
  const authority = join(data, 'tls', 'authority.pem')
  const ca = await readFile(authority, 'utf8')
  const env = { PATH, XDG_CONFIG_HOME: folder }
  const start = (...args: string[]) =>
    spawn(process.execPath, [join(root, 'provisioning/letro.ts'), ...args], { cwd: folder, env })
  return {
    folder,
    data,
    authority,
    url: `https://localhost:${port}`,
    start,
    letro: async (...args: string[]) => {
      const child = start(...args)
      const text = said(child)
      return { code: await ended(child), text: text() }
    },
    ask: (path: string, body: object, token?: string) => ask(port, ca, path, body, token),
    shown: () => fingerprintAt(port),
  }
}

test('a certificate is seen, renewed, asked for and brought in, by a command line that was let in', async t => {
  const { folder, data, authority, url, start, letro, ask, shown } = await open(t)
  const registered = await ask('/_matrix/client/v3/register', {
    username: 'root',
    password: testPassword,
    auth: { type: 'm.login.dummy' },
  })
  const token = String(registered['access_token'])
  const local = await connect({ data })
  await local.ask('PUT', `/people/${encodeURIComponent('@root:localhost')}/kind`, { kind: 'administrator' })

  const show = ['certificate', 'show', '--server', url]
  t.regex((await letro('login', url)).text, /does not know. Give the site's authority with --ca/)
  const login = start('login', url, '--ca', authority, '--json')
  const text = said(login)
  await until(() => /"code":"/.test(text()))
  const approve = `/_letro/admin/v1/command-lines/waiting/${/"code":"([A-Z-]{9})"/.exec(text())![1]}/approve`
  const { session } = await ask(approve, {}, token)
  await ask(approve, { auth: { type: 'm.login.password', session, password: testPassword } }, token)
  t.is(await ended(login), 0, text())

  const first = await shown()
  const seen = await letro(...show)
  t.is(seen.code, 0, seen.text)
  t.regex(seen.text, /^Certificate {4}for localhost/)
  const renewed = await letro('certificate', 'renew', '--server', url)
  t.is(renewed.code, 0, renewed.text)
  await until(async () => (await shown()) !== first)
  t.is((await letro('certificate', 'mdm', '--out', 'mdm')).code, 0, 'the only login needs no name')
  t.true((await readdir(join(folder, 'mdm'))).includes('README.txt'))

  t.is((await letro('certificate', 'request', '--out', 'a.csr')).code, 0)
  const made = organisation.leaf({
    names: 'DNS:localhost',
    request: await readFile(join(folder, 'a.csr'), 'utf8'),
  })
  await writeFile(join(folder, 'a.pem'), made.certificate + organisation.read('middle.pem'))
  const taken = await letro('certificate', 'import', 'a.pem', '--json')
  t.is(taken.code, 0, taken.text)
  const { fingerprint_sha256: fingerprint } = JSON.parse(taken.text)
  await until(async () => (await shown()) === fingerprint)

  const { entries } = await local.ask('GET', '/audit?order=newest&action=certificate')
  t.deepEqual(
    (entries as unknown as { actor: string; action: string }[]).map(({ actor, action }) => [actor, action]),
    [
      ['@root:localhost', 'certificate.import'],
      ['@root:localhost', 'certificate.request'],
      ['@root:localhost', 'certificate.renew'],
    ],
  )
})

/** All that it has said so far. */
function said({ stdout, stderr }: ChildProcess): () => string {
  let text = ''
  for (const stream of [stdout!, stderr!]) stream.on('data', part => (text += part))
  return () => text
}

const ended = (child: ChildProcess) =>
  new Promise<number>(resolve => child.on('close', code => resolve(code ?? -1)))

function ask(
  port: number,
  ca: string,
  path: string,
  body: object,
  token?: string,
): Promise<Record<string, unknown>> {
  const headers = {
    'Content-Type': 'application/json',
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  }
  return new Promise((resolve, reject) => {
    const asked = request({ host: 'localhost', port, path, method: 'POST', ca, headers }, answer => {
      let text = ''
      answer.on('data', part => (text += part))
      answer.on('end', () => resolve(JSON.parse(text)))
    })
    asked.on('error', reject)
    asked.end(JSON.stringify(body))
  })
}

/** Whoever issued it. */
function fingerprintAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, servername: 'localhost', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}
