/** External people: who hears of their end, and when. */
import test, { type ExecutionContext } from 'ava'
import type { UserId } from '../../server/protocol/ids.ts'
import { dayMs, type Harness, hourMs, openHarness } from './harness.ts'

const guest = '@guest:clinic.example' as UserId

async function withGuest(t: ExecutionContext, days: number) {
  const clock = { isInDoubt: false }
  const h = await openHarness({ isClockInDoubt: () => clock.isInDoubt })
  t.teardown(() => h.close())
  const { userId: root } = await h.administrator()
  const { userId: mira } = await h.member('mira')
  const { userId: other } = await h.member('other')
  const session = await h.member('guest')
  await h.accounts.people.setKind('test', guest, 'external', {
    expiresTs: h.now + days * dayMs,
    sponsor: mira,
  })
  return { h, root, mira, other, clock, session, announce: () => h.accounts.endings.announce() }
}

async function heard(h: Harness, userId: UserId): Promise<string[]> {
  const content = await h.accounts.accountData.get(userId, null, 'org.letro.administration')
  const notices = (content?.['notices'] ?? []) as { action: string; target: string; expires_ts: number }[]
  return notices
    .filter(({ target }) => target === guest)
    .map(({ action, expires_ts }) => `${action} ${Math.round((expires_ts - h.now) / dayMs)}`)
}

test('sponsor and administrators hear 14 and 3 days before, once each, and at the end', async t => {
  const { h, root, mira, other, announce } = await withGuest(t, 30)
  for (let hours = 0; hours < 31 * 24; hours += 6) {
    await h.accounts.people.expireDue()
    await announce()
    h.advance(6 * hourMs)
  }
  const said = ['account.ends-soon -1', 'account.ends-soon -1', 'account.ended -1']
  t.deepEqual(await heard(h, mira), said)
  t.deepEqual(await heard(h, root), said)
  t.deepEqual(await heard(h, other), [])
  const content = await h.accounts.accountData.get(mira, null, 'org.letro.administration')
  const days = (content!['notices'] as { ts: number; expires_ts: number }[]).map(({ ts, expires_ts }) =>
    Math.floor((expires_ts - ts) / dayMs),
  )
  t.deepEqual(days, [14, 3, 0])
})

test('a day that is moved is told anew, and one that is not near is not told', async t => {
  const { h, mira, announce } = await withGuest(t, 10)
  await announce()
  t.deepEqual(await heard(h, mira), ['account.ends-soon 10'])
  await h.accounts.people.setExpiry('test', guest, h.now + 60 * dayMs)
  await announce()
  t.deepEqual(await heard(h, mira), ['account.ends-soon 10'])
  h.advance(47 * dayMs)
  await announce()
  t.deepEqual(await heard(h, mira), ['account.ends-soon -37', 'account.ends-soon 13'])
})

test('who becomes a member, or was deactivated, ends nowhere', async t => {
  const { h, mira, announce } = await withGuest(t, 10)
  await announce()
  await h.accounts.people.setKind('test', guest, 'member')
  await announce()
  h.advance(20 * dayMs)
  await announce()
  t.deepEqual(await heard(h, mira), ['account.ends-soon -10'])
})

test('a sponsor who is gone hears nothing; the administrators do', async t => {
  const { h, root, mira, announce } = await withGuest(t, 10)
  await h.accounts.deactivation.deactivate('test', mira, { erase: false })
  await announce()
  t.deepEqual(await heard(h, root), ['account.ends-soon 10'])
})

test('by a clock that has just jumped nobody is ended, and nobody is told; signing in is refused all the same', async t => {
  const { h, mira, clock, session, announce } = await withGuest(t, 100)
  clock.isInDoubt = true
  h.advance(365 * dayMs)
  await h.accounts.people.expireDue()
  await announce()
  t.deepEqual(await heard(h, mira), [])
  t.not((await h.call('GET', '/_matrix/client/v3/account/whoami', undefined, session.token)).status, 200)
  h.advance(-365 * dayMs)
  clock.isInDoubt = false
  t.is((await h.call('GET', '/_matrix/client/v3/account/whoami', undefined, session.token)).status, 200)
})
