/** Verification by code, between real browsers: one screen shows it, the other one's camera sees that screen. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import type { Page } from 'playwright-core'
import type { Visitor } from '../support/visitor.ts'
import { AppWorld, finish, inside, pictures } from './app.ts'
import { Camera } from './camera.ts'
import { field, line, write } from './conversation.ts'
import { looked } from './looked.ts'

const test = anyTest as TestFn
let world: AppWorld
let camera: Camera
/** Her browser has the camera. */
let amal: Visitor
let jonas: Visitor

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  world = await AppWorld.open()
  camera = await Camera.open()
  amal = await world.enrolled('amal', 'Amal Nasser', {
    browser: camera.browser,
    context: { permissions: ['camera'] },
  })
  jonas = await world.enrolled('jonas', 'Jonas Weber')
})
test.after.always(async () => {
  await camera?.close()
  await world?.close()
})
test.afterEach.always(async t => {
  if (t.passed) return
  await amal.page.screenshot({ path: join(pictures, 'verify-failed-amal.png') })
  await jonas.page.screenshot({ path: join(pictures, 'verify-failed-jonas.png') })
})

test.serial('a code of something else is told apart, and the verification goes on', async t => {
  await amal.page.goto(`${world.server.base}/#/new/message`)
  await amal.page.locator('.picker input').fill('@jonas:localhost')
  await amal.page.locator('.picker-list button').first().click()
  await field(amal.page).waitFor()
  await write(amal.page, 'Shall we compare?')
  await jonas.page.locator('nav.list').getByText('Amal Nasser').first().click()
  await jonas.page.getByRole('button', { name: 'Accept' }).click()
  await line(jonas.page, 'Shall we compare?').waitFor()

  await askJonas()
  await camera.seeCode('https://elsewhere.example/')
  await amal.page.getByRole('button', { name: 'Scan their code' }).click()
  await amal.page.getByText('That is not the code of this verification.').waitFor()
  t.deepEqual(await looked(amal.page, 'verify-wrong-code'), [])
  // Switched on anew, it sees his screen.
  await amal.page.getByRole('button', { name: 'Show my code' }).click()
  await camera.lookAt(code(jonas.page))
  await amal.page.getByRole('button', { name: 'Scan their code' }).click()
  await jonas.page.getByText('Does the other device say that it worked?').waitFor()
})

test.serial(
  'whose screen was scanned says that it was not this one: both are warned, and nobody is verified',
  async t => {
    // Her first message was here before he had ever heard of her devices: by now it is known whose it is.
    t.deepEqual(await jonas.page.locator('.finding').allTextContents(), [])
    t.deepEqual(await looked(jonas.page, 'verify-scanned'), [])
    await jonas.page.getByRole('button', { name: 'No', exact: true }).click()
    for (const { page } of [amal, jonas]) await page.getByText('They were not the same').waitFor()
    t.deepEqual(await looked(amal.page, 'verify-mismatch'), [])
    await closeBoth()
    await amal.page.getByText('You have not compared it with').waitFor()
    t.is(await amal.page.getByText('You compared it with').count(), 0)
  },
)

test.serial('a code with other keys than those that are known warns both, and verifies nobody', async t => {
  await askJonas()
  // Her own one, as in a mirror: the right verification, and the keys of the wrong person.
  await camera.lookAt(code(amal.page))
  await amal.page.getByRole('button', { name: 'Scan their code' }).click()
  for (const { page } of [amal, jonas]) await page.getByText('The code does not fit').waitFor()
  await closeBoth()
  await amal.page.getByText('You have not compared it with').waitFor()
  t.is(await amal.page.getByText('You compared it with').count(), 0)
})

