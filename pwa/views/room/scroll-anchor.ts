/**
 * Keeps what is looked at in its place while lines come and go around it, and stays at the end where the end is looked at.
 *
 * The browser's own anchoring is off (base of the timeline's style): it does not know the end, and not every browser has it.
 */
export class ScrollAnchor {
  /** The newest line is in view. */
  isAtEnd = true
  #key: string | null = null
  #offset = 0
  #top = 0
  /** Of a pixel's rounding; whoever scrolls up by more has left. */
  readonly #endsWithin = 2

  /** Remembers the first line in view. `reachesEnd`: nothing newer is anywhere. */
  note(scroller: HTMLElement, reachesEnd: boolean): void {
    const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight
    // The end moves when lines come or the place for them shrinks; only who scrolls up leaves it.
    const staysAtEnd = this.isAtEnd && scroller.scrollTop >= this.#top - 1
    this.isAtEnd = reachesEnd && (below <= this.#endsWithin || staysAtEnd)
    this.#top = scroller.scrollTop
    if (staysAtEnd && this.isAtEnd && below > this.#endsWithin) this.restore(scroller)
    const line = firstBelow(linesOf(scroller), scroller.scrollTop)
    this.#key = line?.dataset['key'] ?? null
    this.#offset = line ? line.offsetTop - scroller.scrollTop : 0
  }

  /** Puts it back where it was, and where somebody has scrolled since, by as much. */
  restore(scroller: HTMLElement): void {
    const lowest = scroller.scrollHeight - scroller.clientHeight
    // The scroll event may still be on its way: what was scrolled meanwhile is not undone.
    const moved = this.#top > lowest ? 0 : scroller.scrollTop - this.#top
    if (this.isAtEnd && moved >= -1) {
      scroller.scrollTop = lowest
      this.#top = scroller.scrollTop
      return
    }
    if (this.isAtEnd) {
      this.note(scroller, true)
      return
    }
    const line = this.#key === null ? null : lineOf(scroller, this.#key)
    if (!line) return
    const top = line.offsetTop - this.#offset + moved
    if (Math.abs(top - scroller.scrollTop) >= 1) scroller.scrollTop = top
    this.#offset = line.offsetTop - scroller.scrollTop
    this.#top = scroller.scrollTop
  }

  /** Looks at this line from now on. False: it is not here. */
  moveTo(scroller: HTMLElement, key: string): boolean {
    const line = lineOf(scroller, key)
    if (!line) return false
    this.isAtEnd = false
    this.#top = scroller.scrollTop
    this.#key = key
    this.#offset = Math.max(0, Math.min(scroller.clientHeight / 3, scroller.clientHeight - line.offsetHeight))
    this.restore(scroller)
    return true
  }
}

/** The last line that is wholly in view. */
export function lastInView(scroller: HTMLElement): HTMLElement | null {
  const lines = linesOf(scroller)
  const bottom = scroller.scrollTop + scroller.clientHeight + 1
  let found: HTMLElement | null = null
  for (let i = lines.length - 1; i >= 0 && !found; i--) {
    const line = lines[i]!
    if (line.offsetTop + line.offsetHeight <= bottom) found = line
  }
  return found
}

export function lineOf(scroller: HTMLElement, key: string): HTMLElement | null {
  return scroller.querySelector(`[data-key="${CSS.escape(key)}"]`)
}

function linesOf(scroller: HTMLElement): HTMLElement[] {
  return [...scroller.querySelectorAll<HTMLElement>('[data-key]')]
}

function firstBelow(lines: readonly HTMLElement[], top: number): HTMLElement | null {
  let low = 0
  let high = lines.length
  while (low < high) {
    const middle = (low + high) >> 1
    const line = lines[middle]!
    if (line.offsetTop + line.offsetHeight > top) high = middle
    else low = middle + 1
  }
  return lines[low] ?? null
}
