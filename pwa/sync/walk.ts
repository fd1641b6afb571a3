/** Goes through the packs of a timeline from a place, and asks the server where there is a gap. Crosses none. */
import { ApiError } from '../api/api-error.ts'
import type { History } from './history.ts'
import type { StoredEvent } from './stored-event.ts'
import type { Timeline } from './timeline.ts'

export type Place = 'end' | { readonly number: number; readonly index: number }

export interface Stretch {
  /** The oldest first. */
  readonly events: readonly StoredEvent[]
  readonly more: boolean
}

/** A person cannot wait for more requests than these before they see something. */
const maxFetches = 4

export class Walk {
  /** The server had to be asked, and did not answer. */
  offline = false
  readonly #timeline: Timeline
  readonly #history: History
  readonly #roomId: string
  readonly #isShown: (event: StoredEvent) => boolean
  #fetches = 0

  constructor(
    timeline: Timeline,
    history: History,
    roomId: string,
    isShown: (event: StoredEvent) => boolean,
  ) {
    this.#timeline = timeline
    this.#history = history
    this.#roomId = roomId
    this.#isShown = isShown
  }

  /** Before the place, and not it. */
  async back(place: Place, count: number): Promise<Stretch> {
    let events: StoredEvent[] = []
    let number = place === 'end' ? this.#timeline.packNumbers.at(-1) : place.number
    let end = place === 'end' ? Number.POSITIVE_INFINITY : place.index
    while (number !== undefined) {
      const pack = await this.#timeline.pack(number)
      const shown = pack.events.slice(0, end).filter(this.#isShown)
      const missing = count - events.length
      events = [...shown.slice(-missing || shown.length), ...events]
      if (missing <= shown.length) {
        const more = shown.length > missing || pack.gap !== null || this.#beside(number, -1) !== undefined
        return { events, more }
      }
      end = 0
      if (pack.gap !== null) {
        if (!(await this.#fetch(() => this.#history.older(this.#roomId, this.#timeline, pack.number))))
          return { events, more: true }
        // Nothing of what came has a line of its own: what lies before it is still to be asked for.
        if ((await this.#timeline.pack(number)).gap !== null) continue
      }
      number = this.#beside(number, -1)
      end = Number.POSITIVE_INFINITY
    }
    return { events, more: false }
  }

  /** The place itself and what follows. */
  async forth(place: Exclude<Place, 'end'>, count: number): Promise<Stretch> {
    const events: StoredEvent[] = []
    let number: number | undefined = place.number
    let start = place.index
    while (number !== undefined) {
      const pack = await this.#timeline.pack(number)
      const shown = pack.events.slice(start).filter(this.#isShown)
      const missing = count + 1 - events.length
      events.push(...shown.slice(0, missing))
      if (shown.length > missing) return { events, more: true }
      start = Number.POSITIVE_INFINITY
      if (await this.#isBeforeGap(number)) {
        if (events.length > count) return { events, more: true }
        if (!(await this.#fetch(() => this.#history.newer(this.#roomId, this.#timeline, pack.number))))
          return { events, more: true }
        if (await this.#isBeforeGap(number)) continue
      }
      number = this.#beside(number, 1)
      if (number !== undefined && events.length > count) return { events, more: true }
      start = 0
    }
    return { events, more: false }
  }

  async #isBeforeGap(number: number): Promise<boolean> {
    if ((await this.#timeline.pack(number)).after !== null) return true
    const next = this.#beside(number, 1)
    return next !== undefined && (await this.#timeline.pack(next)).gap !== null
  }

  #beside(number: number, step: 1 | -1): number | undefined {
    const { packNumbers } = this.#timeline
    const place = packNumbers.indexOf(number) + step
    return place < 0 ? undefined : packNumbers[place]
  }

  /** False: no more for now. */
  async #fetch(ask: () => Promise<void>): Promise<boolean> {
    if (this.#fetches >= maxFetches || this.offline) return false
    this.#fetches++
    try {
      await ask()
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      this.offline = true
      return false
    }
  }
}
