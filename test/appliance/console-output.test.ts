/** What is written to a line, as a terminal understands it. */

import xterm from '@xterm/headless'
import test from 'ava'
import { type Screen, textOf } from '../../appliance/console/screen.ts'
import { asciiOf } from '../../appliance/console/shown-text.ts'
import type { Line } from '../../appliance/console/terminal-output.ts'
import { begin, paint } from '../../appliance/console/terminal-output.ts'
import { gallery } from './console-gallery.ts'

const size = { columns: 80, rows: 24 }
const pictures = gallery(size)
const write = (terminal: InstanceType<typeof xterm.Terminal>, bytes: string) =>
  new Promise<void>(done => terminal.write(bytes, done))

function read(terminal: InstanceType<typeof xterm.Terminal>): string {
  const { active } = terminal.buffer
  return Array.from({ length: size.rows }, (_, row) => active.getLine(row)!.translateToString(true)).join(
    '\n',
  )
}

const wanted = (screen: Screen, line: Line) => {
  const text = textOf(screen)
  return line === 'serial' ? [...text].map(glyph => (glyph === '\n' ? glyph : asciiOf(glyph))).join('') : text
}

for (const line of ['serial', 'console'] as const) {
  test(`one page after the other, only what changed written: ${line}`, async t => {
    const terminal = new xterm.Terminal({ cols: size.columns, rows: size.rows, allowProposedApi: true })
    // xterm does not know the colours of the kernel's console: they are no text.
    await write(terminal, begin(line).replaceAll(/\x1b\]P[0-9a-f]{7}|\x1b%G/g, ''))
    let before: Screen | null = null
    for (const { name, screen } of await pictures) {
      await write(terminal, paint(screen, before, line))
      t.is(read(terminal).replaceAll(/ +$/gm, ''), wanted(screen, line), name)
      if (screen.cursor) t.is(terminal.buffer.active.cursorX, screen.cursor.column, name)
      before = screen
    }
  })

  test(`a whole page has each of its sentences in one piece: ${line}`, async t => {
    for (const { name, screen } of await pictures) {
      const stream = paint(screen, null, line).replaceAll(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
      for (const row of wanted(screen, line).split('\n')) if (!stream.includes(row)) t.fail(`${name}: ${row}`)
    }
    t.pass()
  })
}

test('a serial line gets nothing beyond ASCII', async t => {
  for (const { screen } of await pictures) t.regex(paint(screen, null, 'serial'), /^[\x1b -~]*$/)
})

test('what is the same is not written again', async t => {
  const { screen } = (await pictures)[0]!
  t.is(paint(screen, screen, 'serial'), '')
})
