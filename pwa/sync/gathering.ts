/**
 * Brings what was said before this device came, while nobody waits for it: what is not here is not found, and not read offline.
 *
 * One request at a time, a page of each room in turn, the rooms with the newest news first. What came is stored like everything
 * else; where it stopped is a gap, from which the next start goes on. A room that the server refuses is left alone until then.
 */
import { ApiError } from '../api/api-error.ts'
import { VaultError } from '../vault/errors.ts'
import type { History } from './history.ts'
import type { RoomStore } from './room-store.ts'
import { eventsPerPack, type Timeline } from './timeline.ts'

export interface GatheringDeps {
  readonly store: RoomStore
  readonly history: Pick<History, 'older'>
  /** Between two requests: the server and this device are there for people first. */
  readonly pause: () => Promise<void>
  /** False: no room on this device, or each byte costs money. */
  readonly mayGather: () => Promise<boolean>
}

/** Of one room. Who looks for something older scrolls there, or jumps to its date. */
const maxEvents = 20_000

export class Gathering {
  readonly #deps: GatheringDeps
  /** By room, the pack below which the next gap is looked for. */
  readonly #reached = new Map<string, number>()
  readonly #done = new Set<string>()
  #running: Promise<void> | null = null
  #isStopped = false

  constructor(deps: GatheringDeps) {
    this.#deps = deps
  }

  /** The server is within reach, or there are new rooms. */
  wake(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
  }

  stop(): void {
    this.#isStopped = true
  }

  /** When there is nothing to bring any more, or the server is gone. */
  async settled(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    const { store, pause, mayGather } = this.#deps
    try {
      for (;;) {
        const left = store.entries
          .filter(({ roomId, membership }) => membership === 'join' && !this.#done.has(roomId))
          .sort((a, b) => b.lastTs - a.lastTs)
        if (left.length === 0) return
        for (const { roomId } of left) {
          await pause()
          if (this.#isStopped || !(await mayGather())) return
          await this.#page(roomId)
        }
      }
    } catch (error) {
      // Locked, full or offline: the next word of the server begins again.
      if (!(error instanceof VaultError) && !(error instanceof ApiError)) throw error
    }
  }

  async #page(roomId: string): Promise<void> {
    const { store, history } = this.#deps
    const timeline = await store.timeline(roomId)
    const number = await this.#nextGap(roomId, timeline)
    if (number === null || timeline.packNumbers.length * eventsPerPack >= maxEvents) {
      this.#done.add(roomId)
      return
    }
    try {
      await history.older(roomId, timeline, number)
    } catch (error) {
      if (!(error instanceof ApiError) || error.isPassing || error.code === 'M_UNKNOWN_TOKEN') throw error
      this.#done.add(roomId)
    }
  }

  /** The newest pack that something is missing before. */
  async #nextGap(roomId: string, timeline: Timeline): Promise<number | null> {
    const from = this.#reached.get(roomId) ?? Number.POSITIVE_INFINITY
    for (const number of timeline.packNumbers.filter(each => each <= from).toReversed()) {
      this.#reached.set(roomId, number)
      if ((await timeline.pack(number)).gap !== null) return number
    }
    return null
  }
}
