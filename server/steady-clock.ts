/**
 * A clock for how long something takes: it starts at the time of the wall clock and never jumps, whatever is done to that.
 *
 * What is counted by it would otherwise last for as long as the clock was set back (a limit, a wait, a challenge), or end at
 * once when it is set forward. What is stored or shown to people bears the wall clock's time.
 */
export function steadyClock(clock: () => number, monotonic: () => number): () => number {
  const started = clock() - monotonic()
  // Whole milliseconds, as clocks give them: some of these numbers stand in tokens.
  return () => Math.floor(started + monotonic())
}
