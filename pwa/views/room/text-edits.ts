/** What the keys and the buttons of the composer do to a text and its selection. Pure. */
export interface Selected {
  readonly text: string
  readonly start: number
  readonly end: number
}

export type Format = 'bold' | 'italic' | 'strike' | 'code' | 'quote' | 'list' | 'link'

const around: Partial<Record<Format, string>> = { bold: '**', italic: '_', strike: '~~', code: '`' }
const before: Partial<Record<Format, string>> = { quote: '> ', list: '- ' }

/** Marks the selection, or takes the marks away again. */
export function formatted(selected: Selected, format: Format): Selected {
  const mark = around[format]
  if (mark !== undefined) return wrapped(selected, format === 'code' && hasLines(selected) ? '```' : mark)
  const prefix = before[format]
  return prefix === undefined ? linked(selected) : prefixed(selected, prefix)
}

export function inserted({ text, start, end }: Selected, what: string): Selected {
  const caret = start + what.length
  return { text: text.slice(0, start) + what + text.slice(end), start: caret, end: caret }
}

function hasLines({ text, start, end }: Selected): boolean {
  return text.slice(start, end).includes('\n')
}

function wrapped({ text, start, end }: Selected, mark: string): Selected {
  const [open, close] = mark === '```' ? ['```\n', '\n```'] : [mark, mark]
  const isMarked =
    text.slice(start - open.length, start) === open && text.slice(end, end + close.length) === close
  if (isMarked) {
    const plain = text.slice(0, start - open.length) + text.slice(start, end) + text.slice(end + close.length)
    return { text: plain, start: start - open.length, end: end - open.length }
  }
  return {
    text: text.slice(0, start) + open + text.slice(start, end) + close + text.slice(end),
    start: start + open.length,
    end: end + open.length,
  }
}

/** Every line that the selection touches. */
function prefixed({ text, start, end }: Selected, prefix: string): Selected {
  const from = text.lastIndexOf('\n', start - 1) + 1
  const lines = text.slice(from, end).split('\n')
  const has = lines.every(line => line.startsWith(prefix))
  const next = lines.map(line => (has ? line.slice(prefix.length) : prefix + line)).join('\n')
  const change = has ? -prefix.length : prefix.length
  return {
    text: text.slice(0, from) + next + text.slice(end),
    start: Math.max(from, start + change),
    end: from + next.length,
  }
}

/** The caret stands where the address goes. */
function linked({ text, start, end }: Selected): Selected {
  const words = text.slice(start, end)
  const caret = start + words.length + 3
  return { text: `${text.slice(0, start)}[${words}]()${text.slice(end)}`, start: caret, end: caret }
}
