/** `letro store` and `letro backup restore`, as processes, of a running server: by its socket, and with its token over the network. */
import { spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { listenAtSocket } from '../../server/http/server.ts'
import { newKeys } from '../backup/backup-data.ts'
import { startTestServer, testPassword } from '../support/server.ts'
import { ServerProcess } from '../support/server-process.ts'

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

const command = join(import.meta.dirname, '../../provisioning/letro.ts')

function letro(args: readonly string[], input = ''): Promise<Outcome> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, [command, ...args])
    const said = { out: '', err: '' }
    child.stdout.on('data', part => (said.out += part))
    child.stderr.on('data', part => (said.err += part))
    child.on('close', code => resolve({ code: code ?? -1, ...said }))
    child.stdin.end(input)
  })
}

async function open(t: ExecutionContext) {
  const server = await ServerProcess.start()
  const place = await mkdtemp(join(tmpdir(), 'letro-afar-'))
  t.teardown(async () => {
    await server.remove()
    await rm(place, { recursive: true, force: true })
  })
  const data = join(server.folder, 'data')
  // A copy, as somebody elsewhere has it.
  const token = join(place, 'token')
  await cp(join(data, 'maintenance.token'), token)
  return { server, place, data, token, far: ['--server', server.base, '--token-file', token] }
}

const exists = async (server: ServerProcess, name: string) =>
  (await fetch(`${server.base}/_matrix/client/v3/register/available?username=${name}`)).status === 400

test('a sound server is looked at while it serves, on its machine and from afar; a wrong token learns nothing', async t => {
  const { data, far, place, server } = await open(t)
  for (const where of [['--data', data], far]) {
    t.like(await letro(['store', 'status', ...where]), {
      code: 0,
      out: 'The server serves: it knows of no damage.\n',
    })
    const checked = await letro(['store', 'check', ...where])
    t.is(checked.code, 0, checked.err)
    t.regex(checked.out, /All is well: \d+ rows/)
    const repaired = await letro(['store', 'repair', ...where, '--json'])
    t.is(repaired.code, 0, repaired.err)
    t.is(JSON.parse(repaired.out).repair, null)
  }
  const wrong = join(place, 'wrong')
  await writeFile(wrong, 'x'.repeat(43))
  const refused = await letro(['store', 'status', '--server', server.base, '--token-file', wrong])
  t.is(refused.code, 1)
  t.regex(refused.err, /not the maintenance token/)
  t.is((await letro(['store', 'status', '--server', server.base])).code, 2)
  t.is((await letro(['store', 'status'])).code, 2)
  t.is((await letro(['store', 'status', '--server', 'http://far.example', '--token-file', wrong])).code, 2)
  const silent = await letro(
    ['store', 'status', '--server', 'https://localhost:9', '--token-file', '-'],
    'x'.repeat(43),
  )
  t.is(silent.code, 4)
})

test('nobody is served where somebody said so, until it is taken back', async t => {
  const { server, far, data } = await open(t)
  const unasked = await letro(['store', 'maintenance', 'on', ...far])
  t.is(unasked.code, 2, 'without a terminal nobody was asked')
  t.is((await letro(['store', 'maintenance', 'on', '--yes', ...far])).code, 0)
  t.is((await fetch(`${server.base}/_matrix/client/versions`)).status, 503)
  const status = await letro(['store', 'status', '--data', data])
  t.is(status.code, 1)
  t.regex(status.out, /MAINTENANCE[\s\S]*no damage[\s\S]*letro store maintenance off --data/)
  t.regex((await letro(['peer', 'list', '--data', data])).err, /letro store status/)
  t.is((await letro(['store', 'maintenance', 'off', ...far])).code, 0)
  t.is((await fetch(`${server.base}/_matrix/client/versions`)).status, 200)
})

