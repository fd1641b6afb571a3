/** `letro enrol` as a process, against a server that answers at the socket in its data folder; and what stands on a sheet. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { sheet } from '../../provisioning/sheets.ts'
import { peopleABatch } from '../../server/accounts/roster.ts'
import { listenAtSocket } from '../../server/http/server.ts'
import { openHarness } from '../accounts/harness.ts'

const letro = join(import.meta.dirname, '../../provisioning/letro.ts')
const people = 'username,name,language\namal,Amal Haddad,ar\nbea,<b>Bea</b>,\n'

async function open(t: ExecutionContext) {
  const data = await mkdtemp(join(tmpdir(), 'letro-enrol-'))
  const h = await openHarness({ now: Date.now() })
  await h.administrator()
  const socket = await listenAtSocket(h.localListener, join(data, 'admin.sock'))
  await writeFile(join(data, 'people.csv'), people)
  t.teardown(async () => {
    await socket.close(0)
    await h.close()
    await rm(data, { recursive: true, force: true })
  })
  const run = (...args: string[]) =>
    new Promise<{ code: number; out: string; err: string }>(resolve => {
      const options = { cwd: data, env: { ...process.env, TZ: 'UTC' }, maxBuffer: 2 ** 26 }
      execFile(process.execPath, [letro, 'enrol', ...args, '--data', data], options, (error, out, err) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
      })
    })
  return { h, data, run }
}

test('a list of nobody is refused: everybody would have left', async t => {
  const { data, run } = await open(t)
  await writeFile(join(data, 'nobody.csv'), 'username,name\n')
  const refused = await run('list', 'nobody.csv', '--apply', '--lock-leavers', '--yes')
  t.is(refused.code, 1)
  t.regex(refused.out, /There is nobody in the file/)
})

test('an external person without an end or a sponsor is told which options are missing', async t => {
  const { run } = await open(t)
  for (const more of [[], ['--ends', '2027-03-31'], ['--sponsor', 'amal']]) {
    const refused = await run('person', 'vera', '--kind', 'external', ...more)
    t.is(refused.code, 2)
    t.regex(refused.err, /--ends 2027-03-31 --sponsor USERNAME/)
  }
})

test('what is shown says what there is to do with it', async t => {
  const { run } = await open(t)
  t.regex((await run('list', 'people.csv')).out, /Nothing was changed\.\nDo it with: --apply\n$/)
  await run('list', 'people.csv', '--apply', '--sheets', 'sheets.html')
  t.regex((await run('list', 'people.csv')).out, /New links for those who wait: --apply --again\n$/)
})

test('a list is shown, applied with sheets, and changes nothing when it comes again', async t => {
  const { h, data, run } = await open(t)
  const shown = await run('list', 'people.csv')
  t.is(shown.code, 0)
  t.regex(shown.out, /2 people would be invited:.*Nothing was changed/s)
  t.deepEqual(await h.accounts.enrolment.links(), [])

  const applied = await run(
    'list',
    'people.csv',
    '--apply',
    '--sheets',
    'sheets.html',
    '--contact',
    'IT <4711>',
  )
  t.is(applied.code, 0, applied.err)
  const file = join(data, 'sheets.html')
  t.is((await stat(file)).mode & 0o777, 0o600)
  const html = await readFile(file, 'utf8')
  t.is(html.match(/<article /g)!.length, 2)
  t.true(html.includes('<article lang="ar" dir="rtl">') && html.includes('<article lang="en" dir="ltr">'))
  t.true(html.includes('&#60;b&#62;Bea') && html.includes('IT &#60;4711&#62;'))
  t.false(/(?:src|href)="?http/.test(html))
  const [code] = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}/.exec(html)!
  t.regex((await h.accounts.enrolment.begin(code!)).userId, /^@(amal|bea):/)
  // The links themselves are in the sheets, and nowhere else.
  t.false(applied.out.includes('/enrol#'))

  const again = await run('list', 'people.csv', '--apply', '--json')
  t.like(JSON.parse(again.out), { new: [], unchanged: 0 })
  t.is(JSON.parse(again.out).waiting.length, 2)
})

test('a long list tells how far it is', async t => {
  const { h, data, run } = await open(t)
  const names = Array.from({ length: 4 * peopleABatch }, (_, i) => `u${i}`)
  await writeFile(join(data, 'long.csv'), `username\n${names.join('\n')}\n`)
  const applied = await run('list', 'long.csv', '--apply', '--json')
  t.is(applied.code, 0, applied.err)
  t.regex(applied.err, /^(5000|10000|15000) of 20000 done$/m)
  t.is(JSON.parse(applied.out).new.length, names.length)
  t.is((await h.accounts.enrolment.links()).length, names.length)
})

test('a file for sheets that is there already: nobody is invited', async t => {
  const { h, run } = await open(t)
  const refused = await run('list', 'people.csv', '--apply', '--sheets', 'people.csv')
  t.is(refused.code, 4)
  t.regex(refused.err, /there already\. Nothing was changed/)
  t.deepEqual(await h.accounts.enrolment.links(), [])
})

test('a list with problems says where they are, and changes nothing', async t => {
  const { h, data, run } = await open(t)
  await writeFile(join(data, 'bad.csv'), 'username,kind\namal,\nAmal,\nzoe,boss\n')
  const { code, out, err } = await run('list', 'bad.csv', '--apply')
  t.is(code, 1)
  t.regex(out, /line 3, username: amal stands in line 2 already/)
  t.regex(out, /line 4, kind:/)
  t.regex(err, /nothing was changed/)
  t.deepEqual(await h.accounts.enrolment.links(), [])
  await writeFile(join(data, 'latin1.csv'), Buffer.from('username,name\namal,Am\xe9lie\n', 'latin1'))
  t.regex((await run('list', 'latin1.csv')).err, /not in UTF-8/)
})

test('one person: invited, seen among the open links, withdrawn', async t => {
  const { h, run } = await open(t)
  const invited = await run(
    'person',
    'Zoe',
    '--name',
    'Zoë',
    '--kind',
    'external',
    '--ends',
    '2099-03-31',
    '--sponsor',
    'root',
  )
  t.is(invited.code, 0, invited.err)
  t.regex(invited.out, /For @zoe:clinic\.example {2}Zoë, once, until/)
  const [link] = await h.accounts.enrolment.links()
  t.like(link, { kind: 'external', accountExpiresTs: Date.UTC(2099, 3, 1), displayName: 'Zoë' })
  t.regex((await run('open')).out, /@zoe:clinic\.example {2}\(enrol, external/)
  t.is((await run('withdraw', 'zoe')).code, 0)
  t.is((await run('open')).out, 'No link is open.\n')
  t.is((await run('withdraw', 'zoe')).code, 1)
})

test('what is wrong on the command line is named, and nobody is invited', async t => {
  const { h, data, run } = await open(t)
  const wrong: [string[], RegExp][] = [
    [['person', 'zoe', '--days', '0'], /--days/],
    [['person', 'zoe', '--kind', 'external', '--ends', 'tomorrow'], /--ends/],
    [['person', 'zoe', '--language', 'tlh', '--sheets', 's.html'], /--language/],
    [['person', 'zoe', '--kind', 'external'], /needs a last day/],
    [['person', 'زوي'], /user_id|username/],
    [['again', 'nobody'], /names nobody/],
    [['list', 'none.csv'], /cannot be read/],
  ]
  for (const [args, said] of wrong) {
    const { code, err } = await run(...args)
    t.not(code, 0, args.join(' '))
    t.regex(err, said)
  }
  t.deepEqual(await h.accounts.enrolment.links(), [])
  t.deepEqual(
    (await readdir(data)).filter(name => name.endsWith('.html')),
    [],
  )
})

test('a sheet has the authority’s fingerprint where there is one, and no step for it where there is none', async t => {
  const origin = 'https://chat.clinic.example'
  const authority = { fingerprint: 'ABCD'.repeat(16), words: ['tactics', 'disruptive'] }
  const person = { userId: '@amal:clinic.example', link: `${origin}/enrol#x`, expiresTs: 0 }
  const options = { contact: null, language: 'fr' } as const
  const whole = await sheet(
    { site: { origin, trustPage: 'http://chat.clinic.example', authority }, ...options },
    person,
  )
  t.is(whole.match(/<span>ABCD<\/span>/g)!.length, 16)
  t.is(whole.match(/<svg/g)!.length, 2)
  const plain = await sheet({ site: { origin, trustPage: null, authority: null }, ...options }, person)
  t.is(plain.match(/<svg/g)!.length, 1)
  t.false(plain.includes('disruptive'))
})
