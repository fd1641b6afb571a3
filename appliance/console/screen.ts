/** What a terminal shows: a grid of cells in the tones of our look, and where the cursor stands. Pure. */
import { shown } from './shown-text.ts'

/** Paper and ink; one accent, copper. What a tone looks like on a given line, terminal-output.ts knows. */
export type Tone = 'ink' | 'strong' | 'soft' | 'faint' | 'line' | 'seal' | 'good' | 'warn' | 'bad' | 'on-seal'
export type Paper = 'paper' | 'well' | 'seal' | 'black' | 'white'

export interface Cell {
  readonly glyph: string
  readonly tone: Tone
  readonly paper: Paper
}

export interface Screen {
  readonly columns: number
  readonly rows: number
  /** Row after row. */
  readonly cells: readonly Cell[]
  readonly cursor: { readonly row: number; readonly column: number } | null
}

export const blank: Cell = { glyph: ' ', tone: 'ink', paper: 'paper' }

/** A screen being painted. What lies outside of it is dropped. */
export class Canvas {
  readonly columns: number
  readonly rows: number
  readonly #cells: Cell[]
  #cursor: Screen['cursor'] = null

  constructor(columns: number, rows: number) {
    this.columns = columns
    this.rows = rows
    this.#cells = new Array<Cell>(columns * rows).fill(blank)
  }

  /** @returns the column behind it */
  text(row: number, column: number, text: string, tone: Tone = 'ink', paper?: Paper): number {
    let at = column
    for (const glyph of shown(text)) this.#put(row, at++, glyph, tone, paper)
    return at
  }

  fill(row: number, from: number, to: number, glyph: string, tone: Tone, paper?: Paper): void {
    for (let column = from; column < to; column++) this.#put(row, column, glyph, tone, paper)
  }

  /** The colour behind what stands there already. */
  tint(row: number, from: number, to: number, paper: Paper): void {
    for (let column = from; column < to; column++) {
      const cell = this.#cells[row * this.columns + column]
      if (cell && column < this.columns) this.#put(row, column, cell.glyph, cell.tone, paper)
    }
  }

  cursorAt(row: number, column: number): void {
    if (row < this.rows && column < this.columns) this.#cursor = { row, column }
  }

  get screen(): Screen {
    return { columns: this.columns, rows: this.rows, cells: this.#cells, cursor: this.#cursor }
  }

  #put(row: number, column: number, glyph: string, tone: Tone, paper: Paper | undefined): void {
    if (row < 0 || row >= this.rows || column < 0 || column >= this.columns) return
    const at = row * this.columns + column
    this.#cells[at] = { glyph, tone, paper: paper ?? this.#cells[at]!.paper }
  }
}

/** For tests and for whoever reads it aloud. */
export function textOf({ cells, columns, rows }: Screen): string {
  return Array.from({ length: rows }, (_, row) =>
    cells
      .slice(row * columns, (row + 1) * columns)
      .map(cell => cell.glyph)
      .join('')
      .trimEnd(),
  ).join('\n')
}
