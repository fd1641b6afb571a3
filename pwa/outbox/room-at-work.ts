import type { ItemProblem } from '../sync/timeline-item.ts'

/** A room of which something is being sent, and its pauses between two attempts. */
export interface RoomAtWork {
  running: Promise<void>
  /** Ends the pause; null where there is none. */
  wake: (() => void) | null
  /** Why it has to be tried again, where that is worth a word; null: it goes on, or nobody knows. */
  problem: ItemProblem | null
}

export function pauseFor(work: RoomAtWork, ms: number, end: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      work.wake = null
      resolve()
    }
    const timer = setTimeout(done, ms)
    work.wake = done
    if (end.aborted) done()
  })
}
