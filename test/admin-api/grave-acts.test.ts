/** What the token of an administrator's session is not enough for, and what happens where two administrators act at once. */
import test from 'ava'
import { passkeyTable } from '../../server/store/catalogue.ts'
import { openHarness, passwordOf } from '../accounts/harness.ts'
import { siteOf } from '../peers/site.ts'

const admin = '/_letro/admin/v1'
const person = `${admin}/people/${encodeURIComponent('@alice:clinic.example')}`
const court = `${admin}/peers/court.example`

const grave: readonly (readonly [method: string, path: string, body: object])[] = [
  ['PUT', `${person}/lock`, { locked: true }],
  ['PUT', `${person}/lock`, { locked: false }],
  ['PUT', `${person}/suspend`, { suspended: true }],
  ['PUT', `${person}/kind`, { kind: 'administrator' }],
  ['POST', `${person}/deactivate`, { leave_rooms_without_power: true }],
  ['POST', `${person}/re-enrolment`, {}],
  ['POST', `${admin}/people`, { user_id: '@bot:clinic.example', kind: 'service' }],
  ['POST', `${admin}/enrolment-links`, { user_id: '@new:clinic.example', kind: 'administrator' }],
  ['DELETE', `${admin}/enrolment-links/x`, {}],
  ['POST', `${admin}/registration-tokens`, {}],
  ['DELETE', `${admin}/registration-tokens/x`, {}],
  ['POST', `${admin}/peers`, { card: {} }],
  ['PUT', court, { direction: 'inbound' }],
  ['DELETE', court, {}],
  ['PUT', `${court}/suspended`, { suspended: true }],
  ['POST', `${court}/rotate`, { key: 'ed25519:a AAAA' }],
  ['POST', `${admin}/site-card/rotate-key`, {}],
  ['POST', `${admin}/update/apply`, { version: '1.0.0' }],
  ['PUT', `${admin}/update/window`, { window: null }],
  ['POST', `${admin}/update/restart`, {}],
  ['PUT', `${admin}/configuration/accounts.registration`, { value: 'open' }],
  ['DELETE', `${admin}/configuration/accounts.registration`, {}],
]

for (const [method, path, body] of grave) {
  test(`a session alone is not enough: ${method} ${path} ${JSON.stringify(body)}`, async t => {
    const h = await openHarness({ asksToConfirm: true })
    const root = await h.administrator()
    await h.member('alice')
    const before = (await h.accounts.audit.list({ limit: 100 })).length
    const asked = await h.call(method, path, body, root.token)
    t.is(asked.status, 401)
    t.deepEqual(asked.body.flows, [{ stages: ['m.login.password'] }])
    t.is((await h.accounts.audit.list({ limit: 100 })).length, before, 'nothing was done')
    await h.close()
  })
}

test('where there is a passkey, a password confirms nothing', async t => {
  const h = await openHarness({ asksToConfirm: true })
  const root = await h.administrator()
  await h.member('alice')
  const row = { publicKey: '', counter: 0, name: 'Key', createdTs: 0, aaguid: '', backupEligible: false }
  await h.store.transact(root.userId, tx =>
    tx.put(passkeyTable.key(root.userId, 'key'), { ...row, backedUp: false }),
  )
  const asked = await h.put(`${person}/lock`, { locked: true }, root.token)
  t.deepEqual(asked.body.flows, [{ stages: ['org.letro.login.passkey'] }])
  const auth = {
    type: 'm.login.password',
    session: asked.body.session,
    identifier: { type: 'm.id.user', user: 'root' },
    password: passwordOf('root'),
  }
  t.is((await h.put(`${person}/lock`, { locked: true, auth }, root.token)).status, 401)
  t.false((await h.get(person, root.token)).body.locked)
  await h.close()
})

test('with the confirmation for this very act it is done; for another one it is not', async t => {
  const h = await openHarness({ asksToConfirm: true })
  const root = await h.administrator()
  await h.member('alice')
  const asked = await h.put(`${person}/lock`, { locked: true }, root.token)
  const auth = {
    type: 'm.login.password',
    session: asked.body.session,
    identifier: { type: 'm.id.user', user: 'root' },
    password: passwordOf('root'),
  }
  const other = await h.post(`${person}/deactivate`, { auth }, root.token)
  t.is(other.status, 403)
  const done = await h.put(`${person}/lock`, { locked: true, auth }, root.token)
  t.deepEqual(done.body, { locked: true })
  t.true((await h.get(person, root.token)).body.locked)
  await h.close()
})

test('the invitation of a member needs no confirmation, and no question does', async t => {
  const h = await openHarness({ asksToConfirm: true })
  const root = await h.administrator()
  const link = await h.post(`${admin}/enrolment-links`, { user_id: '@new:clinic.example' }, root.token)
  t.is(link.status, 200)
  t.is((await h.get(`${admin}/people`, root.token)).status, 200)
  t.is((await h.post(`${admin}/peers/check`, { card: {} }, root.token)).status, 400)
  await h.close()
})

