/**
 * Our routes under clients of another make: the Rust implementation's `OlmMachine` signs, uploads, asks, claims and
 * decrypts. What it accepts is canonical JSON and Ed25519 as everybody else understands them.
 */
import { randomUUID } from 'node:crypto'
import {
  DecryptionSettings,
  DeviceLists,
  EncryptionSettings,
  initAsync,
  OlmMachine,
  RequestType,
  DeviceId as RustDeviceId,
  RoomId as RustRoomId,
  UserId as RustUserId,
  TrustRequirement,
} from '@matrix-org/matrix-sdk-crypto-wasm'
import test from 'ava'
import { crossSigningRoutes } from '../../server/client-api/cross-signing.ts'
import { keysRoutes } from '../../server/client-api/keys.ts'
import { toDeviceRoutes } from '../../server/client-api/to-device.ts'
import type { Step } from '../../server/http/route.ts'
import type { UserId } from '../../server/protocol/ids.ts'
import type { Position } from '../../server/store/store.ts'
import { startHttp } from '../support/http.ts'
import { alice, bob, type Directory, device, openDirectory } from './people.ts'

/** One request of the machine, as far as we send it. */
interface Outgoing {
  readonly id?: string
  readonly type?: RequestType
  readonly body: string
  readonly event_type?: string
  readonly txn_id?: string
}

const paths: Partial<Record<RequestType, string>> = {
  [RequestType.KeysUpload]: '/keys/upload',
  [RequestType.KeysQuery]: '/keys/query',
  [RequestType.KeysClaim]: '/keys/claim',
  [RequestType.SignatureUpload]: '/keys/signatures/upload',
}

async function start(t: { teardown(fn: () => Promise<void>): void }) {
  await initAsync()
  const directory = await openDirectory()
  const readToken = (token: string) => {
    const [userId, deviceId] = token.split('|')
    return {
      kind: 'valid',
      requester: { userId: userId as UserId, deviceId: device(deviceId!), kind: 'member', tokenHash: token },
      standing: 'good',
    } as const
  }
  const never: Step = () => Promise.reject(new Error('no further authentication was expected'))
  const deps = { accounts: { readToken }, keys: directory.keys }
  const http = await startHttp([
    ...keysRoutes({ ...deps, positionOf: token => Number(token) as Position }),
    ...crossSigningRoutes({ ...deps, requireInteractiveAuth: never }),
    ...toDeviceRoutes(deps),
  ])
  t.teardown(() => http.close())
  const client = async (userId: UserId, deviceId: string) => {
    directory.devices.add(userId, device(deviceId))
    const machine = await OlmMachine.initialize(new RustUserId(userId), new RustDeviceId(deviceId))
    const token = `${userId}|${deviceId}`
    const call = async (method: string, path: string, body: string): Promise<string> => {
      const answer = await http.call(method, `/_matrix/client/v3${path}`, { token, body })
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
      return JSON.stringify(answer.body)
    }
    const send = async (request: Outgoing): Promise<string> => {
      const { type, id } = request
      const answer =
        type === RequestType.ToDevice
          ? await call('PUT', `/sendToDevice/${request.event_type}/${request.txn_id}`, request.body)
          : await call('POST', paths[type!]!, request.body)
      if (id !== undefined) await machine.markRequestAsSent(id, type!, answer)
      return answer
    }
    const settle = async () => {
      for (const request of await machine.outgoingRequests()) await send(request as unknown as Outgoing)
    }
    return { machine, call, send, settle, userId, deviceId: device(deviceId) }
  }
  return { directory, client }
}

type Client = Awaited<ReturnType<Awaited<ReturnType<typeof start>>['client']>>

/** What `/sync` would bring about keys. */
async function receive({ keys, store }: Directory, { machine, userId, deviceId }: Client): Promise<number> {
  const { events } = await keys.toDevice(userId, deviceId, 0 as Position, store.durablePosition)
  const { counts, unusedFallback } = await keys.keyCounts(userId, deviceId)
  await machine.receiveSyncChanges(
    JSON.stringify(events),
    new DeviceLists(),
    new Map(Object.entries(counts)),
    new Set(unusedFallback),
    new DecryptionSettings(TrustRequirement.Untrusted),
  )
  await keys.acknowledge(userId, deviceId, store.durablePosition)
  return events.length
}

