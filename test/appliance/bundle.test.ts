/** The program as an image has it: bundled, with none of our modules and few packages beside it. It must do what the sources do. */
import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'ava'
import sharp from 'sharp'
import { bundle, entries } from '../../appliance/image/bundle.ts'
import { packagesApart, packagesAtRunTime } from '../../appliance/image/node-modules.ts'
import { isData, isOfProgram } from '../../appliance/image/program-tree.ts'
import { entriesOf } from '../../appliance/image/trees.ts'
import { call } from '../support/client.ts'
import { freePort } from '../support/free-port.ts'
import { ServerProcess, withoutLetro } from '../support/server-process.ts'
import { Authenticator } from './machines/authenticator.ts'

const repository = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'letro-bundle-'))
const program = join(folder, 'program')
const password = 'one staple, one battery'

test.before(async () => {
  await bundle({ from: repository, to: program, installed: program })
  const data = ['server', 'provisioning', 'appliance'].flatMap(top =>
    entriesOf(join(repository, top))
      .map(path => join(top, path))
      .filter(path => isOfProgram(path) && isData(path)),
  )
  for (const path of ['package.json', ...data]) cpSync(join(repository, path), join(program, path))
  for (const path of packagesAtRunTime(join(repository, 'node_modules'))) {
    const link = join(program, 'node_modules', path)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(realpathSync(join(repository, 'node_modules', path)), link)
  }
})

test.after.always(() => rmSync(folder, { recursive: true, force: true }))

function run(path: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise(done => {
    const env = withoutLetro(process.env)
    execFile(process.execPath, [join(program, path), ...args], { env, cwd: folder }, (error, out, err) => {
      done({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err })
    })
  })
}

function written(): string[] {
  return entriesOf(program).filter(path => path.endsWith('.js') && !path.startsWith('node_modules/'))
}

test('every program that a unit starts is bundled', t => {
  const units = join(repository, 'appliance/rootfs/usr/lib/systemd/system')
  const started = entriesOf(units)
    .filter(path => /\.service$/.test(path) && existsSync(join(units, path)))
    .flatMap(path => [...readFileSync(join(units, path), 'utf8').matchAll(/^Exec.*$/gm)])
    .flatMap(([line]) => [
      ...line.matchAll(/(?:\/usr\/lib\/letro\/|\s)((?:server|provisioning|appliance)\/\S+\.ts)/g),
    ])
  t.true(started.length >= 9)
  for (const [, path] of started) t.true((entries as readonly string[]).includes(path!), path)
})

test('what is left outside is Node and the packages that stay apart', t => {
  for (const path of written()) {
    const text = readFileSync(join(program, path), 'utf8')
    for (const [, specifier] of text.matchAll(/^(?:import|export)\b[^'"]*["']([^'"]+)["'];$/gm)) {
      if (specifier!.startsWith('.')) t.true(existsSync(join(program, dirname(path), specifier!)), specifier)
      else
        t.true(isBuiltin(specifier!) || (packagesApart as readonly string[]).includes(specifier!), specifier)
      // They would load Node's client for fetch with every start.
      t.notRegex(specifier!, /^(?:node:)?http$/, path)
    }
    t.notRegex(text, /instanceof Response\b/, path)
    t.notRegex(text, /\bimport\.meta\.(?:dirname|filename|url)\b(?!\))/, path)
  }
})

