/** Two key directories whose servers are peers: real ones on both sides, a queue between, and no network. */
import { takeEdus } from '../../server/federation-api/edus.ts'
import type { TakeEdu } from '../../server/federation-api/transactions.ts'
import type { KeysFederation, RemoteKeys } from '../../server/keys/ports.ts'
import { type KeysForPeers, openKeysForPeers } from '../../server/keys/shown-to-peers.ts'
import type { Edu, OutboundQueue } from '../../server/peers/outbound.ts'
import { openOutboundQueue } from '../../server/peers/outbound-queue.ts'
import type { Peer } from '../../server/peers/peer.ts'
import type { DeviceId, ServerName, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { RemoteError } from '../../server/rooms/remote-rooms.ts'
import { openMemoryStore } from '../../server/store/memory-engine.ts'
import type { Store } from '../../server/store/store.ts'
import { type Directory, openDirectory, serverName } from './people.ts'

export const peerName = 'peer.test' as ServerName
export const dora = '@dora:peer.test' as UserId

export interface Side extends Directory {
  /** What goes to the other one. */
  queue: OutboundQueue
  take: TakeEdu
  /** Questions to the other one. */
  asked: string[]
  /** As long as it is there, no question is answered. */
  cut: boolean
  /** What a question waits for before its answer is used. */
  beforeAnswer: () => Promise<void>
}

export interface TwoServers {
  readonly here: Side
  readonly there: Side
}

export async function openTwoServers(options: { slow?: boolean } = {}): Promise<TwoServers> {
  const sides = {} as { here: Side; there: Side }
  const open = async (name: ServerName, other: ServerName, otherSide: () => Side) => {
    const federation: Partial<KeysFederation> = {}
    const state = { asked: [] as string[], cut: false, beforeAnswer: async () => {} }
    const peers = { all: () => [{ serverName: other } as Peer], maySendTo: (to: ServerName) => to === other }
    let queue: OutboundQueue | undefined
    const open = async (store: Store) => {
      queue = await openOutboundQueue({ store, peers, clock: () => 0 })
      const side = () => sides[name === serverName ? 'here' : 'there']
      return Object.assign(federation, {
        peers,
        outbound: queue,
        remote: remoteOf(side, otherSide),
      }) as KeysFederation
    }
    const directory = await openDirectory({
      store: await openMemoryStore(options),
      name,
      federation: open,
    })
    const take = takeEdus({
      keys: directory.keys,
      typing: { take: async () => {} },
      receipts: { take: async () => {} },
    })
    return Object.assign(directory, state, { queue: queue!, take })
  }
  sides.here = await open(serverName, peerName, () => sides.there)
  sides.there = await open(peerName, serverName, () => sides.here)
  return sides
}

function remoteOf(asking: () => Side, answering: () => Side): RemoteKeys {
  async function ask<T>(what: string, answer: (shown: KeysForPeers) => Promise<T | undefined>): Promise<T> {
    asking().asked.push(what)
    if (asking().cut) throw new RemoteError('unreachable', 'the line is cut')
    const { store, rooms, devices } = answering()
    const found = await answer(openKeysForPeers({ store, serverName: rooms.serverName, devices }))
    await asking().beforeAnswer()
    if (!found) throw new RemoteError('refused', 'nobody', { status: 404, errcode: 'M_NOT_FOUND' })
    return found
  }
  return {
    userDevices: (_server, userId) =>
      ask(`devices ${userId}`, async keys => {
        const shown = (await keys.of([userId])).get(userId)
        return (
          shown && { ...shown, devices: [...shown.devices].map(([deviceId, keys]) => ({ deviceId, keys })) }
        )
      }),
    query: (_server, wanted) =>
      ask('query', async keys => {
        const shown = await keys.of(Object.keys(wanted) as UserId[])
        const devices = [...shown].map(([userId, { devices }]) => [userId, Object.fromEntries(devices)])
        return { device_keys: Object.fromEntries(devices) }
      }),
    claim: (_server, wanted) =>
      ask('claim', async keys => {
        const list = Object.entries(wanted).flatMap(([userId, devices]) =>
          Object.entries(devices).map(([deviceId, algorithm]) => ({
            userId: userId as UserId,
            deviceId: deviceId as DeviceId,
            algorithm,
          })),
        )
        const found: Record<string, Record<string, JsonObject>> = {}
        for (const { userId, deviceId, algorithm, id, key } of await keys.claim(list)) {
          found[userId] = { ...found[userId], [deviceId]: { [`${algorithm}:${id}`]: key } }
        }
        return { one_time_keys: found }
      }),
  }
}

/** Carries what waits, as a transaction would; answers what it was. */
export async function deliver(
  from: Side,
  to: Side,
  lose: (edu: Edu) => boolean = () => false,
): Promise<Edu[]> {
  const all: Edu[] = []
  for (;;) {
    const batch = await from.queue.take(to.rooms.serverName, 50, 100)
    if (!batch) return all
    for (const edu of batch.edus) {
      if (!lose(edu)) await to.take(from.rooms.serverName, edu.edu_type, edu.content)
    }
    all.push(...batch.edus)
    await from.queue.done(batch)
  }
}