test('an OlmMachine publishes its keys, and another one believes what it is told of them', async t => {
  const { directory, client } = await start(t)
  const [a, b] = [await client(alice, 'AAAAAAAAAA'), await client(bob, 'BBBBBBBBBB')]
  for (const one of [a, b]) await one.settle()
  const counts = await directory.keys.keyCounts(bob, b.deviceId)
  t.true(counts.counts['signed_curve25519']! >= 50)
  // That the server knows fallback keys, a client learns from its first sync.
  await receive(directory, b)
  await b.settle()
  t.deepEqual((await directory.keys.keyCounts(bob, b.deviceId)).unusedFallback, ['signed_curve25519'])

  await a.machine.updateTrackedUsers([new RustUserId(bob)])
  await a.settle()
  const seen = await a.machine.getDevice(new RustUserId(bob), new RustDeviceId(b.deviceId))
  t.is(seen?.ed25519Key?.toBase64(), b.machine.identityKeys.ed25519.toBase64())
})

test('two OlmMachines share a room key over our one-time keys and inboxes, and a message is read', async t => {
  const { directory, client } = await start(t)
  const [a, b] = [await client(alice, 'AAAAAAAAAA'), await client(bob, 'BBBBBBBBBB')]
  for (const one of [a, b]) await one.settle()
  const room = '!room:letro.test'
  await a.machine.updateTrackedUsers([new RustUserId(bob)])
  await a.settle()
  const claim = await a.machine.getMissingSessions([new RustUserId(bob)])
  t.truthy(claim)
  const before = (await directory.keys.keyCounts(bob, b.deviceId)).counts['signed_curve25519']!
  await a.send(claim as unknown as Outgoing)
  t.is((await directory.keys.keyCounts(bob, b.deviceId)).counts['signed_curve25519'], before - 1)
  const shares = await a.machine.shareRoomKey(
    new RustRoomId(room),
    [new RustUserId(bob)],
    new EncryptionSettings(),
  )
  t.true(shares.length > 0)
  for (const share of shares) await a.send(share as unknown as Outgoing)
  const content = JSON.parse(
    await a.machine.encryptRoomEvent(
      new RustRoomId(room),
      'm.room.message',
      JSON.stringify({ body: 'hello' }),
    ),
  )
  t.is(await receive(directory, b), 1)
  const event = {
    event_id: `$${randomUUID()}`,
    origin_server_ts: Date.now(),
    sender: alice,
    type: 'm.room.encrypted',
    room_id: room,
    content,
    unsigned: {},
  }
  const decrypted = await b.machine.decryptRoomEvent(
    JSON.stringify(event),
    new RustRoomId(room),
    new DecryptionSettings(TrustRequirement.Untrusted),
  )
  t.like(JSON.parse(decrypted.event), { type: 'm.room.message', content: { body: 'hello' } })
  // Acknowledged, it does not come a second time.
  t.is(await receive(directory, b), 0)
})

test('an OlmMachine sets up cross-signing; another one sees the device as signed by its owner', async t => {
  const { client } = await start(t)
  const [a, b] = [await client(alice, 'AAAAAAAAAA'), await client(bob, 'BBBBBBBBBB')]
  await b.settle()
  const bootstrap = await a.machine.bootstrapCrossSigning(true)
  await a.send(bootstrap.uploadKeysRequest as Outgoing)
  const uploadKeys = () =>
    a.call('POST', '/keys/device_signing/upload', bootstrap.uploadSigningKeysRequest.body)
  await uploadKeys()
  await uploadKeys()
  const answer = await a.send(bootstrap.uploadSignaturesRequest as unknown as Outgoing)
  t.deepEqual(JSON.parse(answer), { failures: {} })

  await b.machine.updateTrackedUsers([new RustUserId(alice)])
  await b.settle()
  const device = await b.machine.getDevice(new RustUserId(alice), new RustDeviceId(a.deviceId))
  t.true(device?.isCrossSignedByOwner())
})
