import { randomBytes } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { newCode, secretIn, shownCode } from '../../server/accounts/enrolment-code.ts'
import { dayMs, openHarness } from './harness.ts'

const links = '/_letro/admin/v1/enrolment-links'
const begin = '/_letro/client/v1/enrolment/begin'

test('a code is twelve characters, shown in groups of four', t => {
  for (let i = 0; i < 200; i++) {
    const code = newCode(size => randomBytes(size), dayMs)
    t.regex(code, /^[0-9A-HJKMNP-TV-Z]{12}$/)
    t.regex(shownCode(code), /^\w{4}-\w{4}-\w{4}$/)
  }
  t.is(shownCode('7KQ2M0XWR9TD'), '7KQ2-M0XW-R9TD')
})

const written = test.macro({
  exec: (t, typed: string) => t.is(secretIn(typed), '7K12M0XWR9TD'),
  title: (_, typed) => `a code is read however it is written: ${JSON.stringify(typed)}`,
})
for (const typed of [
  '7K12-M0XW-R9TD',
  '7k12m0xwr9td',
  ' 7K12 M0XW R9TD\n',
  '7KI2-MOXW-R9TD',
  '7Kl2–moxw—R9TD',
  '7K12\u00a0M0XW\u2011R9TD',
])
  test(written, typed)

test('what is no code stays as it is: a link’s secret above all', t => {
  fc.assert(
    fc.property(
      fc
        .string()
        .filter(
          text =>
            text.replace(/[\s\p{Pd}]/gu, '').length !== 12 && text.replace(/[\s\p{Pd}]/gu, '').length !== 16,
        ),
      text => secretIn(text) === text,
    ),
  )
  for (const text of ['enrol_abcDEF-ghi', '7K12-M0XW-R9TU', '', 'ÄÖÜÄÖÜÄÖÜÄÖÜ']) t.is(secretIn(text), text)
})

test('an administrator gets a code, and a person begins with it', async t => {
  const h = await openHarness()
  const root = await h.administrator()
  const made = await h.post(links, { user_id: '@amal:clinic.example', code: true }, root.token)
  t.is(made.status, 200)
  t.regex(made.body.code, /^\w{4}-\w{4}-\w{4}$/)
  t.is(made.body.link, `${h.origin}/enrol#${made.body.code}`)
  t.is(made.body.expires_ts, h.now + dayMs)
  for (const secret of [made.body.code, made.body.code.toLowerCase().replaceAll('-', ' ')]) {
    const begun = await h.post(begin, { secret })
    t.is(begun.status, 200)
    t.is(begun.body.user_id, '@amal:clinic.example')
  }
  t.is((await h.post(begin, { secret: '0000-0000-0000' })).status, 403)
  h.advance(dayMs)
  t.is((await h.post(begin, { secret: made.body.code })).body['org.letro.reason'], 'link_expired')
  await h.close()
})

test('a code that lives longer than a day has sixteen characters; a link without one has none', async t => {
  const h = await openHarness()
  const root = await h.administrator()
  const body = { user_id: '@amal:clinic.example' }
  const long = await h.post(links, { ...body, code: true, lifetime_ms: 7 * dayMs }, root.token)
  t.regex(long.body.code, /^\w{4}-\w{4}-\w{4}-\w{4}$/)
  h.advance(6 * dayMs)
  const typed = long.body.code.toLowerCase().replaceAll('-', ' ')
  t.is((await h.post(begin, { secret: typed })).body.user_id, '@amal:clinic.example')
  const plain = await h.post(links, body, root.token)
  t.false('code' in plain.body)
  t.regex(plain.body.link, /#enrol_/)
  await h.close()
})

test('a person who lost everything is let in again by a code', async t => {
  const h = await openHarness()
  const root = await h.administrator()
  const amal = await h.member('amal')
  const made = await h.post(`/_letro/admin/v1/people/${amal.userId}/re-enrolment`, { code: true }, root.token)
  t.is((await h.post(begin, { secret: made.body.code })).body.purpose, 're-enrol')
  await h.close()
})
