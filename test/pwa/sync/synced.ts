/** Somebody's rooms with the real engine, at a homeserver whose rooms a test writes, and syncs as a test tells them. */
import { ApiError } from '../../../pwa/api/api-error.ts'
import type { Http, RequestOptions } from '../../../pwa/api/http.ts'
import { ready } from '../../../pwa/e2ee/primitives.ts'
import { applySync } from '../../../pwa/sync/apply-sync.ts'
import type { Doubts } from '../../../pwa/sync/doubts.ts'
import { History } from '../../../pwa/sync/history.ts'
import type { Outbox, QueuedItem, Search, SyncNotice } from '../../../pwa/sync/ports.ts'
import { Reopening } from '../../../pwa/sync/reopen.ts'
import { RoomStore } from '../../../pwa/sync/room-store.ts'
import { parseSyncAnswer } from '../../../pwa/sync/sync-answer.ts'
import type { TimelinePage, TimelineQuery } from '../../../pwa/sync/timeline-item.ts'
import { timelinePage } from '../../../pwa/sync/timeline-page.ts'
import type { VaultWrite } from '../../../pwa/vault/records.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { Hub, OurDevice } from '../../e2ee/hub.ts'
import type { MemoryRecords as EngineRecords } from '../../support/records.ts'
import { FaultyRecords } from '../outbox/desk.ts'

export const us = '@amal:a.example'
export const them = '@jonas:b.example'
export const roomId = '!ward:a.example'

export type Raw = JsonObject & { readonly event_id: string; readonly type: string }

let made = 0
export function raw(type: string, content: JsonObject, more: JsonObject = {}): Raw {
  made++
  return {
    event_id: `$e${made}`,
    type,
    sender: them,
    origin_server_ts: 1_000_000 + made,
    content,
    ...more,
  } as Raw
}

export function text(body: string, more: JsonObject = {}): Raw {
  return raw('m.room.message', { msgtype: 'm.text', body }, more)
}

