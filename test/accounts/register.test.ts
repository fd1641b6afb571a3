import test from 'ava'
import { dayMs, openHarness } from './harness.ts'

const register = '/_matrix/client/v3/register'
const available = '/_matrix/client/v3/register/available'
const validity = '/_matrix/client/v1/register/m.login.registration_token/validity'
const password = 'correct horse battery'
const dummy = { type: 'm.login.dummy' }

test('open registration: ask, be asked, answer, be signed in', async t => {
  const h = await openHarness({ registration: 'open' })
  const asked = await h.post(register, { username: 'Alice', password })
  t.is(asked.status, 401)
  t.deepEqual(asked.body.flows, [{ stages: ['m.login.dummy'] }])
  t.deepEqual(asked.body.completed, [])
  t.is(asked.body.errcode, undefined)
  const done = await h.post(register, {
    username: 'Alice',
    password,
    auth: { ...dummy, session: asked.body.session },
  })
  t.is(done.status, 200)
  t.is(done.body.user_id, '@alice:clinic.example')
  t.is((await h.get('/_matrix/client/v3/account/whoami', done.body.access_token)).status, 200)
  await h.close()
})

test('without a name one is made up; without a login there is no token; with refresh_token there is one', async t => {
  const h = await openHarness({ registration: 'open' })
  const named = await h.post(register, { password, auth: dummy })
  t.regex(named.body.user_id, /^@u[a-z2-7]{10}:clinic\.example$/)
  const inhibited = await h.post(register, { username: 'bob', password, inhibit_login: true, auth: dummy })
  t.deepEqual(inhibited.body, { user_id: '@bob:clinic.example' })
  const full = await h.post(register, {
    username: 'carol',
    password,
    device_id: 'TABLET',
    initial_device_display_name: 'Tablet',
    refresh_token: true,
    auth: dummy,
  })
  t.is(full.body.device_id, 'TABLET')
  t.truthy(full.body.refresh_token)
  t.is(full.body.expires_in_ms, 3_600_000)
  await h.close()
})

test('what is refused before anybody is asked to authenticate', async t => {
  const h = await openHarness({ registration: 'open' })
  await h.member('alice')
  await h.accounts.enrolment.createLink('test', '@invited:clinic.example' as never, {})
  const cases: [string, object, number, string][] = [
    ['?kind=guest', {}, 403, 'M_FORBIDDEN'],
    ['?kind=robot', {}, 400, 'M_INVALID_PARAM'],
    ['', { username: 'alice', password }, 400, 'M_USER_IN_USE'],
    ['', { username: 'ALICE', password }, 400, 'M_USER_IN_USE'],
    ['', { username: 'invited', password }, 400, 'M_USER_IN_USE'],
    ['', { username: 'a b', password }, 400, 'M_INVALID_USERNAME'],
    ['', { username: 'ä', password }, 400, 'M_INVALID_USERNAME'],
    ['', { username: '', password }, 400, 'M_INVALID_USERNAME'],
    ['', { username: 'x'.repeat(250), password }, 400, 'M_INVALID_USERNAME'],
    ['', { username: 5, password }, 400, 'M_BAD_JSON'],
    ['', { username: 'bob', password: 'short' }, 400, 'M_WEAK_PASSWORD'],
    ['', { username: 'bob', password: 5 }, 400, 'M_BAD_JSON'],
    ['', { username: 'bob', auth: dummy }, 400, 'M_MISSING_PARAM'],
    ['', { username: 'bob', password, device_id: '', auth: dummy }, 400, 'M_INVALID_PARAM'],
    ['', { username: 'bob', password, inhibit_login: 'yes', auth: dummy }, 400, 'M_BAD_JSON'],
    ['', { username: 'bob', password, auth: 'dummy' }, 400, 'M_BAD_JSON'],
  ]
  for (const [query, body, status, errcode] of cases) {
    const answer = await h.post(register + query, body)
    t.is(answer.status, status, JSON.stringify(body))
    t.is(answer.body.errcode, errcode, JSON.stringify(body))
  }
  t.is((await h.accounts.people.list({ limit: 10 })).length, 1, 'a wrong request changes nothing')
  await h.close()
})

