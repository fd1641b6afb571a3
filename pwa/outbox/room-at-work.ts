/** A room of which something is being sent, and its pauses between two attempts. */
export interface RoomAtWork {
  running: Promise<void>
  /** Ends the pause; null where there is none. */
  wake: (() => void) | null
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
