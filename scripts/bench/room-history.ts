/**
 * A vault with a long history: a colleague's device writes, encrypted, into rooms of the person whose browser is measured, through
 * the real server, while the app takes it all in. Nothing is put into the vault but by the app.
 */
import { LetroDevice } from '../../test/interop/letro-client.ts'
import { type ServerProcess, sleep } from '../../test/support/server-process.ts'
import type { WorkerPort } from './worker-port.ts'

const names = ['Ward', 'Court', 'Registry', 'الجناح', 'Pharmacy']
const texts = [
  'the patient in room 12 was seen at noon, all is well',
  'القرار في الملف جاهز للتوقيع، يرجى المراجعة قبل الغد',
  'please send the discharge letter before four, the family is waiting',
]

/** After so many the engine takes a new one. */
const messagesPerKey = 100

export interface RoomHistory {
  readonly roomCount: number
  readonly messagesPerRoom: number
}

interface Page {
  readonly items: readonly { eventId: string | null; type: string; content: { body?: string } }[]
  readonly hasOlder: boolean
}

/** Resolves when the app has read them all: how many it has then, counted in the app. */
export async function liveThroughHistory(
  worker: WorkerPort,
  server: ServerProcess,
  { roomCount, messagesPerRoom }: RoomHistory,
): Promise<number> {
  const colleague = new LetroDevice(server, await server.register('colleague', 'a-password-of-the-measure'))
  await colleague.start()
  await colleague.bootstrap()
  const roomIds: string[] = []
  for (let i = 0; i < roomCount; i++) {
    const roomId = await worker.ask<string>('createRoom', {
      name: `${names[i % names.length]} ${i + 1}`,
      invite: [colleague.userId],
      isDirect: false,
      encrypted: true,
      joinRule: 'invite',
    })
    await colleague.request('POST', `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {})
    await colleague.until(
      async () => (await colleague.records.get('room', roomId))?.['algorithm'] !== undefined,
    )
    roomIds.push(roomId)
  }
  await Promise.all(
    roomIds.map(async (roomId, room) => {
      for (let i = 1; i <= messagesPerRoom; i++)
        await send(colleague, roomId, `${i} of ${messagesPerRoom}: ${texts[(room + i) % texts.length]}`, i)
    }),
  )
  await colleague.stop()
  let count = 0
  for (const roomId of roomIds) {
    await arrived(worker, roomId, `${messagesPerRoom} of`)
    count += await countMessages(worker, roomId)
  }
  return count
}

/** As `sendText`, but it waits for what others of its rooms have under way only where its own keys may be among it. */
async function send(colleague: LetroDevice, roomId: string, text: string, i: number): Promise<void> {
  if (i % messagesPerKey === 1) return void (await colleague.sendText(roomId, text))
  const content = { msgtype: 'm.text', body: text }
  const encrypted = await colleague.machine.encryptRoomEvent(roomId, 'm.room.message', content)
  if (encrypted.kind !== 'encrypted') return void (await colleague.sendText(roomId, text))
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.encrypted/${i}`
  await colleague.request('PUT', path, encrypted.content)
}

/** Until the room's last message is here, and readable. */
async function arrived(worker: WorkerPort, roomId: string, last: string): Promise<void> {
  for (let i = 0; i < 1_500; i++) {
    const { items } = await worker.ask<Page>('timeline', { roomId, at: 'end', before: 1, after: 0 })
    if (String(items.at(-1)?.content.body).startsWith(last)) return
    await sleep(200)
  }
  throw new Error(`the last message of ${roomId} did not arrive within five minutes`)
}

/** Those that can be read, from the end to the beginning. */
async function countMessages(worker: WorkerPort, roomId: string): Promise<number> {
  const seen = new Set<string>()
  for (let at: 'end' | { eventId: string } = 'end'; ; ) {
    const page: Page = await worker.ask('timeline', { roomId, at, before: 200, after: 0 })
    for (const { type, eventId } of page.items) if (type === 'm.room.message' && eventId) seen.add(eventId)
    const oldest = page.items.find(({ eventId }) => eventId)?.eventId
    if (!oldest || !page.hasOlder) return seen.size
    at = { eventId: oldest }
  }
}