test('damage is shown, and repaired, without stopping the server', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const anna = await server.register('anna')
  for (let i = 0; i < 20; i++)
    await anna.call('POST', '/_matrix/client/v3/createRoom', { body: { name: `room ${i}` } })
  const data = server.dataFolder
  await server.restart(async () => {
    const db = join(data, 'store', 'db')
    const log = (await readdir(db)).find(name => name.endsWith('.log'))!
    const bytes = await readFile(join(db, log))
    bytes[bytes.length >> 1]! ^= 8
    await writeFile(join(db, log), bytes)
  })
  const socket = await listenAtSocket(
    (...asked) => server.app.localListener(...asked),
    join(data, 'admin.sock'),
  )
  t.teardown(() => socket.close(0))
  const far = ['--server', server.base, '--token-file', server.app.maintenanceTokenFile]

  const status = await letro(['store', 'status', ...far])
  t.is(status.code, 1)
  t.regex(status.out, /damaged data:\n {2}- .+[\s\S]*letro store repair --server/)
  const found = await letro(['store', 'check', '--data', data])
  t.is(found.code, 1)
  t.regex(found.out, /DAMAGED[\s\S]*letro store repair --data/)
  const repaired = await letro(['store', 'repair', ...far])
  t.is(repaired.code, 0, repaired.err)
  t.regex(repaired.out, /signed everybody out[\s\S]*The server serves again\./)
  t.is((await letro(['store', 'status', '--data', data])).code, 0)
})

test('a backup from here takes the place of what a server far away has; one that does not open changes nothing', async t => {
  const { place, server: old, data: oldData } = await open(t)
  await old.register('anna', testPassword)
  await old.stop()
  const { identity, recipient } = await newKeys()
  const { identity: other } = await newKeys()
  const file = join(place, 'mine.age')
  const made = await letro([
    'backup',
    'create',
    '--offline',
    '--data',
    oldData,
    '--recipient',
    recipient,
    '--out',
    file,
  ])
  t.is(made.code, 0, made.err)

  const { server, far, data } = await open(t)
  await server.register('bert', testPassword)
  const restore = ['backup', 'restore', file, '--key', '-', '--yes', ...far]
  const wrong = await letro(restore, other)
  t.is(wrong.code, 1)
  t.regex(wrong.err, /Nothing was restored; .*\. People are served again\./)
  t.true(await exists(server, 'bert'))
  t.is((await letro(['backup', 'restore', file, '--key', '-'], identity)).code, 2)

  const restored = await letro([...restore, '--json'], identity)
  t.is(restored.code, 0, restored.err)
  const { kept_aside: aside } = JSON.parse(restored.out)
  t.true((await readdir(join(data, aside))).includes('store'))
  t.deepEqual([await exists(server, 'anna'), await exists(server, 'bert')], [true, false])
  t.false(server.output.includes(identity))
})

test('the code of an appliance’s console does what the token does, over the restart of a restore as well', async t => {
  const { place, server, data, token } = await open(t)
  await server.register('anna', testPassword)
  const { identity, recipient } = await newKeys()
  const [file, keyFile] = [join(place, 'mine.age'), join(place, 'key')]
  await writeFile(keyFile, identity)
  await server.stop()
  const made = await letro([
    ...['backup', 'create', '--offline', '--data', data, '--recipient', recipient, '--out', file],
  ])
  t.is(made.code, 0, made.err)
  await server.start()
  await server.register('bert', testPassword)

  const asked = await fetch(`${server.base}/_letro/maintenance/v1/code`, {
    headers: { authorization: `Bearer ${(await readFile(token, 'utf8')).trim()}` },
  })
  const { code } = (await asked.json()) as { code: string }
  const far = ['--server', server.base, '--token-file', '-']
  const unasked = await letro(['store', 'status', '--server', server.base])
  t.is(unasked.code, 2)
  t.regex(unasked.err, /the code that an appliance's console shows/)
  const wrong = await letro(['store', 'status', ...far], '0000-0000-0000')
  t.is(wrong.code, 1)
  t.regex(wrong.err, /no code of now/)
  t.regex((await letro(['store', 'status', ...far], 'no code')).err, /holds no maintenance token/)

  const restored = await letro(
    ['backup', 'restore', file, '--key', keyFile, '--yes', ...far],
    ` ${code.toLowerCase().replaceAll('-', ' ')}\n`,
  )
  t.is(restored.code, 0, restored.err)
  t.deepEqual([await exists(server, 'anna'), await exists(server, 'bert')], [true, false])
  t.is((await letro(['store', 'status', ...far], code)).code, 0)
})
