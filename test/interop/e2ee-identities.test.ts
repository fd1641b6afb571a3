/**
 * Identities against other implementations, in both directions: the Rust engine's `OlmMachine` (cross-signing, SAS, QR,
 * key backup) and matrix-js-sdk (secret storage, recovery keys).
 */
import {
  BackupDecryptionKey,
  DecryptionSettings,
  DeviceLists,
  EncryptionSettings,
  initAsync,
  OlmMachine,
  type OtherUserIdentity,
  type OwnUserIdentity,
  type Qr,
  QrCodeScan,
  RequestType,
  DeviceId as RustDeviceId,
  EventId as RustEventId,
  RoomId as RustRoomId,
  UserId as RustUserId,
  type Sas,
  TrustRequirement,
  VerificationMethod,
  type VerificationRequest,
} from '@matrix-org/matrix-sdk-crypto-wasm'
import test from 'ava'
import { decodeRecoveryKey, encodeRecoveryKey as sdkRecoveryKey } from 'matrix-js-sdk/lib/crypto-api/index.js'
import { ServerSideSecretStorageImpl } from 'matrix-js-sdk/lib/secret-storage.js'
import type { JsonObject } from '#protocol/json.ts'
import { restoreBackup } from '../../pwa/e2ee/backup-restore.ts'
import { bootstrapCrossSigning, deviceTrust, signOwnDevice } from '../../pwa/e2ee/cross-signing.ts'
import { encryptForBackup } from '../../pwa/e2ee/ecies-backup.ts'
import { readIdentity, standingOf } from '../../pwa/e2ee/identity.ts'
import { backUpNextBatch, createBackup, receiveBackupInfo } from '../../pwa/e2ee/key-backup.ts'
import { decodeSecret, randomBytes, ready } from '../../pwa/e2ee/primitives.ts'
import type { Step } from '../../pwa/e2ee/records.ts'
import { keepSession, readSession } from '../../pwa/e2ee/room-sessions.ts'
import {
  encodeRecoveryKey,
  keyFromPassphrase,
  keyFromRecoveryKey,
  newKeyFromPassphrase,
  openSecrets,
  parseRecoveryKey,
  StorageKey,
  storeSecrets,
} from '../../pwa/e2ee/secret-storage.ts'
import { readSecret } from '../../pwa/e2ee/secrets.ts'
import {
  acceptVerification,
  confirmSas,
  confirmScanned,
  qrCodeOf,
  requestVerification,
  scanQrCode,
  startSas,
} from '../../pwa/e2ee/verification/flow.ts'
import { readVerification } from '../../pwa/e2ee/verification/flow-record.ts'
import { Hub, OurDevice, RustDevice } from '../e2ee/hub.ts'
import { alice, bob, Host } from '../e2ee/identity-world.ts'
import {
  type Client,
  KeyServer,
  OurClient,
  type RoomEvent,
  settle,
  type ToDevice,
} from '../e2ee/key-server.ts'

test.before(async () => {
  await ready
  await initAsync()
})

interface Outgoing {
  readonly id?: string
  readonly type?: RequestType
  readonly body: string
  readonly event_type?: string
  readonly room_id?: string
}

const verificationMethods = [
  VerificationMethod.SasV1,
  VerificationMethod.QrCodeShowV1,
  VerificationMethod.QrCodeScanV1,
  VerificationMethod.ReciprocateV1,
]

/** An OlmMachine on the server. */
class Rust implements Client {
  readonly userId: string
  readonly deviceId: string
  readonly machine: OlmMachine
  readonly server: KeyServer
  request: VerificationRequest | undefined

  private constructor(server: KeyServer, machine: OlmMachine) {
    this.server = server
    this.machine = machine
    this.userId = machine.userId.toString()
    this.deviceId = machine.deviceId.toString()
    server.clients.push(this)
  }

  static async start(server: KeyServer, userId: string, deviceId: string): Promise<Rust> {
    const machine = await OlmMachine.initialize(new RustUserId(userId), new RustDeviceId(deviceId))
    const rust = new Rust(server, machine)
    await rust.flush()
    return rust
  }

