/** The console as a program on a terminal of its own: raw bytes in, raw bytes out. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import xterm from '@xterm/headless'
import test, { type ExecutionContext } from 'ava'

const here = import.meta.dirname
const enter = '\r'
const longestMs = 60_000

class Terminal {
  readonly screen: InstanceType<typeof xterm.Terminal>
  readonly #child: ChildProcess
  stream = ''
  errors = ''

  /** @param columns 0: the line says no size */
  constructor(what: 'new' | 'serving' | 'pin', line: 'serial' | 'console', columns = 80, rows = 24) {
    this.screen = new xterm.Terminal({ cols: columns || 132, rows: rows || 43, allowProposedApi: true })
    const program = [process.execPath, join(here, 'console-program.ts'), what, line]
    this.#child = spawn('python3', [join(here, 'pty.py'), String(columns), String(rows), ...program])
    this.#child.stdout!.on('data', (bytes: Buffer) => {
      this.stream += bytes.toString('utf8')
      this.screen.write(bytes)
    })
    this.#child.stderr!.on('data', (bytes: Buffer) => {
      this.errors += bytes.toString('utf8')
    })
    // What a terminal answers by itself: where its cursor is.
    this.screen.onData(answer => this.type(answer))
  }

  type(text: string): void {
    this.#child.stdin!.write(text)
  }

  get text(): string {
    const { active } = this.screen.buffer
    return Array.from({ length: this.screen.rows }, (_, row) =>
      active.getLine(row)!.translateToString(true).trimEnd(),
    ).join('\n')
  }

  async sees(pattern: RegExp): Promise<void> {
    const end = performance.now() + longestMs
    while (!pattern.test(this.text)) {
      if (performance.now() > end) throw new Error(`${pattern} did not come:\n${this.text}\n${this.errors}`)
      await sleep(20)
    }
  }

  /** @returns the exit code */
  async end(): Promise<number | null> {
    const ended = new Promise<number | null>(done => this.#child.once('exit', done))
    this.#child.stdin!.end()
    return ended
  }
}

const withTerminal = (...given: ConstructorParameters<typeof Terminal>) => ({
  async run(t: ExecutionContext, work: (terminal: Terminal) => Promise<void>) {
    const terminal = new Terminal(...given)
    try {
      await work(terminal)
    } finally {
      const code = await terminal.end()
      t.is(code, 0)
      t.is(terminal.errors, '')
    }
  },
})

test('a serial line of 80 by 24: driven by keys, redrawn whole by Ctrl+L', t =>
  withTerminal('serving', 'serial').run(t, async terminal => {
    await terminal.sees(/All is well\./)
    terminal.type(enter)
    await terminal.sees(/What do you want to do\?/)
    terminal.type(`2${enter}`)
    await terminal.sees(/addresses \| eno1/)
    const before = terminal.stream.length
    terminal.type('\x0c')
    await sleep(300)
    await terminal.sees(/addresses \| eno1/)
    // Each sentence in one piece, in the stream that a script reads.
    const redrawn = terminal.stream.slice(before).replaceAll(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
    t.regex(redrawn, /What you change is tried first\./)
    t.regex(redrawn, /1 > Change it/)
    terminal.type('\x1b')
    await terminal.sees(/What do you want to do\?/)
    t.regex(terminal.stream, /^[\x1b -~\r\n]*$/)
  }))

test('a line that says no size is asked for it', t =>
  withTerminal('serving', 'serial', 0, 0).run(t, async terminal => {
    await terminal.sees(/All is well\./)
    t.is(terminal.screen.cols, 132)
    await terminal.sees(/^-{27}\+-{104}$/m)
  }))

test('a line that says nothing and answers nothing has 80 by 24', async t => {
  const terminal = new Terminal('serving', 'serial', 0, 0)
  terminal.type = () => {}
  await terminal.sees(/All is well\./)
  t.regex(terminal.text, /^-{16}\+-{63}$/m)
  t.is(await terminal.end(), 0)
})

test('what is typed as a secret is neither echoed nor written anywhere', t =>
  withTerminal('pin', 'serial').run(t, async terminal => {
    await terminal.sees(/asks for the PIN/)
    terminal.type(enter)
    await terminal.sees(/Type the PIN of this console/)
    terminal.type('864209')
    await terminal.sees(/\*{6}/)
    terminal.type(enter)
    await terminal.sees(/This is not the PIN/)
    terminal.type(`271828${enter}`)
    await terminal.sees(/What do you want to do\?/)
    t.notRegex(terminal.stream + terminal.errors, /864209|271828/)
  }))

test('a whole first start over a serial line', t =>
  withTerminal('new', 'serial').run(t, async terminal => {
    await terminal.sees(/Welcome\. This machine is new\./)
    terminal.type(`1${enter}`)
    await terminal.sees(/Server name/)
    terminal.type(`clinic.example${enter}clinic.example${enter}`)
    await terminal.sees(/Address that people open/)
    terminal.type(`${enter}clinic.example${enter}`)
    await terminal.sees(/First administrator/)
    terminal.type(enter)
    await terminal.sees(/Browsers and phones/)
    terminal.type(enter)
    await terminal.sees(/Other servers/)
    terminal.type(enter + enter + enter)
    await terminal.sees(/Automatic/)
    terminal.type(enter)
    await terminal.sees(/Is all of this right\?/)
    terminal.type(enter)
    await terminal.sees(/What the TPM asks/)
    terminal.type(enter)
    await terminal.sees(/I have written it down/)
    const key = terminal.text
      .split('\n')
      .flatMap(row => /\|\s+((?:[cbdefghijklnrtuv]{5}-?){4})$/.exec(row)?.[1] ?? [])
      .join('')
    t.is(key.replaceAll('-', '').length, 80)
    terminal.type(enter)
    await terminal.sees(/Type the recovery key/)
    terminal.type(key + enter)
    await terminal.sees(/Look at these before the first link is made/)
    terminal.type(enter)
    await terminal.sees(/The link of the first administrator/)
    t.regex(terminal.text, /link \| https:\/\/chat\.clinic\.example\/enrol#/)
  }))

test('a screen of the kernel: its own colours, UTF-8, and the QR code', t =>
  withTerminal('serving', 'console').run(t, async terminal => {
    await terminal.sees(/All is well\./)
    t.regex(terminal.stream, /\x1b\]P012151b/)
    await terminal.sees(/───┬───/)
  }))

test('bytes that mean nothing do nothing', t =>
  withTerminal('serving', 'serial').run(t, async terminal => {
    await terminal.sees(/All is well\./)
    const noise = Buffer.from(
      Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256).filter(byte => byte !== 10 && byte !== 13),
    )
    terminal.type(noise.toString('latin1'))
    await sleep(300)
    terminal.type('\x0c')
    await terminal.sees(/All is well\./)
  }))
