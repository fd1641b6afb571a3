/** People by CSV: what a list changes, that it changes it whole or not at all, and what it refuses. */
import test, { type ExecutionContext } from 'ava'
import { peopleABatch, type RosterDone } from '../../server/accounts/roster.ts'
import type { UserId } from '../../server/protocol/ids.ts'
import { type Answer, openHarness } from './harness.ts'

const path = '/_letro/admin/v1/people/import'
const id = (name: string) => `@${name}:clinic.example` as UserId
const users = (list: { user_id: string }[]) => list.map(person => person.user_id)

async function open(t: ExecutionContext) {
  const h = await openHarness()
  t.teardown(() => h.close())
  const root = await h.administrator()
  const send = (csv: string, more: object = {}): Promise<Answer> => h.post(path, { csv, ...more }, root.token)
  return { h, root, send }
}

const list = 'username,name,kind,ends,sponsor\namal,Amal Haddad,,,\nzoe,Zoë,external,2027-03-31,root\n'

test('a list is shown, applied, and changes nothing when it comes again', async t => {
  const { h, send } = await open(t)
  const shown = await send(list)
  t.deepEqual(users(shown.body.new), [id('amal'), id('zoe')])
  t.falsy(shown.body.new[0].link)
  t.is((await h.accounts.enrolment.links()).length, 0)

  const applied = await send(list, { apply: true })
  t.regex(applied.body.new[0].link, /\/enrol#enrol_/)
  t.like(applied.body.new[1], { kind: 'external', expires_ts: Date.UTC(2027, 3, 1), line: 3 })
  const links = await h.accounts.enrolment.links()
  t.like(
    links.find(link => link.userId === id('zoe')),
    { sponsor: id('root'), displayName: 'Zoë' },
  )

  const again = await send(list, { apply: true })
  t.deepEqual([again.body.new, users(again.body.waiting)], [[], [id('amal'), id('zoe')]])
  t.deepEqual(await h.accounts.enrolment.links(), links)
})

test('who waits gets a new link when that is asked for; the one before it ends', async t => {
  const { h, send } = await open(t)
  const first = await send(list, { apply: true })
  const second = await send(list, { apply: true, again: true, code: true })
  t.is((await h.accounts.enrolment.links()).length, 2)
  t.regex(second.body.waiting[0].code, /^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/)
  const old = first.body.new[0].link.split('#')[1]
  await t.throwsAsync(() => h.accounts.enrolment.begin(old), { message: /not known/ })
  await t.notThrowsAsync(() => h.accounts.enrolment.begin(second.body.waiting[0].code))
})

test('kinds and ends follow the list; administrators and services do not', async t => {
  const { h, send } = await open(t)
  await h.member('amal')
  const as = (kind: string, ends = '') =>
    `username,kind,ends,sponsor\namal,${kind},${ends},${ends && 'root'}\nroot,,,\n`
  const shown = await send(as('external', '2027-03-31'))
  t.like(shown.body.changed[0], { from: { kind: 'member' }, to: { kind: 'external', sponsor: id('root') } })
  await send(as('external', '2027-03-31'), { apply: true })
  t.like(await h.accounts.people.get(id('amal')), { kind: 'external', expiresTs: Date.UTC(2027, 3, 1) })
  t.true(h.accounts.people.isExternal(id('amal')))

  await send(as('external', '2027-06-30'), { apply: true })
  t.like(await h.accounts.people.get(id('amal')), { expiresTs: Date.UTC(2027, 6, 1) })
  const back = await send(as('member'), { apply: true })
  t.is(back.body.unchanged, 1)
  t.deepEqual((await h.accounts.people.get(id('amal')))!.expiresTs, undefined)
  t.false(h.accounts.people.isExternal(id('amal')))
  t.is((await h.accounts.people.get(id('root')))!.kind, 'administrator')
})

test('leavers are named, and locked where that is asked for', async t => {
  const { h, send } = await open(t)
  const amal = await h.member('amal')
  await h.member('bea')
  await h.accounts.people.createService('test', id('bot'), { deviceId: undefined })
  const named = await send('username\nbea\n', { apply: true })
  t.deepEqual(users(named.body.leavers), [amal.userId])
  t.falsy((await h.accounts.people.get(amal.userId))!.locked)
  await send('username\nbea\n', { apply: true, lock_leavers: true })
  t.true((await h.accounts.people.get(amal.userId))!.locked)
  t.is((await h.get('/_matrix/client/v3/account/whoami', amal.token)).body.errcode, 'M_USER_LOCKED')
  const acts = (await h.accounts.audit.list({ limit: 100 })).filter(entry => entry.action === 'account.lock')
  t.deepEqual(
    acts.map(entry => entry.target),
    [amal.userId],
  )
})

const refused: [string, string, number, string | undefined, RegExp][] = [
  ['a duplicate', 'username\namal\nbea\nAmal\n', 4, 'username', /stands in line 2 already/],
  ['an unknown column', 'username,password\namal,x\n', 1, undefined, /no column password/],
  ['no column of names', 'name\nAmal\n', 1, undefined, /username is needed/],
  ['a column twice', 'username,name,name\na,b,c\n', 1, undefined, /twice/],
  ['nothing', '', 1, undefined, /nobody/],
  ['nobody: all would be leavers', 'username,name\n', 1, undefined, /nobody/],
  ['no username', 'username,name\n,Amal\n', 2, 'username', /needed/],
  ['a username of other letters', 'username\nامل\n', 2, 'username', /a–z/],
  ['a hostile name', 'username,name\namal,"Amal\u202Elarma"\n', 2, 'name', /can be seen/],
  ['a name without end', `username,name\namal,${'x'.repeat(200)}\n`, 2, 'name', /100/],
  ['an administrator', 'username,kind\namal,administrator\n', 2, 'kind', /one by one/],
  [
    'an end that is no day',
    'username,kind,ends,sponsor\na,external,2027-02-30,root\n',
    2,
    'ends',
    /2027-03-31/,
  ],
  ['an end that is over', 'username,kind,ends,sponsor\na,external,2020-01-01,root\n', 2, 'ends', /over/],
  ['an end of a member', 'username,ends\na,2027-03-31\n', 2, 'ends', /Only external/],
  ['no sponsor', 'username,kind,ends\na,external,2027-03-31\n', 2, 'sponsor', /sponsor/],
  [
    'a sponsor that nobody is',
    'username,kind,ends,sponsor\na,external,2027-03-31,nobody\n',
    2,
    'sponsor',
    /nobody is no member/,
  ],
  ['too many fields', 'username,name\na,b,c\n', 2, undefined, /3 fields/],
  ['a quotation without end', 'username,name\na,"b\nc,d\n', 3, undefined, /no CSV/],
]

for (const [what, csv, line, column, message] of refused) {
  test(`refused, and nothing is changed: ${what}`, async t => {
    const { h, send } = await open(t)
    const answer = await send(`${csv}`, { apply: true })
    t.is(answer.status, 400)
    const [problem] = answer.body.problems
    t.is(problem.line, line)
    t.is(problem.column, column)
    t.regex(problem.message, message)
    t.deepEqual(await h.accounts.enrolment.links(), [])
  })
}

test('semicolons, tabs, a byte order mark and Windows line ends are what spreadsheets write', async t => {
  const { send } = await open(t)
  for (const csv of [
    '\uFEFFusername;name\r\namal;Amal, the first\r\n',
    'username\tname\namal\tAmal, the first',
  ])
    t.like((await send(csv)).body.new[0], { user_id: id('amal'), display_name: 'Amal, the first' })
})

test('a list of 100,000 lines is looked at; a longer one is refused', async t => {
  const { send } = await open(t)
  const lines = (count: number) =>
    `username,name\n${Array.from({ length: count }, (_, i) => `u${i},Person ${i}`).join('\n')}`
  const whole = await send(lines(100_000))
  t.is(whole.status, 200)
  t.is(whole.body.new.length, 100_000)
  const longer = await send(lines(100_001))
  t.regex(longer.body.problems?.[0].message ?? JSON.stringify(longer.body), /More than 100,000 people/)
})

test('two administrators at once: each list is applied whole, nobody gets two links', async t => {
  const { h, send } = await open(t)
  const second = await h.administrator('second')
  const [one, two] = await Promise.all([
    send(list, { apply: true }),
    h.post(path, { csv: list, apply: true }, second.token),
  ])
  t.is(one.body.new.length + two.body.new.length, 2)
  t.is((await h.accounts.enrolment.links()).length, 2)
})

test('a link that cannot be made leaves nothing of a list', async t => {
  const { h, send } = await open(t)
  await t.throwsAsync(() =>
    h.accounts.roster
      .apply('test', [{ line: 2, localpart: 'amal', kind: 'member' }], { lifetimeMs: 1 })
      .next(),
  )
  t.deepEqual(await h.accounts.enrolment.links(), [])
  t.is((await send('username\namal\n')).body.new.length, 1)
})

const listOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ line: i + 2, localpart: `u${i}`, kind: 'member' as const }))