  async flush(): Promise<void> {
    for (const request of await this.machine.outgoingRequests())
      await this.send(request as unknown as Outgoing)
  }

  async send(request: Outgoing | undefined): Promise<string> {
    if (!request) throw new Error('the machine had nothing to send')
    const { server } = this
    const body = JSON.parse(request.body)
    let answer: JsonObject = {}
    switch (request.type) {
      case RequestType.KeysUpload:
        if (body.device_keys) server.uploadDevice(body.device_keys)
        answer = { one_time_key_counts: { signed_curve25519: 50 } }
        break
      case RequestType.KeysQuery:
        answer = server.query(this.userId, Object.keys(body.device_keys))
        break
      case RequestType.KeysClaim:
        // Nobody has one-time keys here: the engines' Olm is tested elsewhere.
        answer = { one_time_keys: {}, failures: {} }
        break
      case RequestType.SignatureUpload:
        server.uploadSignatures(body)
        answer = { failures: {} }
        break
      case RequestType.ToDevice:
        server.sendToDevice(this.userId, request.event_type!, body.messages)
        break
      case RequestType.RoomMessage:
        answer = { event_id: server.sendToRoom(this.userId, request.event_type!, body) }
        break
      default:
        break
    }
    const text = JSON.stringify(answer)
    if (request.id !== undefined) await this.machine.markRequestAsSent(request.id, request.type!, text)
    return text
  }

  async bootstrap(): Promise<void> {
    const requests = await this.machine.bootstrapCrossSigning(true)
    this.server.uploadIdentity(this.userId, JSON.parse(requests.uploadSigningKeysRequest.body))
    await this.send(requests.uploadSignaturesRequest as unknown as Outgoing)
  }

  async learn(): Promise<void> {
    const users = [alice, bob].map(user => new RustUserId(user))
    await this.machine.updateTrackedUsers(users)
    const query = this.machine.queryKeysForUsers([alice, bob].map(user => new RustUserId(user)))
    await this.send(query as unknown as Outgoing)
    await this.flush()
  }

  async receive(events: readonly ToDevice[]): Promise<void> {
    await this.machine.receiveSyncChanges(
      JSON.stringify(events),
      new DeviceLists(),
      new Map([['signed_curve25519', 50]]),
      new Set(['signed_curve25519']),
      new DecryptionSettings(TrustRequirement.Untrusted),
    )
    await this.flush()
    const request = events.find(({ type }) => type === 'm.key.verification.request')
    if (request) this.#find(request.sender, request.content['transaction_id'] as string)
  }

  async receiveRoom(event: RoomEvent): Promise<void> {
    if (event.sender === this.userId) return
    await this.machine.receiveVerificationEvent(
      JSON.stringify({ unsigned: {}, ...event }),
      new RustRoomId(event.room_id),
    )
    await this.flush()
    if (event.content['msgtype'] === 'm.key.verification.request') this.#find(event.sender, event.event_id)
  }

  #find(sender: string, flowId: string): void {
    this.request = this.machine.getVerificationRequest(new RustUserId(sender), flowId)
  }

  async accept(): Promise<void> {
    await this.send(this.request!.acceptWithMethods(verificationMethods) as unknown as Outgoing)
  }

  get sas(): Sas {
    return this.request!.getVerification() as Sas
  }

  get qr(): Qr {
    return this.request!.getVerification() as Qr
  }

  async confirm(): Promise<void> {
    for (const request of await this.sas.confirm()) await this.send(request as unknown as Outgoing)
  }

  async isVerified(userId: string): Promise<boolean> {
    const identity = (await this.machine.getIdentity(new RustUserId(userId))) as
      | OwnUserIdentity
      | OtherUserIdentity
    return identity.isVerified()
  }

  /** Asks in the room. */
  async requestInRoom(userId: string): Promise<void> {
    const identity = (await this.machine.getIdentity(new RustUserId(userId))) as OtherUserIdentity
    const content = JSON.parse(identity.verificationRequestContent(verificationMethods))
    const eventId = this.server.sendToRoom(this.userId, 'm.room.message', content)
    this.request = identity.requestVerification(
      new RustRoomId(this.server.room),
      new RustEventId(eventId),
      verificationMethods,
    )
  }

  /** Asks our other devices. */
  async requestSelf(): Promise<void> {
    const identity = (await this.machine.getIdentity(new RustUserId(this.userId))) as OwnUserIdentity
    const [request, outgoing] = await identity.requestVerification(verificationMethods)
    this.request = request
    await this.send(outgoing as unknown as Outgoing)
  }
}

