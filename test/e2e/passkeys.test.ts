/**
 * Passkeys in a real Chromium with virtual authenticators: the page and the endpoints, and what must not work.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import anyTest, { type TestFn } from 'ava'
import type { Browser } from 'playwright-core'
import type { DeviceId, UserId } from '../../server/protocol/ids.ts'
import { dayMs, type Harness, openHarness } from '../accounts/harness.ts'
import { until } from '../support/until.ts'
import { launchChromium, plainPage, Visitor } from '../support/visitor.ts'

const test = anyTest as TestFn<{ h: Harness; browser: Visitor }>
const person = '@amal:clinic.example' as UserId
const login = '/_matrix/client/v3/login'

let chromiumProcess: Browser

test.before(async () => {
  chromiumProcess = await launchChromium()
})
test.after.always(() => chromiumProcess?.close())

test.beforeEach(async t => {
  t.context = { h: await openHarness({ passwords: false }), browser: await Visitor.open(chromiumProcess) }
})
test.afterEach.always(async t => {
  await t.context.browser.close()
  await t.context.h.close()
})

test.serial('a link becomes a passkey, an account and a device, and is then used up', async t => {
  const { h, browser } = t.context
  const link = await h.accounts.enrolment.createLink('test', person, { displayName: 'Amal Nasser' })
  await browser.page.goto(plainPage(link.url))
  await browser.page.getByText('Amal Nasser').waitFor()
  t.is(new URL(browser.page.url()).hash, '', 'the secret leaves the address bar')
  t.is(await h.accounts.people.get(person), null, 'opening a link makes nothing')

  await browser.page.fill('#name', 'Ward laptop')
  await browser.page.click('#create')
  await browser.page.getByText('Your passkey is ready').waitFor()
  t.like(await h.accounts.people.get(person), { kind: 'member' })
  const [passkey] = await h.accounts.passkeys.list(person)
  t.like(passkey, { name: 'Ward laptop', backupEligible: false, backedUp: false })
  t.is((await h.accounts.sessions.devices(person)).length, 1)
  t.deepEqual(await h.accounts.profiles.get(person), { displayname: 'Amal Nasser' })
  const [credential] = await browser.credentials()
  t.true(credential!.isResidentCredential)
  t.is(credential!.rpId, 'localhost')

  await browser.page.goto('about:blank')
  await browser.page.goto(plainPage(link.url))
  await browser.page.getByText('was used already').waitFor()
  t.deepEqual(browser.complaints, ['403'])
  const acts = (await h.accounts.audit.list({ limit: 10 })).map(entry => entry.action)
  t.deepEqual(acts, ['enrolment-link.create', 'account.enrol'])
})

test.serial('the page signs in with the passkey, and its session ends with it', async t => {
  const { h, browser } = t.context
  await enrol(h, browser)
  await browser.page.goto('about:blank')
  const ofThePage = async () =>
    (await h.accounts.sessions.devices(person)).filter(device => device.deviceId !== 'TESTDEVICE').length
  await until(async () => (await ofThePage()) === 0)

  await browser.page.goto(`${h.origin}/plain`)
  await browser.page.click('#sign-in')
  await browser.page.getByText(person).waitFor()
  t.is(await ofThePage(), 1)
  t.truthy((await h.accounts.passkeys.list(person))[0]!.lastUsedTs)
  await browser.page.click('#done')
  await browser.page.getByText('You are signed out').waitFor()
  t.is(await ofThePage(), 0)
  t.deepEqual(browser.complaints, [])
})

test.serial('a second passkey is added, named and removed, but never the last one', async t => {
  const { h, browser } = t.context
  await enrol(h, browser)
  const first = (await h.accounts.passkeys.list(person))[0]!
  const stick = await browser.addAuthenticator('usb')
  // The first authenticator confirms; then it is put away, for it holds a passkey of this account already.
  await browser.page.route('**/_letro/client/v1/passkeys/begin', async route => {
    const answer = await route.fetch()
    if (answer.ok()) await browser.setPresence(browser.authenticator, false)
    await route.fulfill({ response: answer })
  })
  await browser.page.click('#add')
  await browser.page.locator('.remove').nth(1).waitFor()
  await browser.setPresence(browser.authenticator, true)
  const passkeys = await h.accounts.passkeys.list(person)
  t.is(passkeys.length, 2)
  t.is((await browser.credentials(stick)).length, 1)

  const second = passkeys.find(passkey => passkey.id !== first.id)!
  await browser.page.click(`[data-passkey="${second.id}"] .rename`)
  await browser.page.fill('#new-name', 'Key in the safe')
  await browser.page.getByRole('button', { name: 'Save' }).click()
  await browser.page.getByText('Key in the safe').waitFor()

  await browser.page.click(`[data-passkey="${first.id}"] .remove`)
  await until(async () => (await h.accounts.passkeys.list(person)).length === 1)
  t.deepEqual(
    (await h.accounts.passkeys.list(person)).map(passkey => passkey.name),
    ['Key in the safe'],
  )
  await browser.page.getByText('The last one cannot be removed').waitFor()
  t.is(await browser.page.locator('.remove').count(), 0)
  await t.throwsAsync(h.accounts.passkeys.remove(person, second.id), { message: /last passkey/ })
})

