/** `letro backup` as a process: a key, a backup, a look at it, and the way back; killed in the middle of each. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { listenAtSocket } from '../../server/http/server.ts'
import {
  addEvents,
  addMedia,
  backUp,
  makeData,
  makeSite,
  newKeys,
  withFolder,
} from '../backup/backup-data.ts'
import { startTestServer } from '../support/server.ts'
import { ServerProcess } from '../support/server-process.ts'

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

const command = join(import.meta.dirname, '../../provisioning/letro.ts')

function letro(...args: string[]): Promise<Outcome> {
  return new Promise(resolve => {
    execFile(process.execPath, [command, 'backup', ...args], (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
    })
  })
}

async function open(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'letro-cli-'))
  const server = await startTestServer({ config: `[backup]\nfolder = "${folder}"\n` })
  const socket = await listenAtSocket(server.app.localListener, join(server.dataFolder, 'admin.sock'))
  t.teardown(async () => {
    await socket.close(0)
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })
  return { server, folder, data: ['--data', server.dataFolder] }
}

test('from a key to a restored folder, in words for people', async t => {
  const { server, folder, data } = await open(t)
  await server.register('anna')
  const none = await letro('create', ...data)
  t.is(none.code, 1)
  t.regex(none.err, /Nobody said for whom to encrypt. Make a key with letro backup key/)

  const made = await letro('key', ...data)
  t.is(made.code, 0)
  const key = /AGE-SECRET-KEY-1[A-Z0-9]+/.exec(made.out)![0]
  t.regex(made.out, /shown once/)
  // Neither the data folder nor the log has it.
  for (const name of await readdir(server.dataFolder, { recursive: true })) {
    const path = join(server.dataFolder, name)
    if ((await stat(path)).isFile()) t.false((await readFile(path)).includes(key), name)
  }
  t.false(server.lines.join().includes(key))

  const created = await letro('create', ...data)
  t.is(created.code, 0, created.err)
  t.regex(created.out, /Last backup: .* in the folder\.\nEncrypted for: age1/)
  const listed = await letro('list', ...data)
  t.regex(listed.out, /^letro-localhost-[0-9TZ]+-000.age {2}[0-9.]+ KiB\n/)

  const keyFile = join(folder, 'key.txt')
  await writeFile(keyFile, `# a comment\n${key}\n`)
  const verified = await letro('verify', folder, '--key', keyFile, '--scratch', folder)
  t.is(verified.code, 0, verified.err)
  t.regex(verified.out, /^The backup is SOUND\./)
  t.regex(verified.out, /compare the words/)

  const target = join(folder, 'back')
  const wrongSite = await letro(
    'restore',
    folder,
    '--key',
    keyFile,
    '--data',
    target,
    '--site',
    'other.example',
  )
  t.is(wrongSite.code, 1)
  t.regex(wrongSite.err, /backup of localhost, not of other.example/)
  const restored = await letro('restore', folder, '--key', keyFile, '--data', target, '--site', 'localhost')
  t.is(restored.code, 0, restored.err)
  t.regex(restored.out, /localhost is back in .* everybody signs in again/s)
  const twice = await letro('restore', folder, '--key', keyFile, '--data', target)
  t.is(twice.code, 4)
  t.regex(twice.err, /is not empty .* needs an empty folder/)
})

test('in JSON, for scripts', async t => {
  const { folder, data } = await open(t)
  const keyFile = join(folder, 'key.txt')
  const made = await letro('key', ...data, '--out', keyFile, '--json')
  const { recipient, file } = JSON.parse(made.out)
  t.is(file, keyFile)
  t.is((await stat(keyFile)).mode & 0o077, 0)
  t.is((await letro('key', ...data, '--out', keyFile)).code, 4)
  const created = JSON.parse((await letro('create', ...data, '--json')).out)
  t.is(typeof created.bytes, 'number')
  const status = JSON.parse((await letro('status', ...data, '--json')).out)
  t.deepEqual(status.encrypted_for, [recipient])
  const out = join(folder, 'pulled.age')
  t.is((await letro('create', ...data, '--out', out, '--json')).code, 0)
  const verified = await letro('verify', out, '--key', keyFile, '--json', '--scratch', folder)
  t.is(verified.code, 0, verified.err)
  const report = JSON.parse(verified.out)
  t.true(report.sound)
  t.is(report.fingerprint.length, 16)
})

test('without a server: a key for the configuration, and what is missing on the command line', async t => {
  const offline = await letro('key', '--offline')
  t.regex(offline.out, /recipients = \["age1/)
  t.is((await letro('verify', '/nowhere/x.age', '--key', '/nowhere')).code, 4)
  await withFolder(t, async folder => {
    t.regex((await letro('restore', folder, '--data', join(folder, 'x'))).err, /There is no backup/)
    await writeFile(join(folder, 'letro-a.example-20260101T000000Z-000.age'), '')
    const noKey = await letro('restore', folder, '--data', join(folder, 'x'))
    t.is(noKey.code, 2)
    t.regex(noKey.err, /Give --key FILE/)
    await writeFile(join(folder, 'letro-b.example-20260101T000000Z-000.age'), '')
    const several = await letro('restore', folder, '--data', join(folder, 'x'), '--key', command)
    t.regex(several.err, /several sites .* name the file/)
  })
})

test('kill -9 during a restore leaves a folder that serves nobody, and the same command begins anew', t =>
  withFolder(t, async folder => {
    const site = makeSite('localhost')
    const data = join(folder, 'data')
    const place = join(folder, 'place')
    const { identity, recipient } = await newKeys()
    await makeData(data, site)
    await addEvents(data, 0, 20_000)
    for (let i = 0; i < 20; i++) await addMedia(data, Buffer.alloc(1_000_000, i))
    const file = join(place, await backUp(data, place, site, { recipient }))
    const keyFile = join(folder, 'key')
    await writeFile(keyFile, identity)
    const target = join(folder, 'restored')
    const restoring = ['restore', file, '--key', keyFile, '--data', target, '--json']
    let cut = 0
    for (const afterMs of [20, 100, 200, 400, 800, 1_200]) {
      const child = spawn(process.execPath, [command, 'backup', ...restoring], { stdio: 'ignore' })
      await appears(join(target, 'restoring'), child)
      await new Promise(done => setTimeout(done, afterMs))
      await kill(child)
      if (existsSync(join(target, 'identity.json'))) {
        await rm(target, { recursive: true })
        continue
      }
      cut++
      const refused = await t.throwsAsync(startTestServer({ dataFolder: target }))
      t.regex(refused!.message, /restore into .* was interrupted. Run "letro backup restore"/)
    }
    t.true(cut >= 3, `${cut} were cut off`)
    const whole = await letro(...restoring)
    t.is(whole.code, 0, whole.err)
    t.is(JSON.parse(whole.out).media, 20)
    t.false((await readdir(target)).includes('restoring'))
  }))

test('kill -9 of the server during a backup leaves no backup that looks whole, and the next one is', async t => {
  const place = await mkdtemp(join(tmpdir(), 'letro-place-'))
  const { identity, recipient } = await newKeys()
  const server = await ServerProcess.start({
    settings: {
      'backup.folder': place,
      'backup.recipients': recipient,
      'backup.rate': '512 KiB',
      'backup.keep': '9',
    },
  })
  t.teardown(async () => {
    await server.remove()
    await rm(place, { recursive: true, force: true })
  })
  const data = join(server.folder, 'data')
  const anna = await server.register('anna', 'a password of hers')
  for (let i = 0; i < 4; i++) {
    await fetch(`${server.base}/_matrix/media/v3/upload`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${anna.token}`, 'Content-Type': 'application/octet-stream' },
      body: Buffer.alloc(1_000_000, i),
    })
  }
  const parts = async () => (await readdir(place)).filter(name => name.endsWith('.part'))
  for (const afterMs of [100, 900]) {
    const started = await letro('create', '--data', data, '--no-wait')
    t.is(started.code, 0, started.err)
    await new Promise(done => setTimeout(done, afterMs))
    t.is((await parts()).length, 1)
    await server.kill()
    t.is((await parts()).length, 1)
    t.is((await readdir(place)).filter(name => name.endsWith('.age')).length, 0)
    await server.start()
  }
  const created = await letro('create', '--data', data, '--json')
  t.is(created.code, 0, created.err)
  t.deepEqual(await parts(), [])
  const keyFile = join(server.folder, 'key')
  await writeFile(keyFile, identity)
  const verified = await letro('verify', place, '--key', keyFile, '--json')
  t.is(verified.code, 0, verified.err)
  t.is(JSON.parse(verified.out).media, 4)
})

async function appears(path: string, child: ChildProcess): Promise<void> {
  while (!existsSync(path) && child.exitCode === null) await new Promise(done => setTimeout(done, 5))
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = new Promise(done => child.once('exit', done))
  child.kill('SIGKILL')
  await ended
}
