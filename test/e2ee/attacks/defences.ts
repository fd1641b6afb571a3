/**
 * The line that stands against each attack, and what the code would be without it: `npm run attacks` takes one
 * after the other out and expects the test of that attack to fail. A test that passes without its defence
 * proves nothing.
 */
export interface Defence {
  /** The number in the name of the test: "attack 8: …". */
  readonly attack: number
  readonly file: string
  /** Exactly one place of the file. */
  readonly defence: string
  readonly without: string
}

export const defences: readonly Defence[] = []