async function ours(server: KeyServer, userId: string, deviceId: string, identity: boolean) {
  const host = new Host(userId, deviceId)
  const client = new OurClient(server, host)
  if (identity) {
    await host.knows(userId, host.deviceKeys)
    await host.run(step => bootstrapCrossSigning(step, host))
    await host.run(step => signOwnDevice(step, host, deviceId))
    await client.flush()
  }
  return client
}

async function act(client: OurClient, work: (step: Step, host: Host) => Promise<unknown>): Promise<void> {
  await client.host.run(step => work(step, client.host))
  await client.flush()
}

const view = async (client: OurClient) =>
  (await client.host.run(step => readVerification(step, client.flowId)))!

/** Alice is ours, Bob is theirs. */
async function twoPeople() {
  const server = new KeyServer()
  const us = await ours(server, alice, 'OURS', true)
  const rust = await Rust.start(server, bob, 'RUST')
  await rust.bootstrap()
  await us.learn()
  await rust.learn()
  return { server, us, rust }
}

/** Both are Alice's; one has her identity, the other is new. */
async function twoDevices(old: 'ours' | 'theirs') {
  const server = new KeyServer()
  const us = await ours(server, alice, 'OURS', old === 'ours')
  const rust = await Rust.start(server, alice, 'RUST')
  if (old === 'theirs') await rust.bootstrap()
  await us.learn()
  await rust.learn()
  return { server, us, rust }
}

type Pair = { server: KeyServer; us: OurClient; rust: Rust }

async function readyTwo({ server, us, rust }: Pair, requester: 'ours' | 'theirs'): Promise<void> {
  const inRoom = us.userId !== rust.userId
  if (requester === 'ours') {
    const to = inRoom
      ? { userId: rust.userId, roomId: server.room, body: 'verify?' }
      : { deviceIds: [rust.deviceId] }
    await act(us, (step, host) => requestVerification(step, host, to))
    await settle(server)
    await rust.accept()
  } else {
    await (inRoom ? rust.requestInRoom(us.userId) : rust.requestSelf())
    await settle(server)
    await act(us, (step, host) => acceptVerification(step, host, us.flowId))
  }
  await settle(server)
}

async function compare({ server, us, rust }: Pair, starter: 'ours' | 'theirs') {
  if (starter === 'ours') {
    await act(us, (step, host) => startSas(step, host, us.flowId))
    await settle(server)
    await rust.send(rust.sas.accept() as unknown as Outgoing)
  } else {
    const [, start] = (await rust.request!.startSas())!
    await rust.send(start as unknown as Outgoing)
  }
  await settle(server)
  const shown = {
    ours: (await view(us)).sas,
    theirs: { emoji: [...rust.sas.emojiIndex()!], decimals: [...rust.sas.decimals()!] },
  }
  if (starter === 'ours') await rust.confirm()
  await settle(server)
  await act(us, (step, host) => confirmSas(step, host, us.flowId))
  await settle(server)
  if (starter === 'theirs') await rust.confirm()
  await settle(server)
  return shown
}

