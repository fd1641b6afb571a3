import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { readAdminToken } from '../../server/admin-api/admin-token.ts'
import type { UserId } from '../../server/protocol/ids.ts'
import { dayMs, openHarness } from './harness.ts'

const admin = '/_letro/admin/v1'
const whoami = '/_matrix/client/v3/account/whoami'
const lock = (userId: string) => `/_matrix/client/v1/admin/lock/${userId}`
const suspend = (userId: string) => `/_matrix/client/v1/admin/suspend/${userId}`

test('the specification’s lock and suspend: who may, and whom', async t => {
  const h = await openHarness()
  const root = await h.administrator('root')
  const second = await h.administrator('second')
  const alice = await h.member('alice')
  const nobody = '@nobody:clinic.example'
  const cases: [string, string | undefined, object, number, string][] = [
    [alice.userId, undefined, { locked: true, suspended: true }, 401, 'M_MISSING_TOKEN'],
    [alice.userId, alice.token, { locked: true, suspended: true }, 403, 'M_FORBIDDEN'],
    [nobody, alice.token, { locked: true, suspended: true }, 403, 'M_FORBIDDEN'],
    [nobody, root.token, { locked: true, suspended: true }, 404, 'M_NOT_FOUND'],
    ['@zoe:court.example', root.token, { locked: true, suspended: true }, 400, 'M_INVALID_PARAM'],
    ['alice', root.token, { locked: true, suspended: true }, 400, 'M_INVALID_PARAM'],
    [root.userId, root.token, { locked: true, suspended: true }, 403, 'M_FORBIDDEN'],
    [second.userId, root.token, { locked: true, suspended: true }, 403, 'M_FORBIDDEN'],
    [alice.userId, root.token, {}, 400, 'M_MISSING_PARAM'],
    [alice.userId, root.token, { locked: 1, suspended: 1 }, 400, 'M_BAD_JSON'],
  ]
  for (const path of [lock, suspend]) {
    for (const [target, token, body, status, errcode] of cases) {
      const answer = await h.put(path(target), body, token)
      t.is(answer.status, status, `${path(target)} ${JSON.stringify(body)}`)
      t.is(answer.body.errcode, errcode)
    }
  }
  t.deepEqual((await h.put(lock(alice.userId), { locked: true }, root.token)).body, { locked: true })
  t.deepEqual((await h.get(lock(alice.userId), root.token)).body, { locked: true })
  t.is((await h.get(whoami, alice.token)).body.errcode, 'M_USER_LOCKED')
  t.deepEqual((await h.put(lock(alice.userId), { locked: false }, root.token)).body, { locked: false })
  t.is((await h.get(whoami, alice.token)).status, 200)
  t.deepEqual((await h.put(suspend(alice.userId), { suspended: true }, root.token)).body, { suspended: true })
  t.deepEqual((await h.get(suspend(alice.userId), root.token)).body, { suspended: true })
  t.is((await h.get(whoami, alice.token)).status, 200)
  const acts = (await h.accounts.audit.list({ limit: 100 })).filter(
    entry => entry.actor === root.userId && entry.action !== 'account.register',
  )
  t.deepEqual(
    acts.map(entry => `${entry.action} ${entry.target}`),
    ['account.lock', 'account.unlock', 'account.suspend'].map(act => `${act} ${alice.userId}`),
  )
  await h.close()
})

test('whois: about oneself, or for administrators; without addresses', async t => {
  const h = await openHarness()
  const root = await h.administrator()
  const alice = await h.member('alice', { device_id: 'PHONE' })
  const bob = await h.member('bob')
  const path = `/_matrix/client/v3/admin/whois/${alice.userId}`
  await h.get(whoami, alice.token)
  await h.accounts.settled()
  const own = await h.get(path, alice.token)
  t.is(own.body.user_id, alice.userId)
  t.deepEqual(Object.keys(own.body.devices), ['PHONE'])
  t.false(JSON.stringify(own.body).includes('ip'))
  t.is((await h.get(path, root.token)).status, 200)
  t.is((await h.get(path, bob.token)).status, 403)
  const nobody = '/_matrix/client/v3/admin/whois/@nobody:clinic.example'
  t.is((await h.get(nobody, root.token)).status, 404)
  t.is((await h.get(nobody, bob.token)).status, 403)
  await h.close()
})

test('the administration API is for administrators and the token, which is compared by hash', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'letro-'))
  const file = join(folder, 'token')
  const secret = 'a-token-for-automation-with-enough-length'
  writeFileSync(file, `${secret}\n`, { mode: 0o600 })
  const adminToken = readAdminToken(file)
  t.is(adminToken.warnings.length, 1)
  writeFileSync(join(folder, 'short'), 'short')
  t.throws(() => readAdminToken(join(folder, 'short')), { message: /at least 32/ })

  const h = await openHarness({ adminToken })
  const root = await h.administrator()
  const alice = await h.member('alice')
  t.is((await h.get(`${admin}/people`)).status, 401)
  t.is((await h.get(`${admin}/people`, alice.token)).status, 403)
  t.is((await h.get(`${admin}/people`, `${secret}x`)).status, 401)
  t.is((await h.get(`${admin}/people`, root.token)).status, 200)
  t.is((await h.get(`${admin}/people`, secret)).status, 200)
  t.is((await h.get(whoami, secret)).status, 401, 'it is good for nothing else')
  t.is((await h.put(`${admin}/people/${alice.userId}/lock`, { locked: true }, secret)).status, 200)
  const last = (await h.accounts.audit.list({ limit: 100 })).at(-1)
  t.like(last, { actor: 'token', action: 'account.lock', target: alice.userId })
  await h.close()
})

