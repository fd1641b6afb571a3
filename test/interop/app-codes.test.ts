/** Verification by code between the app in a real Chromium and matrix-js-sdk with the Rust crypto, both ways round. */
import { mkdirSync } from 'node:fs'
import anyTest, { registerCompletionHandler, type TestFn } from 'ava'
import { Preset } from 'matrix-js-sdk'
import {
  VerificationPhase,
  type VerificationRequest,
  type Verifier,
  VerifierEvent,
} from 'matrix-js-sdk/lib/crypto-api/verification.js'
import { AppWorld, pictures } from '../e2e/app.ts'
import { Camera } from '../e2e/camera.ts'
import { field } from '../e2e/conversation.ts'
import { readShownBytes } from '../e2e/shown-code.ts'
import type { Visitor } from '../support/visitor.ts'
import { SdkDevice, until } from './sdk-client.ts'

const test = anyTest as TestFn
const aliceId = '@alice:localhost'
let world: AppWorld
let camera: Camera
/** In the app, at a browser with a camera. */
let alice: Visitor

// The SDK leaves timers behind, of minutes.
registerCompletionHandler(() => process.exit())

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  world = await AppWorld.open({ 'accounts.registration': 'open' })
  camera = await Camera.open()
  alice = await world.enrolled('alice', 'Alice', {
    browser: camera.browser,
    context: { permissions: ['camera'] },
  })
})
test.after.always(async t => {
  if (!t.passed) await alice?.page.screenshot({ path: `${pictures}/interop-codes.png` })
  await camera?.close()
  await world?.close()
})

test.serial('the app scans the code that the SDK shows: each has verified the other', async t => {
  const { page } = alice
  const { bob, roomId } = await meet('bob')
  const request = await bob.crypto.requestVerificationDM(aliceId, roomId)
  await page.getByRole('button', { name: 'Begin' }).click()
  await until(() => request.phase === VerificationPhase.Ready, 'Alice accepts')
  await camera.seeCode(Uint8Array.from((await request.generateQRCode())!))
  await page.getByRole('button', { name: 'Scan their code' }).click()
  await page.getByRole('heading', { name: 'The code is right' }).waitFor()
  await until(() => request.verifier !== undefined, 'the SDK hears that it was scanned')
  await confirmed(request.verifier!)
  await page.getByText('You are talking with').waitFor()
  await bothKnow(bob, request)
  t.pass()
  bob.stop()
})

test.serial('the SDK scans the code that the app shows: each has verified the other', async t => {
  const { page } = alice
  const { bob: carol } = await meet('carol')
  await goTo(`person/${encodeURIComponent(carol.userId)}`)
  await page.getByRole('button', { name: /^Verify/ }).click()
  const request = await carol.verificationRequest()
  await request.accept()
  const verifier = await request.scanQRCode(Uint8ClampedArray.from(await readShownBytes(page)))
  const verified = verifier.verify()
  await page.getByRole('button', { name: 'Yes, it does' }).click()
  await verified
  await page.getByText('You are talking with').waitFor()
  await bothKnow(carol, request)
  t.pass()
  carol.stop()
})

test.serial('a code of another SDK device is not taken, and the SDK hears why', async t => {
  const { page } = alice
  const { bob: dave, roomId } = await meet('dave')
  const request = await dave.crypto.requestVerificationDM(aliceId, roomId)
  await page.getByRole('button', { name: 'Begin' }).click()
  await until(() => request.phase === VerificationPhase.Ready, 'Alice accepts')
  const code = Uint8Array.from((await request.generateQRCode())!)
  // The first of the two keys, which is Dave's own: see client-server-api#qr-code-format.
  const flowIdBytes = code[8]! * 256 + code[9]!
  code[10 + flowIdBytes] = code[10 + flowIdBytes]! ^ 1
  await camera.seeCode(code)
  await page.getByRole('button', { name: 'Scan their code' }).click()
  await page.getByText('The code does not fit').waitFor()
  await until(() => request.phase === VerificationPhase.Cancelled, 'the SDK is told')
  t.is(request.cancellationCode, 'm.key_mismatch')
  t.false((await dave.crypto.getUserVerificationStatus(aliceId)).isVerified())
  dave.stop()
})

/** Somebody at the SDK, with an identity, in an encrypted chat with Alice. */
async function meet(name: string): Promise<{ bob: SdkDevice; roomId: string }> {
  const { page } = alice
  const session = await world.server.register(name, 'correct horse battery staple')
  const bob = await new SdkDevice(world.server, session).start()
  await bob.crypto.bootstrapCrossSigning({
    authUploadDeviceSigningKeys: async makeRequest => await makeRequest(null),
  })
  const { room_id: roomId } = await bob.client.createRoom({
    preset: Preset.TrustedPrivateChat,
    is_direct: true,
    invite: [aliceId],
    initial_state: [
      { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
    ],
  })
  await goTo('')
  await page.locator(`nav.list a[href*="${encodeURIComponent(roomId)}"]`).click()
  await page.locator('.invitation-acts .main').click()
  await field(page).waitFor()
  const isThere = () => bob.client.getRoom(roomId)?.getMember(aliceId)?.membership === 'join'
  await until(isThere, 'Alice is in the room')
  return { bob, roomId }
}

async function goTo(address: string): Promise<void> {
  await alice.page.evaluate(`location.hash = ${JSON.stringify(`#/${address}`)}`)
}

/** Its person says that the other device shows a tick. */
async function confirmed(verifier: Verifier): Promise<void> {
  const asked = new Promise<void>(resolve => {
    const answer = (callbacks: { confirm(): void }) => {
      callbacks.confirm()
      resolve()
    }
    verifier.once(VerifierEvent.ShowReciprocateQr, answer)
    const already = verifier.getReciprocateQrCodeCallbacks()
    if (already) answer(already)
  })
  await Promise.all([verifier.verify(), asked])
}

async function bothKnow(other: SdkDevice, request: VerificationRequest): Promise<void> {
  const { page } = alice
  await until(() => request.phase === VerificationPhase.Done, 'both are done')
  await page.getByRole('button', { name: 'Done' }).click()
  // The SDK knows it when the server has given it its own signature back.
  await until(
    async () => (await other.crypto.getUserVerificationStatus(aliceId)).isVerified(),
    `${other.userId} has verified Alice`,
  )
  await goTo(`person/${encodeURIComponent(other.userId)}`)
  await page.getByText('You compared it with').waitFor()
}