test('the second of two administrators learns that the account is no longer what they saw', async t => {
  const h = await openHarness()
  const root = await h.administrator()
  const second = await h.administrator('second')
  const alice = await h.member('alice')
  const { version } = (await h.get(person, root.token)).body
  t.is((await h.put(`${person}/lock`, { locked: true, version }, root.token)).status, 200)
  const late: readonly (readonly [method: string, path: string, body: object])[] = [
    ['PUT', `${person}/lock`, { locked: false, version }],
    ['PUT', `${person}/suspend`, { suspended: true, version }],
    ['PUT', `${person}/kind`, { kind: 'administrator', version }],
    ['POST', `${person}/deactivate`, { version }],
  ]
  for (const [method, path, body] of late) {
    const answer = await h.call(method, path, body, second.token)
    t.is(answer.status, 403, path)
    t.is(answer.body['org.letro.reason'], 'CHANGED', path)
  }
  const now = await h.get(person, second.token)
  t.like(now.body, { locked: true, suspended: false, kind: 'member' })
  t.not(now.body.version, version)
  const known = { locked: false, version: now.body.version }
  t.is((await h.put(`${person}/lock`, known, second.token)).status, 200)
  t.is((await h.get('/_matrix/client/v3/account/whoami', alice.token)).status, 200)
  await h.close()
})

test('a pin that changed meanwhile is neither resumed, changed nor removed unseen', async t => {
  const h = await openHarness()
  const { token } = await h.administrator()
  const card = siteOf('court.example').card(1_700_000_000_000)
  const { fingerprint } = (await h.post(`${admin}/peers/check`, { card }, token)).body
  const pinned = await h.post(`${admin}/peers`, { card, fingerprint: fingerprint.join(' ') }, token)
  const { version } = pinned.body
  t.is((await h.put(`${court}/suspended`, { suspended: true, version }, token)).status, 200)
  const late: readonly (readonly [method: string, path: string, body: object])[] = [
    ['PUT', `${court}/suspended`, { suspended: false, version }],
    ['PUT', court, { direction: 'both', version }],
    ['DELETE', court, { version }],
  ]
  for (const [method, path, body] of late) {
    const answer = await h.call(method, path, body, token)
    t.is(answer.body['org.letro.reason'], 'CHANGED', `${method} ${path}`)
  }
  const now = (await h.get(court, token)).body
  t.true(now.suspended)
  t.is((await h.delete(court, { version: now.version }, token)).status, 200)
  await h.close()
})

test('a link that another administrator made meanwhile is not replaced unseen', async t => {
  const h = await openHarness()
  const root = await h.administrator()
  await h.member('alice')
  const first = await h.post(`${person}/re-enrolment`, { replaces: null }, root.token)
  t.is(first.status, 200)
  const late = await h.post(`${person}/re-enrolment`, { replaces: null }, root.token)
  t.is(late.body['org.letro.reason'], 'CHANGED')
  const { link } = (await h.get(person, root.token)).body
  t.is(link.id, first.body.id)
  t.is((await h.post(`${person}/re-enrolment`, { replaces: link.id }, root.token)).status, 200)
  await h.close()
})

test('people are found by part of a name or an id, a kind, a state', async t => {
  const h = await openHarness()
  const { token } = await h.administrator()
  for (const name of ['amal', 'jonas', 'samira']) await h.member(name)
  await h.accounts.profiles.setField('@jonas:clinic.example' as never, 'displayname', 'Dr. Jonas Amsel')
  await h.accounts.people.setLocked('test', '@samira:clinic.example' as never, true)
  const find = async (query: string) =>
    (await h.get(`${admin}/people?${query}`, token)).body.people.map((found: { user_id: string }) =>
      found.user_id.slice(1, found.user_id.indexOf(':')),
    )
  t.deepEqual(await find('search=AM'), ['amal', 'jonas', 'samira'])
  t.deepEqual(await find('search=amsel'), ['jonas'])
  t.deepEqual(await find('kind=administrator'), ['root'])
  t.deepEqual(await find('state=locked'), ['samira'])
  t.deepEqual(await find('state=deactivated'), [])
  t.deepEqual(await find('search=am&limit=2'), ['amal', 'jonas'])
  t.deepEqual(await find('search=am&limit=2&from=@jonas:clinic.example'), ['samira'])
  t.is((await h.get(`${admin}/people?state=asleep`, token)).status, 400)
  t.is((await h.get(`${admin}/people?search=am&limit=2`, token)).body.next_batch, '@jonas:clinic.example')
  t.is((await h.get(`${admin}/people?search=am&limit=3`, token)).body.next_batch, undefined)
  await h.close()
})
