/** Somebody who takes syncs: the real engine and store, on records in memory. */

import { Http } from '../../../pwa/api/http.ts'
import { ready } from '../../../pwa/e2ee/primitives.ts'
import { applySync } from '../../../pwa/sync/apply-sync.ts'
import { History } from '../../../pwa/sync/history.ts'
import type { Indexed, QueuedItem, SyncNotice } from '../../../pwa/sync/ports.ts'
import { RoomStore } from '../../../pwa/sync/room-store.ts'
import { parseSyncAnswer } from '../../../pwa/sync/sync-answer.ts'
import type { TimelinePage, TimelineQuery } from '../../../pwa/sync/timeline-item.ts'
import { timelinePage } from '../../../pwa/sync/timeline-page.ts'
import { MemoryRecords } from '../../../pwa/vault/memory-records.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { Hub, OurDevice } from '../../e2ee/hub.ts'

export const room = '!room:a.example'
export const amal = '@amal:a.example'
export const jonas = '@jonas:b.example'

export class Reader {
  readonly records = new MemoryRecords()
  readonly told: SyncNotice[] = []
  readonly indexed: Indexed[] = []
  /** By path: what the server answers; absent: it does not. */
  readonly server = new Map<string, (query: URLSearchParams) => JsonObject>()
  device!: OurDevice
  store!: RoomStore
  history!: History
  readonly #outbox = { queued: (): QueuedItem[] => [], hasDraft: () => false, echoed: () => {} }
  #batch = 0

  static async open(): Promise<Reader> {
    await ready
    const reader = new Reader()
    reader.device = await OurDevice.open(new Hub(), amal, 'AMAL')
    reader.store = await RoomStore.open(reader.records, amal, reader.#outbox)
    const http = new Http({
      origin: 'https://a.example',
      tokens: { accessToken: 't', refreshToken: null, expiresTs: null },
      keepTokens: async () => {},
      onEnded: () => {},
      clock: () => 0,
      fetch: async input => {
        const { pathname, searchParams } = new URL(String(input))
        const answer = [...reader.server].find(([path]) => decodeURIComponent(pathname).endsWith(path))?.[1]
        if (!answer) throw new TypeError('no route')
        return new Response(JSON.stringify(answer(searchParams)))
      },
    })
    const { store, device } = reader
    reader.history = new History({ http, store, machine: device.machine, search: reader.search })
    return reader
  }

  readonly search = {
    index: async (messages: readonly Indexed[]) => void this.indexed.push(...messages),
    reindex: async (messages: readonly Indexed[]) => void this.indexed.push(...messages),
    unindex: async () => {},
  }

  /** Takes the answer of a sync, as it came. */
  async take(answer: JsonObject): Promise<void> {
    const parsed = parseSyncAnswer({ next_batch: `batch${++this.#batch}`, ...answer })
    const { store, search } = this
    const { machine } = this.device
    const tell = (notice: SyncNotice) => void this.told.push(notice)
    await applySync({ store, machine, outbox: this.#outbox, search, tell }, parsed!)
  }

  /** A sync about the one room. */
  joined(events: readonly JsonObject[], more: JsonObject = {}): Promise<void> {
    const { timeline = {}, ...rest } = more
    return this.take({
      rooms: {
        join: { [room]: { timeline: { events: [...events], ...(timeline as JsonObject) }, ...rest } },
      },
    })
  }

  page(query: Partial<TimelineQuery> = {}): Promise<TimelinePage> {
    const { store, history } = this
    const asked = { roomId: room, at: 'end', before: 1000, after: 0, ...query } as const
    const reopening = { missed: () => {} }
    return timelinePage({ store, history, outbox: this.#outbox, reopening }, asked)
  }

  async bodies(query: Partial<TimelineQuery> = {}): Promise<unknown[]> {
    const { items } = await this.page(query)
    return items.filter(({ type }) => type === 'm.room.message').map(({ content }) => content['body'])
  }
}

export function message(n: number, more: JsonObject = {}): JsonObject {
  const { content, ...rest } = more
  return {
    event_id: `$m${n}`,
    type: 'm.room.message',
    sender: jonas,
    origin_server_ts: 1_000_000 + n * 1000,
    content: { msgtype: 'm.text', body: `m${n}`, ...((content as JsonObject) ?? {}) },
    ...rest,
  }
}

export function messages(from: number, to: number): JsonObject[] {
  return Array.from({ length: to - from }, (_, i) => message(from + i))
}

export function state(type: string, content: JsonObject, stateKey = ''): JsonObject {
  return {
    event_id: `$${type}${stateKey}`,
    type,
    state_key: stateKey,
    sender: jonas,
    origin_server_ts: 1000,
    content,
  }
}

export const create = state('m.room.create', { room_version: '12' })