test('a long list cut off after its first batch: the same list goes on, and makes anew the links that nobody saw', async t => {
  const { h } = await open(t)
  const people = listOf(peopleABatch * 2 + 1)
  const options = { list: 'this one' }
  const cut = h.accounts.roster.apply('test', people, options)
  t.deepEqual((await cut.next()).value, { done: peopleABatch, total: people.length })
  t.like(h.accounts.roster.progress, { done: peopleABatch })
  await cut.return(undefined as never)
  t.is(h.accounts.roster.progress, null)
  const lost = await h.accounts.enrolment.links()
  t.is(lost.length, peopleABatch)

  t.is((await h.accounts.roster.compare(people, 'another one')).waiting.length, peopleABatch)
  t.is((await h.accounts.roster.compare(people, 'this one')).newPeople.length, people.length)
  const done = await whole(h.accounts.roster.apply('test', people, options))
  t.is(done.links.size, people.length)
  const links = await h.accounts.enrolment.links()
  t.is(links.length, people.length, 'one each')
  t.true(lost.every(({ id: old }) => links.every(({ id: now }) => now !== old)))
  await done.delivered()
  const again = await whole(h.accounts.roster.apply('test', people, options))
  t.is(again.links.size, 0)
  t.is(again.report.waiting.length, people.length)
})

async function whole(applying: AsyncGenerator<unknown, RosterDone>): Promise<RosterDone> {
  for (;;) {
    const step = await applying.next()
    if (step.done) return step.value
  }
}
