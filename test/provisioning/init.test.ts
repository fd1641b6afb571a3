/** `letro init`: the questions, what is written, what a crash leaves, and a server that starts on it. */
import { execFile, spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { CommandFailed } from '../../provisioning/command-failed.ts'
import { askAndConfirm } from '../../provisioning/init-command.ts'
import { writeSite } from '../../provisioning/new-site.ts'
import type { Terminal } from '../../provisioning/questions.ts'
import { connect } from '../../provisioning/server-connection.ts'
import { parseSiteAnswers } from '../../provisioning/site-answers.ts'
import { parseConfig } from '../../server/config.ts'
import { fingerprintWords } from '../../server/protocol/fingerprint-words.ts'
import { mustRead, siteOf } from '../peers/site.ts'
import { freePort } from '../support/free-port.ts'
import { sha256 } from '../support/primitives.ts'
import { until } from '../support/until.ts'
import { OwnAuthority } from './own-authority.ts'

const root = join(import.meta.dirname, '../..')
const court = siteOf('court.example').card(1_700_000_000_000)
const words = fingerprintWords(mustRead(court).rootKey, sha256)
const quick = {
  letro: 1,
  server_name: 'clinic.example',
  origin: 'https://chat.clinic.example',
  administrator: 'amal',
  certificate: { from: 'proxy' },
}

function place(t: ExecutionContext) {
  const folder = mkdtempSync(join(tmpdir(), 'letro-init-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const put = (name: string, content: string | object) => {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
    return join(folder, name)
  }
  const run = (...args: string[]) =>
    new Promise<{ code: number; out: string; err: string }>(resolve => {
      execFile(
        process.execPath,
        [join(root, 'provisioning/letro.ts'), 'init', ...args],
        { cwd: folder },
        (error, out, err) => {
          resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
        },
      )
    })
  return { folder, put, run, config: join(folder, 'letro.toml'), data: join(folder, 'data') }
}

/** Somebody at a terminal, who types these lines and then goes away. */
function person(...lines: string[]): Terminal & { heard: string } {
  return {
    heard: '',
    say(text) {
      this.heard += `${text}\n`
    },
    line: async () => lines.shift() ?? null,
    close() {},
  }
}

const typed = ['Clinic.Example', 'https://chat.clinic.example', 'amal', '1', '', '', '1', 'de', '', '']

test('one question after the other, and what cannot be changed is typed out again', async t => {
  const who = person('localhost', ...typed, 'clinic.example', 'chat.clinic.example')
  const answers = await askAndConfirm(who)
  t.is(answers.serverName, 'clinic.example' as never)
  t.is(answers.origin, 'https://chat.clinic.example')
  t.is(answers.administrator, 'amal')
  t.deepEqual(answers.certificate, { from: 'own' })
  t.deepEqual(answers.listen, {
    client: { host: '::', port: 443 },
    federation: { host: '::', port: 8448 },
    trustPage: { host: '::', port: 80 },
  })
  t.is(answers.federation.residency, 'DE')
  t.regex(who.heard, /That will not do\. What is needed is a DNS name/)
  t.is(who.heard.match(/^\d+\. /gm)?.length, 10)
  t.true(who.heard.split('\n').every(line => line.length <= 110))
})

test('who types another name, or goes away, has set up nothing', async t => {
  for (const lines of [
    [...typed, 'clinik.example'],
    [...typed, 'clinic.example', ''],
    typed,
    ['clinic.example'],
    [],
  ]) {
    const error = await t.throwsAsync(askAndConfirm(person(...lines)), { instanceOf: CommandFailed })
    t.regex(error.message, /Nothing was set up/)
  }
})

test('a card is shown with its words, and left out where they were not compared', async t => {
  const { put } = place(t)
  const card = put('court.card.json', court)
  const without = typed.slice(0, -1)
  const ask = (...lines: string[]) =>
    askAndConfirm(person(...without, ...lines, 'clinic.example', 'chat.clinic.example'))
  t.deepEqual((await ask(card, '2', '')).peers, [{ card: court, fingerprint: words.join(' ') }])
  t.deepEqual((await ask(card, '1', '')).peers, [])
  t.deepEqual((await ask(put('cut.json', JSON.stringify(court).slice(0, 100)), '')).peers, [])
})

test('written whole: configuration, identity, certificate, all closed to others', async t => {
  const { config, data, folder } = place(t)
  const answers = parseSiteAnswers({ ...quick, certificate: { from: 'own' } })
  const site = await writeSite(answers, config, data, Date.now())
  t.is(parseConfig(readFileSync(config, 'utf8'), {}).config.tlsAuthority, 'own')
  t.deepEqual(JSON.parse(readFileSync(join(data, 'identity.json'), 'utf8')).ready, false)
  t.is(site.authority?.ca, true)
  t.is(statSync(data).mode & 0o777, 0o700)
  for (const name of readdirSync(join(data, 'tls')))
    t.is(statSync(join(data, 'tls', name)).mode & 0o777, 0o600)
  t.deepEqual(readdirSync(folder).sort(), ['data', 'letro.toml'])
})

test('the organisation’s authority: its certificate is taken, or a request is made', async t => {
  const ca = new OwnAuthority()
  t.teardown(() => ca.remove())
  const a = place(t)
  const { certificate, key } = ca.leaf({ names: 'DNS:clinic.example,DNS:chat.clinic.example' })
  const file = a.put('chain.pem', key + certificate + ca.read('middle.pem'))
  await writeSite(
    parseSiteAnswers({ ...quick, certificate: { from: 'organisation', file } }),
    a.config,
    a.data,
    Date.now(),
  )
  t.is(readFileSync(join(a.data, 'tls', 'certificate.pem'), 'utf8'), certificate + ca.read('middle.pem'))

  const b = place(t)
  const site = await writeSite(
    parseSiteAnswers({ ...quick, certificate: { from: 'organisation' } }),
    b.config,
    b.data,
    Date.now(),
  )
  t.regex(readFileSync(site.requestFile!, 'utf8'), /BEGIN CERTIFICATE REQUEST/)
  t.deepEqual(readdirSync(join(b.data, 'tls')), ['key.pem'])
})

test('what is wrong is said before anything is written, and leaves nothing', async t => {
  const { folder, put, run } = place(t)
  const ca = new OwnAuthority()
  t.teardown(() => ca.remove())
  const leaf = ca.leaf({ names: 'DNS:other.example', from: '20240101000000Z', until: '20240601000000Z' })
  put('c.pem', leaf.certificate + ca.read('middle.pem'))
  put('k.pem', leaf.key)
  const refused = await run(
    '--answers',
    put('a.json', { ...quick, certificate: { from: 'files', certificate: 'c.pem', key: 'k.pem' } }),
  )
  t.is(refused.code, 1)
  t.regex(refused.err, /Nothing was set up\.[\s\S]*has expired[\s\S]*is for other\.example/)
  const fields = await run('--answers', put('b.json', { ...quick, orign: 1, administrator: 'A B' }))
  t.is(fields.code, 1)
  t.regex(fields.err, /b\.json:\n\n {2}orign: there is no such field[\s\S]* {2}administrator: /)
  t.is((await run('--answers', put('c.json', '{'))).code, 1)
  t.is((await run('--answers', 'none.json')).code, 4)
  const nobody = await run()
  t.is(nobody.code, 2)
  t.regex(nobody.err, /no terminal to ask at.*--answers/)
  t.deepEqual(
    readdirSync(folder).filter(name => !/\.(?:json|pem)$/.test(name)),
    [],
  )
})

test('it refuses where a site is, or anything else', async t => {
  const at = place(t)
  const answers = parseSiteAnswers(quick)
  await writeSite(answers, at.config, at.data, Date.now())
  const again = () => writeSite(answers, at.config, at.data, Date.now())
  t.regex((await t.throwsAsync(again())).message, /letro\.toml is there already/)
  rmSync(at.config)
  t.regex(
    (await t.throwsAsync(again())).message,
    /holds data already/,
    'a site that was finished is never cleared away',
  )
  rmSync(at.data, { recursive: true })
  mkdirSync(at.data)
  t.is((await again()).data, at.data, 'an empty folder is none')
  rmSync(at.config)
  rmSync(at.data, { recursive: true })
  mkdirSync(at.data)
  writeFileSync(join(at.data, 'letter.txt'), 'dear')
  t.regex((await t.throwsAsync(again())).message, /holds data already/)
  t.is(readFileSync(join(at.data, 'letter.txt'), 'utf8'), 'dear')
})

test('what a run that was cut off leaves, the next one clears away', async t => {
  const at = place(t)
  const answers = parseSiteAnswers(quick)
  await writeSite(answers, at.config, at.data, Date.now())
  // As between the two renames.
  rmSync(at.config)
  writeFileSync(
    join(at.data, 'identity.json'),
    JSON.stringify({ name: 'clinic.example', ready: false, unfinished: true }),
  )
  mkdirSync(join(at.data, 'tls'))
  writeFileSync(`${at.config}.new`, 'half of')
  mkdirSync(join(at.folder, '.data.letro-init'))
  await writeSite(answers, at.config, at.data, Date.now())
  t.deepEqual(readdirSync(at.folder).sort(), ['data', 'letro.toml'])
  t.deepEqual(readdirSync(at.data), ['identity.json'])
  // A server was started on it: it is data.
  rmSync(at.config)
  writeFileSync(
    join(at.data, 'identity.json'),
    JSON.stringify({ name: 'clinic.example', ready: false, unfinished: true }),
  )
  mkdirSync(join(at.data, 'store'))
  t.regex(
    (await t.throwsAsync(writeSite(answers, at.config, at.data, Date.now()))).message,
    /holds data already/,
  )
})

test('killed at any moment: the next run ends well, or says that it was done', async t => {
  const at = place(t)
  const file = at.put('answers.json', quick)
  const started = Date.now()
  await at.run('--answers', file)
  const wholeMs = Date.now() - started
  for (const part of [0.5, 0.7, 0.8, 0.9, 0.97]) {
    rmSync(at.config, { force: true })
    rmSync(at.data, { recursive: true, force: true })
    const child = spawn(process.execPath, [join(root, 'provisioning/letro.ts'), 'init', '--answers', file], {
      cwd: at.folder,
    })
    const ended = new Promise(resolve => child.once('exit', resolve))
    await sleep(wholeMs * part)
    child.kill('SIGKILL')
    await ended
    const wasDone = existsSync(at.config)
    const { code, err } = await at.run('--answers', file)
    t.is(code, wasDone ? 1 : 0, err)
    if (wasDone) t.regex(err, /was set up/)
    t.is(JSON.parse(readFileSync(join(at.data, 'identity.json'), 'utf8')).name, 'clinic.example')
  }
})

test('unattended, from the file alone: the server starts, is trusted by its authority, and has its peer', async t => {
  const at = place(t)
  const [client, federation] = [await freePort(), await freePort()]
  const file = at.put('letro.json', {
    ...quick,
    origin: `https://chat.clinic.example:${client}`,
    certificate: { from: 'own' },
    listen: { client: `127.0.0.1:${client}`, federation: `127.0.0.1:${federation}`, trust_page: null },
    peers: [{ card: court, fingerprint: words.join(' ') }],
  })
  const done = await at.run('--answers', file, '--json')
  t.is(done.code, 0, done.err)
  t.is((JSON.parse(done.out) as { data: string }).data, at.data)
  const { PATH, HOME } = process.env
  const server = spawn(process.execPath, [join(root, 'server/main.ts')], {
    cwd: at.folder,
    env: { PATH, HOME },
  })
  let output = ''
  for (const stream of [server.stdout, server.stderr]) stream.on('data', chunk => (output += chunk))
  t.teardown(() => void server.kill('SIGKILL'))
  await until(() => output.includes('"started"') || server.exitCode !== null)
  t.regex(output, /"a peer of the set-up was pinned","server":"court\.example"/)
  t.regex(output, new RegExp(`https://chat\\.clinic\\.example:${client}/enrol#`))
  t.regex(output, /"new":true/)
  t.false(existsSync(join(at.data, 'first-peers.json')))
  const { links } = (await (await connect({ data: at.data })).ask('GET', '/enrolment-links')) as {
    links: { user_id: string }[]
  }
  t.deepEqual(
    links.map(link => link.user_id),
    ['@amal:clinic.example'],
  )
  const listed = await new Promise<string>(resolve =>
    execFile(
      process.execPath,
      [join(root, 'provisioning/letro.ts'), 'peer', 'list', '--data', at.data],
      (_, out) => resolve(out),
    ),
  )
  t.regex(listed, /^court\.example/)
})