for (const side of ['ours', 'theirs'] as const) {
  const other = side === 'ours' ? 'theirs' : 'ours'
  test.serial(
    `two people compare a string to the end: requested by ${side}, started by ${other}`,
    async t => {
      const pair = await twoPeople()
      const { us, rust } = pair
      t.false(await rust.isVerified(alice))
      await readyTwo(pair, side)
      const shown = await compare(pair, other)
      t.deepEqual(shown.ours as unknown, shown.theirs)
      t.is((await view(us)).phase, 'done')
      t.true(rust.request!.isDone())
      await us.learn()
      await rust.learn()
      t.is(await us.host.run(step => standingOf(step, us.host, bob)), 'verified')
      t.true(await rust.isVerified(alice))
    },
  )

  test.serial(`two devices of a person compare a string to the end, the identity being ${side}`, async t => {
    const pair = await twoDevices(side)
    const { us, rust } = pair
    await readyTwo(pair, other)
    const shown = await compare(pair, side)
    t.deepEqual(shown.ours as unknown, shown.theirs)
    t.is((await view(us)).phase, 'done')
    t.true(rust.request!.isDone())
    await us.learn()
    await rust.learn()
    t.is(await us.host.run(step => standingOf(step, us.host, alice)), 'verified')
    t.true(await rust.isVerified(alice))
    t.is(await us.host.run(step => deviceTrust(step, us.host, alice, 'RUST')), 'verified')
    const device = await rust.machine.getDevice(new RustUserId(alice), new RustDeviceId('OURS'))
    t.true(device!.isCrossSigningTrusted())
  })

  test.serial(`two people verify by the code that ${side} shows`, async t => {
    const pair = await twoPeople()
    const { us, rust } = pair
    await readyTwo(pair, side)
    await scan(pair, side)
    t.is((await view(us)).phase, 'done')
    await us.learn()
    await rust.learn()
    t.is(await us.host.run(step => standingOf(step, us.host, bob)), 'verified')
    t.true(await rust.isVerified(alice))
  })

  for (const old of ['ours', 'theirs'] as const) {
    test.serial(`two devices verify by the code that ${side} shows, the identity being ${old}`, async t => {
      const pair = await twoDevices(old)
      const { us, rust } = pair
      await readyTwo(pair, side)
      await scan(pair, side)
      t.is((await view(us)).phase, 'done')
      await us.learn()
      await rust.learn()
      t.is(await us.host.run(step => standingOf(step, us.host, alice)), 'verified')
      t.true(await rust.isVerified(alice))
      t.is(await us.host.run(step => deviceTrust(step, us.host, alice, 'RUST')), 'verified')
    })
  }
}

async function scan({ server, us, rust }: Pair, shower: 'ours' | 'theirs'): Promise<void> {
  if (shower === 'ours') {
    const code = await us.host.run(step => qrCodeOf(step, us.host, us.flowId))
    const qr = await rust.request!.scanQrCode(QrCodeScan.fromBytes(new Uint8ClampedArray(code)))
    await rust.send(qr.reciprocate() as unknown as Outgoing)
    await settle(server)
    await act(us, (step, host) => confirmScanned(step, host, us.flowId))
  } else {
    const qr = (await rust.request!.generateQrCode())!
    const code = new Uint8Array(qr.toBytes())
    await act(us, (step, host) => scanQrCode(step, host, us.flowId, code))
    await settle(server)
    await rust.send(qr.confirmScanning() as unknown as Outgoing)
  }
  await settle(server)
}

test.serial('each believes the identity and the device that the other made', async t => {
  const { us, rust } = await twoPeople()
  t.is(await us.host.run(step => deviceTrust(step, us.host, bob, 'RUST')), 'cross-signed')
  const device = await rust.machine.getDevice(new RustUserId(alice), new RustDeviceId('OURS'))
  t.true(device!.isCrossSignedByOwner())
  const identity = (await rust.machine.getIdentity(new RustUserId(alice))) as OtherUserIdentity
  const known = await us.host.run(step => readIdentity(step, alice))
  t.is(JSON.parse(identity.masterKey).keys[`ed25519:${known!.masterKey}`], known!.masterKey)
})

test.serial('the secrets of one identity are taken by the other implementation', async t => {
  const server = new KeyServer()
  const us = await ours(server, alice, 'OURS', true)
  const rust = await Rust.start(server, alice, 'RUST')
  await rust.learn()
  const secret = (name: Parameters<typeof readSecret>[1]) => us.host.run(step => readSecret(step, name))
  await rust.machine.importCrossSigningKeys(
    await secret('m.cross_signing.master'),
    await secret('m.cross_signing.self_signing'),
    await secret('m.cross_signing.user_signing'),
  )
  t.true((await rust.machine.crossSigningStatus()).hasMaster)
  const exported = await rust.machine.exportCrossSigningKeys()
  t.is(exported?.masterKey, (await secret('m.cross_signing.master'))!)
})

