/**
 * The edge between the core and a terminal: bytes in, bytes out, the clock, and the calls to the machine.
 *
 * The line is in raw mode, so that nothing that is typed is echoed by anybody but the core. Nothing of it is logged.
 */
import { type News, newState, type Size, type State, update, view } from './console.ts'
import { flows } from './flows/catalogue.ts'
import { KeyReader } from './keys.ts'
import { smallest } from './layout.ts'
import type { Machine } from './machine.ts'
import { perform } from './perform.ts'
import type { Screen } from './screen.ts'
import { askForSize, begin, end, type Line, paint } from './terminal-output.ts'

export interface TerminalInput extends NodeJS.ReadableStream {
  setRawMode?(isRaw: boolean): unknown
}
export interface TerminalOutput extends NodeJS.WritableStream {
  readonly columns?: number
  readonly rows?: number
}

export interface ConsoleDeps {
  readonly machine: Machine
  readonly line: Line
  readonly input: TerminalInput
  readonly output: TerminalOutput
  readonly clock: () => number
  /** Codes and names of faults; never what was typed or shown. */
  readonly log: (words: string) => void
}

const lookEveryMs = 3_000
/** An escape that stands alone is known by the silence after it. */
const escapeMs = 120

export function runConsole({ machine, line, input, output, clock, log }: ConsoleDeps): { stop(): void } {
  let state: State = newState(sizeOf(output) ?? smallest, clock(), line)
  let onTerminal: Screen | null = null
  let isFull = false
  let isWaiting = false
  const keys = new KeyReader()

  const dispatch = (news: News) => {
    try {
      const next = update(state, news, flows)
      state = next.state
      for (const effect of next.effects) void perform(machine, effect, dispatch, clock)
    } catch (error) {
      // A fault of ours: the flow is lost, the console is not.
      log(`console: fault ${error instanceof Error ? error.name : 'unknown'}`)
      state = { ...newState(state.size, clock(), line), facts: state.facts, calls: state.calls }
    }
    paintSoon()
  }
  const paintSoon = () => {
    if (isWaiting) return
    isWaiting = true
    setImmediate(() => {
      isWaiting = false
      paintNow()
    })
  }
  const paintNow = () => {
    // A slow line gets the newest screen, not every one of them.
    if (isFull) return
    const screen = view(state)
    const bytes = paint(screen, onTerminal, line)
    onTerminal = screen
    if (bytes === '') return
    isFull = !output.write(bytes)
    if (isFull)
      output.once('drain', () => {
        isFull = false
        paintSoon()
      })
  }
  const redraw = () => {
    onTerminal = null
    output.write(begin(line))
    if (sizeOf(output) === null) output.write(askForSize)
    paintSoon()
  }
  const take = (pressed: ReturnType<KeyReader['read']>) => {
    for (const key of pressed) {
      if (key.key === 'redraw') redraw()
      else if (key.key === 'size') {
        if (sizeOf(output) === null) dispatch({ kind: 'size', size: bounded(key) })
      } else dispatch({ kind: 'key', key })
    }
  }

  let afterEscape: NodeJS.Timeout | undefined
  const onData = (bytes: Buffer | string) => {
    clearTimeout(afterEscape)
    take(keys.read(typeof bytes === 'string' ? Buffer.from(bytes) : bytes))
    if (keys.waits) afterEscape = setTimeout(() => take(keys.flush()), escapeMs)
  }
  const onResize = () => {
    const size = sizeOf(output)
    if (size) dispatch({ kind: 'size', size })
  }
  let isLooking = false
  const look = async () => {
    if (isLooking) return
    isLooking = true
    try {
      dispatch({ kind: 'facts', facts: await machine.look(null, () => {}) })
    } catch (error) {
      log(`console: the machine could not be looked at (${error instanceof Error ? error.name : 'unknown'})`)
    }
    isLooking = false
  }

  let minute = 0
  const tick = () => {
    const now = clock()
    // Messages of the kernel may have been written over the screen, and a serial line may have lost or doubled a byte.
    if (Math.floor(now / 60_000) !== minute) onTerminal = null
    minute = Math.floor(now / 60_000)
    dispatch({ kind: 'tick', now })
  }

  input.setRawMode?.(true)
  input.on('data', onData)
  output.on('resize', onResize)
  const ticking = setInterval(tick, 1000)
  const looking = setInterval(() => void look(), lookEveryMs)
  redraw()
  void look()

  return {
    stop: () => {
      clearInterval(ticking)
      clearInterval(looking)
      clearTimeout(afterEscape)
      input.off('data', onData)
      output.off('resize', onResize)
      input.setRawMode?.(false)
      output.write(end)
    },
  }
}

/** null: the line does not say. */
function sizeOf({ columns = 0, rows = 0 }: TerminalOutput): Size | null {
  return columns > 0 && rows > 0 ? bounded({ columns, rows }) : null
}

/** What came over a line may say anything. */
function bounded({ columns, rows }: Size): Size {
  return { columns: Math.min(400, columns), rows: Math.min(200, rows) }
}
