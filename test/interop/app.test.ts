/**
 * The app in a real Chromium and matrix-js-sdk with the Rust crypto, on one real server, in one encrypted room.
 *
 * One story in order, each chapter a test: what a chapter leaves is what the next one begins with.
 */
import anyTest, { registerCompletionHandler, type TestFn } from 'ava'
import { Preset } from 'matrix-js-sdk'
import {
  VerificationPhase,
  type VerificationRequest,
  VerifierEvent,
} from 'matrix-js-sdk/lib/crypto-api/verification.js'
import type { Locator, Page } from 'playwright-core'
import { decodeQR } from 'qr/decode.js'
import { AppWorld, pictures } from '../e2e/app.ts'
import { field, write as send } from '../e2e/conversation.ts'
import type { Visitor } from '../support/visitor.ts'
import { SdkDevice, until } from './sdk-client.ts'

const test = anyTest as TestFn
const password = 'correct horse battery staple'
let world: AppWorld
let alice: Visitor
let aliceAgain: Visitor
let bob: SdkDevice
let roomId: string
const aliceId = '@alice:localhost'

// The SDK leaves timers behind, of minutes.
registerCompletionHandler(() => process.exit())

test.before(async () => {
  world = await AppWorld.open({ 'accounts.registration': 'open' })
})

test.after.always(async t => {
  bob?.stop()
  if (!t.passed) {
    await alice?.page.screenshot({ path: `${pictures}/interop-alice.png` })
    await aliceAgain?.page.screenshot({ path: `${pictures}/interop-alice-again.png` })
    t.log(alice?.complaints.slice(-10), aliceAgain?.complaints.slice(-10), bob?.complaints.slice(-20))
  }
  await world?.close()
})