test.serial('adding a passkey needs more than an access token', async t => {
  const { h, browser } = t.context
  const { token } = await enrol(h, browser)
  const begin = '/_letro/client/v1/passkeys/begin'
  const asked = await h.post(begin, {}, token)
  t.is(asked.status, 401)
  t.deepEqual(asked.body.flows, [{ stages: ['org.letro.login.passkey'] }])
  t.is(asked.body.errcode, undefined)
  const { options } = asked.body.params['org.letro.login.passkey']
  const assertion = await browser.sign(options)
  const auth = { type: 'org.letro.login.passkey', session: asked.body.session, assertion }
  // A confirmation for this is none for another thing.
  const other = await h.delete('/_letro/client/v1/passkeys/x', { auth }, token)
  t.is(other.status, 403)
  t.is((await h.post(begin, { auth }, token)).status, 200)
  t.is((await h.post(begin, { auth }, token)).status, 401, 'a confirmation works once')
})

test.serial('somebody else’s passkey confirms nothing, even with the right challenge', async t => {
  const { h, browser } = t.context
  const { token } = await enrol(h, browser)
  const other = await Visitor.open(chromiumProcess)
  const link = await h.accounts.enrolment.createLink('test', '@jonas:clinic.example' as UserId, {})
  await other.enrol(link.url)
  const path = '/_letro/client/v1/passkeys/begin'
  const asked = await h.post(path, {}, token)
  const { options } = asked.body.params['org.letro.login.passkey']
  const assertion = await other.sign({ ...options, allowCredentials: [] })
  const auth = { type: 'org.letro.login.passkey', session: asked.body.session, assertion }
  const refused = await h.post(path, { auth }, token)
  t.is(refused.status, 401)
  t.regex(refused.body.error, /another account/)
  // A challenge for confirming is none for signing in.
  const mine = await browser.sign(refused.body.params['org.letro.login.passkey'].options)
  t.is((await h.post(login, { type: 'org.letro.login.passkey', assertion: mine })).status, 403)
  await other.close()
})

test.serial('whether a passkey can be and is backed up is kept', async t => {
  const { h } = t.context
  const synced = await Visitor.open(chromiumProcess, 'en', { backedUp: true })
  const link = await h.accounts.enrolment.createLink('test', person, {})
  await synced.enrol(link.url)
  t.like((await h.accounts.passkeys.list(person))[0], { backupEligible: true, backedUp: true })
  await synced.page.getByText('kept in your password manager').waitFor()
  await synced.close()
})

