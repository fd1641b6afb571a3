/**
 * Glob patterns of push rules, matched in linear passes: a pattern is a person's input, and a regular
 * expression made of it could run for minutes on one message.
 *
 * Spec: appendices#glob-style-matching; client-server-api#conditions-1 (`event_match`).
 */

/** Does the whole of `value` match, letters' case aside? */
export function globMatcher(pattern: string): (value: string) => boolean {
  if (!/[*?]/.test(pattern)) {
    const lower = pattern.toLowerCase()
    return value => value === pattern || value.toLowerCase() === lower
  }
  const segments = segmentsOf(pattern)
  return value => {
    const text = characters(value)
    return findSpan(
      text,
      segments,
      from => from === 0,
      to => to === text.length,
    )
  }
}

/** Does any part of `value` match that starts and ends at a word boundary? Case aside, for `content.body`. */
export function wordMatcher(pattern: string): (value: string) => boolean {
  const segments = segmentsOf(pattern)
  return value => {
    const text = characters(value)
    return findSpan(
      text,
      segments,
      from => from === 0 || !isWordCharacter(text[from - 1]!),
      to => to === text.length || !isWordCharacter(text[to]!),
    )
  }
}

type Text = ArrayLike<string>

/** A text by characters: surrogate pairs count as one, so that `?` matches an emoji. */
function characters(text: string): Text {
  const lower = text.toLowerCase()
  return /[\ud800-\udfff]/.test(lower) ? Array.from(lower) : lower
}

function segmentsOf(pattern: string): readonly Text[] {
  return pattern.split('*').map(characters)
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
): boolean {
  let at = 0
  for (let i = 0; i < segments.length; i++) {
    const first = i === 0
    const last = i === segments.length - 1
    const segment = segments[i]!
    let from = at
    while (
      from + segment.length <= text.length &&
      !(
        matchesAt(text, segment, from) &&
        (!first || mayStart(from)) &&
        (!last || mayEnd(from + segment.length))
      )
    )
      from++
    if (from + segment.length > text.length) return false
    at = from + segment.length
  }
  return true
}

function matchesAt(text: Text, segment: Text, from: number): boolean {
  for (let i = 0; i < segment.length; i++)
    if (segment[i] !== '?' && segment[i] !== text[from + i]) return false
  return true
}

function isWordCharacter(character: string): boolean {
  return /^[a-z0-9_]$/i.test(character)
}
