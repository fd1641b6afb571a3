/** A backup is all data: who fetches it as a person confirms that first. */
import test from 'ava'
import type { BackupRouteDeps } from '../../server/admin-api/backups.ts'
import { openHarness, passwordOf } from '../accounts/harness.ts'

const admin = '/_letro/admin/v1'

test('a backup is fetched with a ticket that was confirmed: once, for that backup, by whoever got it, for two minutes', async t => {
  let now = Date.UTC(2026, 10, 21)
  const backups = {
    pull: async () => ({
      name: 'whole.age',
      bytes: (async function* () {
        yield Buffer.from('sealed')
      })(),
    }),
    file: async () => null,
  }
  const backup = { backups, audit: async () => {}, clock: () => now } as unknown as BackupRouteDeps
  const h = await openHarness({ asksToConfirm: true, backup })
  t.teardown(() => h.close())
  const root = await h.administrator()
  const other = await h.administrator('other')
  const issued = async (name: string) => {
    const path = `${admin}/backup-tickets`
    const { session } = (await h.post(path, { name }, root.token)).body
    const identifier = { type: 'm.id.user', user: 'root' }
    const auth = { type: 'm.login.password', session, identifier, password: passwordOf('root') }
    return (await h.post(path, { name, auth }, root.token)).body.ticket as string
  }
  const fetched = async (ticket: string, token = root.token, name = 'new') =>
    (await h.get(`${admin}/backups/${name}?ticket=${ticket}`, token)).status

  t.is((await h.get(`${admin}/backups/new`, root.token)).status, 403)
  t.is((await h.post(`${admin}/backup-tickets`, { name: 'new' }, root.token)).status, 401)
  const ticket = await issued('new')
  t.is(await fetched(ticket), 200)
  t.is(await fetched(ticket), 403, 'once')
  t.is(await fetched(await issued('new'), other.token), 403)
  t.is(await fetched(await issued('older.age')), 403)
  t.is(await fetched(await issued('older.age'), root.token, 'older.age'), 404)
  const late = await issued('new')
  now += 2 * 60_000
  t.is(await fetched(late), 403)
})
