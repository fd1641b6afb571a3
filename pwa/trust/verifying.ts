/** Verifications as a person goes through them. What they decide is stored at once; the messages leave when they can. */
import type { JsonObject } from '#protocol/json.ts'
import { knownDevices } from '../e2ee/known-device.ts'
import { requestVerification } from '../e2ee/verification/flow.ts'
import { readVerification, type Verification } from '../e2ee/verification/flow-record.ts'
import { TrustError } from './errors.ts'
import { sendSoon } from './leaving.ts'
import { refreshOwnList } from './own-list.ts'
import type { TrustDeps } from './ports.ts'

/** For clients that do not know what it is; ours show words of their own. Spec: client-server-api#mroommessagemkeyverificationrequest */
const requestBody = 'A verification is asked for. Your client does not support it.'

/** In the order in which they were asked for. */
export async function verifications({ machine }: Pick<TrustDeps, 'machine'>): Promise<Verification[]> {
  return machine.run(async step => {
    const found: Verification[] = []
    const records = await step.entries('verification')
    const askedAt = (record: JsonObject) => Number(record['requestedAt'] ?? 0)
    for (const [flowId] of records.sort(([, a], [, b]) => askedAt(a) - askedAt(b))) {
      const verification = await readVerification(step, flowId)
      if (verification) found.push(verification)
    }
    return found
  })
}

/**
 * Asks our other devices, or a person in a room. The verification's name, which in a room is its event's.
 *
 * @throws TrustError NO_OTHER_DEVICE, ROOM_NEEDED, E2eeError OWN_IDENTITY_UNVERIFIED, IDENTITY_UNKNOWN, ApiError
 */
export async function askToVerify(
  deps: TrustDeps,
  whom: { readonly userId: string; readonly deviceId?: string; readonly roomId?: string },
): Promise<string> {
  const { machine, flush } = deps
  const { userId, deviceId, roomId } = whom
  if (userId !== machine.userId) {
    if (roomId === undefined) throw new TrustError('ROOM_NEEDED', 'people verify each other in a room')
    const asked = await machine.run((step, own) =>
      requestVerification(step, own, { userId, roomId, body: requestBody }),
    )
    await flush()
    return nameByNow(deps, asked, userId, roomId)
  }
  await refreshOwnList(deps)
  const asked = await machine.run(async (step, own) => {
    const others = (await knownDevices(step, userId)).filter(device => device.deviceId !== own.deviceId)
    const deviceIds = others
      .map(device => device.deviceId)
      .filter(id => deviceId === undefined || id === deviceId)
    if (deviceIds.length === 0)
      throw new TrustError('NO_OTHER_DEVICE', 'there is no such other device of ours')
    return requestVerification(step, own, { deviceIds })
  })
  await sendSoon(deps)
  return asked
}

/** The room may have taken it by now, under an event id. */
async function nameByNow(deps: TrustDeps, asked: string, userId: string, roomId: string): Promise<string> {
  const open = (await verifications(deps)).filter(
    each =>
      each.userId === userId && each.roomId === roomId && each.requestedByUs && each.phase !== 'cancelled',
  )
  if (open.some(each => each.flowId === asked)) return asked
  return open.findLast(each => each.phase !== 'done')?.flowId ?? asked
}
