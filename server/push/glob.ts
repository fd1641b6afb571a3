/**
 * Glob patterns of push rules, matched segment by segment: a pattern is a person's input, and a regular expression made
 * of it could run for minutes on one message. A pattern and a text that nearly match everywhere still cost their
 * product, a thousand such patterns a thousand times that: so work is counted, and what exceeds it matches nothing.
 *
 * Spec: appendices#glob-style-matching; client-server-api#conditions-1 (`event_match`).
 */

/** Comparisons of characters that may still be made; shared by the patterns that are tried together. */
export interface Work {
  left: number
}

export type Matcher = (value: string, work?: Work) => boolean

const unbounded: Work = { left: Number.POSITIVE_INFINITY }

/** Does the whole of `value` match, letters' case aside? */
export function globMatcher(pattern: string): Matcher {
  if (!/[*?]/.test(pattern)) {
    const lower = pattern.toLowerCase()
    return value => value === pattern || value.toLowerCase() === lower
  }
  const segments = segmentsOf(pattern)
  return (value, work = unbounded) => {
    const text = characters(value, work)
    return findSpan(
      text,
      segments,
      from => from === 0,
      to => to === text.length,
      work,
    )
  }
}

/** Does any part of `value` match that starts and ends at a word boundary? Case aside, for `content.body`. */
export function wordMatcher(pattern: string): Matcher {
  const segments = segmentsOf(pattern)
  return (value, work = unbounded) => {
    const text = characters(value, work)
    return findSpan(
      text,
      segments,
      from => from === 0 || !isWordCharacter(text[from - 1]!),
      to => to === text.length || !isWordCharacter(text[to]!),
      work,
    )
  }
}

type Text = ArrayLike<string>

/** A text by characters: surrogate pairs count as one, so that `?` matches an emoji. */
function characters(text: string, work = unbounded): Text {
  work.left -= text.length
  if (work.left < 0) return ''
  const lower = text.toLowerCase()
  return /[\ud800-\udfff]/.test(lower) ? Array.from(lower) : lower
}

function segmentsOf(pattern: string): readonly Text[] {
  return pattern.split('*').map(segment => characters(segment))
}

/**
 * Is there a span of `text` that consists of the segments in order, anything between them, and whose start
 * and end are allowed? Each segment is taken at its earliest place: a later one only leaves less room.
 */
function findSpan(
  text: Text,
  segments: readonly Text[],
  mayStart: (from: number) => boolean,
  mayEnd: (to: number) => boolean,
  work: Work,
): boolean {
  let at = 0
  for (let i = 0; i < segments.length; i++) {
    const first = i === 0
    const last = i === segments.length - 1
    const segment = segments[i]!
    let from = at
    while (
      work.left >= 0 &&
      from + segment.length <= text.length &&
      !(
        matchesAt(text, segment, from, work) &&
        (!first || mayStart(from)) &&
        (!last || mayEnd(from + segment.length))
      )
    )
      from++
    if (work.left < 0 || from + segment.length > text.length) return false
    at = from + segment.length
  }
  return true
}

function matchesAt(text: Text, segment: Text, from: number, work: Work): boolean {
  let i = 0
  while (i < segment.length && (segment[i] === '?' || segment[i] === text[from + i])) i++
  work.left -= i + 1
  return i === segment.length
}

function isWordCharacter(character: string): boolean {
  return /^[a-z0-9_]$/i.test(character)
}