test.serial('a device that was let in by another one makes one passkey, and no second one', async t => {
  const { h, browser } = t.context
  await enrol(h, browser)
  const { token } = h.accounts.loginTokens.issue({ userId: person, deviceId: 'TESTDEVICE' as DeviceId })
  const opened = await h.post(login, { type: 'm.login.token', token })
  const session = opened.body.access_token
  const other = await Visitor.open(chromiumProcess)
  await other.page.goto(`${h.origin}/plain`)
  const passkeys = '/_letro/client/v1/passkeys'
  const begun = [
    await h.post(`${passkeys}/begin`, {}, session),
    await h.post(`${passkeys}/begin`, {}, session),
  ]
  t.deepEqual(
    begun.map(({ status }) => status),
    [200, 200],
  )
  const answers = []
  for (const { body } of begun) {
    const attestation = await other.create(body.options)
    answers.push((await h.post(`${passkeys}/complete`, { attestation, name: 'Tablet' }, session)).status)
  }
  t.deepEqual(answers, [200, 403])
  t.is((await h.post(`${passkeys}/begin`, {}, session)).status, 401, 'from now on it is asked as any other')
  await other.close()
})

test.serial('a re-enrolment link revokes passkeys, sessions and devices once it is used', async t => {
  const { h, browser } = t.context
  const { token } = await enrol(h, browser)
  const [before] = await h.accounts.passkeys.list(person)
  const link = await h.accounts.enrolment.createReEnrolmentLink('test', person, {})
  t.is((await h.get('/_matrix/client/v3/account/whoami', token)).status, 200, 'making it changes nothing')

  const other = await Visitor.open(chromiumProcess)
  await other.page.goto(plainPage(link.url))
  await other.page.getByText('all your earlier passkeys stop working').waitFor()
  t.is((await h.get('/_matrix/client/v3/account/whoami', token)).status, 200, 'nor does opening it')
  await other.page.click('#create')
  await other.page.getByText('Your passkey is ready').waitFor()

  t.is((await h.get('/_matrix/client/v3/account/whoami', token)).status, 401)
  const after = await h.accounts.passkeys.list(person)
  t.is(after.length, 1)
  t.not(after[0]!.id, before!.id)
  await browser.page.goto(`${h.origin}/plain`)
  await browser.page.click('#sign-in')
  await browser.page.getByText('This passkey is not known here').waitFor()
  await other.close()
})

test.serial('without user verification there is no passkey, and no sign-in', async t => {
  const { h, browser } = t.context
  const link = await h.accounts.enrolment.createLink('test', person, {})
  await browser.setVerified(false)
  await browser.page.goto(plainPage(link.url))
  await browser.page.click('#create')
  await browser.page.getByText('Nothing has changed').waitFor()
  t.is(await h.accounts.people.get(person), null)
  await browser.setVerified(true)
  await browser.page.click('#create')
  await browser.page.getByText('Your passkey is ready').waitFor()

  // A client that does not ask the person to unlock: the browser signs, the server refuses.
  const { options } = (await h.post('/_letro/client/v1/passkey/challenge', {})).body
  await browser.setVerified(false)
  const assertion = await browser.sign({ ...options, userVerification: 'discouraged' })
  const refused = await h.post(login, { type: 'org.letro.login.passkey', assertion })
  t.is(refused.status, 403)
  t.is(refused.body.errcode, 'M_FORBIDDEN')
})

test.serial('an expired link is refused when it is opened, and when it expires in between', async t => {
  const { h, browser } = t.context
  const link = await h.accounts.enrolment.createLink('test', person, {})
  await browser.page.goto(plainPage(link.url))
  await browser.page.locator('#create').waitFor()
  h.advance(7 * dayMs)
  await browser.page.click('#create')
  await browser.page.getByText('This link has expired').waitFor()
  await browser.page.goto('about:blank')
  await browser.page.goto(plainPage(link.url))
  await browser.page.getByText('This link has expired').waitFor()
  t.is(await browser.page.locator('#create').count(), 0)
  t.is(await h.accounts.people.get(person), null)
})

test.serial('a challenge works once, for five minutes', async t => {
  const { h, browser } = t.context
  await enrol(h, browser)
  const challenge = async () => (await h.post('/_letro/client/v1/passkey/challenge', {})).body.options
  const body = { type: 'org.letro.login.passkey', assertion: await browser.sign(await challenge()) }
  t.is((await h.post(login, body)).status, 200)
  const replayed = await h.post(login, body)
  t.is(replayed.status, 403)
  t.regex(replayed.body.error, /challenge/)

  const late = await browser.sign(await challenge())
  h.advance(5 * 60_000)
  t.is((await h.post(login, { type: 'org.letro.login.passkey', assertion: late })).status, 403)

  const forged = await browser.sign({ ...(await challenge()), challenge: 'A'.repeat(43) })
  t.is((await h.post(login, { type: 'org.letro.login.passkey', assertion: forged })).status, 403)
})

