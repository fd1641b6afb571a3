import test from 'ava'
import { encodeBase64 } from '#protocol/base64.ts'
import type { JsonObject } from '#protocol/json.ts'
import { importCrossSigningSecret, signOwnDevice, verifyIdentity } from '../../pwa/e2ee/cross-signing.ts'
import { readIdentity } from '../../pwa/e2ee/identity.ts'
import type { OlmPayload } from '../../pwa/e2ee/olm-channel.ts'
import { ready } from '../../pwa/e2ee/primitives.ts'
import {
  expireSecretRequests,
  receiveSecret,
  receiveSecretRequest,
  requestMissingSecrets,
  shouldRequestSecrets,
} from '../../pwa/e2ee/secret-sharing.ts'
import { readSecret } from '../../pwa/e2ee/secrets.ts'
import { Hub, OurDevice } from './hub.ts'
import { alice, bob, Host, Person } from './identity-world.ts'

test.before(() => ready)

/** Alice's first device, with her secrets, and a second one that she compared it with, all at one server. */
async function atServer() {
  const hub = new Hub()
  const old = await OurDevice.open(hub, alice, 'OLD')
  await hub.settle()
  await old.bootstrap()
  const fresh = await OurDevice.open(hub, alice, 'NEW')
  await hub.settle()
  await old.machine.run((step, context) => signOwnDevice(step, context, 'NEW'))
  await fresh.machine.run(async (step, context) => {
    const { masterKey } = (await readIdentity(step, alice))!
    await verifyIdentity(step, context, { userId: alice, masterKey })
  })
  await hub.settle()
  return { hub, old, fresh }
}

test('a verified device asks another and has the secrets, though they had no session', async t => {
  const { hub, old, fresh } = await atServer()
  const secrets = (device: OurDevice) =>
    device.machine.run(async step => [
      await readSecret(step, 'm.cross_signing.master'),
      await readSecret(step, 'm.cross_signing.self_signing'),
      await readSecret(step, 'm.cross_signing.user_signing'),
    ])
  t.deepEqual(await secrets(fresh), [null, null, null])
  await fresh.machine.run((step, context) => requestMissingSecrets(step, context, ['OLD']))
  await hub.settle()
  t.deepEqual(await secrets(fresh), await secrets(old))
  // Nothing that was sent in the clear holds one.
  const secret = (await secrets(old))[0]!
  t.false(JSON.stringify(hub.log).includes(secret))
})

test('a device that is not verified any more when the session comes gets nothing', async t => {
  const { hub, old, fresh } = await atServer()
  await fresh.machine.run((step, context) => requestMissingSecrets(step, context, ['OLD']))
  for (const request of fresh.machine.outgoingRequests()) await fresh.answer(request)
  await old.machine.receiveSync({ toDevice: hub.sync(old).toDevice })
  // The answer waits for an Olm session. In the meantime our identity is another one.
  await old.machine.run(async step => {
    const record = (await step.get('identity', alice))!
    step.put('identity', alice, { ...record, verifiedKey: null })
  })
  await hub.settle()
  t.is(await fresh.machine.run(step => readSecret(step, 'm.cross_signing.master')), null)
})

test('a secret in the clear is refused', async t => {
  const { hub, fresh } = await atServer()
  hub.deliver(`${alice} NEW`, { sender: alice, type: 'm.secret.send', content: {} })
  await hub.settle()
  t.true(fresh.refusals.includes('NOT_ENCRYPTED'))
})

/** Alice's identity on a new verified device that asked for what it lacks; the test makes the answers. */
async function asking() {
  const us = new Person(alice)
  const [old, fresh] = [new Host(alice, 'OLD'), new Host(alice, 'NEW')]
  const third = new Host(alice, 'THIRD')
  const unsigned = new Host(alice, 'OTHER')
  const devices = [old, fresh, third].map(host => us.selfSigning.sign(host.deviceKeys, alice))
  await fresh.knows(alice, ...devices, unsigned.deviceKeys)
  await fresh.learns(us)
  const secret = us.master.toSecret()
  await fresh.run(step => importCrossSigningSecret(step, fresh, { name: 'm.cross_signing.master', secret }))
  fresh.sent.length = 0
  await fresh.run(step => requestMissingSecrets(step, fresh, ['OLD', 'OTHER']))
  const requests = fresh.take('to-device').map(({ body }) => {
    const messages = body['messages'] as Record<string, Record<string, JsonObject>>
    return messages[alice]!['OLD']!
  })
  const request = requests.find(({ name }) => name === 'm.cross_signing.self_signing')!
  const content = { request_id: request['request_id']!, secret: us.selfSigning.toSecret() }
  const give = (from: Host, more: JsonObject = {}, sender = alice) => {
    const payload: OlmPayload = {
      type: 'm.secret.send',
      content: { ...content, ...more },
      sender,
      senderCurve25519Key: from.account.curve25519Key,
      senderEd25519Key: from.account.ed25519Key,
      senderDeviceKeys: null,
    }
    return fresh.run(step => receiveSecret(step, fresh, payload))
  }
  return { us, old, fresh, third, unsigned, requests, give }
}

