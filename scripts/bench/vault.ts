/**
 * The vault in a real browser: what a person waits for after an absence, at the lock screen and in the search field.
 *
 * The events come from sessions of our own engine, made in Node; the vault gets their keys by a backup file, through the
 * same calls as a person's. No floor stands beside these figures: the goals are absolute.
 */
import type { Page } from 'playwright-core'
import { InboundGroupSession } from '../../pwa/e2ee/inbound-group-session.ts'
import { OutboundGroupSession } from '../../pwa/e2ee/outbound-group-session.ts'
import { randomBytes, ready } from '../../pwa/e2ee/primitives.ts'
import { sessionRecordId } from '../../pwa/e2ee/room-sessions.ts'
import { writeBackup } from '../../pwa/vault/backup-file.ts'
import { MemoryRecords } from '../../pwa/vault/memory-records.ts'
import { encodeBase64 } from '../../server/protocol/base64.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { serveBundle } from '../../test/support/bundled-page.ts'
import { launchChromium } from '../../test/support/visitor.ts'
import type { Bench, Measure } from './bench.ts'

/** What the page under measurement can be asked (vault-page/page.ts). */
export interface Measured {
  open(account: string): Promise<void>
  restore(backup: string): Promise<void>
  unlock(): Promise<number>
  coldUnlock(account: string): Promise<number>
  decryptAndStore(
    rooms: Record<string, readonly object[]>,
  ): Promise<{ seconds: number; failed: number; longestTask: number }>
  search(messages: number): Promise<{ median: number; slowest: number; indexed: number }>
}

const events = 10_000
const eventsPerSession = 100
const roomCount = 20
const sender = '@jonas:clinic.example'

/** Seconds for 10,000 events, from ciphertext to sealed on the disk. */
export async function vaultEvents(bench: Bench): Promise<Measure> {
  const { newPage, sent } = await prepared(bench)
  const page = await newPage()
  await run(page, 'open', account())
  await run(page, 'restore', sent.backup)
  const { seconds, failed, longestTask } = await run(page, 'decryptAndStore', sent.rooms)
  if (failed > 0) throw new Error(`${failed} events were not decrypted`)
  await page.context().close()
  return { value: seconds, facts: { 'events/s': events / seconds, 'main thread blocked ms': longestTask } }
}

/** Milliseconds a query over 50,000 messages, asked in the page. */
export async function vaultSearch(bench: Bench): Promise<Measure> {
  const { newPage } = await prepared(bench)
  const page = await newPage()
  await run(page, 'open', account())
  const { median, slowest, indexed } = await run(page, 'search', 50_000)
  await page.context().close()
  return { value: median, facts: { 'slowest ms': slowest, 'indexed in ms': indexed } }
}

/** Milliseconds from the passkey's secret to an open vault, the worker's start included. */
export async function vaultUnlock(bench: Bench): Promise<Measure> {
  const { newPage, sent } = await prepared(bench)
  const page = await newPage()
  const who = account()
  await run(page, 'open', who)
  await run(page, 'restore', sent.backup)
  const warm = await run(page, 'unlock')
  await page.reload()
  const cold = await run(page, 'coldUnlock', who)
  await page.context().close()
  return { value: cold, facts: { 'worker running ms': warm } }
}

interface Prepared {
  newPage(): Promise<Page>
  readonly sent: { readonly rooms: Record<string, readonly JsonObject[]>; readonly backup: string }
}

function prepared(bench: Bench): Promise<Prepared> {
  return bench.once('vault', async () => {
    const [chromium, bundle] = await Promise.all([launchChromium(), serveBundle('scripts/bench/vault-page')])
    bench.atEnd(async () => {
      await chromium.close()
      await bundle.close()
    })
    const newPage = async () => {
      const page = await (await chromium.newContext()).newPage()
      await page.goto(bundle.url)
      return page
    }
    return { newPage, sent: await send() }
  })
}

let accounts = 0

/** An empty vault for every round. */
function account(): string {
  return `@bench${accounts++}:clinic.example`
}

/** What came in while the person was away: the events of twenty rooms, and their keys in a backup file. */
async function send(): Promise<Prepared['sent']> {
  await ready
  const rooms: Record<string, JsonObject[]> = {}
  const records = new MemoryRecords()
  for (let i = 0; i < events / eventsPerSession; i++) {
    const roomId = `!room${i % roomCount}:clinic.example`
    let session = OutboundGroupSession.create(randomBytes)
    await records.commit([
      {
        collection: 'inbound-group-session',
        id: sessionRecordId(roomId, session.id),
        value: {
          algorithm: 'm.megolm.v1.aes-sha2',
          roomId,
          sessionId: session.id,
          key: InboundGroupSession.fromSessionKey(session.sessionKey()).export(),
          source: 'owner',
          senderUserId: sender,
          senderDeviceId: 'PHONE',
          senderCurve25519Key: encodeBase64(new Uint8Array(32).fill(1)),
          senderEd25519Key: encodeBase64(new Uint8Array(32).fill(2)),
          givenBy: null,
          isHistoryShared: false,
        },
      },
    ])
    for (let n = 0; n < eventsPerSession; n++) {
      const body = `Message ${n} of ${i}: the patient in room 12 was seen at noon, all is well. السلام عليكم`
      const payload = { type: 'm.room.message', room_id: roomId, content: { msgtype: 'm.text', body } }
      const { message, session: next } = await session.encrypt(Buffer.from(JSON.stringify(payload)))
      rooms[roomId] ??= []
      rooms[roomId].push({
        type: 'm.room.encrypted',
        event_id: `$${i}-${n}`.padEnd(44, 'e'),
        sender,
        origin_server_ts: 1_700_000_000_000 + n,
        content: {
          algorithm: 'm.megolm.v1.aes-sha2',
          session_id: session.id,
          ciphertext: encodeBase64(message),
        },
      })
      session = next
    }
  }
  const passkey = { kind: 'passkey', credentialId: 'bench', prfOutput: new Uint8Array(32).fill(7) } as const
  const parts = await Array.fromAsync(writeBackup(records, [passkey]))
  return { rooms, backup: Buffer.concat(parts).toString('base64') }
}

function run<K extends keyof Measured>(
  page: Page,
  name: K,
  ...given: Parameters<Measured[K]>
): ReturnType<Measured[K]> {
  return page.evaluate(
    ([name, given]) => {
      const page = globalThis as unknown as { measured: Record<string, (...given: unknown[]) => unknown> }
      return page.measured[name]!(...given)
    },
    [name as string, given as unknown[]] as const,
  ) as ReturnType<Measured[K]>
}
