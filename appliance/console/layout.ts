/**
 * A page on a screen: a ruled margin that carries labels and marks, a calm column of text beside it, a line about where
 * one is above, the keys below. Thin rules, no boxes. Pure.
 */
import { choiceMark, type Input } from './input.ts'
import { type Block, type Field, focusables, type Page } from './page.ts'
import { Canvas, type Paper, type Screen, type Tone } from './screen.ts'
import { shown, wrapped } from './shown-text.ts'

export interface Frame {
  readonly columns: number
  readonly rows: number
  /** Behind the wordmark: whose machine this is. */
  readonly site: string
  /** On the right of the first row; of a DEVELOPMENT image a warning. */
  readonly version: string
  readonly isDevelopment: boolean
  /** On the right of the last row. */
  readonly time: string
}

export const smallest = { columns: 80, rows: 24 } as const
const textWidth = 62
const marginWidth = 14
const widest = 110

/** One row of the body. */
interface Line {
  readonly margin: string
  readonly text: string
  readonly tone: Tone
  readonly marginTone?: Tone
  readonly paper?: Paper
  /** The focus is here: copper rule and tint. */
  readonly isFocus?: boolean
  readonly caret?: number
}

export function layOut(page: Page, input: Input, frame: Frame): Screen {
  const { columns, rows, left, margin, column, width, wide, top, height } = measure(frame)
  const canvas = new Canvas(columns, rows)
  if (page.isBare) {
    paintBare(page, canvas)
    return canvas.screen
  }
  header(canvas, frame, left, wide)
  canvas.fill(1, 0, columns, '─', 'line')
  canvas.fill(rows - 2, 0, columns, '─', 'line')
  canvas.text(1, margin, '┬', 'line')
  canvas.text(rows - 2, margin, '┴', 'line')

  const lines = linesOf(page, input, width)
  const from = scrollOf(lines, input, height)
  for (let row = 2; row < rows - 2; row++) canvas.text(row, margin, '│', 'line')
  lines.slice(from, from + height).forEach((line, i) => {
    const row = top + i
    const label = shown(line.margin).slice(0, marginWidth)
    canvas.text(row, margin - 1 - label.length, label, line.marginTone ?? 'faint')
    if (line.isFocus) {
      canvas.tint(row, margin + 1, wide, 'well')
      canvas.text(row, margin, '▌', 'seal')
    }
    canvas.text(row, column, line.text.slice(0, width), line.tone, line.paper)
    if (line.caret !== undefined) canvas.cursorAt(row, column + line.caret)
  })
  const rest = lines.length - from - height
  footer(canvas, page, frame, left, wide, { above: from > 0, below: rest > 0 })
  return canvas.screen
}

/** How far the page can be moved up. */
export function mostScroll(
  page: Page,
  input: Input,
  size: { readonly columns: number; readonly rows: number },
): number {
  const { width, height } = measure(size)
  return Math.max(0, linesOf(page, input, width).length - height)
}

function measure(size: { readonly columns: number; readonly rows: number }) {
  const columns = Math.max(smallest.columns, size.columns)
  const rows = Math.max(smallest.rows, size.rows)
  const left = Math.max(0, Math.floor((Math.min(columns, 200) - widest) / 2))
  const margin = left + 16
  const column = margin + 2
  const width = Math.min(textWidth + (columns >= 100 ? 14 : 0), columns - column - 1)
  const top = columns >= 100 && rows >= 30 ? 3 : 2
  return { columns, rows, left, margin, column, width, wide: column + width + 1, top, height: rows - 2 - top }
}

function header(canvas: Canvas, frame: Frame, left: number, right: number): void {
  let at = canvas.text(0, left + 1, 'letro', 'strong')
  at = canvas.text(0, at, '.', 'seal')
  const version = shown(frame.version)
  const banner = frame.isDevelopment ? ' DEVELOPMENT ' : ''
  const room = right - at - version.length - banner.length - 5
  canvas.text(0, at + 2, shown(frame.site).slice(0, Math.max(0, room)), 'soft')
  canvas.text(0, right - version.length, version, 'faint')
  if (banner !== '') canvas.text(0, right - version.length - banner.length - 1, banner, 'on-seal', 'seal')
}

function footer(
  canvas: Canvas,
  page: Page,
  frame: Frame,
  left: number,
  right: number,
  more: { readonly above: boolean; readonly below: boolean },
): void {
  const row = canvas.rows - 1
  const all = focusables(page)
  const keys: [string, string][] = []
  if (more.above || more.below) keys.push(['PgUp PgDn', more.below ? 'more below' : 'more above'])
  if (all.length > 1) keys.push(['Up Down', 'move'])
  if (all.some(each => each.block === 'field' && each.options)) keys.push(['Left Right', 'change'])
  if (all.length > 0) keys.push(['Enter', 'go on'])
  if (!page.isFinal) keys.push(['Esc', 'back'])
  if (keys.length < 4) keys.push(['Ctrl+L', 'redraw'])
  let at = left + 1
  for (const [key, words] of keys) {
    if (at + key.length + words.length + 3 > right - frame.time.length) break
    at = canvas.text(row, at, key, 'soft')
    at = canvas.text(row, at + 1, words, 'faint') + 3
  }
  canvas.text(row, right - frame.time.length, frame.time, 'faint')
}

