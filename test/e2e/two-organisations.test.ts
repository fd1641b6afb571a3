/** Two organisations in one room: two servers that pinned each other, and people of both at the app. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { TestAuthority } from '../support/certificates.ts'
import { type FederatedServer, pinHomeserver, pinSite, startFederated } from '../support/federated.ts'
import { FederationPeer } from '../support/federation-peer.ts'
import { PeerRoom } from '../support/peer-room.ts'
import { launchChromium, type Visitor } from '../support/visitor.ts'
import { AppWorld, pictures } from './app.ts'
import { field, line, write } from './conversation.ts'
import { looked } from './looked.ts'

const test = anyTest as TestFn
const authority = new TestAuthority()
let chromium: Browser
let clinicServer: FederatedServer
let ministryServer: FederatedServer
let clinic: AppWorld
let ministry: AppWorld
let amal: Visitor
let claire: Visitor

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  chromium = await launchChromium()
  const settings = { 'accounts.registration': 'invite' }
  clinicServer = await startFederated('clinic.example', { 'server.name': 'clinic.example', ...settings })
  ministryServer = await startFederated('ministry.example', {
    'server.name': 'ministry.example',
    ...settings,
  })
  await pinSite(clinicServer, ministryServer)
  await pinSite(ministryServer, clinicServer)
  clinic = AppWorld.federated(clinicServer, chromium)
  ministry = AppWorld.federated(ministryServer, chromium)
  amal = await clinic.enrolled('amal', 'Amal Nasser')
  claire = await ministry.enrolled('claire', 'Claire Roux')
})
test.after.always(async () => {
  await chromium?.close()
  for (const server of [clinicServer, ministryServer]) await server?.process.remove()
})
test.afterEach.always(async t => {
  if (t.passed) return
  await amal.page.screenshot({ path: join(pictures, 'two-failed-amal.png') })
  await claire.page.screenshot({ path: join(pictures, 'two-failed-claire.png') })
})

test.serial(
  'a room with somebody of another organisation: found by full id, said whose they are',
  async t => {
    const { page } = amal
    await page.evaluate(`location.hash = '#/new/room'`)
    await page.locator('.page-body input').first().fill('Winter supplies')
    await page.locator('.picker input').fill('@claire:ministry.example')
    await page.locator('.picker-list button').first().waitFor()
    t.deepEqual(await looked(page, 'two-new-room'), [])
    await page.locator('.picker-list button').first().click()
    await page.getByRole('button', { name: 'Create room' }).click()
    await field(page).waitFor()
    await write(page, 'The list for **January** is ready.')
    await page.locator('li.message .margin.sent, li.message .margin.read').first().waitFor()
    // She has a name before she accepts: her server tells it.
    await page.locator('.trust-member', { hasText: 'Claire Roux' }).waitFor()
    t.deepEqual(await looked(page, 'two-invited'), [])
  },
)

test.serial('the invitation says from whom and from which organisation', async t => {
  const { page } = claire
  await page.locator('nav.list').getByText('Winter supplies').first().click()
  await page.getByRole('button', { name: 'Accept' }).waitFor()
  t.deepEqual(await looked(page, 'two-invitation'), [])
  await page.getByRole('button', { name: 'Accept' }).click()
  await line(page, 'for January').waitFor()
  await write(page, 'Thank you, I have it.')
  await line(amal.page, 'I have it').waitFor()
  t.deepEqual(await looked(page, 'two-room-claire'), [])
  t.deepEqual(await looked(amal.page, 'two-room-amal'), [])
})

test.serial(
  'writing is seen on the other side; answers, reactions and files cross with their thumbnails',
  async t => {
    await field(claire.page).pressSequentially('I am')
    await amal.page.locator('.typing', { hasText: 'Claire Roux' }).waitFor()
    await field(claire.page).fill('')
    const png = await sharp({ create: { width: 1600, height: 1000, channels: 3, background: '#94481a' } })
      .composite([
        {
          input: await sharp({ create: { width: 500, height: 500, channels: 3, background: '#3a6b5a' } })
            .png()
            .toBuffer(),
          left: 200,
          top: 200,
        },
      ])
      .png()
      .toBuffer()
    await claire.page.locator('.composer input[type=file]').setInputFiles([
      { name: 'stores.png', mimeType: 'image/png', buffer: png },
      { name: 'orders.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4 orders') },
    ])
    await claire.page.locator('dialog button[type=submit]').click()
    await line(amal.page, 'orders.pdf').waitFor()
    await amal.page.locator('li.message .picture img').first().waitFor()
    const saved = amal.page.waitForEvent('download')
    await line(amal.page, 'orders.pdf').getByRole('button', { name: /^Save/ }).click()
    t.is((await saved).suggestedFilename(), 'orders.pdf')
    await amal.page.locator('button.picture').first().click()
    await amal.page.locator('dialog.viewer img').waitFor()
    await amal.page.keyboard.press('Escape')
  },
)

test.serial('a picture and a name that somebody gives themselves are seen on the other side', async t => {
  const { page } = claire
  const room = new URL(page.url()).hash
  await page.evaluate(`location.hash = '#/settings/'`)
  await page.waitForTimeout(1000)
  await page.screenshot({ path: join(pictures, 'two-settings.png') })
  const picture = await sharp({ create: { width: 300, height: 300, channels: 3, background: '#3a6b5a' } })
    .png()
    .toBuffer()
  await page.evaluate(`location.hash = '#/settings/profile'`)
  await page
    .locator('.picture-picker input[type=file]')
    .setInputFiles([{ name: 'me.png', mimeType: 'image/png', buffer: picture }])
  await page.locator('.profile-picture img').waitFor()
  await page.evaluate(`location.hash = ${JSON.stringify(room)}`)
  await amal.page.locator('.trust-member img').first().waitFor()
  t.pass()
})

test.serial('both compare seven pictures across the two servers, in the room that they share', async t => {
  await amal.page.evaluate(`location.hash = '#/person/${encodeURIComponent('@claire:ministry.example')}'`)
  await amal.page.getByRole('button', { name: /^Verify/ }).waitFor()
  t.deepEqual(await looked(amal.page, 'two-person'), [])
  await amal.page.getByRole('button', { name: /^Verify/ }).click()
  await claire.page.getByRole('heading', { name: /wants to verify with you/ }).waitFor()
  t.deepEqual(await looked(claire.page, 'two-verify-asked'), [])
  await claire.page.getByRole('button', { name: 'Begin' }).click()
  await amal.page
    .getByRole('button', { name: /Compare (seven )?pictures/ })
    .first()
    .click()
  for (const { page } of [amal, claire])
    await page.getByRole('button', { name: 'They are the same' }).waitFor()
  t.deepEqual(await looked(claire.page, 'two-verify-compare'), [])
  for (const { page } of [amal, claire]) await page.getByRole('button', { name: 'They are the same' }).click()
  for (const { page } of [amal, claire]) {
    await page.getByText('You are talking with').waitFor()
    await page.getByRole('button', { name: 'Done' }).click()
  }
  await amal.page.getByText('You compared it with').waitFor()
  t.deepEqual(await looked(amal.page, 'two-person-verified'), [])
})

test.serial('who is invited later, from the room itself, reads what was written before', async t => {
  const rima = await ministry.enrolled('rima', 'Rima Aziz')
  const { page } = amal
  await openRoom(page)
  await page.getByRole('button', { name: 'Invite people' }).click()
  await page.locator('dialog .picker input').fill('@rima:ministry.example')
  await page.locator('dialog .picker-list button', { hasText: 'Rima Aziz' }).click()
  t.deepEqual(await looked(page, 'two-invite'), [])
  await page.locator('dialog').getByRole('button', { name: 'Invite', exact: true }).click()
  await page.locator('dialog').waitFor({ state: 'detached' })
  await rima.page.locator('nav.list').getByText('Winter supplies').first().click()
  await rima.page.getByRole('button', { name: 'Accept' }).click()
  await line(rima.page, 'I have it').waitFor()
  await line(rima.page, 'for January').waitFor()
  await rima.page.locator('li.message .picture img').first().waitFor()
  t.deepEqual(await looked(rima.page, 'two-newcomer'), [])
  await rima.close()
})

test.serial('a second device is known on the other side, and reads', async t => {
  const second = await ministry.visitor({ prf: false })
  await second.addCredentials(await claire.credentials())
  await second.page.goto(ministry.server.base)
  await second.page.getByRole('switch').check()
  await second.page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await second.page.getByRole('heading', { name: 'Let this device in' }).waitFor()
  await amal.page
    .locator('.trust-body', { hasText: 'Devices that nobody confirmed' })
    .getByText('Claire Roux')
    .first()
    .waitFor()
  await amal.page.waitForTimeout(1000)
  t.deepEqual(await looked(amal.page, 'two-unconfirmed'), [])
  await second.close()
})

test.serial(
  'the other organisation is away: it is said, what is written waits, and arrives by itself',
  async t => {
    await ministryServer.process.stop()
    await openRoom(amal.page)
    await write(amal.page, 'The second list follows.')
    await line(amal.page, 'second list').locator('.margin.sent').waitFor()
    await amal.page.locator('.standing.away').waitFor()
    t.deepEqual(await looked(amal.page, 'two-away'), [])
    await claire.page.getByText('No connection.').first().waitFor()
    await field(claire.page).waitFor()
    await write(claire.page, 'Written while we were cut off.')
    await claire.page.waitForTimeout(1000)
    await claire.page.screenshot({ path: join(pictures, 'two-cut-off.png') })
    await ministryServer.process.start()
    await line(claire.page, 'second list').waitFor()
    await line(amal.page, 'cut off').waitFor()
    await amal.page.locator('.standing').waitFor({ state: 'detached' })
    t.pass()
  },
)

test.serial(
  'a suspended organisation: both sides say what does not arrive, and it arrives afterwards',
  async t => {
    await clinicServer.admin('PUT', '/peers/ministry.example/suspended', { suspended: true })
    await amal.page.locator('.standing.suspended').waitFor()
    await write(amal.page, 'Only for ourselves, for now.')
    await line(amal.page, 'for now').locator('.margin.sent').waitFor()
    t.deepEqual(await looked(amal.page, 'two-suspended'), [])
    await write(claire.page, 'Are you there?')
    await claire.page.locator('.standing').waitFor()
    t.deepEqual(await looked(claire.page, 'two-suspended-there'), [])
    await clinicServer.admin('PUT', '/peers/ministry.example/suspended', { suspended: false })
    await line(claire.page, 'for now').waitFor()
    await line(amal.page, 'Are you there?').waitFor()
    await amal.page.locator('.standing').waitFor({ state: 'detached' })
    t.pass()
  },
)

test.serial('a server that one of the two does not know comes in: there the room stands still', async t => {
  const stranger = await FederationPeer.start('stranger.example', authority)
  t.teardown(() => stranger.close())
  await pinHomeserver(ministryServer, stranger, authority)
  const { page } = claire
  await page.evaluate(`location.hash = '#/new/room'`)
  await page.locator('.page-body input').first().fill('Flood plan')
  await page.getByRole('radio', { name: /Everybody on this server/ }).check()
  await page.locator('.picker input').fill('@amal:clinic.example')
  await page.locator('.picker-list button', { hasText: 'Amal Nasser' }).click()
  t.deepEqual(await looked(page, 'two-new-room-filled'), [])
  await page.getByRole('button', { name: 'Create room' }).click()
  await field(page).waitFor()
  await amal.page.locator('nav.list').getByText('Flood plan').first().click()
  await amal.page.getByRole('button', { name: 'Accept' }).click()
  await field(amal.page).waitFor()
  const roomId = decodeURIComponent(new URL(page.url()).hash.slice('#/room/'.length))
  await PeerRoom.join(stranger, ministryServer, roomId, `@zoe:${stranger.serverName}`)
  await amal.page.getByRole('heading', { name: 'This room stands still' }).waitFor()
  t.deepEqual(await looked(amal.page, 'two-standstill'), [])
  t.deepEqual(await looked(page, 'two-stranger-there'), [])
})

async function openRoom(page: Page): Promise<void> {
  await page.evaluate(`location.hash = '#/'`)
  await page.locator('nav.list').getByText('Winter supplies').first().click()
  await field(page).waitFor()
}
