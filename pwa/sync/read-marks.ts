/**
 * How far we have read, told to the server when it is within reach: what is read in a tunnel stays read.
 *
 * A mark is durable before anything is sent, shows at once, and goes when the server has it. Of several in a room, or
 * in a thread, only the newest counts. Spec: client-server-api#post_matrixclientv3roomsroomidread_markers, #threaded-read-receipts
 */
import { ApiError } from '../api/api-error.ts'
import { type Http, inPath, v3 } from '../api/http.ts'
import { VaultError } from '../vault/errors.ts'
import type { VaultRecords } from '../vault/records.ts'
import type { SyncNotice } from './ports.ts'
import { type Room, writesOf } from './room.ts'
import type { RoomStore } from './room-store.ts'

const collection = 'read-mark'

export interface ReadMark {
  readonly roomId: string
  readonly eventId: string
  readonly threadRoot?: string
}

interface StoredMark extends ReadMark {
  /** It was marked as unread: that is over as well. */
  readonly isMarkedUnread: boolean
}

export interface ReadMarksDeps {
  readonly store: RoomStore
  readonly records: VaultRecords
  readonly http: Pick<Http, 'request'>
  readonly tell: (notice: SyncNotice) => void
}

export class ReadMarks {
  readonly #deps: ReadMarksDeps
  #running: Promise<void> | null = null

  constructor(deps: ReadMarksDeps) {
    this.#deps = deps
  }

  /** Durable when this resolves; it leaves by itself. */
  async mark(mark: ReadMark): Promise<void> {
    await this.#deps.store.alone(() => this.#take(mark))
    void this.flush()
  }

  async #take(mark: ReadMark): Promise<void> {
    const { store, records, tell } = this.#deps
    const before = await store.room(mark.roomId)
    const isMarkedUnread = before?.accountData.get('m.marked_unread')?.['unread'] === true
    const write = { collection, id: idOf(mark), value: { ...mark, isMarkedUnread } }
    if (!before || mark.threadRoot !== undefined) return records.commit([write])
    const room = await this.#read(before, mark.eventId)
    const entry = store.entryOf(room, store.entry(room.roomId)?.preview ?? null)
    await records.commit([write, ...writesOf(before, room), store.entryWrite(entry)])
    store.believe({ rooms: [room], entries: [entry] })
    tell({ kind: 'rooms', changed: [entry], gone: [] })
  }

  /** The sync that follows says the same, or that more has come. */
  async #read(room: Room, eventId: string): Promise<Room> {
    const { store } = this.#deps
    const { ts = 0 } = room.receipts.get(store.ourUserId) ?? {}
    const eventTs = (await store.timeline(room.roomId)).loadedEvent(eventId)?.ts ?? null
    return {
      ...room,
      unread: 0,
      highlights: 0,
      mentions: 0,
      // When the server took it, it says itself.
      receipts: new Map(room.receipts).set(store.ourUserId, { eventId, ts, eventTs }),
      accountData: new Map(room.accountData).set('m.marked_unread', { unread: false }),
    }
  }

  /** The server is back: what it does not know yet goes there. */
  flush(): Promise<void> {
    this.#running ??= this.#sendAll()
      .catch(error => {
        // Locked meanwhile: they are still there when it is opened.
        if (!(error instanceof VaultError)) throw error
      })
      .finally(() => {
        this.#running = null
      })
    return this.#running
  }

  async #sendAll(): Promise<void> {
    const { records } = this.#deps
    const sent = new Set<string>()
    for (;;) {
      const next = (await records.entries(collection)).find(
        ([id, { eventId }]) => !sent.has(`${id} ${eventId}`),
      )
      if (!next) return
      const [id, value] = next
      const mark = value as unknown as StoredMark
      sent.add(`${id} ${mark.eventId}`)
      try {
        await this.#send(mark)
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        if (error.isPassing || error.status === 401) return
        // Refused for good: the message is gone, or we are out of the room.
      }
      const now = await records.get(collection, id)
      if (now?.['eventId'] === mark.eventId) await records.commit([{ collection, id, value: null }])
    }
  }

  async #send({ roomId, eventId, threadRoot, isMarkedUnread }: StoredMark): Promise<void> {
    const { http, store } = this.#deps
    const room = `${v3}/rooms/${inPath(roomId)}`
    const isPrivate = store.accountData('org.letro.privacy')?.['private_receipts'] === true
    const type = isPrivate ? 'm.read.private' : 'm.read'
    if (threadRoot !== undefined) {
      const body = { thread_id: threadRoot }
      await http.request('POST', `${room}/receipt/${type}/${inPath(eventId)}`, { body })
      return
    }
    const body = { 'm.fully_read': eventId, [type]: eventId }
    await http.request('POST', `${room}/read_markers`, { body })
    if (isMarkedUnread)
      await http.request(
        'PUT',
        `${v3}/user/${inPath(store.ourUserId)}/rooms/${inPath(roomId)}/account_data/m.marked_unread`,
        { body: { unread: false } },
      )
  }
}

function idOf({ roomId, threadRoot }: ReadMark): string {
  return `${roomId}|${threadRoot ?? ''}`
}
