/** What the console does to a site, with the real command and a real server; the stick is a folder. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { AdminSocket } from '../../appliance/console/real/admin-socket.ts'
import { readFacts, siteOfToml } from '../../appliance/console/real/facts.ts'
import { letroCommand } from '../../appliance/console/real/letro-command.ts'
import { restoredToml } from '../../appliance/console/real/restored-site.ts'
import { siteActs } from '../../appliance/console/real/site-acts.ts'
import { UpdaterSocket } from '../../appliance/console/real/updater-socket.ts'
import { paths } from '../../appliance/paths.ts'
import { freePort } from '../support/free-port.ts'
import { withoutLetro } from '../support/server-process.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'letro-console-'))
const stick = join(folder, 'stick')
const letro = letroCommand({ program: root, user: null })
const tell = () => {}
let server: ChildProcess | null = null
test.after.always(() => {
  server?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

const siteIn = (name: string) => {
  const site = join(folder, name)
  mkdirSync(site, { recursive: true })
  const started: string[] = []
  const socket = new AdminSocket(join(site, 'data', 'admin.sock'))
  const acts = siteActs({
    folder: site,
    configFile: join(site, 'letro.toml'),
    server: socket,
    letro,
    sticks: { with: (_way, work) => work(stick) },
    startServer: async () => void started.push(name),
    clock: Date.now,
  })
  return { site, socket, acts, started }
}

async function run(site: string, socket: AdminSocket): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['server/main.ts', '--config', join(site, 'letro.toml')], {
    cwd: root,
    env: withoutLetro(process.env),
    stdio: 'ignore',
  })
  for (let i = 0; i < 1200 && (await socket.send('GET', '/_letro/health'))?.status !== 200; i++)
    await sleep(100)
  return child
}

const facts = (site: string, socket: AdminSocket) => {
  const run = join(folder, 'run')
  mkdirSync(run, { recursive: true })
  writeFileSync(
    join(run, 'disk.json'),
    JSON.stringify({ state: 'open', by: 'tpm', ways: { tpm: true, recoveryKey: true, passphrase: false } }),
  )
  return readFacts({
    disk: {
      root: folder,
      run: async () => ({ code: 0, stdout: 'one\nhttps://x/enrol#secret\nno such port\n', stderr: '' }),
      paths: {
        ...paths,
        diskState: join(run, 'disk.json'),
        machineReport: join(run, 'machine.json'),
        release: join(run, 'release.json'),
        site,
        configFile: join(site, 'letro.toml'),
      },
    },
    server: socket,
    updater: new UpdaterSocket(join(run, 'no-socket')),
    hasPin: () => false,
    isRemovable: async () => false,
  })
}

test('from nothing over the first link and a backup to the same site on another machine', async t => {
  t.timeout(300_000)
  mkdirSync(stick)
  const { site, socket, acts } = siteIn('first')
  const port = await freePort()
  const answers = join(folder, 'answers.json')
  writeFileSync(
    answers,
    JSON.stringify({
      letro: 1,
      server_name: 'clinic.test',
      origin: `https://chat.clinic.test:${port}`,
      administrator: 'amal',
      certificate: { from: 'own' },
      listen: { client: `127.0.0.1:${port}`, trust_page: null },
    }),
  )
  await letro.json([
    'init',
    '--answers',
    answers,
    '--config',
    join(site, 'letro.toml'),
    '--data',
    join(site, 'data'),
  ])

  const before = await facts(site, socket)
  t.deepEqual(before.server, { state: 'away', sentences: ['one', 'no such port'] })
  t.is(before.site?.serverName, 'clinic.test')

  server = await run(site, socket)
  const now = await facts(site, socket)
  t.is(now.server.state, 'serving')
  t.is(now.hasAdministrator, false)
  t.is(now.disk.opensBy, 'tpm')
  t.is(now.certificate?.words.length, 4)
  // As the command shows it to whoever compares.
  const shown = (await acts.certificateText(null, tell)).join('\n')
  for (const line of now.certificate!.words) t.true(shown.includes(line), line)

  const link = await acts.firstAdministratorLink(null, tell)
  t.is(link.userId, '@amal:clinic.test')
  t.regex(link.link, /^https:\/\/chat\.clinic\.test:\d+\/enrol#/)
  t.regex((await acts.healthText(null, tell)).join('\n'), /All is well|needs you|WRONG/)

  const { code, expiresTs } = await acts.maintenanceCode(null, tell)
  t.regex(code, /^(?:[0-9A-Z]{4}-){2}[0-9A-Z]{4}$/)
  t.true(expiresTs > Date.now())
  t.is((await socket.send('GET', '/_letro/maintenance/v1/status', undefined, code))?.status, 200)

  await socket.send('POST', '/_letro/maintenance/v1/enter', {}, code)
  t.deepEqual((await facts(site, socket)).server, { state: 'out-of-service', sentences: [] })
  await acts.serveAgain(null, tell)
  t.is((await socket.send('GET', '/_letro/health'))?.status, 200)

  const { privateKey } = await acts.newBackupKey(null, tell)
  const name = await acts.backupToStick(null, tell)
  t.deepEqual(await acts.stickBackups(null, tell), [name])
  const request = await acts.requestToStick({ organisation: 'Clinic', country: 'DE' }, tell)
  t.regex(readFileSync(join(stick, request), 'utf8'), /BEGIN CERTIFICATE REQUEST/)
  await t.throwsAsync(acts.restoreBackup({ name, key: privateKey }, tell), { code: 'SITE_EXISTS' })
  await t.throwsAsync(acts.recoverAdministrator({ userId: 'amal' }, tell), { code: 'LETRO_REFUSED' })
  server.kill('SIGTERM')

  const second = siteIn('second')
  await t.throwsAsync(second.acts.restoreBackup({ name, key: 'AGE-SECRET-KEY-1WRONG' }, tell), {
    code: 'LETRO_REFUSED',
  })
  t.false(existsSync(join(second.site, 'letro.toml')))
  await t.throwsAsync(second.acts.restoreBackup({ name: '../x.age', key: privateKey }, tell), {
    code: 'STICK_FILE',
  })
  const words = await second.acts.restoreBackup({ name, key: privateKey }, tell)
  t.regex(words.join('\n'), /clinic\.test is back/)
  t.deepEqual(second.started, ['second'])
  server = await run(second.site, second.socket)
  const back = await facts(second.site, second.socket)
  t.is(back.site?.origin, `https://chat.clinic.test:${port}`)
  t.deepEqual(back.certificate?.words, now.certificate?.words)
  server.kill('SIGTERM')
})

test('an administrator is recovered while the server is away: the link waits for its start', async t => {
  const { site, acts } = siteIn('away')
  writeFileSync(
    join(site, 'letro.toml'),
    '[server]\nname = "clinic.test"\norigin = "https://chat.clinic.test"\n',
  )
  mkdirSync(join(site, 'data'))
  const link = await acts.recoverAdministrator({ userId: 'amal' }, tell)
  t.is(link.userId, '@amal:clinic.test')
  t.regex(link.remark!, /from its next start on/)
  t.regex(link.link, /^https:\/\/chat\.clinic\.test\/enrol#enrol_/)
})

test('a file that is no certificate changes nothing, and the passphrase is no argument', async t => {
  const { site, acts } = siteIn('certificates')
  mkdirSync(join(site, 'data'))
  mkdirSync(stick, { recursive: true })
  writeFileSync(
    join(site, 'letro.toml'),
    '[server]\nname = "clinic.test"\norigin = "https://chat.clinic.test"\n',
  )
  writeFileSync(join(stick, 'bad.p12'), 'nothing')
  await t.throwsAsync(acts.importCertificate({ name: 'bad.p12', passphrase: 'secret' }, tell), {
    code: 'LETRO_REFUSED',
  })
  await t.throwsAsync(acts.importCertificate({ name: '../../etc/passwd', passphrase: null }, tell), {
    code: 'STICK_FILE',
  })
})

test('the name and address of letro.toml are read where the server cannot be asked', t => {
  t.deepEqual(
    siteOfToml(
      '# x\n[server]\n# name = "no"\nname = "a.example"\norigin = "https://b.example"\n[listen]\nname = "c"\n',
    ),
    {
      serverName: 'a.example',
      origin: 'https://b.example',
      trustPage: null,
    },
  )
  t.is(siteOfToml('[listen]\nname = "x"\n'), null)
  t.is(siteOfToml(''), null)
})

test('a restored letro.toml keeps what the site ran with, and nothing that lay on the old machine', t => {
  const shown = [
    { key: 'server.name', value: '"evil.example"', from: 'file' },
    { key: 'server.data', value: '"/srv/old"', from: 'file' },
    { key: 'server.origin', value: '"https://chat.clinic.test"', from: 'file' },
    { key: 'backup.folder', value: '"/mnt/backups"', from: 'file' },
    { key: 'accounts.first_administrator', value: '"amal"', from: 'environment' },
    { key: 'limits.login', value: '"30/m"', from: 'default' },
    { key: 'x\n[y]', value: '1', from: 'file' },
    { key: 'tls.authority', value: null, from: 'default' },
  ]
  t.is(
    restoredToml({ shown }, 'clinic.test', '/var/lib/letro/site/data').split('\n').slice(2).join('\n'),
    `[server]
name = "clinic.test"
data = "/var/lib/letro/site/data"
origin = "https://chat.clinic.test"

[accounts]
first_administrator = "amal"

[tls]
authority = "organisation"

[listen]
client = "[::]:443"
`,
  )
})