/** Two devices of Alice at a server with inboxes and one-time keys; the old one has her identity. */
async function atHub(old: 'ours' | 'theirs') {
  const hub = new Hub()
  const us = await OurDevice.open(hub, alice, 'OURS')
  // Requests carry the time, and the other engine goes by the clock on the wall.
  us.now = Date.now()
  const rust = await RustDevice.open(hub, alice, 'RUST')
  await hub.settle()
  await (old === 'ours' ? us : rust).bootstrap()
  await rust.track([alice])
  return { hub, us, rust }
}

/** From the request, made by theirs, to the end. */
async function compareAtHub({ hub, us, rust }: Awaited<ReturnType<typeof atHub>>): Promise<void> {
  const send = (request: unknown) => {
    const { body, event_type } = request as Outgoing
    hub.answer(rust, 'to-device', JSON.parse(body), event_type)
  }
  const identity = (await rust.machine.getIdentity(new RustUserId(alice))) as OwnUserIdentity
  const [request, outgoing] = await identity.requestVerification(verificationMethods)
  send(outgoing)
  await hub.settle()
  const { flowId } = request
  await us.machine.run((step, context) => acceptVerification(step, context, flowId))
  await hub.settle()
  await us.machine.run((step, context) => startSas(step, context, flowId))
  await hub.settle()
  const sas = request.getVerification() as Sas
  send(sas.accept())
  await hub.settle()
  for (const one of await sas.confirm()) {
    const { type, body } = one as unknown as Outgoing
    if (type === RequestType.SignatureUpload) hub.answer(rust, 'signatures-upload', JSON.parse(body))
    else send(one)
  }
  await hub.settle()
  await us.machine.run((step, context) => confirmSas(step, context, flowId))
  await hub.settle()
}

test.serial('after the comparison our device gives the new Rust device the secrets', async t => {
  const world = await atHub('ours')
  t.false((await world.rust.machine.crossSigningStatus()).hasMaster)
  await compareAtHub(world)
  await world.rust.machine.requestMissingSecretsIfNeeded()
  await world.hub.settle()
  const status = await world.rust.machine.crossSigningStatus()
  t.true(status.hasMaster && status.hasSelfSigning && status.hasUserSigning)
  t.deepEqual(world.us.refusals, [])
})

test.serial('after the comparison our new device gets the secrets from the Rust device', async t => {
  const world = await atHub('theirs')
  await compareAtHub(world)
  const secrets = await world.us.machine.run(async step => [
    await readSecret(step, 'm.cross_signing.master'),
    await readSecret(step, 'm.cross_signing.self_signing'),
    await readSecret(step, 'm.cross_signing.user_signing'),
  ])
  const theirs = (await world.rust.machine.exportCrossSigningKeys())!
  t.deepEqual(secrets, [theirs.masterKey!, theirs.self_signing_key!, theirs.userSigningKey!])
  const device = await world.rust.machine.getDevice(new RustUserId(alice), new RustDeviceId('OURS'))
  t.true(device!.isCrossSigningTrusted())
})

test.serial(
  'the Rust engine keeps a device with a list of passkeys and an assertion in its signed keys',
  async t => {
    const hub = new Hub()
    const members = { 'org.letro.passkeys': { version: 1 }, 'org.letro.passkey_assertion': { version: 1 } }
    const us = await OurDevice.open(hub, alice, 'OURS', { deviceKeysMembers: async () => members })
    const rust = await RustDevice.open(hub, bob, 'RUST')
    await hub.settle()
    await us.bootstrap()
    await rust.track([alice])
    const device = await rust.machine.getDevice(new RustUserId(alice), new RustDeviceId('OURS'))
    t.true(device!.isCrossSignedByOwner())
  },
)

const backedUp = JSON.stringify({ algorithm: 'm.megolm.v1.aes-sha2', session_key: 'x'.repeat(220) })