test('what a verified device that we asked answers is taken, once; the others are told', async t => {
  const { us, old, fresh, requests, give } = await asking()
  t.is(requests.length, 4)
  await give(old)
  const held = await fresh.run(step => readSecret(step, 'm.cross_signing.self_signing'))
  t.is(held, us.selfSigning.toSecret())
  const cancellation = fresh.take('to-device').find(({ eventType }) => eventType === 'm.secret.request')!
  t.deepEqual(Object.keys((cancellation.body['messages'] as Record<string, object>)[alice]!), ['OTHER'])
  await t.throwsAsync(give(old), { code: 'SECRET_UNSOLICITED' })
})

test('a secret of another device or person, unasked, too late or wrong is refused and changes nothing', async t => {
  const { us, old, fresh, third, unsigned, give } = await asking()
  const before = JSON.stringify([...fresh.records])
  await t.throwsAsync(give(unsigned), { code: 'SECRET_NOT_VERIFIED' })
  // Verified, but not asked.
  await t.throwsAsync(give(third), { code: 'SECRET_UNSOLICITED' })
  // A device id is only a word: the keys of the session say who it is.
  await t.throwsAsync(give(new Host(alice, 'OLD')), { code: 'SECRET_NOT_VERIFIED' })
  await t.throwsAsync(give(old, {}, bob), { code: 'SECRET_NOT_VERIFIED' })
  await t.throwsAsync(give(fresh), { code: 'SECRET_NOT_VERIFIED' })
  await t.throwsAsync(give(old, { request_id: 'x' }), { code: 'SECRET_UNSOLICITED' })
  await t.throwsAsync(give(old, { secret: undefined }), { code: 'SECRET_MALFORMED' })
  await t.throwsAsync(give(old, { secret: us.master.toSecret() }), { code: 'SECRET_MISMATCH' })
  await t.throwsAsync(give(old, { secret: encodeBase64(new Uint8Array(31)) }), { code: 'SECRET_BAD_LENGTH' })
  fresh.now += 25 * 3_600_000
  await t.throwsAsync(give(old), { code: 'SECRET_UNSOLICITED' })
  t.is(JSON.stringify([...fresh.records]), before)
  await fresh.run(step => expireSecretRequests(step, fresh))
  t.deepEqual(await fresh.run(step => step.entries('key-request')), [])
})

test('another person, an unsigned and an unknown device of ours get nothing', async t => {
  const host = await new Host(alice, 'A').withIdentity()
  const devices = host.records.get(`device-list\n${alice}`)!['devices'] as JsonObject
  await host.knows(alice, devices['A'] as JsonObject, new Host(alice, 'MALLORY').deviceKeys)
  const ask = (content: JsonObject, sender = alice) =>
    host.run(step =>
      receiveSecretRequest(step, host, sender, {
        action: 'request',
        request_id: 'x',
        name: 'm.cross_signing.master',
        ...content,
      }),
    )
  const code = 'SECRET_REQUEST_NOT_VERIFIED'
  await t.throwsAsync(ask({ requesting_device_id: 'MALLORY' }), { code })
  await t.throwsAsync(ask({ requesting_device_id: 'NOBODY' }), { code })
  await t.throwsAsync(ask({ requesting_device_id: 'A' }, bob), { code })
  // Silence for ourselves, for a cancellation, for what is malformed.
  host.sent.length = 0
  await ask({ requesting_device_id: 'A' })
  await ask({ requesting_device_id: 'MALLORY', action: 'request_cancellation' })
  await ask({ requesting_device_id: 7 })
  t.deepEqual(host.sent, [])
})

test('a device asks once its identity is verified and while something is missing', async t => {
  const { fresh } = await asking()
  t.true(await fresh.run(step => shouldRequestSecrets(step, fresh)))
  const whole = await new Host(bob, 'B').withIdentity()
  t.false(await whole.run(step => shouldRequestSecrets(step, whole)))
  t.false(await whole.run(step => shouldRequestSecrets(step, new Host('@nobody:letro.test', 'X'))))
})
