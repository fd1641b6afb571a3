/**
 * Steps over records in memory, and people whose keys the test holds: what the files about identities need around them.
 */
import type { JsonObject } from '#protocol/json.ts'
import { Account } from '../../pwa/e2ee/account.ts'
import type { Context } from '../../pwa/e2ee/context.ts'
import { bootstrapCrossSigning, signOwnDevice } from '../../pwa/e2ee/cross-signing.ts'
import { receiveIdentities } from '../../pwa/e2ee/identity.ts'
import type { Notice } from '../../pwa/e2ee/notices.ts'
import { signAsDevice } from '../../pwa/e2ee/own-device.ts'
import { randomBytes } from '../../pwa/e2ee/primitives.ts'
import type { Collection, Step } from '../../pwa/e2ee/records.ts'
import type { OutgoingRequest } from '../../pwa/e2ee/requests.ts'
import { SigningKey, signingKeyId } from '../../pwa/e2ee/signing-key.ts'

export const alice = '@alice:letro.test'
export const bob = '@bob:letro.test'

/** A device with its records. `run` is one step: it takes effect if the function returns, not if it throws. */
export class Host implements Context {
  readonly userId: string
  readonly deviceId: string
  readonly account = Account.create(randomBytes)
  readonly deviceKeys: JsonObject
  readonly records = new Map<string, JsonObject>()
  readonly sent: OutgoingRequest[] = []
  readonly told: Notice[] = []
  now = Date.parse('2026-11-21T00:00:00Z')

  constructor(userId: string, deviceId: string, more: JsonObject = {}) {
    this.userId = userId
    this.deviceId = deviceId
    this.deviceKeys = signAsDevice<JsonObject>(this, {
      user_id: userId,
      device_id: deviceId,
      algorithms: ['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2'],
      keys: {
        [`ed25519:${deviceId}`]: this.account.ed25519Key,
        [`curve25519:${deviceId}`]: this.account.curve25519Key,
      },
      ...more,
    })
  }

  clock(): number {
    return this.now
  }

  randomBytes(size: number): Uint8Array {
    return randomBytes(size)
  }

  async run<T>(work: (step: Step) => T | Promise<T>): Promise<T> {
    const records = new Map(this.records)
    const sent: OutgoingRequest[] = []
    const told: Notice[] = []
    const key = (collection: Collection, id: string) => `${collection}\n${id}`
    const get = async (collection: Collection, id: string) => records.get(key(collection, id))
    const result = await work({
      get,
      getMany: (collection, ids) => Promise.all(ids.map(id => get(collection, id))),
      entries: async (collection, prefix = '') =>
        [...records]
          .filter(([name]) => name.startsWith(key(collection, prefix)))
          .map(([name, value]): [string, JsonObject] => [name.slice(name.indexOf('\n') + 1), value])
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      put: (collection, id, value) => records.set(key(collection, id), structuredClone(value)),
      delete: (collection, id) => records.delete(key(collection, id)),
      send: request => sent.push(request),
      tell: notice => told.push(notice),
    })
    this.records.clear()
    for (const [name, value] of records) this.records.set(name, value)
    this.sent.push(...sent)
    this.told.push(...told)
    return result
  }

  /** The requests of this kind since it was asked last. */
  take<K extends OutgoingRequest['kind']>(kind: K): Extract<OutgoingRequest, { kind: K }>[] {
    const taken = this.sent.filter(request => request.kind === kind)
    this.sent.splice(0, this.sent.length, ...this.sent.filter(request => request.kind !== kind))
    return taken as Extract<OutgoingRequest, { kind: K }>[]
  }

  /** The device list of a person, as if `/keys/query` had named these devices. */
  async knows(userId: string, ...deviceKeys: JsonObject[]): Promise<void> {
    const devices = Object.fromEntries(deviceKeys.map(keys => [keys['device_id'] as string, keys]))
    await this.run(step => step.put('device-list', userId, { version: 1, devices }))
  }

  async learns(...people: Person[]): Promise<void> {
    await this.run(step => receiveIdentities(step, this, answer(...people)))
  }

  /** With an identity of its own, made here, and its device signed by it. */
  async withIdentity(): Promise<this> {
    await this.knows(this.userId, this.deviceKeys)
    await this.run(step => bootstrapCrossSigning(step, this))
    await this.run(step => signOwnDevice(step, this, this.deviceId))
    return this
  }
}

/** Somebody else's cross-signing keys, private halves included. */
export class Person {
  readonly userId: string
  readonly master = new SigningKey(randomBytes(32))
  readonly selfSigning = new SigningKey(randomBytes(32))
  readonly userSigning = new SigningKey(randomBytes(32))
  masterObject: JsonObject

  constructor(userId: string) {
    this.userId = userId
    this.masterObject = this.#public('master', this.master)
  }

  get selfSigningObject(): JsonObject {
    return this.master.sign(this.#public('self_signing', this.selfSigning), this.userId)
  }

  get userSigningObject(): JsonObject {
    return this.master.sign(this.#public('user_signing', this.userSigning), this.userId)
  }

  /** The device keys of a new device, signed by this person. */
  device(deviceId: string): JsonObject {
    return this.selfSigning.sign(new Host(this.userId, deviceId).deviceKeys, this.userId)
  }

  #public(usage: string, { publicKey }: SigningKey): JsonObject {
    return { user_id: this.userId, usage: [usage], keys: { [signingKeyId(publicKey)]: publicKey } }
  }
}

/** What `/keys/query` says of these people's identities; as if asked by all of them at once. */
export function answer(...people: Person[]): JsonObject {
  const of = (pick: (person: Person) => JsonObject) =>
    Object.fromEntries(people.map(person => [person.userId, pick(person)]))
  return {
    master_keys: of(person => person.masterObject),
    self_signing_keys: of(person => person.selfSigningObject),
    user_signing_keys: of(person => person.userSigningObject),
  }
}
