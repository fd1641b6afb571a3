/**
 * The stretch of a timeline that this tab holds: it slides over a history of any length and stays bounded.
 *
 * It asks the worker for pages, joins them by the items' keys, and asks again for what it holds when the worker says that
 * something changed. One question at a time: a second change while one is asked is one more question, however many came.
 */
import type { TimelineItem, TimelinePage, TimelineQuery } from '../../sync/timeline-item.ts'

export type Ask = (query: TimelineQuery) => Promise<TimelinePage>
export type Place = 'end' | { readonly eventId: string } | { readonly ts: number }

/** How many items a question brings, and how many are held. */
export const pageItems = 50
export const heldItems = 300

export class TimelineStretch {
  items: readonly TimelineItem[] = []
  hasOlder = false
  hasNewer = false
  /** The server would have to be asked for more. */
  offline = false
  /** Something was shown once. */
  isOpen = false
  busy: 'opening' | 'older' | 'newer' | null = null
  error: unknown = null

  readonly #ask: Ask
  readonly #where: { readonly roomId: string; readonly threadRoot?: string }
  readonly #onChange: () => void
  #generation = 0
  #isAsking = false
  #isStale = false
  #closed = false

  constructor(
    where: { readonly roomId: string; readonly threadRoot?: string },
    ask: Ask,
    onChange: () => void,
  ) {
    this.#where = where
    this.#ask = ask
    this.#onChange = onChange
  }

  close(): void {
    this.#closed = true
  }

  /** Shows another place. What was held stays in view until the answer is here. */
  async open(at: Place): Promise<void> {
    const generation = ++this.#generation
    this.busy = 'opening'
    this.error = null
    this.#changed()
    const before = at === 'end' ? pageItems : pageItems / 2
    try {
      const page = await this.#ask({ ...this.#where, at, before, after: at === 'end' ? 0 : pageItems / 2 })
      if (generation !== this.#generation) return
      this.#take(page)
      this.isOpen = true
    } catch (error) {
      if (generation === this.#generation) this.error = error
    }
    if (generation === this.#generation) this.busy = null
    this.#changed()
    if (this.#isStale) await this.refresh()
  }

  older(): Promise<void> {
    return this.#more('older')
  }

  newer(): Promise<void> {
    return this.#more('newer')
  }

  /** What is held is asked for again. */
  async refresh(): Promise<void> {
    this.#isStale = true
    if (this.#isAsking || this.busy !== null || !this.isOpen) return
    this.#isAsking = true
    while (this.#isStale && this.busy === null && !this.#closed) {
      this.#isStale = false
      await this.#again()
    }
    this.#isAsking = false
  }

  /** At the end, nobody looks at what is far above: what is held need not grow with every message that comes. */
  forgetOld(): void {
    if (this.hasNewer || this.items.length <= 2 * pageItems) return
    this.items = this.items.slice(-pageItems)
    this.hasOlder = true
  }

  async #more(way: 'older' | 'newer'): Promise<void> {
    if (this.busy !== null || !(way === 'older' ? this.hasOlder : this.hasNewer)) return
    const edge = (way === 'older' ? this.items.find(isSent) : this.items.findLast(isSent))?.eventId
    if (!edge) return
    const generation = this.#generation
    this.busy = way
    this.error = null
    this.#changed()
    try {
      const page = await this.#ask({
        ...this.#where,
        at: { eventId: edge },
        before: way === 'older' ? pageItems : 1,
        after: way === 'newer' ? pageItems : 1,
      })
      if (generation !== this.#generation) return
      if (way === 'older') this.#joinOlder(page)
      else this.#joinNewer(page)
    } catch (error) {
      if (generation === this.#generation) this.error = error
    }
    if (generation !== this.#generation) return
    this.busy = null
    this.#changed()
    if (this.#isStale) await this.refresh()
  }

  async #again(): Promise<void> {
    const generation = this.#generation
    const held = this.items
    const middle = held.findLastIndex((item, i) => isSent(item) && i <= held.length / 2)
    const anchor = held[middle]?.eventId
    const isLive = !this.hasNewer || !anchor
    try {
      const page = await this.#ask(
        isLive
          ? { ...this.#where, at: 'end', before: Math.max(pageItems, held.length + 10), after: 0 }
          : { ...this.#where, at: { eventId: anchor }, before: middle, after: held.length - middle },
      )
      if (generation !== this.#generation || this.busy !== null) {
        this.#isStale = true
        return
      }
      this.#take(isLive ? from(page, held[0]) : page)
    } catch {
      // What is held stays as it is; the next notice asks again.
      return
    }
    this.#changed()
  }

  #take(page: TimelinePage): void {
    this.items = kept(this.items, page.items)
    this.hasOlder = page.hasOlder
    this.hasNewer = page.hasNewer
    this.offline = page.offline
  }

  #joinOlder(page: TimelinePage): void {
    const held = new Set(this.items.map(item => item.key))
    const found = page.items.findIndex(item => held.has(item.key))
    const added = found === -1 ? page.items : page.items.slice(0, found)
    this.offline = page.offline
    this.hasOlder = page.hasOlder
    // A page without anything new is the end, whatever it says: nobody asks for it for ever.
    if (added.length === 0 && !page.offline) this.hasOlder = false
    const items = [...added, ...this.items]
    if (items.length > heldItems) {
      this.hasNewer = true
      this.items = items.slice(0, heldItems)
    } else this.items = items
  }

  #joinNewer(page: TimelinePage): void {
    const held = new Set(this.items.map(item => item.key))
    const found = page.items.findLastIndex(item => held.has(item.key))
    const added = page.items.slice(found + 1).filter(item => !held.has(item.key))
    this.offline = page.offline
    this.hasNewer = page.hasNewer
    if (added.length === 0 && !page.offline) this.hasNewer = false
    const items = [...this.items, ...added]
    if (items.length > heldItems) {
      this.hasOlder = true
      this.items = items.slice(-heldItems)
    } else this.items = items
  }

  #changed(): void {
    if (!this.#closed) this.#onChange()
  }
}

function isSent(item: TimelineItem): boolean {
  return item.eventId !== null
}

/** The page from this item on, so that a live timeline does not grow upwards with every question. */
function from(page: TimelinePage, first: TimelineItem | undefined): TimelinePage {
  const start = first ? page.items.findIndex(item => item.key === first.key) : -1
  if (start <= 0) return page
  return { ...page, items: page.items.slice(start), hasOlder: true }
}

/** An item that says the same as before stays the same object, so that views need not draw it again. */
function kept(before: readonly TimelineItem[], now: readonly TimelineItem[]): readonly TimelineItem[] {
  const known = new Map(before.map(item => [item.key, item]))
  return now.map(item => {
    const old = known.get(item.key)
    return old && JSON.stringify(old) === JSON.stringify(item) ? old : item
  })
}
