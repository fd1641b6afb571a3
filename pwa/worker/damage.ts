/**
 * How a session goes on without a record that is damaged, once a person gave it up.
 */
import { ApiError } from '../api/api-error.ts'
import { Http, v3 } from '../api/http.ts'
import { goOnWithout } from '../e2ee/given-up.ts'
import { outboxCollection } from '../outbox/waiting.ts'
import { roomChange } from '../sync/apply-sync.ts'
import type { VaultWarning } from '../vault/errors.ts'
import type { VaultRecords, VaultWrite } from '../vault/records.ts'
import { closedStores } from '../vault/sealed-records.ts'
import { type App, type StoredSession, sessionRecord } from './app.ts'
import type { Damaged } from './damaged.ts'

const logoutTimeoutMs = 5_000

/** Null: it was set aside already, and nobody has to decide. */
export function damageOf(warning: VaultWarning): Damaged | null {
  if (warning.kind !== 'broken-record' || warning.id === undefined || !closedStores.has(warning.store))
    return null
  return { store: warning.store, id: warning.id }
}

/** What is known otherwise takes its place, and what waited for it goes on. */
export async function goOnInApp(
  { machine, store, pump, outbox, loop }: App,
  damaged: Damaged,
): Promise<void> {
  const room = damaged.store === 'room' ? await store.room(damaged.id) : null
  const whole = room?.membership === 'join' ? roomChange(room, room.members.keys()) : null
  await machine.run((step, context) => goOnWithout(step, context, damaged, whole))
  pump.kick()
  loop.wake()
  outbox.queue.decided()
}

/** Of the device whose keys are gone, and of no use to another one. */
const ofTheDevice = [
  'account',
  'olm-session',
  'outbound-group-session',
  'request',
  'verification',
  'key-request',
  'engine',
] as const

/**
 * Without its keys this is another device: its session ends, here and where the server is within reach, and whoever signs in
 * next finds all that can still be read. What waits to be sent is encrypted anew.
 */
export async function endDevice(records: VaultRecords, userId: string): Promise<void> {
  const stored = await records.get(sessionRecord.collection, sessionRecord.id)
  if (stored) await signOut(stored as unknown as StoredSession, userId)
  const writes: VaultWrite[] = [
    { ...sessionRecord, value: null },
    { collection: 'account', id: 'account', value: null },
  ]
  for (const collection of ofTheDevice) {
    for (const [id] of await records.entries(collection)) writes.push({ collection, id, value: null })
  }
  for (const [id, waiting] of await records.entries(outboxCollection)) {
    if (waiting['sealed'] && waiting['eventId'] === null)
      writes.push({ collection: outboxCollection, id, value: { ...waiting, sealed: null } })
  }
  await records.commit(writes)
}

async function signOut(session: StoredSession, userId: string): Promise<void> {
  const http = new Http({
    origin: session.origin,
    tokens: session,
    userId,
    deviceId: session.deviceId,
    keepTokens: async () => {},
    onEnded: () => {},
    clock: Date.now,
  })
  try {
    await http.request('POST', `${v3}/logout`, { body: {}, timeoutMs: logoutTimeoutMs })
  } catch (error) {
    // Away, or ended there already: the device stays in the list until somebody removes it.
    if (!(error instanceof ApiError)) throw error
  }
}
