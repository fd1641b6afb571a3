/**
 * Text that may be painted: the only door for what others wrote (names of sites, files, servers' sentences).
 *
 * The kernel's console has one font of 256 glyphs, and takes control characters as orders. So whatever is painted is one
 * row of single-width glyphs of that font: typography is simplified, accents that the font lacks are dropped, anything
 * else is a question mark. Nothing here can move the cursor, change the direction of writing or break the frame.
 */

/** What the font of the PC has beyond ASCII (code page 437), as far as we use it. */
const glyphs = new Set('·─│┌┐└┘├┤┬┴┼═║▀▄█▌▐░▒▓■•°±²»«½¼éâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜáíóúñÑ¿¡ßµ£¥')

const plain: Readonly<Record<string, string>> = {
  '’': "'",
  '‘': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '…': '...',
  '–': '-',
  '—': '-',
  '‑': '-',
  '→': '->',
  '\u00a0': ' ',
  '\t': ' ',
  œ: 'oe',
  Œ: 'OE',
  ø: 'o',
  Ø: 'O',
}

export function shown(text: string): string {
  let out = ''
  for (const char of text) {
    if (/^[ -~]$/.test(char) || glyphs.has(char)) out += char
    else if (plain[char] !== undefined) out += plain[char]
    else if (/^[\p{Cc}\p{Cf}\u2028\u2029]$/u.test(char)) out += '·'
    else if (/^\p{M}$/u.test(char)) continue
    else {
      const base = char.normalize('NFD')[0]!
      out += /^[ -~]$/.test(base) ? base : '?'
    }
  }
  return out
}

const ascii: Readonly<Record<string, string>> = {
  '─': '-',
  '═': '=',
  '│': '|',
  '║': '|',
  '▌': '>',
  '·': '.',
  '•': '*',
  '■': '#',
  '█': '#',
  '░': '.',
  '▒': ':',
  '▓': '#',
  '▀': '"',
  '▄': '_',
  ß: 's',
  æ: 'a',
  Æ: 'A',
}

/** One glyph for a line that may know ASCII alone. */
export function asciiOf(glyph: string): string {
  if (/^[ -~]$/.test(glyph)) return glyph
  const base = ascii[glyph] ?? glyph.normalize('NFD')[0]!
  return /^[ -~]$/.test(base) ? base : '+'
}

/** Lines of at most `width`; breaks between words, and inside what is longer than a line. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (let word of shown(paragraph)
      .trimEnd()
      .split(/(?<=\S) /)) {
      const joined = line === '' ? word : `${line} ${word}`
      if (joined.length <= width) {
        line = joined
        continue
      }
      if (line !== '') lines.push(line)
      for (; word.length > width; word = word.slice(width)) lines.push(word.slice(0, width))
      line = word
    }
    lines.push(line)
  }
  return lines
}