test.serial('a passkey that was used on another origin is refused', async t => {
  const { h, browser } = t.context
  await enrol(h, browser)
  const { options } = (await h.post('/_letro/client/v1/passkey/challenge', {})).body
  // The same host, and so the same rpId, on another port: a page that is not ours.
  const evil = createServer((_req, res) => res.setHeader('content-type', 'text/html').end('<p>hello</p>'))
  await new Promise<void>(resolve => evil.listen(0, 'localhost', resolve))
  await browser.page.goto(`http://localhost:${(evil.address() as AddressInfo).port}/`)
  const assertion = await browser.sign(options)
  const refused = await h.post(login, { type: 'org.letro.login.passkey', assertion })
  t.is(refused.status, 403)
  evil.closeAllConnections()
  evil.close()
})

test.serial('a counter that goes backwards is refused, audited, and told to administrators', async t => {
  const { h, browser } = t.context
  await enrol(h, browser)
  await h.accounts.people.setKind('test', person, 'administrator')
  const signIn = async () => {
    const { options } = (await h.post('/_letro/client/v1/passkey/challenge', {})).body
    return h.post(login, { type: 'org.letro.login.passkey', assertion: await browser.sign(options) })
  }
  t.is((await signIn()).status, 200)
  t.is((await signIn()).status, 200)

  // A copy of the key that was taken when it was new.
  await browser.rewindCounter()
  const refused = await signIn()
  t.is(refused.status, 403)
  t.regex(refused.body.error, /counter/)
  const alarms = (await h.accounts.audit.list({ limit: 100 })).filter(
    entry => entry.action === 'passkey.counter-regression',
  )
  t.is(alarms.length, 1)
  t.is(alarms[0]!.target, person)
  await until(async () => {
    const told = await h.accounts.accountData.get(person, null, 'org.letro.administration')
    return JSON.stringify(told).includes('passkey.counter-regression')
  })
  t.pass()
})

test.serial('every language says everything', async t => {
  const { words, languages } = await import('../../server/client-api/enrol-page/words.js' as string)
  t.deepEqual(Object.keys(words).sort(), Object.keys(languages).sort())
  const slots = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort()
  for (const [language, said] of Object.entries(words as Record<string, Record<string, string>>)) {
    t.deepEqual(Object.keys(said).sort(), Object.keys(words.en).sort(), language)
    for (const [key, text] of Object.entries(said))
      t.deepEqual(slots(text), slots(words.en[key]), `${language} ${key}`)
  }
})

test.serial('the page keeps to its policy in every language', async t => {
  const { h } = t.context
  const link = await h.accounts.enrolment.createLink('test', person, { displayName: 'أمل ناصر' })
  const titles = {
    en: 'Create your passkey',
    de: 'Passkey anlegen',
    fr: 'Créer votre clé d’accès',
    ar: 'أنشئ مفتاح المرور',
  }
  for (const [locale, title] of Object.entries(titles)) {
    const visitor = await Visitor.open(chromiumProcess, locale)
    const answer = await visitor.page.goto(plainPage(link.url))
    t.regex(answer!.headers()['content-security-policy']!, /script-src 'self'/)
    t.notRegex(answer!.headers()['content-security-policy']!, /unsafe/)
    await visitor.page.getByRole('heading', { name: title }).waitFor()
    t.is(await visitor.page.getAttribute('html', 'dir'), locale === 'ar' ? 'rtl' : 'ltr')
    t.deepEqual(visitor.complaints, [])
    await visitor.close()
  }
})

/** Through the page; then a session of the API's, for a test to use. */
async function enrol(h: Harness, visitor: Visitor): Promise<{ token: string }> {
  const link = await h.accounts.enrolment.createLink('test', person, {})
  await visitor.enrol(link.url)
  return { token: (await h.accounts.sessions.open(person, { deviceId: 'TESTDEVICE' })).accessToken }
}
