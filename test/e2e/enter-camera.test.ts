/** The code of an enrolment sheet, held before a camera: a real Chromium whose camera shows a film of it. */
import test from 'ava'
import { AppWorld } from './app.ts'
import { Camera } from './camera.ts'

test.serial('a link that the camera reads opens the invitation', async t => {
  const world = await AppWorld.open()
  const camera = await Camera.open()
  t.teardown(async () => {
    await camera.close()
    await world.close()
  })
  await camera.seeCode(await world.invite('zeina', 'Zeina Farah'))
  const { page, complaints } = await world.visitor({
    browser: camera.browser,
    context: { permissions: ['camera'] },
  })
  await page.goto(world.server.base)
  await page.getByRole('button', { name: 'Scan a QR code' }).click()
  await page.getByRole('heading', { name: /Welcome, .Zeina Farah/ }).waitFor()
  t.is(await page.locator('video').count(), 0, 'the camera is off again')
  t.deepEqual(complaints, [])
})

test.serial('a camera that may not be used is explained, and typing is left', async t => {
  const world = await AppWorld.open()
  t.teardown(() => world.close())
  const { page } = await world.visitor()
  await page.goto(world.server.base)
  await page.getByRole('button', { name: 'Scan a QR code' }).click()
  await page.locator('.notice').getByText('camera').waitFor()
  t.true(await page.getByLabel('Link or code').isEnabled())
})
