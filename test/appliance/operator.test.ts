/** The machine tests' reader of screens against the console's own pages: if they no longer understand each other, it shows here and not after minutes in QEMU. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Input, newInput, typed } from '../../appliance/console/input.ts'
import { type Key, KeyReader } from '../../appliance/console/keys.ts'
import { layOut } from '../../appliance/console/layout.ts'
import { choice, code, fact, field, gap, type Page, text, wayOut } from '../../appliance/console/page.ts'
import { askForSize, begin, paint } from '../../appliance/console/terminal-output.ts'
import { Operator } from './machines/operator.ts'
import { Screen } from './machines/screen.ts'

const frame = {
  site: 'clinic.test',
  version: '0.9.1',
  isDevelopment: true,
  time: '2026-11-21 18:00',
}

/** A serial line with the console's pages on it: what was chosen and typed on each. */
class Console {
  readonly taken: { readonly chosen: string; readonly values: Input['values'] }[] = []
  screen!: Screen
  #pages: Page[]
  #size = { columns: 80, rows: 24 }
  #input: Input
  #socket!: Socket

  static async open(t: ExecutionContext, ...pages: Page[]): Promise<Console> {
    const folder = mkdtempSync(join(tmpdir(), 'letro-line-'))
    const path = join(folder, 'line')
    const console = new Console(pages)
    const server = createServer(socket => console.#begin(socket)).listen(path)
    console.screen = await Screen.connect(path, join(folder, 'log'))
    t.teardown(() => {
      console.screen.close()
      server.close()
      rmSync(folder, { recursive: true })
    })
    return console
  }

  private constructor(pages: Page[]) {
    this.#pages = pages
    this.#input = newInput(pages[0]!)
  }

  type = (words: string) => this.screen.type(words)
  sees = (pattern: RegExp, timeoutMs = 5_000) => this.screen.waitFor(pattern, timeoutMs)

  #begin(socket: Socket): void {
    this.#socket = socket
    const reader = new KeyReader()
    socket.on('data', bytes => {
      for (const key of reader.read(Buffer.from(bytes))) this.#take(key)
    })
    socket.write(begin('serial') + askForSize)
    this.#paint()
  }

  #take(key: Key): void {
    if (key.key === 'size') this.#size = key
    const [page] = this.#pages
    const result = typed(this.#input, page!, key)
    if (result.kind === 'input') this.#input = result.input
    if (result.kind === 'chosen') {
      this.taken.push({ chosen: result.chosen, values: this.#input.values })
      if (this.#pages.length > 1) this.#pages = this.#pages.slice(1)
      this.#input = newInput(this.#pages[0]!)
    }
    this.#paint()
  }

  #paint(): void {
    this.#socket.write(
      paint(layOut(this.#pages[0]!, this.#input, { ...this.#size, ...frame }), null, 'serial'),
    )
  }
}

const key = 'cbdef-ghijk-lnrtu-vcbde-fghij-klnrt-uvcbd-efghi'
const pages: [Page, Page, Page] = [
  {
    title: 'Welcome. This machine is new.',
    blocks: [
      text(
        'It is set up here, in a few minutes, without any connection to the outside, and this sentence goes on.',
      ),
      gap,
      choice('questions', 'Set it up here: a handful of questions'),
      choice('stick', 'Set it up from a stick labelled LETROCONF'),
    ],
  },
  {
    title: 'Type the recovery key',
    blocks: [
      code([key.slice(0, 24), key.slice(24)], 'recovery key'),
      gap,
      fact('sealed by', 'Secure Boot; the TPM opens the data'),
      field('key', 'key', { isSecret: true }),
      field('again', 'once more'),
      choice('go', 'Make the disk'),
      wayOut(),
    ],
  },
  { title: 'The end.', blocks: [] },
]

test('a sentence is found over line breaks, a choice by its words, a key beside its label; fields are filled', async t => {
  const console = await Console.open(t, ...pages)
  const operator = new Operator(console)
  await operator.sees(/Welcome\. This machine is new\./)
  await operator.sees(/without any connection to the outside, and this sentence goes on\./)
  await operator.choose('Set it up from a stick')
  await operator.sees(/Type the recovery key/)
  t.is((await operator.copies('recovery key')).join(''), key)
  t.deepEqual(operator.beside('sealed by'), ['Secure Boot; the TPM opens the data'])
  await operator.fill(key, 'second')
  await operator.sees(/The end\./)
  t.deepEqual(console.taken, [
    { chosen: 'stick', values: {} },
    { chosen: 'go', values: { key, again: 'second' } },
  ])
})

test('what is not on the screen is said together with what is', async t => {
  const console = await Console.open(t, ...pages)
  const operator = new Operator(console)
  await operator.sees(/Welcome/)
  await t.throwsAsync(operator.choose('Format the disk', 200), {
    message: /no choice "Format the disk" on the screen:.*Welcome\. This machine is new\./s,
  })
  await t.throwsAsync(operator.sees(/Something else/, 200), { message: /0\.2 s passed.*Welcome/s })
  t.throws(() => operator.beside('link'), { message: /no "link"/ })
})
