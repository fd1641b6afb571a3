/** What cannot be undone is typed out, not clicked away. */
import { ask, type Steps } from '../flow.ts'
import { type Block, choice, field, gap, text, wayOut } from '../page.ts'

export interface Confirmation {
  readonly title: string
  readonly why: readonly Block[]
  /** This has to be typed, letter by letter. */
  readonly word: string
  readonly goOn: string
}

export function* confirmTyped({ title, why, word, goOn }: Confirmation): Steps<boolean> {
  const { chosen } = yield* ask(
    {
      title,
      blocks: [
        ...why,
        gap,
        text(`Type ${word} to confirm it.`, 'strong'),
        field('word', 'type it'),
        choice('confirm', goOn),
        wayOut(),
      ],
    },
    { check: ({ word: typed = '' }) => (typed.trim() === word ? {} : { word: `This is not ${word}.` }) },
  )
  return chosen !== 'back'
}
