import { request } from 'node:http'
import test from 'ava'
import type { Demo } from '../../server/client-api/demo.ts'
import { demoAnswer, demoRoutes } from '../../server/client-api/demo.ts'
import { type Harness, openHarness, passwordOf } from './harness.ts'

const getToken = '/_matrix/client/v1/login/get_token'
const login = '/_matrix/client/v3/login'
const begin = '/_letro/client/v1/passkeys/begin'
const minuteMs = 60_000

/** A login token, as a person gets it who confirms with a password. */
async function tokenOf(h: Harness, localpart: string, accessToken: string): Promise<string> {
  const asked = await h.post(getToken, {}, accessToken)
  const auth = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: localpart },
    password: passwordOf(localpart),
    session: asked.body.session,
  }
  return (await h.post(getToken, { auth }, accessToken)).body.login_token
}

const signIn = (h: Harness, token: unknown, more: object = {}) =>
  h.post(login, { type: 'm.login.token', token, ...more })

test('a token is given after a confirmation only, each time anew', async t => {
  const h = await openHarness()
  const amal = await h.member('amal')
  t.is((await h.post(getToken, {})).status, 401)
  const asked = await h.post(getToken, {}, amal.token)
  t.is(asked.status, 401)
  t.deepEqual(asked.body.flows, [{ stages: ['m.login.password'] }])
  const auth = { type: 'm.login.password', password: passwordOf('amal'), session: asked.body.session }
  const given = await h.post(getToken, { auth }, amal.token)
  t.is(given.status, 200)
  t.regex(given.body.login_token, /^ltl_/)
  t.is(given.body.expires_in_ms, 2 * minuteMs)
  t.is((await h.post(getToken, { auth }, amal.token)).status, 401, 'the confirmation is spent')
  await h.close()
})

test('a token opens one session, which the audit names', async t => {
  const h = await openHarness()
  const amal = await h.member('amal')
  const token = await tokenOf(h, 'amal', amal.token)
  const opened = await signIn(h, token, { device_id: 'TABLET', refresh_token: true })
  t.is(opened.status, 200)
  t.like(opened.body, { user_id: amal.userId, device_id: 'TABLET' })
  t.is(typeof opened.body.refresh_token, 'string')
  const again = await signIn(h, token)
  t.is(again.status, 403)
  t.is(again.body.errcode, 'M_FORBIDDEN')
  const [last] = (await h.accounts.audit.list({ limit: 100 })).slice(-1)
  t.like(last, {
    actor: amal.userId,
    action: 'session.by-login-token',
    detail: { device: 'TABLET', issuer: amal.deviceId },
  })
  await h.close()
})

test('a token ends after two minutes, with its issuer, and with the account', async t => {
  const h = await openHarness()
  const amal = await h.member('amal')
  const old = await tokenOf(h, 'amal', amal.token)
  h.advance(2 * minuteMs)
  t.is((await signIn(h, old)).status, 403)

  const ofWhoLeft = await tokenOf(h, 'amal', amal.token)
  await h.post('/_matrix/client/v3/logout', {}, amal.token)
  t.is((await signIn(h, ofWhoLeft)).status, 403)

  const ben = await h.member('ben')
  const ofLocked = await tokenOf(h, 'ben', ben.token)
  await h.accounts.people.setLocked('test', ben.userId, true)
  t.is((await signIn(h, ofLocked)).body.errcode, 'M_USER_LOCKED')
  t.is((await signIn(h, 'ltl_unknown')).status, 403)
  t.is((await signIn(h, 7)).body.errcode, 'M_BAD_JSON')
  t.is((await signIn(h, undefined)).body.errcode, 'M_MISSING_PARAM')
  await h.close()
})

test('who was let in may begin a passkey for ten minutes without another proof; others may not', async t => {
  const h = await openHarness()
  const amal = await h.member('amal')
  const { body } = await signIn(h, await tokenOf(h, 'amal', amal.token))
  t.is((await h.post(begin, {}, amal.token)).status, 401, 'the issuer is asked as ever')
  const begun = await h.post(begin, {}, body.access_token)
  t.is(begun.status, 200)
  t.is(typeof begun.body.options.challenge, 'string')
  h.advance(10 * minuteMs)
  t.is((await h.post(begin, {}, body.access_token)).status, 401)
  await h.close()
})

test('a session with the same name later has none of it', async t => {
  const h = await openHarness()
  const amal = await h.member('amal')
  const { body } = await signIn(h, await tokenOf(h, 'amal', amal.token), { device_id: 'TABLET' })
  await h.post('/_matrix/client/v3/logout', {}, body.access_token)
  const later = await h.post(login, {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: 'amal' },
    password: passwordOf('amal'),
    device_id: 'TABLET',
  })
  t.is((await h.post(begin, {}, later.body.access_token)).status, 401)
  await h.close()
})

// ── demonstration ────────────────────────────────────────────────────────────────────────────────────

const signInDemo = '/_letro/demo/v1/sign-in'

async function openDemo() {
  const people: ReturnType<Demo['people']>[number][] = []
  const demo: Demo = { people: () => people }
  const h = await openHarness({ moreRoutes: accounts => demoRoutes({ accounts, demo }) })
  const amal = await h.member('amal')
  people.push({
    userId: amal.userId,
    name: 'Amal',
    kind: 'member',
    role: 'Director',
    language: 'ar',
    recoveryKey: 'EsT0',
  })
  return { h, amal, demo }
}

test('a demonstration lets its people in by one click, and gives no right to a passkey', async t => {
  const { h, amal, demo } = await openDemo()
  t.deepEqual(demoAnswer(demo), {
    people: [{ user_id: amal.userId, name: 'Amal', role: 'Director', language: 'ar' }],
  })
  const given = await h.post(signInDemo, { user_id: amal.userId })
  t.is(given.body.recovery_key, 'EsT0')
  t.is(given.headers.get('access-control-allow-origin'), null)
  const { body } = await signIn(h, given.body.login_token)
  t.is(body.user_id, amal.userId)
  t.is((await h.post(begin, {}, body.access_token)).status, 401)
  t.is((await h.post(signInDemo, { user_id: '@nobody:clinic.example' })).status, 404)
  await h.close()
})

test('another page than the demonstration’s own gets nothing', async t => {
  const { h, amal } = await openDemo()
  const from = (headers: Record<string, string>) =>
    h.call('POST', signInDemo, { user_id: amal.userId }, undefined, headers)
  t.is((await from({ origin: h.origin })).status, 200)
  t.is((await from({ origin: 'https://evil.example' })).status, 403)
  t.is((await from({ origin: 'http://localhost:1' })).status, 403)
  t.is((await from({ origin: 'null' })).status, 403)
  // A name that somebody else's DNS gives to this address.
  const status = await new Promise(resolve => {
    const headers = { host: 'rebound.example' }
    const asked = request(h.origin + signInDemo, { method: 'POST', headers }, answer => {
      resolve(answer.statusCode)
      answer.resume()
    })
    asked.end(JSON.stringify({ user_id: amal.userId }))
  })
  t.is(status, 403)
  await h.close()
})

test('a server that was not started as a demonstration has no such route', async t => {
  const h = await openHarness()
  const amal = await h.member('amal')
  t.is((await h.post(signInDemo, { user_id: amal.userId })).status, 404)
  await h.close()
})
