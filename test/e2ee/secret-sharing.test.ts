import test from 'ava'
import type { JsonObject } from '#protocol/json.ts'
import { importCrossSigningSecret } from '../../pwa/e2ee/cross-signing.ts'
import { ready } from '../../pwa/e2ee/primitives.ts'
import {
  expireSecretRequests,
  receiveSecret,
  receiveSecretRequest,
  requestMissingSecrets,
  shouldRequestSecrets,
} from '../../pwa/e2ee/secret-sharing.ts'
import { readSecret } from '../../pwa/e2ee/secrets.ts'
import { alice, bob, Host, Person } from './identity-world.ts'

test.before(() => ready)

/** Alice's identity on a device that has its secrets, and a new verified one that lacks two of them. */
async function world() {
  const us = new Person(alice)
  const [old, fresh] = [new Host(alice, 'OLD'), new Host(alice, 'NEW')]
  const devices = [old, fresh].map(host => us.selfSigning.sign(host.deviceKeys, alice))
  for (const host of [old, fresh]) {
    await host.knows(alice, ...devices)
    await host.learns(us)
    const secret = us.master.toSecret()
    await host.run(step => importCrossSigningSecret(step, host, { name: 'm.cross_signing.master', secret }))
  }
  const secret = us.selfSigning.toSecret()
  await old.run(step => importCrossSigningSecret(step, old, { name: 'm.cross_signing.self_signing', secret }))
  fresh.sent.length = 0
  await fresh.run(step => requestMissingSecrets(step, fresh, ['OLD', 'OTHER']))
  const requests = fresh.take('to-device').map(({ body }) => {
    const messages = body['messages'] as Record<string, Record<string, JsonObject>>
    return messages[alice]!['OLD']!
  })
  return { us, old, fresh, requests, devices }
}

/** What leaves the device that was asked. */
async function ask(host: Host, content: JsonObject, sender = alice) {
  const answers: { deviceId: string; content: JsonObject }[] = []
  await host.run(step =>
    receiveSecretRequest(step, host, { sender, content }, async (_step, to, content) => {
      answers.push({ deviceId: to.deviceId, content })
    }),
  )
  return answers
}

const byName = (requests: JsonObject[], name: string) => requests.find(request => request['name'] === name)!

test('a verified device of ours is answered, and takes what makes our public key', async t => {
  const { us, old, fresh, requests } = await world()
  t.is(requests.length, 3)
  const request = byName(requests, 'm.cross_signing.self_signing')
  const [answer] = await ask(old, request)
  t.is(answer!.deviceId, 'NEW')
  await fresh.run(step =>
    receiveSecret(step, fresh, { sender: alice, deviceId: 'OLD', content: answer!.content }),
  )
  t.is(await fresh.run(step => readSecret(step, 'm.cross_signing.self_signing')), us.selfSigning.toSecret())
  // The others are told that it is over, and a second answer is one to no question.
  const [cancellation] = fresh.take('to-device')
  t.deepEqual(Object.keys((cancellation!.body['messages'] as Record<string, object>)[alice]!), ['OTHER'])
  await fresh.run(step =>
    receiveSecret(step, fresh, { sender: alice, deviceId: 'OLD', content: answer!.content }),
  )
  t.like(fresh.told.at(-1), { kind: 'refused', code: 'SECRET_UNSOLICITED' })
})

test('silence for a secret that is not here, for ourselves, for a cancellation, for other names', async t => {
  const { old, requests } = await world()
  const request = byName(requests, 'm.cross_signing.self_signing')
  t.deepEqual(await ask(old, byName(requests, 'm.cross_signing.user_signing')), [])
  t.deepEqual(await ask(old, { ...request, requesting_device_id: 'OLD' }), [])
  t.deepEqual(await ask(old, { ...request, action: 'request_cancellation' }), [])
  t.deepEqual(await ask(old, { ...request, name: 'constructor' }), [])
})

test('another person, an unsigned and an unknown device of ours get nothing', async t => {
  const { old, requests, devices } = await world()
  const request = byName(requests, 'm.cross_signing.self_signing')
  await old.knows(alice, ...devices, new Host(alice, 'MALLORY').deviceKeys)
  for (const [content, sender] of [
    [{ ...request, requesting_device_id: 'MALLORY' }, alice],
    [{ ...request, requesting_device_id: 'NOBODY' }, alice],
    [request, bob],
  ] as const) {
    t.deepEqual(await ask(old, content, sender), [])
    t.like(old.told.at(-1), { kind: 'refused', code: 'SECRET_REQUEST_NOT_VERIFIED' })
  }
})

test('while our own identity is unverified, nobody is given a secret', async t => {
  const { old, requests } = await world()
  const record = old.records.get(`identity\n${alice}`)!
  await old.run(step => step.put('identity', alice, { ...record, verifiedKey: null }))
  t.deepEqual(await ask(old, byName(requests, 'm.cross_signing.self_signing')), [])
})

test('a secret from a device that was not asked, of another person, too late or wrong is refused', async t => {
  const { us, fresh, requests } = await world()
  const { request_id } = byName(requests, 'm.cross_signing.self_signing')
  const content = { request_id, secret: us.selfSigning.toSecret() } as JsonObject
  const give = (event: { sender?: string; deviceId?: string; content?: JsonObject }) =>
    fresh.run(step => receiveSecret(step, fresh, { sender: alice, deviceId: 'OLD', content, ...event }))
  const refused = async (event: Parameters<typeof give>[0], code: string) => {
    await give(event)
    t.like(fresh.told.at(-1), { kind: 'refused', code })
  }
  await refused({ deviceId: 'THIRD' }, 'SECRET_UNSOLICITED')
  await refused({ deviceId: 'OTHER' }, 'SECRET_NOT_VERIFIED')
  await refused({ sender: bob }, 'SECRET_NOT_VERIFIED')
  await refused({ content: { ...content, request_id: 'x' } }, 'SECRET_UNSOLICITED')
  await refused({ content: { request_id } as JsonObject }, 'SECRET_MALFORMED')
  await t.throwsAsync(give({ content: { ...content, secret: us.master.toSecret() } }), {
    code: 'SECRET_MISMATCH',
  })
  fresh.now += 25 * 3_600_000
  await refused({}, 'SECRET_UNSOLICITED')
  t.is(await fresh.run(step => readSecret(step, 'm.cross_signing.self_signing')), null)
  await fresh.run(step => expireSecretRequests(step, fresh))
  t.deepEqual(await fresh.run(step => step.entries('key-request')), [])
})

test('a device asks once its identity is verified and while something is missing', async t => {
  const { fresh } = await world()
  t.true(await fresh.run(step => shouldRequestSecrets(step, fresh)))
  const whole = await new Host(bob, 'B').withIdentity()
  t.false(await whole.run(step => shouldRequestSecrets(step, whole)))
  t.false(await whole.run(step => shouldRequestSecrets(step, new Host('@nobody:letro.test', 'X'))))
})
