/**
 * Screens as bytes for a line: the kernel's own console (its sixteen colours are set to our look), or a serial line,
 * which gets ASCII, the colours that every terminal has, and its own background.
 *
 * A whole screen is written row by row, each row in one piece, so that whoever reads the stream finds every sentence in
 * it; afterwards only what changed is written.
 */
import type { Cell, Paper, Screen, Tone } from './screen.ts'
import { asciiOf } from './shown-text.ts'

export type Line = 'console' | 'serial'

const csi = '\x1b['

/** Spec: console_codes(4), "ESC ] P nrrggbb". The dark tokens of the app; backgrounds can only be 0 to 7. */
const palette = [
  '12151b',
  'f19aa3',
  '7cc7a2',
  'e8a878',
  '262c38',
  'ffffff',
  'e0b45c',
  'ece8e0',
  '8d93a0',
  '3b4250',
  'b3b6bd',
  'e8a878',
  'e8a878',
  '000000',
  'e0b45c',
  'fffdf8',
]

const consoleTones: Readonly<Record<Tone, string>> = {
  ink: '37',
  strong: '97',
  soft: '92',
  faint: '90',
  line: '91',
  seal: '33',
  good: '32',
  warn: '36',
  bad: '31',
  'on-seal': '30',
}
const consolePapers: Readonly<Record<Paper, string>> = {
  paper: '40',
  well: '44',
  seal: '43',
  black: '40',
  white: '45',
}

const serialTones: Readonly<Record<Tone, string>> = {
  ink: '39',
  strong: '39;1',
  soft: '39',
  faint: '39;2',
  line: '39;2',
  seal: '33',
  good: '32',
  warn: '33;1',
  bad: '31;1',
  'on-seal': '30',
}
const serialPapers: Readonly<Record<Paper, string>> = {
  paper: '49',
  well: '49;7',
  seal: '43',
  black: '40',
  white: '47',
}

/** Once, when the line is taken. */
export function begin(line: Line): string {
  const colours = palette.map((colour, i) => `\x1b]P${i.toString(16)}${colour}`).join('')
  // ESC % G: UTF-8. ?7l: what is too long does not wrap.
  return `${line === 'console' ? `\x1b%G${colours}` : ''}${csi}0m${csi}?7l`
}

/** Leaves the line as a next program wants it. */
export const end = `${csi}0m${csi}2J${csi}H${csi}?25h${csi}?7h`

/** Asks a terminal that says no size: it goes as far down as it can and reports where it is. */
export const askForSize = `${csi}s${csi}999;999H${csi}6n${csi}u`

/** @param before what the terminal shows now; null: not known, all is written */
export function paint(screen: Screen, before: Screen | null, line: Line): string {
  const whole = !before || before.columns !== screen.columns || before.rows !== screen.rows
  let out = ''
  if (whole) out += `${csi}0m${sgr(screen.cells[0]!, line)}${csi}2J`
  let style = ''
  for (let row = 0; row < screen.rows; row++) {
    const from = row * screen.columns
    const cells = screen.cells.slice(from, from + screen.columns)
    const old = whole ? null : before.cells.slice(from, from + screen.columns)
    for (const [first, last] of old ? changed(cells, old) : [[0, lastInk(cells)] as const]) {
      if (last < first) continue
      out += `${csi}${row + 1};${first + 1}H`
      for (const cell of cells.slice(first, last + 1)) {
        const wanted = sgr(cell, line)
        if (wanted !== style) out += wanted
        style = wanted
        out += line === 'serial' ? asciiOf(cell.glyph) : cell.glyph
      }
    }
  }
  const { cursor } = screen
  const old = whole ? undefined : before.cursor
  const isSameCursor = cursor?.row === old?.row && cursor?.column === old?.column && old !== undefined
  if (out === '' && isSameCursor) return ''
  return `${csi}?25l${out}${cursor ? `${csi}${cursor.row + 1};${cursor.column + 1}H${csi}?25h` : ''}`
}

/** The stretches of a row that are different; what lies close together is one. */
function changed(cells: readonly Cell[], old: readonly Cell[]): [number, number][] {
  const found: [number, number][] = []
  cells.forEach((cell, i) => {
    const was = old[i]!
    if (cell.glyph === was.glyph && cell.tone === was.tone && cell.paper === was.paper) return
    const last = found.at(-1)
    if (last && i - last[1] < 6) last[1] = i
    else found.push([i, i])
  })
  return found
}

function lastInk(cells: readonly Cell[]): number {
  return cells.findLastIndex(cell => cell.glyph !== ' ' || cell.paper !== 'paper')
}

function sgr({ tone, paper }: Cell, line: Line): string {
  return line === 'serial'
    ? `${csi}0;${serialTones[tone]};${serialPapers[paper]}m`
    : `${csi}0;${consoleTones[tone]};${consolePapers[paper]}m`
}
