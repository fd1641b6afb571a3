/**
 * Markdown as people type it → `formatted_body`. Loaded when somebody begins to write.
 *
 * HTML that is typed is text: what leaves has only the tags that Markdown makes, all of them in the specification's list.
 * Pictures by address are not sent: reading them would tell a third party who reads. Spec: client-server-api#mroommessage-msgtypes
 */
import { Marked, type RendererObject, type TokenizerObject } from 'marked'
import { isSafeAddress } from './link-text.ts'
import { personLink } from './matrix-link.ts'
import type { Mention } from './mention-query.ts'

const renderer: RendererObject = {
  html: ({ text }) => escaped(text),
  image: ({ text }) => escaped(text),
  checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
  link(token) {
    const words = this.parser.parseInline(token.tokens)
    return isSafeAddress(token.href) ? `<a href="${escaped(token.href)}">${words}</a>` : words
  },
}
/** Four spaces at the start of a line are an indent, not a program; `# ` is a heading, `#1` is not (GFM). */
const tokenizer: TokenizerObject = { code: () => undefined, def: () => undefined }

const marked = new Marked({ gfm: true, breaks: true, async: false, renderer, tokenizer })

/** Null: the text says it all. */
export function formattedBody(text: string, mentions: readonly Mention[]): string | null {
  const { marked: withPlaces, people } = withPlaceholders(text, mentions)
  const html = (marked.parse(withPlaces) as string).trim()
  if (people.length === 0 && !/<(?!\/?p>|br>)/.test(html)) return null
  return html.replace(places, (_, index: string) => pill(people[Number(index)]!)).replace(onlyParagraph, '$1')
}

const places = /\ue000(\d+)\ue001/g
const onlyParagraph = /^<p>((?:(?!<p>)[\s\S])*)<\/p>$/

/** Names may hold what Markdown would take for its own: they stand aside while it works. */
function withPlaceholders(text: string, mentions: readonly Mention[]): { marked: string; people: Mention[] } {
  const people = mentions.filter(mention => mention.userId !== null)
  // The longest first: `@Amal Nasser` is not `@Amal`.
  people.sort((a, b) => b.name.length - a.name.length)
  let marked = text.replace(/[\ue000\ue001]/g, '')
  for (const [i, { name }] of people.entries()) marked = marked.replaceAll(`@${name}`, `\ue000${i}\ue001`)
  return { marked, people }
}

function pill({ userId, name }: Mention): string {
  return `<a href="${personLink(userId!)}">${escaped(name)}</a>`
}

export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
