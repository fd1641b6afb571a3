import test from 'ava'
import { openHarness } from '../accounts/harness.ts'
import { startAdministered } from '../support/administered.ts'

const admin = '/_letro/admin/v1'

test('the audit is read newest first, by who, whom and what', async t => {
  const h = await openHarness()
  const root = await h.administrator()
  for (const name of ['alice', 'bob']) await h.member(name)
  for (const name of ['alice', 'bob', 'alice'])
    await h.put(`${admin}/people/@${name}:clinic.example/lock`, { locked: name !== 'bob' }, root.token)
  const find = async (query: string) => (await h.get(`${admin}/audit?order=newest&${query}`, root.token)).body
  const acts = (body: { entries: { action: string; target: string }[] }) =>
    body.entries.map(({ action, target }) => `${action} ${target.slice(1, target.indexOf(':'))}`)
  t.deepEqual(acts(await find('action=account.lock')), ['account.lock alice', 'account.lock alice'])
  t.deepEqual(acts(await find('target=@bob:clinic.example&action=account.u')), ['account.unlock bob'])
  t.deepEqual(acts(await find(`actor=${root.userId}&limit=1`)), ['account.lock alice'])
  const first = await find(`actor=${root.userId}&limit=2`)
  t.deepEqual(acts(await find(`actor=${root.userId}&limit=2&from=${first.next_batch}`)), [
    'account.lock alice',
    'account.register root',
  ])
  t.deepEqual(await find('actor=nobody'), { entries: [] })
  await h.close()
})

test('the configuration is shown with where it comes from', async t => {
  const server = await startAdministered(t)
  const token = 'x'.repeat(40)
  const { body } = await server.call('GET', `${admin}/configuration`, { token })
  const setting = (key: string) => body.settings.find((each: { key: string }) => each.key === key)
  t.like(setting('admin.token_file'), { from: 'file' })
  t.like(setting('accounts.passwords'), { from: 'environment', value: '"true"' })
  t.like(setting('devices.lock_after_days'), { from: 'default', value: '30' })
  t.like(setting('server.origin'), { value: JSON.stringify(server.base) })
  t.like(setting('tls.key'), { from: 'default', value: null })
  t.false(JSON.stringify(body).includes(token), 'the token itself is nowhere')
})
