// biome-ignore-all lint/suspicious/noExplicitAny: tests look into answers of every shape
/** Backups of a server that runs: asked for, nightly, incremental, pulled; what is said when they cannot be made. */
import { execFileSync } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import test, { type ExecutionContext } from 'ava'
import { restoreBackup } from '../../server/backup/restore.ts'
import { verifyBackup } from '../../server/backup/verify.ts'
import { adminToken, startAdministered } from '../support/administered.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { newKeys } from './backup-data.ts'

const admin = '/_letro/admin/v1'

async function ask(server: TestServer, method: string, path: string, body?: object) {
  return server.call(method, admin + path, { token: adminToken, ...(body ? { body } : {}) })
}

async function ended(server: TestServer) {
  for (;;) {
    const { body } = await ask(server, 'GET', '/backups')
    if (!body.running) return body
    await new Promise(done => setTimeout(done, 50))
  }
}

async function scratch(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'letro-scratch-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function withPeople(server: TestServer) {
  const anna = await server.register('anna')
  const room = await anna.call('POST', '/_matrix/client/v3/createRoom', { body: { name: 'ward 7' } })
  const write = async (text: string, n: number) => {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room.body.room_id)}/send/m.room.message/t${n}`
    await anna.call('PUT', path, { body: { msgtype: 'm.text', body: text } })
  }
  return { anna, write }
}

test('asked for, a backup is made, then a small one; verified, restored and served again', async t => {
  const place = await scratch(t)
  const { identity, recipient } = await newKeys()
  const server = await startAdministered(t, `[backup]\nfolder = "${place}"\nrecipients = ["${recipient}"]\n`)
  const { write } = await withPeople(server)
  await write('before the first backup', 1)
  t.is((await ask(server, 'POST', '/backups')).status, 202)
  const first = await ended(server)
  t.is(first.last_failure, undefined)
  t.true(first.last_success.full)
  await write('before the second backup', 2)
  await ask(server, 'POST', '/backups')
  const second = await ended(server)
  t.false(second.last_success.full)
  t.is(second.files.length, 2)
  await write('after the last backup', 3)

  const file = join(place, second.last_success.name)
  const keys = { identities: [identity] }
  t.true((await verifyBackup(file, place, { keys })).isSound)
  const target = join(await scratch(t), 'data')
  const report = await restoreBackup(file, target, { keys })
  t.is(report.header.serverName, 'localhost')

  const back = await startTestServer({ dataFolder: target })
  t.teardown(() => back.close())
  t.is(back.app.state, 'serving')
  const again = await back.login('anna')
  const { body } = await again.call('GET', '/_matrix/client/v3/sync')
  const [room] = Object.values<any>(body.rooms.join)
  const lines = room.timeline.events.map((event: any) => event.content.body)
  t.true(lines.includes('before the second backup'))
  t.false(lines.includes('after the last backup'))
})

test('a restored server signs everybody out, and their old sync token gets everything anew', async t => {
  const place = await scratch(t)
  const { identity, recipient } = await newKeys()
  const server = await startAdministered(t, `[backup]\nfolder = "${place}"\nrecipients = ["${recipient}"]\n`)
  const { anna, write } = await withPeople(server)
  await write('one', 1)
  await ask(server, 'POST', '/backups')
  const { last_success } = await ended(server)
  await write('two', 2)
  const { body: before } = await anna.call('GET', '/_matrix/client/v3/sync')
  const target = join(await scratch(t), 'data')
  await restoreBackup(join(place, last_success.name), target, { keys: { identities: [identity] } })
  const back = await startTestServer({ dataFolder: target })
  t.teardown(() => back.close())
  const refused = await back.call('GET', '/_matrix/client/v3/sync', { token: anna.token })
  t.is(refused.status, 401)
  t.true(refused.body.soft_logout)
  const again = await back.login('anna', anna.deviceId)
  const { body: after } = await again.call('GET', `/_matrix/client/v3/sync?since=${before.next_batch}`)
  const [room] = Object.values<any>(after.rooms.join)
  t.true(room.timeline.events.length > 3, 'the whole room, not what came after the token')
})

test('a backup can be pulled as a stream, and counts once it was taken whole', async t => {
  const place = await scratch(t)
  const { identity, recipient } = await newKeys()
  const server = await startAdministered(t, `[backup]\nrecipients = ["${recipient}"]\n`)
  const { anna } = await withPeople(server)
  // More than the way to the client holds.
  await upload(server, anna.token, Buffer.alloc(16 * 2 ** 20, 'm'))
  const nowhere = await ask(server, 'POST', '/backups')
  t.is(nowhere.status, 409)
  t.regex(nowhere.body.error, /backup.folder or backup.sftp/)

  const headers = { Authorization: `Bearer ${adminToken}` }
  const cut = await fetch(`${server.base}${admin}/backups/new`, { headers })
  await cut.body!.cancel()
  const idle = await ended(server)
  t.is(idle.last_success, undefined)

  const answer = await fetch(`${server.base}${admin}/backups/new`, { headers })
  t.is(answer.status, 200)
  const name = /filename="([^"]+)"/.exec(answer.headers.get('content-disposition')!)![1]!
  await pipeline(Readable.fromWeb(answer.body as never), createWriteStream(join(place, name)))
  t.deepEqual((await ended(server)).last_success.places, ['pulled'])
  t.true((await verifyBackup(join(place, name), place, { keys: { identities: [identity] } })).isSound)
})

test('for whom backups are is kept by the server, audited, and never a private key', async t => {
  const place = await scratch(t)
  const { identity, recipient } = await newKeys()
  const server = await startAdministered(t, `[backup]\nfolder = "${place}"\n`)
  const refused = await ask(server, 'POST', '/backups')
  t.is(refused.status, 409)
  t.regex(refused.body.error, /letro backup key/)
  for (const wrong of [identity, recipient.replace(/.$/, 'q'), 'age1']) {
    const answer = await ask(server, 'PUT', '/backup-recipients', { recipients: [wrong] })
    t.is(answer.status, 409, wrong)
  }
  t.is((await ask(server, 'PUT', '/backup-recipients', { recipients: [recipient] })).status, 200)
  t.deepEqual((await ask(server, 'GET', '/backups')).body.encrypted_for, [recipient])
  await ask(server, 'POST', '/backups')
  const { last_success } = await ended(server)
  t.true(
    (await verifyBackup(join(place, last_success.name), place, { keys: { identities: [identity] } })).isSound,
  )
  // Another key from now on: one key must open a whole chain.
  const other = await newKeys()
  await ask(server, 'PUT', '/backup-recipients', { recipients: [other.recipient] })
  await ask(server, 'POST', '/backups')
  t.true((await ended(server)).last_success.full)
  const { body } = await ask(server, 'GET', '/audit')
  const acts = body.entries.map((entry: any) => entry.action)
  t.is(acts.filter((act: string) => act === 'backup.recipients').length, 2)
})

test('the nightly one is made at once where there is none, each night after that, and is missed after two days', async t => {
  const place = await scratch(t)
  const { recipient } = await newKeys()
  let now = Date.now()
  const tokenFile = join(await scratch(t), 'token')
  await writeFile(tokenFile, adminToken, { mode: 0o600 })
  const server = await startTestServer({
    clock: () => now,
    config: `[admin]\ntoken_file = "${tokenFile}"\n[backup]\nfolder = "${place}"\nrecipients = ["${recipient}"]\nfull_every_days = 3\nkeep = 2\n`,
  })
  t.teardown(() => server.close())
  const nights = async (count: number) => {
    for (let i = 0; i < count; i++) {
      now += 24 * 3_600_000
      await server.app.runDuties()
    }
    return (await readdir(place)).filter(name => name.endsWith('.age')).sort()
  }
  await server.app.runDuties()
  t.is((await readdir(place)).length, 1)
  await server.app.runDuties()
  t.is((await readdir(place)).length, 1)
  const week = await nights(7)
  t.is(new Set(week.map(name => name.slice(0, -8))).size, 2, 'two chains stay')
  t.true(week.some(name => name.endsWith('-002.age')))

  // The disk of the place is gone: tried again, said, and an alarm after two days.
  await rm(place, { recursive: true })
  const missing = await nights(2).catch(() => [])
  t.deepEqual(missing, [])
  const { body: first } = await ask(server, 'GET', '/health')
  t.true(codes(first).includes('backup.failed'))
  await nights(1).catch(() => [])
  const { body: later } = await ask(server, 'GET', '/health')
  t.true(codes(later).includes('backup.old'))
  t.true(later.readings.backup.last_success_ts < now - 48 * 3_600_000)
})

const full = process.getuid?.() === 0 && process.platform === 'linux' ? test : test.skip

full(
  'a disk that is full during a backup is said, leaves nothing half written, and older backups stay',
  async t => {
    const place = await scratch(t)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', place])
    t.teardown(() => void execFileSync('umount', [place]))
    const { recipient } = await newKeys()
    const server = await startAdministered(
      t,
      `[backup]\nfolder = "${place}"\nrecipients = ["${recipient}"]\n`,
    )
    const { anna } = await withPeople(server)
    await ask(server, 'POST', '/backups')
    const { last_success } = await ended(server)
    const uploaded = await fetch(`${server.base}/_matrix/media/v3/upload`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${anna.token}`, 'Content-Type': 'application/octet-stream' },
      body: Buffer.alloc(4 * 2 ** 20, 'm'),
    })
    t.is(uploaded.status, 200)
    await ask(server, 'POST', '/backups')
    const after = await ended(server)
    t.is(after.last_failure.code, 'BACKUP_NO_SPACE')
    t.regex(after.last_failure.error, /disk of .* is full .*Nothing is left half written/)
    t.deepEqual(await readdir(place), [last_success.name])
    t.is(after.last_success.name, last_success.name)
    // With room again the next one is small, and whole.
    execFileSync('mount', ['-o', 'remount,size=30m', place])
    await ask(server, 'POST', '/backups')
    const again = await ended(server)
    t.is(again.last_failure, undefined)
    t.false(again.last_success.full)
    t.is((await readdir(place)).length, 2)
  },
)

