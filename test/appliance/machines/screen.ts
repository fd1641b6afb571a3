/**
 * A machine's serial line as somebody sees it who sits before a terminal: what the machine writes is drawn into a
 * grid of characters, keys go back. Tests wait for sentences on the screen, never for bytes in a stream.
 */
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import xterm from '@xterm/headless'

/** Taller than the smallest: what a page says is seen without turning it. */
const columns = 80
const rows = 50

export const keys = {
  enter: '\r',
  escape: '\x1b',
  up: '\x1b[A',
  down: '\x1b[B',
  right: '\x1b[C',
  left: '\x1b[D',
  tab: '\t',
  backspace: '\x7f',
  redraw: '\x0c',
  /** What stands in the field. */
  clear: '\x15',
} as const

export class Screen {
  readonly #terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 2_000, allowProposedApi: true })
  readonly #socket: Socket
  #pending: Promise<void> = Promise.resolve()
  /** All that came in, with the moment. */
  readonly #received: { readonly at: number; readonly text: string }[] = []

  /** What comes in is kept in a file. QEMU's own log of the line holds a byte twice wherever the reader was slow. */
  static async connect(path: string, logFile: string): Promise<Screen> {
    const socket = createConnection(path)
    await once(socket, 'connect')
    return new Screen(socket, logFile)
  }

  private constructor(socket: Socket, logFile: string) {
    this.#socket = socket
    socket.on('data', bytes => {
      appendFileSync(logFile, bytes)
      this.#received.push({ at: performance.now(), text: bytes.toString('latin1') })
      this.#pending = new Promise(drawn => this.#terminal.write(bytes, drawn))
    })
    socket.on('error', () => {})
    // A terminal answers when it is asked where its cursor is, or what it is.
    this.#terminal.onData(answer => void socket.write(answer))
  }

  /** The lines that are seen now. */
  get lines(): string[] {
    const { active } = this.#terminal.buffer
    return Array.from(
      { length: rows },
      (_, i) => active.getLine(active.baseY + i)?.translateToString(true) ?? '',
    )
  }

  get text(): string {
    return this.lines.join('\n')
  }

  /** As one reads it: rules and line breaks are no part of a sentence. */
  get sentences(): string {
    return readable(this.lines.join(' '))
  }

  /** What has scrolled away and what is seen. */
  get history(): string {
    const { active } = this.#terminal.buffer
    return Array.from({ length: active.length }, (_, i) => active.getLine(i)?.translateToString(true)).join(
      '\n',
    )
  }

  /** When the line last began to say it (`performance.now`); null: never. */
  lastAt(words: string): number | null {
    const all = this.#received.map(({ text }) => text).join('')
    let rest = all.lastIndexOf(words)
    if (rest === -1) return null
    for (const { at, text } of this.#received) {
      if (rest < text.length) return at
      rest -= text.length
    }
    return null
  }

  async type(text: string): Promise<void> {
    // A serial line has a small buffer, and an emulated machine takes its time.
    for (const [part] of text.matchAll(/\x1b\[.|.{1,8}/gs)) {
      this.#socket.write(part)
      await sleep(20)
    }
  }

  /** Waits until it is seen, and gives the match. */
  async waitFor(
    pattern: RegExp,
    timeoutMs: number,
    isAlive: () => boolean = () => true,
  ): Promise<RegExpExecArray> {
    const end = performance.now() + timeoutMs
    for (;;) {
      await this.#pending
      const found = pattern.exec(this.sentences)
      if (found) return found
      const why = !isAlive()
        ? 'the machine ended'
        : performance.now() > end
          ? `${timeoutMs / 1000} s passed`
          : null
      if (why) throw new Error(`${why} before the screen said ${pattern}. It says:\n${this.text}`)
      await sleep(100)
    }
  }

  close(): void {
    this.#socket.destroy()
    this.#terminal.dispose()
  }
}

export function readable(text: string): string {
  return text
    .replaceAll(/[\u2500-\u259f]| [|>](?= )/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
