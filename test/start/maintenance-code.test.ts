/** The code of the console in place of the maintenance token: what it opens, how long, and what guessing at it brings. */
import { readFile } from 'node:fs/promises'
import test from 'ava'
import { codesThatHold, maintenanceCode, typedCode } from '../../server/maintenance-code.ts'
import { startTestServer } from '../support/server.ts'

const maintenance = '/_letro/maintenance/v1'
const hour = 60 * 60 * 1000

test('a code follows from token and hour, holds for four to eight hours, and is read however it was typed', t => {
  const token = 'T'.repeat(43)
  const start = 1_000_000 * 4 * hour
  for (const shownAt of [start, start + 4 * hour - 1]) {
    const { code, expiresTs } = maintenanceCode(token, shownAt)
    t.regex(code, /^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/)
    t.is(expiresTs, start + 8 * hour)
    const holds = (now: number, typed = code) => codesThatHold(token, now).includes(typedCode(typed))
    t.true(holds(shownAt, ` ${code.toLowerCase().replaceAll('-', ' ')} `))
    t.true(holds(expiresTs - 1))
    t.false(holds(expiresTs))
    t.false(codesThatHold(`${token}x`, shownAt).includes(typedCode(code)))
  }
})

test('it opens what the token opens, but no further code; a guess too many is not even looked at', async t => {
  const server = await startTestServer({
    config: '[limits]\nenabled = true\nbad_token = "0.001/s burst 3"\n',
  })
  t.teardown(() => server.close())
  const token = (await readFile(server.app.maintenanceTokenFile, 'utf8')).trim()
  const asked = await server.call('GET', `${maintenance}/code`, { token })
  t.is(asked.status, 200)
  const { code } = asked.body
  const status = (typed: string) =>
    server.call('GET', `${maintenance}/status`, { token: typed }).then(answer => answer.status)
  t.is(await status(code), 200)
  t.is(await status(code.toLowerCase().replaceAll('-', '')), 200)
  t.is((await server.call('GET', `${maintenance}/code`, { token: code })).status, 401)
  t.is(await status('0000-0000-0000'), 401)
  t.is(await status('0000-0000-0001'), 401)
  t.is(await status('0000-0000-0002'), 429)
  t.is(await status(code), 429, 'who guesses does not learn which one was right')
  t.is(await status(token), 200, 'who holds the token is not kept out by those who guess')
})