test.serial('a message from the SDK is read in the app, and answered', async t => {
  alice = await world.enrolled('alice', 'Alice')
  bob = await new SdkDevice(world.server, await world.server.register('bob', password)).start()
  await bob.crypto.bootstrapCrossSigning({
    authUploadDeviceSigningKeys: async makeRequest => await makeRequest(null),
  })
  const { room_id } = await bob.client.createRoom({
    preset: Preset.TrustedPrivateChat,
    is_direct: true,
    invite: [aliceId],
    initial_state: [
      { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
    ],
  })
  roomId = room_id
  await enter(alice.page, roomId)
  await until(
    () => bob.client.getRoom(roomId)?.getMember(aliceId)?.membership === 'join',
    'Alice is in the room',
  )
  const asked = await bob.sendText(roomId, 'Is the letter ready?')
  await shows(alice.page, 'Is the letter ready?')
  await write(alice.page, 'It is — هو جاهز')
  const answer = await eventWith(bob, 'It is — هو جاهز')
  t.is(answer.getSender(), aliceId)
  t.true(answer.isEncrypted())
  t.truthy(asked)
})

test.serial('the SDK asks to verify: both show the same seven pictures, and it is done', async t => {
  const { page } = alice
  const request = await bob.crypto.requestVerificationDM(aliceId, roomId)
  await page.getByRole('button', { name: 'Begin' }).click()
  await until(() => request.phase === VerificationPhase.Ready, 'Alice accepts')
  await page.getByRole('button', { name: /pictures/i }).click()
  await compare(t, page, request)
  const status = await bob.crypto.getUserVerificationStatus(aliceId)
  t.true(status.isVerified())
  await goTo(page, `person/${encodeURIComponent(bob.userId)}`)
  await page.getByText('You compared it with').waitFor()
})

test.serial('the app asks to verify: both show the same seven pictures, and it is done', async t => {
  const { page } = alice
  const carol = await new SdkDevice(world.server, await world.server.register('carol', password)).start()
  t.teardown(() => carol.stop())
  await carol.crypto.bootstrapCrossSigning({
    authUploadDeviceSigningKeys: async makeRequest => await makeRequest(null),
  })
  const { room_id } = await carol.client.createRoom({
    preset: Preset.TrustedPrivateChat,
    is_direct: true,
    invite: [aliceId],
    initial_state: [
      { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
    ],
  })
  await enter(page, room_id)
  await until(
    () => carol.client.getRoom(room_id)?.getMember(aliceId)?.membership === 'join',
    'Alice is there',
  )
  await goTo(page, `person/${encodeURIComponent(carol.userId)}`)
  await page.getByRole('button', { name: /^Verify/ }).click()
  const request = await carol.verificationRequest()
  t.is(request.roomId, room_id)
  await request.accept()
  await page.getByRole('button', { name: /pictures/i }).click()
  await compare(t, page, request)
  t.true((await carol.crypto.getUserVerificationStatus(aliceId)).isVerified())
  await page.getByText('You compared it with').waitFor()
})

test.serial(
  'a code on the first device brings a second browser in, which reads what was written before',
  async t => {
    const { page } = alice
    await goTo(page, 'settings/devices')
    await page.getByRole('button', { name: 'Link a new device' }).click()
    const code = page.locator('dialog .qr-code svg')
    await code.waitFor()
    const url = await contentOf(code)
    t.true(url.startsWith(`${world.server.base}/link#`))

    aliceAgain = await world.visitor()
    await aliceAgain.page.goto(url)
    await aliceAgain.page.locator('.enter-acts button[type=submit]').click()
    await aliceAgain.page
      .getByRole('button', { name: /confirm/i })
      .first()
      .click()
    await aliceAgain.page.locator('nav.list').waitFor()
    await page.getByText('Both trust each other').waitFor()
    await page.screenshot({ path: `${pictures}/interop-linked.png` })
    await enter(aliceAgain.page, roomId)
    await shows(aliceAgain.page, 'Is the letter ready?')
    await shows(aliceAgain.page, 'It is — هو جاهز')
    await write(aliceAgain.page, 'From my other browser')
    await eventWith(bob, 'From my other browser')
    await bob.sendText(roomId, 'Received at both?')
    await shows(aliceAgain.page, 'Received at both?')
    t.is((await aliceAgain.credentials()).length, 1)
  },
)

test.serial(
  'the second device is shown as enrolled with its passkey, and the SDK finds it signed by its owner',
  async t => {
    const { page } = alice
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByText('Enrolled with passkey').waitFor()
    const devices = await bob.crypto.getUserDeviceInfo([aliceId], true)
    const ids = [...devices.get(aliceId)!.keys()]
    t.is(ids.length, 2)
    for (const id of ids) {
      t.true((await bob.crypto.getDeviceVerificationStatus(aliceId, id))?.isVerified(), id)
    }
    // Whoever was compared at one device is known at the other.
    await goTo(aliceAgain.page, `person/${encodeURIComponent(bob.userId)}`)
    await aliceAgain.page.getByText('You compared it with').waitFor()
  },
)

// ── steps ──────────────────────────────────────────────────────────────────────────────────────────

function goTo(page: Page, address: string): Promise<void> {
  return page.evaluate(to => {
    // biome-ignore lint/suspicious/noExplicitAny: the browser's own types are not those of this program
    ;(globalThis as any).location.hash = `#/${to}`
  }, address)
}

/** From the list, by the invitation where it still is one. */
async function enter(page: Page, id: string): Promise<void> {
  await goTo(page, '')
  await page.locator(`nav.list a[href*="${encodeURIComponent(id)}"]`).click()
  const composer = field(page)
  const accept = page.locator('.invitation-acts .main')
  await composer.or(accept).waitFor()
  if (await accept.isVisible()) await accept.click()
  await composer.waitFor()
}

async function write(page: Page, text: string): Promise<void> {
  await send(page, text)
  await shows(page, text)
}

async function shows(page: Page, text: string): Promise<void> {
  await page.locator('.timeline').getByText(text).first().waitFor()
}

/** The message as this device of the SDK reads it. */
async function eventWith(device: SdkDevice, text: string) {
  const found = () =>
    device.client
      .getRoom(roomId)
      ?.getLiveTimeline()
      .getEvents()
      .find(event => event.getContent()['body'] === text)
  await until(() => found() !== undefined, `${device.userId} reads “${text}”`)
  return found()!
}

/** Both look at what is shown, which must be the same, and say so. */
async function compare(
  t: import('ava').ExecutionContext,
  page: Page,
  request: VerificationRequest,
): Promise<void> {
  await until(() => request.verifier !== undefined, 'the pictures are on their way')
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>()
  const shown = new Promise<string[]>(show => {
    const onSas = (sas: { sas: { emoji?: [string, string][] }; confirm(): Promise<void> }) => {
      show((sas.sas.emoji ?? []).map(([picture]) => picture))
      sas.confirm().catch(reject)
    }
    request.verifier!.once(VerifierEvent.ShowSas, onSas)
    const already = request.verifier!.getShowSasCallbacks()
    if (already) onSas(already)
  })
  request.verifier!.verify().then(() => resolve(), reject)
  const rows = page.locator('.verification-pictures li span')
  await rows.first().waitFor()
  await page.screenshot({ path: `${pictures}/interop-compare.png` })
  const ours = await rows.allTextContents()
  t.is(ours.length, 7)
  t.deepEqual(ours.map(plain), (await shown).map(plain))
  await page.getByRole('button', { name: 'They are the same' }).click()
  await ended
  await until(() => request.phase === VerificationPhase.Done, 'both are done')
  await page.getByRole('button', { name: 'Done' }).click()
}

/** Some pictures are written with a variation selector, some without. */
function plain(picture: string): string {
  return picture.replaceAll('\ufe0f', '')
}

/** What a camera would read: the drawing's path holds its dark stretches. */
async function contentOf(svg: Locator): Promise<string> {
  const size = Number((await svg.getAttribute('viewBox'))!.split(' ')[2])
  const path = (await svg.locator('path').getAttribute('d'))!
  const scale = 4
  const width = size * scale
  const data = new Uint8ClampedArray(width * width * 4).fill(255)
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)/g)) {
    for (let row = Number(y) * scale; row < (Number(y) + 1) * scale; row++) {
      for (let column = Number(x) * scale; column < (Number(x) + Number(length)) * scale; column++) {
        data.fill(0, (row * width + column) * 4, (row * width + column) * 4 + 3)
      }
    }
  }
  return decodeQR({ data, width, height: width })
}
