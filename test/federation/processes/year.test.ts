// biome-ignore-all lint/suspicious/noExplicitAny: tests look into answers of every shape
/**
 * A year of a whole server in minutes: its clock is simulated, and its duties run each week (LETRO_YEAR_STEP_DAYS says
 * otherwise), as they do by themselves. What comes of itself comes when it should; what people do in between is done
 * by the administration API.
 */
import { X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { askServer } from '../../../provisioning/local-requests.ts'
import { makeCertificate } from '../../../provisioning/renewal.ts'
import { TlsFolder } from '../../../provisioning/tls-folder.ts'
import { restoreBackup } from '../../../server/backup/restore.ts'
import { verifyBackup } from '../../../server/backup/verify.ts'
import { certificateNames } from '../../../server/own-certificate.ts'
import { readTlsFiles } from '../../../server/tls-files.ts'
import { newKeys } from '../../backup/backup-data.ts'
import { adminToken, startAdministered } from '../../support/administered.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

const dayMs = 86_400_000
const start = Date.UTC(2027, 0, 4, 12)
const stepDays = Number(process.env['LETRO_YEAR_STEP_DAYS'] ?? 7)
/** The private authority lives twenty years; this one ends on this day of our year. */
const authorityEndsOn = 320
const noticesType = 'org.letro.administration'

async function admin(server: TestServer, method: string, path: string, body?: object): Promise<any> {
  const answer = await server.call(method, `/_letro/admin/v1${path}`, {
    token: adminToken,
    ...(body ? { body } : {}),
  })
  if (answer.status >= 300)
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

const person = (name: string) => `/people/${encodeURIComponent(`@${name}:localhost`)}`

test('a year passes: certificates, an external account, backups, a leaver, a lost administrator, a new key', async t => {
  // A step takes about a second where other tests run beside it.
  t.timeout(3 * 60_000 + Math.ceil(365 / stepDays) * 4_000)
  const scratch = mkdtempSync(join(tmpdir(), 'letro-year-'))
  t.teardown(() => rmSync(scratch, { recursive: true, force: true }))
  const backups = join(scratch, 'backups')
  mkdirSync(backups)
  const { identity, recipient } = await newKeys()
  const time = { now: start }
  const simulated = { clock: () => time.now, monotonic: () => time.now, asksMachine: false }
  const server = await startAdministered(
    t,
    `[tls]\nauthority = "own"\n[backup]\nfolder = "${backups}"\nrecipients = ["${recipient}"]\n`,
    simulated,
  )
  const today = () => Math.floor((time.now - start) / dayMs)
  const passTo = async (day: number) => {
    while (today() < day) {
      time.now += Math.min(stepDays, day - today()) * dayMs
      await server.app.runDuties()
    }
  }

  // The first day: an authority that was made long ago, people, a room.
  const tls = join(server.dataFolder, 'tls')
  mkdirSync(tls, { mode: 0o700 })
  const madeAt = start - (20 * 365 - authorityEndsOn) * dayMs
  for (const at of [madeAt, time.now])
    makeCertificate(new TlsFolder(tls), certificateNames(server.config), at)
  const certificate = () => {
    const read = readTlsFiles({ certificate: join(tls, 'certificate.pem'), key: join(tls, 'key.pem') })
    return {
      key: read.spkiSha256,
      until: read.notAfterMs,
      leaf: new X509Certificate(read.certificate).fingerprint256,
    }
  }
  const first = certificate()
  await server.app.answersWith([first.key])
  const root = await server.register('root')
  const leaver = await server.register('leaver')
  await server.register('heir')
  await server.register('guest')
  await admin(server, 'PUT', `${person('root')}/kind`, { kind: 'administrator' })
  await admin(server, 'PUT', `${person('guest')}/kind`, {
    kind: 'external',
    expires_ts: start + 90 * dayMs,
    sponsor: '@heir:localhost',
  })
  const { body: room } = await leaver.call('POST', '/_matrix/client/v3/createRoom', {
    body: { name: 'ward 7', preset: 'public_chat' },
  })
  const heir = await server.login('heir')
  await heir.call('POST', `/_matrix/client/v3/join/${encodeURIComponent(room.room_id)}`, { body: {} })
  await server.app.runDuties()

  // Day 100: the external account has ended, after its sponsor was told twice.
  await passTo(74)
  t.not((await admin(server, 'GET', person('guest'))).expired, true)
  t.deepEqual(await noticesOf(heir, '@guest:localhost'), [])
  await passTo(100)
  t.true((await admin(server, 'GET', person('guest'))).expired)
  const sponsored = await noticesOf(heir, '@guest:localhost')
  t.is(sponsored.at(0)?.action, 'account.ends-soon')
  t.is(sponsored.at(-1)?.action, 'account.ended')
  t.true(within(sponsored.at(0), 76, 76 + stepDays) && within(sponsored.at(-1), 90, 90 + stepDays))

  // Day 120: a drill. The newest backup is sound, and a server opens over what it restores.
  await passTo(120)
  const kept = await admin(server, 'GET', '/backups')
  t.true(time.now - kept.last_success.ts <= stepDays * dayMs)
  const file = join(backups, kept.last_success.name)
  const keys = { identities: [identity] }
  t.true((await verifyBackup(file, scratch, { keys })).isSound)
  const restored = join(scratch, 'restored')
  await restoreBackup(file, restored, { keys })
  const again = await startTestServer({ ...simulated, dataFolder: restored })
  t.is(again.app.state, 'serving')
  const { body: there } = await (await again.login('leaver')).call('GET', '/_matrix/client/v3/joined_rooms')
  t.deepEqual(there.joined_rooms, [room.room_id])
  await again.close()

  // Day 150: somebody is on the list of the personnel office no more; their rooms go to a colleague.
  await passTo(150)
  const csv = 'username,name\nheir,Heir\n'
  const seen = await admin(server, 'POST', '/people/import', { csv })
  t.deepEqual(
    seen.leavers.map(({ user_id: userId }: any) => userId),
    ['@leaver:localhost'],
  )
  await admin(server, 'POST', '/people/import', { csv, apply: true, lock_leavers: true })
  t.true((await admin(server, 'GET', person('leaver'))).locked)
  t.not((await leaver.call('GET', '/_matrix/client/v3/account/whoami')).status, 200)
  const alone = await admin(server, 'GET', `${person('leaver')}/deactivation`)
  t.is(alone.rooms.length, 1)
  await admin(server, 'POST', `${person('leaver')}/deactivate`, { successor: '@heir:localhost' })
  const heirNow = await server.login('heir')
  const named = await heirNow.call(
    'PUT',
    `/_matrix/client/v3/rooms/${encodeURIComponent(room.room_id)}/state/m.room.name/`,
    { body: { name: 'ward 7, as before' } },
  )
  t.is(named.status, 200, 'the colleague has the power')

  // Day 180: the only administrator has lost every passkey.
  await passTo(180)
  const asked = await askServer(
    server.dataFolder,
    { type: 'recover-administrator', createdTs: time.now, secretHash: 'A'.repeat(43) },
    60_000,
  )
  t.like(asked.answer, { ok: true, userId: '@root:localhost', expiresTs: time.now + dayMs })
  const { body: told } = await (await server.login('root')).call('GET', noticesPath(root.userId))
  t.true(told.notices.some(({ action }: any) => action === 'administrator.recover'))

  // Day 200: a new signing key. A peer that has pinned the site takes the new card without comparing anything again.
  await passTo(200)
  const peer = await startAdministered(
    t,
    '[server]\nname = "two.localhost"\norigin = "http://two.localhost:8008"\n',
    simulated,
  )
  const before = await admin(server, 'GET', '/site-card')
  const words = before.fingerprint.join(' ')
  await admin(peer, 'POST', '/peers', { card: before.card, fingerprint: words })
  const rotated = await admin(server, 'POST', '/site-card/rotate-key')
  const after = await admin(server, 'GET', '/site-card')
  t.is(after.fingerprint.join(' '), words, 'the root stays')
  const taken = await admin(peer, 'POST', '/peers', { card: after.card })
  t.is(taken.serial, after.card.serial)
  t.true(taken.serial > before.card.serial)
  t.true(taken.signing_keys.some(({ id }: any) => id === rotated.key_id))

  // Two thirds of the certificate's life: renewed, under the key that peers know.
  t.deepEqual(certificate(), first)
  await passTo(230)
  t.is(certificate().key, first.key)
  t.not(certificate().leaf, first.leaf)
  t.is(
    (await admin(server, 'GET', '/site-card')).card.serial,
    after.card.serial,
    'no peer has anything to learn',
  )

  // The end of the year: the authority's end was announced three times before it came.
  await passTo(365)
  const log = await logOf(server)
  const firstDay = (code: string, severity: string) => {
    const entry = log.find(one => one.code === code && one.severity === severity && one.change === 'found')
    return entry ? Math.floor((entry.ts - start) / dayMs) : null
  }
  for (const [code, severity, day] of [
    ['certificate.authority-expires', 'note', authorityEndsOn - 60],
    ['certificate.authority-expires', 'warning', authorityEndsOn - 30],
    ['certificate.authority-expires', 'alarm', authorityEndsOn - 7],
    ['certificate.authority-expired', 'alarm', authorityEndsOn],
  ] as const) {
    const found = firstDay(code, severity)
    // With long steps, one that lasts for less than a step may be passed over.
    if (severity === 'alarm' && code.endsWith('expires') && stepDays >= 7 && found === null) continue
    t.true(found !== null && found >= day && found <= day + stepDays, `${code} ${severity}: day ${found}`)
  }
  t.true((await admin(server, 'GET', '/audit/check')).whole)
  t.false(log.some(({ code }) => code.startsWith('clock.') || code === 'health.source-failed'))
  t.is(readFileSync(join(tls, 'key.pem'), 'utf8').includes('PRIVATE KEY'), true)
})

interface Heard {
  readonly ts: number
  readonly action: string
  readonly target: string
}

function noticesPath(userId: string): string {
  return `/_matrix/client/v3/user/${encodeURIComponent(userId)}/account_data/${noticesType}`
}

async function noticesOf(who: { userId: string; call: any }, target: string): Promise<Heard[]> {
  const { status, body } = await who.call('GET', noticesPath(who.userId))
  return status === 200 ? body.notices.filter((notice: Heard) => notice.target === target) : []
}

function within(notice: Heard | undefined, fromDay: number, toDay: number): boolean {
  const day = ((notice?.ts ?? Number.NaN) - start) / dayMs
  return day >= fromDay && day <= toDay
}

async function logOf(
  server: TestServer,
): Promise<{ ts: number; code: string; severity: string; change: string }[]> {
  const all = []
  for (let from = 0; ; ) {
    const { entries, next_batch: next } = await admin(server, 'GET', `/health/log?from=${from}&limit=500`)
    all.push(...entries)
    if (next === undefined) return all
    from = next
  }
}
