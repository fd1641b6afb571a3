/**
 * What our command line says in columns (a label, text beside it, broken at its own width), as facts: the label goes into the
 * margin, the text is broken again at ours.
 */
import { type Block, fact, gap, text } from './page.ts'
import type { Tone } from './screen.ts'

const tones: Readonly<Record<string, Tone>> = { ALARM: 'bad', Warning: 'warn', '!': 'bad' }

export function ledger(lines: readonly string[]): Block[] {
  const blocks: { label: string | null; text: string }[] = []
  for (const line of lines.flatMap(each => each.split('\n'))) {
    const labelled = /^(?=.{0,15} {2})(\S+(?: \S+)*) {2,}(\S.*)$/.exec(line)
    const rest = /^ {2,}(\S.*)$/.exec(line)
    const last = blocks.at(-1)
    if (rest && last?.label !== undefined && last.label !== null) {
      // An arrow begins what to do; anything else goes on with the sentence.
      if (/^(?:→|->)/.test(rest[1]!)) blocks.push({ label: '', text: rest[1]! })
      else last.text += ` ${rest[1]}`
    } else if (labelled) blocks.push({ label: labelled[1]!, text: labelled[2]! })
    else blocks.push({ label: null, text: line.trim() })
  }
  return blocks.map(block => {
    if (block.label === null) return block.text === '' ? gap : text(block.text)
    return fact(block.label, block.text, tones[block.label])
  })
}