test.serial('a backup that we encrypt the Rust engine decrypts, with our key', async t => {
  const host = new Host(alice, 'A')
  const body = await host.run(step => createBackup(step, host))
  const secret = (await host.run(step => readSecret(step, 'm.megolm_backup.v1')))!
  const theirs = BackupDecryptionKey.fromBase64(secret)
  const publicKey = (body['auth_data'] as JsonObject)['public_key'] as string
  t.is(theirs.megolmV1PublicKey.publicKeyBase64, publicKey)
  const data = (await encryptForBackup(
    decodeSecret(publicKey)!,
    randomBytes(32),
    new TextEncoder().encode(backedUp),
  )) as { ephemeral: string; mac: string; ciphertext: string }
  t.is(theirs.decryptV1(data.ephemeral, data.mac, data.ciphertext), backedUp)
})

test.serial('the Rust engine believes the signatures on our backup', async t => {
  const { us, rust } = await twoDevices('ours')
  await readyTwo({ server: rust.server, us, rust }, 'ours')
  await compare({ server: rust.server, us, rust }, 'ours')
  await us.learn()
  await rust.learn()
  const body = await us.host.run(step => createBackup(step, us.host))
  const verdict = await rust.machine.verifyBackup(body)
  t.true(verdict.trusted())
  const info = { ...body, version: '1', count: 0, etag: '0' }
  t.true((await us.host.run(step => receiveBackupInfo(step, us.host, info)))!.trusted)
})

/** A machine with one Megolm session of its own, and an event under it. */
async function withSession(): Promise<{ machine: OlmMachine; event: JsonObject; room: string }> {
  const room = '!room:letro.test'
  const machine = await OlmMachine.initialize(new RustUserId(bob), new RustDeviceId('B'))
  await machine.shareRoomKey(new RustRoomId(room), [], new EncryptionSettings())
  const content = await machine.encryptRoomEvent(
    new RustRoomId(room),
    'm.room.message',
    JSON.stringify({ msgtype: 'm.text', body: 'hello' }),
  )
  const event = {
    event_id: '$e',
    origin_server_ts: 1,
    sender: bob,
    type: 'm.room.encrypted',
    room_id: room,
    content: JSON.parse(content),
    unsigned: {},
  }
  return { machine, event, room }
}

test.serial(
  'a session goes from the Rust engine into a backup of ours, and back from us to another machine',
  async t => {
    const host = new Host(alice, 'A')
    const body = await host.run(step => createBackup(step, host))
    await host.run(step => receiveBackupInfo(step, host, { ...body, version: '1' }))
    const { machine, event, room } = await withSession()
    const { public_key: publicKey } = body['auth_data'] as { public_key: string }
    await machine.enableBackupV1(publicKey, '1')
    const upload = (await machine.backupRoomKeys())!
    const result = await host.run(step => restoreBackup(step, JSON.parse(upload.body)))
    t.deepEqual(result, { restored: 1, refused: 0 })
    const sessionId = (event['content'] as JsonObject)['session_id'] as string
    const session = (await host.run(step => readSession(step, room, sessionId)))!
    t.like(session, { source: 'backup', senderUserId: null })

    // Now ours: a better copy comes and is backed up by us; opened with the key that secret storage would hand out.
    await host.run(step => keepSession(step, { ...session, source: 'owner' }))
    await host.run(step => backUpNextBatch(step, host))
    const [request] = host.take('backup-keys')
    const rooms = request!.body['rooms'] as Record<string, { sessions: Record<string, JsonObject> }>
    const backedUp = rooms[room]!.sessions[sessionId]!
    t.like(backedUp, { first_message_index: 0, forwarded_count: 0, is_verified: true })
    const data = backedUp['session_data'] as { ephemeral: string; mac: string; ciphertext: string }
    const key = BackupDecryptionKey.fromBase64(
      (await host.run(step => readSecret(step, 'm.megolm_backup.v1')))!,
    )
    const plain = JSON.parse(key.decryptV1(data.ephemeral, data.mac, data.ciphertext))
    const other = await OlmMachine.initialize(new RustUserId(bob), new RustDeviceId('C'))
    const imported = await other.importBackedUpRoomKeys(
      new Map([[new RustRoomId(room), new Map([[sessionId, plain]])]]),
      () => undefined,
      '1',
    )
    t.is(imported.importedCount, 1)
    const decrypted = await other.decryptRoomEvent(
      JSON.stringify(event),
      new RustRoomId(room),
      new DecryptionSettings(TrustRequirement.Untrusted),
    )
    t.is(JSON.parse(decrypted.event).content.body, 'hello')
  },
)