test('people are listed page by page', async t => {
  const h = await openHarness()
  const root = await h.administrator()
  for (const name of ['alice', 'bob', 'carol']) await h.member(name)
  const first = await h.get(`${admin}/people?limit=3`, root.token)
  t.deepEqual(
    first.body.people.map((person: { user_id: string; kind: string }) => `${person.user_id} ${person.kind}`),
    ['@alice:clinic.example member', '@bob:clinic.example member', '@carol:clinic.example member'],
  )
  const second = await h.get(`${admin}/people?limit=3&from=${first.body.next_batch}`, root.token)
  t.deepEqual(
    second.body.people.map((person: { user_id: string }) => person.user_id),
    ['@root:clinic.example'],
  )
  t.is(second.body.next_batch, undefined)
  t.is((await h.get(`${admin}/people?limit=0`, root.token)).status, 400)
  const one = await h.get(`${admin}/people/@alice:clinic.example`, root.token)
  t.like(one.body, { kind: 'member', passkeys: 0, devices: 1, locked: false })
  t.is((await h.get(`${admin}/people/@nobody:clinic.example`, root.token)).status, 404)
  await h.close()
})

test('links and registration tokens: the secret is shown once, a list shows none', async t => {
  const h = await openHarness()
  const root = await h.administrator()
  const body = { user_id: '@new:clinic.example', display_name: 'New', lifetime_ms: dayMs }
  const made = await h.post(`${admin}/enrolment-links`, body, root.token)
  t.is(made.status, 200)
  t.is(made.body.expires_ts, h.now + dayMs)
  t.regex(made.body.link, /^http:\/\/localhost:\d+\/enrol#enrol_[A-Za-z0-9_-]{43}$/)
  const secret = made.body.link.split('#')[1]
  const list = await h.get(`${admin}/enrolment-links`, root.token)
  t.is(list.body.links.length, 1)
  t.like(list.body.links[0], { user_id: body.user_id, created_by: root.userId, purpose: 'enrol' })
  t.false(JSON.stringify(list.body).includes(secret))
  t.false(JSON.stringify(await h.accounts.audit.list({ limit: 100 })).includes(secret))

  const another = await h.post(`${admin}/enrolment-links`, body, root.token)
  t.is(
    (await h.get(`${admin}/enrolment-links`, root.token)).body.links.length,
    1,
    'a new link ends the old one',
  )
  await t.throwsAsync(h.accounts.enrolment.begin(secret))
  t.is(
    (await h.call('DELETE', `${admin}/enrolment-links/${another.body.id}`, undefined, root.token)).status,
    200,
  )
  t.is(
    (await h.call('DELETE', `${admin}/enrolment-links/${another.body.id}`, undefined, root.token)).status,
    404,
  )

  const cases: [object, string][] = [
    [{}, 'M_MISSING_PARAM'],
    [{ user_id: 'new' }, 'M_INVALID_PARAM'],
    [{ user_id: '@new:court.example' }, 'M_INVALID_PARAM'],
    [{ user_id: '@New:clinic.example' }, 'M_INVALID_USERNAME'],
    [{ user_id: root.userId }, 'M_USER_IN_USE'],
    [{ ...body, kind: 'king' }, 'M_INVALID_PARAM'],
    [{ ...body, lifetime_ms: 5 }, 'M_INVALID_PARAM'],
    [{ ...body, lifetime_ms: 91 * dayMs }, 'M_INVALID_PARAM'],
    [{ ...body, kind: 'external' }, 'M_MISSING_PARAM'],
    [{ ...body, kind: 'external', expires_ts: 5, sponsor: root.userId }, 'M_INVALID_PARAM'],
    [
      { ...body, kind: 'external', expires_ts: h.now + dayMs, sponsor: '@no:clinic.example' },
      'M_INVALID_PARAM',
    ],
    [{ ...body, kind: 'member', expires_ts: h.now + dayMs }, 'M_INVALID_PARAM'],
  ]
  for (const [wrong, errcode] of cases) {
    const answer = await h.post(`${admin}/enrolment-links`, wrong, root.token)
    t.is(answer.body.errcode, errcode, JSON.stringify(wrong))
  }
  t.is((await h.post(`${admin}/people/@nobody:clinic.example/re-enrolment`, {}, root.token)).status, 404)

  const token = await h.post(`${admin}/registration-tokens`, { token: 'spring', uses_allowed: 2 }, root.token)
  t.is(token.body.token, 'spring')
  const tokens = await h.get(`${admin}/registration-tokens`, root.token)
  t.like(tokens.body.tokens[0], { uses: 0, uses_allowed: 2, expires_ts: null })
  t.false(JSON.stringify(tokens.body).includes('spring'))
  t.is((await h.post(`${admin}/registration-tokens`, { token: 'spring' }, root.token)).status, 400)
  t.is((await h.post(`${admin}/registration-tokens`, { token: 'a b' }, root.token)).status, 400)
  t.is((await h.post(`${admin}/registration-tokens`, { expires_ts: 5 }, root.token)).status, 400)
  const path = `${admin}/registration-tokens/${token.body.id}`
  t.is((await h.call('DELETE', path, undefined, root.token)).status, 200)
  t.is((await h.call('DELETE', path, undefined, root.token)).status, 404)
  await h.close()
})

test('a service is made with a token and is asked for nothing else', async t => {
  const h = await openHarness()
  const root = await h.administrator()
  const made = await h.post(
    `${admin}/people`,
    { user_id: '@robot:clinic.example', kind: 'service' },
    root.token,
  )
  t.is((await h.get(whoami, made.body.access_token)).body.user_id, '@robot:clinic.example')
  const person = { user_id: '@eve:clinic.example', kind: 'member' }
  t.is((await h.post(`${admin}/people`, person, root.token)).status, 400)
  t.is(
    (await h.post(`${admin}/people`, { ...person, kind: 'service', user_id: root.userId }, root.token))
      .status,
    400,
  )
  await h.close()
})

test('an external person ends on their day: sessions end, sign-in is refused, an extension helps', async t => {
  const h = await openHarness()
  const root = await h.administrator()
  const guest = await h.member('guest')
  const path = `${admin}/people/${guest.userId}`
  const external = { kind: 'external', expires_ts: h.now + dayMs, sponsor: root.userId }
  t.is((await h.put(`${path}/kind`, external, root.token)).status, 200)
  t.is((await h.get(whoami, guest.token)).status, 200)
  h.advance(dayMs)
  t.is((await h.get(whoami, guest.token)).status, 401, 'the moment it is over, before any sweep')
  await h.accounts.people.expireDue()
  t.deepEqual(await h.accounts.sessions.devices(guest.userId), [])
  const login = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: 'guest' },
    password: 'correct horse guest',
  }
  t.is((await h.post('/_matrix/client/v3/login', login)).status, 403)
  t.like((await h.accounts.audit.list({ limit: 100 })).at(-1), { actor: 'system', action: 'account.expire' })
  t.is((await h.put(`${path}/expiry`, { expires_ts: 5 }, root.token)).status, 400)
  t.is((await h.put(`${path}/expiry`, { expires_ts: h.now + dayMs }, root.token)).status, 200)
  t.is((await h.post('/_matrix/client/v3/login', login)).status, 200)
  t.is(
    (await h.put(`${admin}/people/${root.userId}/expiry`, { expires_ts: h.now + dayMs }, root.token)).status,
    400,
  )
  await h.close()
  const after = await openHarness({ engine: h.engine, now: h.now + 2 * dayMs })
  t.is(
    (await after.accounts.people.get(guest.userId))!.expired,
    true,
    'also where the server was off that day',
  )
  await after.close()
})