test('registration by token: counted, limited in time, and spent only by an account that was made', async t => {
  const h = await openHarness({ registration: 'invite' })
  const { token } = await h.accounts.registrationTokens.create('test', { usesAllowed: 1 })
  const valid = async (text: string) => (await h.get(`${validity}?token=${text}`)).body.valid
  t.true(await valid(token))
  t.false(await valid('unknown'))
  const asked = await h.post(register, { username: 'alice', password })
  t.deepEqual(asked.body.flows, [{ stages: ['m.login.registration_token'] }])

  const wrong = await h.post(register, {
    username: 'alice',
    password,
    auth: { type: 'm.login.registration_token', token: 'unknown', session: asked.body.session },
  })
  t.is(wrong.status, 401)
  t.is(wrong.body.errcode, 'M_FORBIDDEN')
  t.is(wrong.body.session, asked.body.session, 'another attempt may be made')
  const skipped = await h.post(register, { username: 'alice', password, auth: dummy })
  t.is(skipped.status, 401)
  t.true(await valid(token))

  const auth = { type: 'm.login.registration_token', token, session: asked.body.session }
  t.is((await h.post(register, { username: 'alice', password, auth })).status, 200)
  t.false(await valid(token))
  const again = await h.post(register, { username: 'bob', password, auth: { ...auth, session: undefined } })
  t.is(again.status, 401)

  const short = await h.accounts.registrationTokens.create('test', { expiresTs: h.now + dayMs })
  t.true(await valid(short.token))
  h.advance(dayMs)
  t.false(await valid(short.token))
  await h.close()
})

test('two people with the last use of a token: one of them gets in', async t => {
  const h = await openHarness({ registration: 'invite' })
  const { token } = await h.accounts.registrationTokens.create('test', { usesAllowed: 1 })
  const auth = { type: 'm.login.registration_token', token }
  const answers = await Promise.all(
    ['alice', 'bob', 'carol'].map(username => h.post(register, { username, password, auth })),
  )
  // The others are told while they confirm (401) or when the account is made (403).
  t.is(answers.filter(answer => answer.status === 200).length, 1)
  t.true(answers.every(answer => [200, 401, 403].includes(answer.status)))
  t.is((await h.accounts.people.list({ limit: 10 })).length, 1)
  await h.close()
})

test('two people who want one name at once: one of them gets it', async t => {
  const h = await openHarness({ registration: 'open' })
  const answers = await Promise.all(
    [1, 2, 3].map(() => h.post(register, { username: 'alice', password, auth: dummy })),
  )
  t.deepEqual(answers.map(answer => answer.status).sort(), [200, 400, 400])
  await h.close()
})

test('without passwords registration is closed, and tells nothing', async t => {
  const h = await openHarness({ passwords: false })
  for (const answer of [
    await h.post(register, { username: 'alice', password }),
    await h.get(`${available}?username=alice`),
    await h.get(`${validity}?token=x`),
  ]) {
    t.is(answer.status, 403)
    t.is(answer.body.errcode, 'M_FORBIDDEN')
  }
  await h.close()
})

test('is a name free?', async t => {
  const h = await openHarness({ registration: 'open' })
  await h.member('alice')
  t.deepEqual((await h.get(`${available}?username=bob`)).body, { available: true })
  t.is((await h.get(`${available}?username=alice`)).body.errcode, 'M_USER_IN_USE')
  t.is((await h.get(`${available}?username=A%20B`)).body.errcode, 'M_INVALID_USERNAME')
  t.is((await h.get(available)).body.errcode, 'M_MISSING_PARAM')
  await h.close()
})