/** Account data as matrix-js-sdk wants it. */
function accountDataClient(data: Map<string, JsonObject>) {
  return {
    getAccountDataFromServer: async (type: string) => data.get(type) ?? null,
    setAccountData: async (type: string, content: JsonObject) => {
      data.set(type, content)
      return {}
    },
    on: () => undefined,
    emit: () => true,
    removeListener: () => undefined,
  }
}

function sdkStorage(data: Map<string, JsonObject>, key: Uint8Array) {
  return new ServerSideSecretStorageImpl(accountDataClient(data) as never, {
    getSecretStorageKey: async ({ keys }) => [Object.keys(keys)[0]!, key as Uint8Array<ArrayBuffer>],
  })
}

test.serial('matrix-js-sdk opens the secret storage that we fill, with our recovery key', async t => {
  const host = await new Host(alice, 'A').withIdentity()
  const key = StorageKey.random(host)
  const description = await key.describe(host, { name: 'Letro' })
  await host.run(step => storeSecrets(step, host, key, description))
  const data = new Map(host.take('account-data').map(({ type, body }) => [type, body]))
  const storage = sdkStorage(data, decodeRecoveryKey(key.toRecoveryKey()))
  t.true(await storage.checkKey(decodeRecoveryKey(key.toRecoveryKey()), description as never))
  t.is(await storage.getDefaultKeyId(), key.keyId)
  const secret = await host.run(step => readSecret(step, 'm.cross_signing.master'))
  t.is(await storage.get('m.cross_signing.master'), secret!)
})

test.serial('we open the secret storage that matrix-js-sdk fills', async t => {
  const data = new Map<string, JsonObject>()
  const bytes = randomBytes(32)
  const storage = sdkStorage(data, bytes)
  const { keyId, keyInfo } = await storage.addKey('m.secret_storage.v1.aes-hmac-sha2', {
    key: bytes as Uint8Array<ArrayBuffer>,
  } as never)
  const maker = await new Host(alice, 'A').withIdentity()
  const identity = (await maker.run(step => readIdentity(step, alice)))!
  const secret = (await maker.run(step => readSecret(step, 'm.cross_signing.master')))!
  await storage.store('m.cross_signing.master', secret, [keyId])
  const description = keyInfo as unknown as JsonObject
  const key = await keyFromRecoveryKey(keyId, description, sdkRecoveryKey(bytes as never)!)
  const host = new Host(alice, 'NEW')
  await host.run(step => step.put('identity', alice, { ...identity, verifiedKey: null }))
  const taken = await host.run(step => openSecrets(step, host, key, Object.fromEntries(data)))
  t.deepEqual(taken, ['m.cross_signing.master'])
  t.is(await host.run(step => standingOf(step, host, alice)), 'verified')
})

test.serial('recovery keys are the same text on both sides', t => {
  const bytes = randomBytes(32)
  t.is(encodeRecoveryKey(bytes), sdkRecoveryKey(bytes as never)!)
  t.deepEqual(parseRecoveryKey(sdkRecoveryKey(bytes as never)!), new Uint8Array(bytes))
})

test.serial('a passphrase makes the same key on both sides', async t => {
  const { deriveRecoveryKeyFromPassphrase } = await import('matrix-js-sdk/lib/crypto-api/index.js')
  const host = new Host(alice, 'A')
  const { key, description } = await newKeyFromPassphrase(host, 'korrekt Pferd')
  const { salt, iterations } = description['passphrase'] as { salt: string; iterations: number }
  const theirs = await deriveRecoveryKeyFromPassphrase('korrekt Pferd', salt, iterations)
  t.is(encodeRecoveryKey(theirs), key.toRecoveryKey())
  t.is((await keyFromPassphrase(key.keyId, description, 'korrekt Pferd')).keyId, key.keyId)
})