test('bundled twice, it is the same bytes', async t => {
  const again = join(folder, 'again')
  await bundle({ from: repository, to: again, installed: program })
  const inFolder = (of: string) =>
    entriesOf(of)
      .filter(path => /^chunks\//.test(path) || (entries as readonly string[]).includes(path))
      .map(path => [path, readFileSync(join(of, path), 'utf8')])
  t.true(JSON.stringify(inFolder(again)) === JSON.stringify(inFolder(program)))
})

test('a program that a module starts without being an entry is refused', async t => {
  const from = join(folder, 'forgotten')
  for (const path of entries) {
    mkdirSync(join(from, dirname(path)), { recursive: true })
    const isOne = path === 'server/main.ts'
    writeFileSync(join(from, path), isOne ? `fork(join(import.meta.dirname, 'health/new-probe.ts'))` : '')
  }
  await t.throwsAsync(bundle({ from, to: join(folder, 'never'), installed: program }), {
    message: /server\/main.ts starts health\/new-probe.ts, which is not in the list of entries/,
  })
})

test('the command knows all of its commands', async t => {
  const { code, out, err } = await run('provisioning/letro.ts', '--help')
  t.is(code, 0, err)
  for (const name of ['init', 'status', 'enrol', 'backup', 'certificate', 'stick', 'recover-administrator'])
    t.regex(out, new RegExp(`^  ${name} `, 'm'))
})

test('certificates are made by the program that the server starts for it', async t => {
  const tls = join(folder, 'tls')
  mkdirSync(tls)
  const made = await run(
    'provisioning/make-certificate.ts',
    'make',
    tls,
    String(Date.now()),
    'chat.a.example',
  )
  t.is(made.code, 0, made.err)
  t.true(existsSync(join(tls, 'certificate.pem')))
})

test('the server serves: a password, a picture, a passkey, a sheet of the trust page, health, a backup', async t => {
  const backups = join(folder, 'backups')
  mkdirSync(backups)
  const trustPort = await freePort()
  const server = await ServerProcess.start({
    program,
    folder: join(folder, 'site'),
    settings: { 'backup.folder': backups, 'listen.trust_page': `127.0.0.1:${trustPort}` },
  })
  t.teardown(() => server.remove())
  const data = ['--data', join(server.folder, 'data')]

  // The worker hashes it, and makes the smaller picture.
  const { token } = await server.register('amal', password)
  const picture = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  const uploaded = await call(server.base, 'POST', '/_matrix/media/v3/upload', {
    token,
    body: picture,
    headers: { 'content-type': 'image/png' },
  })
  t.is(uploaded.status, 200)
  const media = String(uploaded.body.content_uri).slice('mxc://'.length)
  const path = `/_matrix/client/v1/media/thumbnail/${media}?width=32&height=32&method=crop`
  const smaller = await call(server.base, 'GET', path, { token })
  t.is(smaller.status, 200, server.output)

  const invited = await run('provisioning/letro.ts', 'enrol', 'person', 'jonas', '--json', ...data)
  t.is(invited.code, 0, invited.err)
  const secret = /enrol#([\w-]+)/.exec(invited.out)![1]!
  const begun = await call(server.base, 'POST', '/_letro/client/v1/enrolment/begin', { body: { secret } })
  const attestation = new Authenticator(server.base).create(begun.body.options)
  const complete = { secret, attestation }
  const jonas = await call(server.base, 'POST', '/_letro/client/v1/enrolment/complete', { body: complete })
  t.is(jonas.body.user_id, '@jonas:localhost')
  t.is((await call(server.base, 'GET', '/plain')).status, 200)

  const trust = `http://127.0.0.1:${trustPort}`
  t.is((await call(trust, 'GET', '/')).status, 200)
  t.is((await call(trust, 'GET', '/font/latin-400.woff2')).status, 200)

  const key = await run('provisioning/letro.ts', 'backup', 'key', ...data)
  t.is(key.code, 0, key.err)
  const made = await run('provisioning/letro.ts', 'backup', 'create', ...data)
  t.is(made.code, 0, made.err)
  t.is(entriesOf(backups).filter(each => each.endsWith('.age')).length, 1)

  const status = await run('provisioning/letro.ts', 'status', '--json', ...data)
  t.true(status.code <= 1, status.err)
  t.is(await server.stop(), 0)
})

test('the probe of the machine answers', async t => {
  const { code, out, err } = await run('server/health/machine-probe.ts')
  t.is(code, 0, err)
  t.truthy(JSON.parse(out))
})
