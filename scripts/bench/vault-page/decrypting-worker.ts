/** A worker of the bench's own: engine and vault as the owner has them, fed with events that were fetched already. */
import { openMachine } from '../../../pwa/e2ee/machine.ts'
import { randomBytes } from '../../../pwa/e2ee/primitives.ts'
import type { RoomEventResult } from '../../../pwa/e2ee/room-decryption.ts'
import type { VaultWrite } from '../../../pwa/vault/records.ts'
import { Vault } from '../../../pwa/vault/vault.ts'
import type { Opener } from '../../../pwa/vault/vault-key.ts'
import { vaultName } from '../../../pwa/worker/ownership.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'

/** As a sync hands them in; each batch is one step of the engine. */
const eventsAtOnce = 250
/** Neighbours are read together, so they are stored together, as timelines are. */
const eventsPerRecord = 50

export interface Work {
  readonly account: string
  readonly opener: Opener
  readonly rooms: Readonly<Record<string, readonly unknown[]>>
}

self.onmessage = async ({ data: { account, opener, rooms } }: MessageEvent<Work>) => {
  const vault = await Vault.unlock({ name: vaultName(account), warn: () => {} }, opener)
  const { records } = vault
  const machine = await openMachine({
    records,
    userId: account,
    deviceId: 'BENCH',
    clock: Date.now,
    randomBytes,
  })
  const begun = performance.now()
  const written: Promise<void>[] = []
  let failed = 0
  for (const [roomId, events] of Object.entries(rooms)) {
    for (let i = 0; i < events.length; i += eventsAtOnce) {
      const results = await machine.decryptRoomEvents(
        roomId,
        events.slice(i, i + eventsAtOnce) as JsonObject[],
      )
      failed += results.filter(({ kind }) => kind === 'failed').length
      // The next batch is decrypted while the disk takes this one.
      written.push(records.commit(timelineRecords(roomId, results)))
    }
  }
  await Promise.all(written)
  self.postMessage({ seconds: (performance.now() - begun) / 1000, failed })
  vault.lock()
}

function timelineRecords(roomId: string, results: readonly RoomEventResult[]): VaultWrite[] {
  const writes: VaultWrite[] = []
  for (let i = 0; i < results.length; i += eventsPerRecord) {
    const events = results.slice(i, i + eventsPerRecord) as unknown as JsonObject[]
    writes.push({ collection: 'timeline', id: `${roomId}|${results[i]!.eventId}`, value: { events } })
  }
  return writes
}
