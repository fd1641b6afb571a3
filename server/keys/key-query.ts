/**
 * A person's devices and keys as they are shown to somebody who asks.
 *
 * Spec: client-server-api#post_matrixclientv3keysquery
 */
import type { DeviceId, UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import { deviceKeysTable, userSignatureTable } from '../store/catalogue.ts'
import type { View } from '../store/store.ts'
import { type CrossSigningKeys, crossSigningKeysOf, publicKeyOf } from './cross-signing.ts'
import type { DeviceNames } from './ports.ts'

/** As `/keys/query` answers, in the specification's names. */
export interface QueryAnswer {
  readonly device_keys: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>
  readonly master_keys: Readonly<Record<string, JsonObject>>
  readonly self_signing_keys: Readonly<Record<string, JsonObject>>
  readonly user_signing_keys: Readonly<Record<string, JsonObject>>
  readonly failures: Readonly<Record<string, JsonObject>>
}

/** An answer in the making. */
export class QueryResult {
  readonly device_keys: Record<string, Readonly<Record<string, JsonObject>>> = {}
  readonly master_keys: Record<string, JsonObject> = {}
  readonly self_signing_keys: Record<string, JsonObject> = {}
  readonly user_signing_keys: Record<string, JsonObject> = {}
  readonly failures: Record<string, JsonObject> = {}

  /** @param only these devices; empty: all. */
  add(
    asker: UserId,
    userId: UserId,
    { devices, crossSigning }: PersonsKeys,
    only: readonly DeviceId[],
  ): void {
    // Object.fromEntries, because a device may be called `__proto__`.
    this.device_keys[userId] = Object.fromEntries(
      [...devices].filter(([deviceId]) => only.length === 0 || only.includes(deviceId)),
    )
    const { master, self_signing, user_signing } = crossSigning
    if (master) this.master_keys[userId] = master
    if (self_signing) this.self_signing_keys[userId] = self_signing
    // Spec: client-server-api#cross-signing: whom somebody has verified is nobody else's business.
    if (user_signing && userId === asker) this.user_signing_keys[userId] = user_signing
  }
}

export interface PersonsKeys {
  readonly devices: ReadonlyMap<DeviceId, JsonObject>
  readonly crossSigning: CrossSigningKeys
}

/**
 * @param asker whose own signatures are shown as well.
 * @param names the person's devices as accounts knows them; undefined: a person of another server, whose rows are as
 * that server told them.
 */
export async function readKeysOf(
  view: View,
  asker: UserId,
  userId: UserId,
  names: ReadonlyMap<DeviceId, DeviceNames> | undefined,
): Promise<PersonsKeys> {
  const [rows, crossSigning, ours] = await Promise.all([
    view.range(deviceKeysTable.under(userId)),
    crossSigningKeysOf(view, userId),
    asker === userId ? undefined : view.get(userSignatureTable.key(asker, userId)),
  ])
  const { master } = crossSigning
  const signedByUs = master && ours?.publicKey === publicKeyOf(master) ? ours.signatures : undefined
  return {
    devices: new Map(
      rows.flatMap(({ parts: [, id], value }) => {
        const deviceId = id as DeviceId
        if (!names) return [[deviceId, value] as const]
        const device = names.get(deviceId)
        return device ? [[deviceId, withName(value, device)] as const] : []
      }),
    ),
    crossSigning: signedByUs
      ? { ...crossSigning, master: alsoSigned(master!, asker, signedByUs) }
      : crossSigning,
  }
}

/** Spec: client-server-api#post_matrixclientv3keysquery: `unsigned.device_display_name`. */
export function withName(deviceKeys: JsonObject, { displayName }: DeviceNames): JsonObject {
  return displayName === undefined
    ? deviceKeys
    : { ...deviceKeys, unsigned: { device_display_name: displayName } }
}

/** The key with signatures that only their maker sees. */
function alsoSigned(
  key: JsonObject,
  signer: UserId,
  signatures: Readonly<Record<string, string>>,
): JsonObject {
  const { signatures: known } = key
  return { ...key, signatures: { ...(isObject(known) ? known : {}), [signer]: signatures } }
}