test.serial('a person: one scans the other’s screen, and both know each other from then on', async t => {
  await askJonas()
  await camera.lookAt(code(jonas.page))
  await amal.page.getByRole('button', { name: 'Scan their code' }).click()
  await jonas.page.getByText('It should show a green tick now').waitFor()
  await amal.page.locator('.verification-tick').waitFor()
  await amal.page.getByRole('heading', { name: 'The code is right' }).waitFor()
  t.deepEqual(await looked(amal.page, 'verify-fits'), [])
  await jonas.page.getByRole('button', { name: 'Yes, it does' }).click()
  await amal.page.getByText('You are talking with').waitFor()
  await jonas.page.getByText('You are talking with').waitFor()
  t.deepEqual(await looked(amal.page, 'verify-done'), [])
  for (const { page } of [amal, jonas]) await page.getByRole('button', { name: 'Done' }).click()
  await amal.page.getByText('You compared it with').waitFor()
  await jonas.page.evaluate(`location.hash = '#/person/${encodeURIComponent('@amal:localhost')}'`)
  await jonas.page.getByText('You compared it with').waitFor()
  t.pass()
})

test.serial(
  'a new device of one’s own, whose camera reads the first one’s screen, is let in and has the keys',
  async t => {
    const second = await signInAgain(jonas, camera)
    await second.page.getByRole('button', { name: 'Confirm on another device' }).click()
    await jonas.page.getByRole('button', { name: 'Begin' }).click()
    await camera.lookAt(code(jonas.page))
    t.deepEqual(await looked(second.page, 'verify-own'), [])
    await second.page.getByRole('button', { name: 'Scan their code' }).click()
    await jonas.page.getByRole('button', { name: 'Yes, it does' }).click()
    await jonas.page.getByText('The device is confirmed').waitFor()
    await jonas.page.getByRole('button', { name: 'Done' }).click()
    await comesIn(second)
    await second.page.locator('nav.list').getByText('Amal Nasser').first().click()
    await line(second.page, 'Shall we compare?').waitFor()
    // Whom the first one compared with is known here.
    await second.page.evaluate(`location.hash = '#/person/${encodeURIComponent('@amal:localhost')}'`)
    await second.page.getByText('You compared it with').waitFor()
    t.deepEqual(second.complaints, [])
    await second.close()
  },
)

test.serial('a new device of one’s own shows its code to the first one’s camera', async t => {
  const second = await signInAgain(amal)
  await second.page.getByRole('button', { name: 'Confirm on another device' }).click()
  await amal.page.getByRole('button', { name: 'Begin' }).click()
  await camera.lookAt(code(second.page))
  await amal.page.getByRole('button', { name: 'Scan their code' }).click()
  await second.page.getByRole('button', { name: 'Yes, it does' }).click()
  await amal.page.getByText('The device is confirmed').waitFor()
  await amal.page.getByRole('button', { name: 'Done' }).click()
  await comesIn(second)
  await second.page.locator('nav.list').getByText('Jonas Weber').first().click()
  await line(second.page, 'Shall we compare?').waitFor()
  t.pass()
  await second.close()
})

async function closeBoth(): Promise<void> {
  for (const { page } of [amal, jonas])
    await page.locator('dialog .verification').getByRole('button', { name: 'Close' }).click()
}

/** Both see codes when this resolves. */
async function askJonas(): Promise<void> {
  await amal.page.evaluate(`location.hash = '#/person/${encodeURIComponent('@jonas:localhost')}'`)
  await amal.page.getByRole('button', { name: /^Verify/ }).click()
  await jonas.page.getByRole('button', { name: 'Begin' }).click()
  for (const { page } of [amal, jonas]) await code(page).waitFor()
}

/** The same passkey at another browser, as a password manager brings it: it signs in, and opens nothing. */
async function signInAgain(person: Visitor, camera?: Camera): Promise<Visitor> {
  const second = await world.visitor({
    prf: false,
    ...(camera && { browser: camera.browser, context: { permissions: ['camera'] } }),
  })
  await second.addCredentials(await person.credentials())
  await second.page.goto(world.server.base)
  await second.page.getByRole('switch').check()
  await second.page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await second.page.getByRole('heading', { name: 'Let this device in' }).waitFor()
  return second
}

/** The identity is open as soon as its keys are here. */
async function comesIn({ page }: Visitor): Promise<void> {
  const last = page.locator('[data-stage=last-step] .enter-acts button').last()
  await last.or(page.locator('nav.list')).first().waitFor()
  if (await last.isVisible()) await finish(page)
  await inside(page)
}

function code(page: Page) {
  return page.locator('dialog .qr-code svg')
}