test('what a crash left half written goes with the next backup, and notes that are damaged make a full one', async t => {
  const place = await scratch(t)
  const { recipient } = await newKeys()
  const server = await startAdministered(t, `[backup]\nfolder = "${place}"\nrecipients = ["${recipient}"]\n`)
  await ask(server, 'POST', '/backups')
  const { last_success } = await ended(server)
  await writeFile(join(place, `${last_success.name.replace('000', '001')}.part`), 'half')
  await writeFile(join(place, 'notes.txt.part'), 'somebody else’s')
  const notes = join(server.dataFolder, 'backup', 'chain')
  const text = await readFile(notes, 'utf8')
  await writeFile(notes, text.slice(0, -10))
  await ask(server, 'POST', '/backups')
  const { last_success: next } = await ended(server)
  t.true(next.full)
  const names = await readdir(place)
  t.is(names.filter(name => name.endsWith('.part')).length, 1)
  t.true((await stat(join(place, 'notes.txt.part'))).isFile())
})

async function upload(server: TestServer, token: string, body: Buffer<ArrayBuffer>): Promise<void> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/octet-stream' }
  const { status } = await fetch(`${server.base}/_matrix/media/v3/upload`, { method: 'POST', headers, body })
  if (status !== 200) throw new Error(`the upload was answered with ${status}`)
}

function codes(body: any): string[] {
  return body.findings.map((finding: any) => finding.code)
}