function linesOf(page: Page, input: Input, width: number): Line[] {
  const all = focusables(page)
  const lines: Line[] = [{ margin: '', text: shown(page.title), tone: page.tone ?? 'strong' }]
  let choices = 0
  let before: Block['block'] | null = null
  const add = (line: Line) => void lines.push(line)
  add({ margin: '', text: '', tone: 'ink' })
  for (const block of page.blocks) {
    const isFocus = all[input.focus] === block
    switch (block.block) {
      case 'text':
        for (const line of wrapped(block.text, width))
          add({ margin: '', text: line, tone: block.tone ?? 'ink' })
        break
      case 'fact':
        // Too long for the margin (a field of a file): a line of its own.
        if (block.label.length > marginWidth) add({ margin: '', text: shown(block.label), tone: 'soft' })
        wrapped(block.text, width).forEach((line, i) => {
          const isFirst = i === 0 && block.label.length <= marginWidth
          add({ margin: isFirst ? block.label : '', text: line, tone: block.tone ?? 'ink' })
        })
        break
      case 'code':
        block.lines
          .flatMap(line => chunks(shown(line), width))
          .forEach((line, i) => {
            add({ margin: i === 0 ? (block.label ?? '') : '', text: line, tone: 'seal' })
          })
        break
      case 'field':
        for (const line of fieldLines(block, input, isFocus, width)) add(line)
        break
      case 'choice': {
        if (before === 'field') add({ margin: '', text: '', tone: 'ink' })
        const mark = choiceMark(choices++)
        add({ margin: mark, text: shown(block.label), tone: isFocus ? 'strong' : 'ink', isFocus })
        if (block.detail !== undefined)
          for (const line of wrapped(block.detail, width))
            add({ margin: '', text: line, tone: 'faint', isFocus })
        break
      }
      case 'progress': {
        for (const line of wrapped(block.text, width)) add({ margin: '', text: line, tone: 'ink' })
        const full = Math.min(width, 50)
        const done = block.part === null ? 0 : Math.round(full * Math.max(0, Math.min(1, block.part)))
        const percent =
          block.part === null ? '' : `${Math.floor(Math.max(0, Math.min(1, block.part)) * 100)} %`
        add({ margin: percent, text: '█'.repeat(done) + '░'.repeat(full - done), tone: 'seal' })
        break
      }
      case 'picture':
        for (const line of halfBlocks(block.modules)) add({ margin: '', text: line, tone: 'strong' })
        break
      default:
        block satisfies never
    }
    before = block.block
  }
  return lines
}

function fieldLines(block: Field, input: Input, isFocus: boolean, width: number): Line[] {
  const value = input.values[block.name] ?? ''
  const problem = input.problems[block.name]
  const lines: Line[] = []
  if (block.options) {
    const words = block.options.find(([each]) => each === value)?.[1] ?? value
    lines.push({
      margin: block.label,
      text: isFocus ? `« ${words} »` : words,
      tone: isFocus ? 'strong' : 'ink',
      isFocus,
    })
  } else {
    const glyphs = block.isSecret ? '*'.repeat([...value].length) : shownField(value)
    // A long value shows the stretch around the caret.
    const room = width - 1
    const from = isFocus ? Math.max(0, input.caret - room) : 0
    const part = glyphs.slice(from, from + room)
    lines.push({
      margin: block.label,
      text: part === '' && !isFocus ? '_'.repeat(24) : part,
      tone: part === '' ? 'line' : 'strong',
      isFocus,
      ...(isFocus ? { caret: input.caret - from } : {}),
    })
  }
  if (problem !== undefined)
    for (const line of wrapped(problem, width)) lines.push({ margin: '', text: line, tone: 'bad' })
  else if (block.hint !== undefined && isFocus)
    for (const line of wrapped(block.hint, width)) lines.push({ margin: '', text: line, tone: 'faint' })
  return lines
}

/** One glyph for every character, so that the caret stands where it belongs. */
function shownField(value: string): string {
  return [...value].map(char => [...shown(char)][0] ?? '?').join('')
}

function chunks(line: string, width: number): string[] {
  const parts: string[] = []
  for (let at = 0; at < line.length; at += width) parts.push(line.slice(at, at + width))
  return parts.length === 0 ? [''] : parts
}

function scrollOf(lines: readonly Line[], input: Input, height: number): number {
  const most = Math.max(0, lines.length - height)
  if (input.scroll !== null) return Math.min(input.scroll, most)
  const last = lines.findLastIndex(line => line.isFocus)
  if (last < height) return 0
  return Math.min(most, last - height + 2)
}

/** Light is ink, dark is paper: two rows of modules a line, with a quiet zone around them. */
function halfBlocks(modules: Picture): string[] {
  const size = modules.length
  const quiet = 2
  const isLight = (row: number, column: number) => !(modules[row]?.[column] ?? false)
  const lines: string[] = []
  for (let row = -quiet; row < size + quiet; row += 2) {
    let line = ''
    for (let column = -quiet; column < size + quiet; column++) {
      const upper = isLight(row, column)
      const lower = row + 1 < size + quiet && isLight(row + 1, column)
      line += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' '
    }
    lines.push(line)
  }
  return lines
}

type Picture = readonly (readonly boolean[])[]

function paintBare(page: Page, canvas: Canvas): void {
  let row = 0
  for (const block of page.blocks) {
    if (block.block === 'picture')
      for (const line of halfBlocks(block.modules)) canvas.text(row++, 2, line, 'strong')
    else if (block.block === 'text') canvas.text(canvas.rows - 1, 2, block.text, 'soft')
  }
}
