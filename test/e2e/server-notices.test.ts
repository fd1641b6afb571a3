/** What the server tells an administrator reaches them in the app, in their language, until they say that they saw it. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { AppWorld, pictures } from './app.ts'
import { violations } from './axe.ts'
import { looked } from './looked.ts'

let world: AppWorld

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  world = await AppWorld.open()
})
test.after.always(() => world?.close())

test.serial('a warning about the server is in the app of each administrator, until they saw it', async t => {
  const people = [
    await world.enrolled('rima', 'Rima Root'),
    await world.enrolled('omar', 'عمر', { locale: 'ar', context: { viewport: { width: 390, height: 800 } } }),
    await world.enrolled('jutta', 'Jutta', { locale: 'de', context: { colorScheme: 'dark' } }),
  ]
  await Promise.all(
    ['rima', 'omar', 'jutta'].map(name =>
      world.administer('PUT', `/people/${encodeURIComponent(`@${name}:localhost`)}/kind`, {
        kind: 'administrator',
      }),
    ),
  )
  // Asking makes the server look, if it has not just done so.
  const codes = async () =>
    ((await world.administer('GET', '/health'))['findings'] as unknown as { code: string }[]).map(
      ({ code }) => code,
    )
  while (!(await codes()).includes('administrators.one-passkey')) await people[0]!.page.waitForTimeout(2_000)
  for (const [i, words] of [
    /The server needs you/,
    /يحتاج الخادم إليك/,
    /Der Server braucht Sie/,
  ].entries()) {
    const { page } = people[i]!
    const notice = page.locator('nav.list .notice', { hasText: words })
    await notice.waitFor()
    if (i > 0) {
      t.deepEqual(await violations(page), [])
      await page.screenshot({ path: join(pictures, `server-notice-${i}.png`) })
    } else t.deepEqual(await looked(page, 'server-notice'), [])
    await notice.getByRole('button').last().click()
    await notice.waitFor({ state: 'detached' })
  }
})

test.serial('who neither administers nor sponsors is told nothing', async t => {
  const { page } = await world.enrolled('amal', 'Amal Nasser')
  await world.administer('GET', '/health')
  await page.waitForTimeout(1_000)
  t.is(await page.getByText('The server needs you').count(), 0)
})