test('the last administrator stays one', async t => {
  const h = await openHarness()
  const root = await h.administrator('root')
  const second = await h.administrator('second')
  const demote = (userId: UserId) => h.put(`${admin}/people/${userId}/kind`, { kind: 'member' }, root.token)
  const both = await Promise.all([
    h.accounts.people.setKind('test', root.userId, 'member').catch(error => error),
    h.accounts.people.setKind('test', second.userId, 'member').catch(error => error),
  ])
  t.is(both.filter(result => result instanceof Error).length, 1, 'not even at the same moment')
  t.is((await h.accounts.people.administrators()).length, 1)
  const [last] = await h.accounts.people.administrators()
  await t.throwsAsync(h.accounts.deactivation.deactivate('test', last!, { erase: false }), {
    message: /last/,
  })
  t.is((await demote(root.userId)).status, 403)
  await h.close()
})

test('the first administrator: a link while there is none, a new one at each start, none afterwards', async t => {
  const h = await openHarness()
  const one = await h.accounts.enrolment.firstAdministratorLink()
  t.is(one!.userId, '@admin:clinic.example' as UserId)
  const two = await h.accounts.enrolment.firstAdministratorLink()
  await t.throwsAsync(h.accounts.enrolment.begin(one!.secret))
  t.is((await h.accounts.enrolment.begin(two!.secret)).kind, 'administrator')
  await h.administrator()
  t.is(await h.accounts.enrolment.firstAdministratorLink(), null)
  await h.close()
})

test('another host than the passkeys’ is refused at the start, with what would be lost', async t => {
  const h = await openHarness()
  const { accountSettingTable } = await import('../../server/store/catalogue.ts')
  await h.store.transact('x', tx => tx.put(accountSettingTable.key('rpId'), 'chat.clinic.example'))
  await h.close()
  await t.throwsAsync(openHarness({ engine: h.engine }), {
    message: /passkeys were made for chat.clinic.example/,
  })
})