export function reaction(to: string, key = '👍'): Raw {
  return raw('m.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: to, key } })
}

export function member(userId: string, membership = 'join', more: JsonObject = {}): Raw {
  return raw('m.room.member', { membership, ...more }, { state_key: userId, sender: userId })
}

/** Takes its time, as a disk does: what was handed over is what will be there. */
class SlowRecords extends FaultyRecords {
  /** What a commit waits for. */
  wait: (writes: readonly VaultWrite[]) => Promise<void> = async () => {}

  override async commit(writes: readonly VaultWrite[]): Promise<void> {
    const handed = structuredClone(writes)
    await this.wait(handed)
    await super.commit(handed)
  }
}

export class Synced {
  readonly hub: Hub
  readonly device: OurDevice
  readonly records: SlowRecords
  readonly notices: SyncNotice[] = []
  readonly indexed = new Map<string, string>()
  queued: QueuedItem[] = []
  /** What the server has of rooms, the oldest first; a token is a place between events. */
  readonly rooms = new Map<string, Raw[]>()
  readonly asked: string[] = []
  isOffline = false
  /** Later than all that is made here. */
  now = 2_000_000_000
  store!: RoomStore
  history!: History
  reopening!: Reopening
  doubts: Pick<Doubts, 'met'> = { met: () => {} }
  #batches = 0

  private constructor(hub: Hub, device: OurDevice, records: SlowRecords) {
    this.hub = hub
    this.device = device
    this.records = records
  }

  static async open(): Promise<Synced> {
    await ready
    const hub = new Hub()
    const records = new SlowRecords()
    const engineRecords = records as unknown as EngineRecords
    const device = await OurDevice.open(hub, us, 'AMAL', { records: engineRecords })
    const synced = new Synced(hub, device, records)
    await synced.restart()
    return synced
  }

  /** As after a crash: from the records alone. */
  async restart(): Promise<void> {
    await this.device.reopen()
    const outbox: Outbox = { queued: () => this.queued, hasDraft: () => false, echoed: () => {} }
    const search = this.search
    const tell = (notice: SyncNotice) => void this.notices.push(notice)
    const { machine } = this.device
    this.store = await RoomStore.open(this.records, us, outbox)
    const http = { request: (...asked: Parameters<Http['request']>) => this.#request(...asked) } as Http
    this.history = new History({ http, store: this.store, machine, search })
    this.reopening = new Reopening({ store: this.store, machine, search, tell })
    machine.onNotice(notice => {
      if (notice.kind === 'room-keys') this.reopening.keysCame(notice.roomId, notice.sessionIds)
    })
    this.#outbox = outbox
  }

  #outbox!: Outbox

  readonly search: Search = {
    commit: async (writes, { index = [], reindex = [], unindex = [] }) => {
      await this.records.commit(writes)
      for (const each of [...index, ...reindex]) this.indexed.set(each.eventId, each.text)
      for (const each of unindex) this.indexed.delete(each)
    },
  }

  /** An answer's body as a server writes it. */
  async sync(body: JsonObject): Promise<void> {
    const answer = parseSyncAnswer({ next_batch: `s${++this.#batches}`, ...body })
    if (!answer) throw new Error('this is no answer')
    const { store } = this
    await applySync(
      {
        store,
        machine: this.device.machine,
        outbox: this.#outbox,
        search: this.search,
        tell: notice => void this.notices.push(notice),
        clock: () => this.now,
      },
      answer,
    )
  }

  /** News of the one room; what comes is on the server as well. */
  async news(
    events: readonly Raw[],
    more: {
      state?: readonly Raw[]
      ephemeral?: readonly JsonObject[]
      unread?: number
      limited?: boolean
      missed?: readonly Raw[]
    } = {},
  ): Promise<void> {
    const all = this.rooms.get(roomId) ?? []
    this.rooms.set(roomId, [...all, ...(more.missed ?? []), ...events])
    const start = all.length + (more.missed?.length ?? 0)
    await this.sync({
      rooms: {
        join: {
          [roomId]: {
            timeline: {
              events,
              limited: more.limited ?? (more.missed?.length ?? 0) > 0,
              prev_batch: `t${start}`,
            },
            state_after: { events: more.state ?? [] },
            ephemeral: { events: more.ephemeral ?? [] },
            unread_notifications: { notification_count: more.unread ?? 0 },
          },
        },
      },
    })
  }

  page(query: Partial<TimelineQuery> = {}): Promise<TimelinePage> {
    const { store, history, reopening } = this
    return timelinePage(
      { store, history, outbox: this.#outbox, reopening, doubts: this.doubts },
      { roomId, at: 'end', before: 30, after: 0, ...query },
    )
  }

  entry() {
    return this.store.entry(roomId)!
  }

  async #request(_method: string, path: string, { query = {} }: RequestOptions = {}): Promise<JsonObject> {
    this.asked.push(path)
    // As from a network: others come in between.
    await new Promise(resolve => setImmediate(resolve))
    if (this.isOffline) throw new ApiError('OFFLINE', 'no server')
    const [, room, what, eventId] = /\/rooms\/([^/]+)\/(\w+)(?:\/(.*))?$/.exec(path)!.map(decodeURIComponent)
    const events = this.rooms.get(room!) ?? []
    if (what === 'messages') {
      const from = Number(String(query['from']).slice(1))
      const limit = Number(query['limit'])
      const to = query['dir'] === 'b' ? Math.max(0, from - limit) : Math.min(events.length, from + limit)
      const isEnd = to === (query['dir'] === 'b' ? 0 : events.length)
      const chunk = query['dir'] === 'b' ? events.slice(to, from).toReversed() : events.slice(from, to)
      return { chunk, start: `t${from}`, ...(!isEnd && { end: `t${to}` }) }
    }
    if (what === 'context') {
      const at = events.findIndex(event => event.event_id === eventId)
      if (at < 0) throw new ApiError('M_NOT_FOUND', 'no such event', { status: 404 })
      const half = Math.floor(Number(query['limit']) / 2)
      const [first, last] = [Math.max(0, at - half), Math.min(events.length, at + 1 + half)]
      return {
        event: events[at]!,
        events_before: events.slice(first, at).toReversed(),
        events_after: events.slice(at + 1, last),
        start: `t${first}`,
        end: `t${last}`,
      }
    }
    const found = events.find(each => (each['origin_server_ts'] as number) >= Number(query['ts']))
    return found ? { event_id: found.event_id } : {}
  }
}
