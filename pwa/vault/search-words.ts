/**
 * The words of a text as search compares them: what people type differs from what was written in marks, case and forms.
 *
 * Compatibility forms are decomposed; accents, tashkeel, tatweel and direction marks go; أإآٱ are ا, ى and ی are ي, ة is ه,
 * digits of any script are 0–9. Vowel signs of other scripts stay: there they are letters.
 */

/** Longer ones are cut: a hash or a base64 line is found by its beginning. */
const maxWordLength = 64
/** Of one message; a Matrix event has at most 65,536 bytes. */
const maxTextLength = 65_536

const marks =
  /[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u08d3-\u08ff\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/g
const forms: Readonly<Record<string, string>> = {
  ٱ: 'ا',
  ى: 'ي',
  ی: 'ي',
  ة: 'ه',
  ک: 'ك',
  ß: 'ss',
  ı: 'i',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  æ: 'ae',
  œ: 'oe',
}
const formPattern = new RegExp(`[${Object.keys(forms).join('')}]`, 'g')
const easternDigits = /[\u0660-\u0669\u06f0-\u06f9]/g
const word = /[\p{L}\p{N}\p{M}]+/gu
const plain = /^[\x20-\x7e]*$/
/** The article, alone or behind a one-letter particle, before a word of two letters or more. */
const article = /^[وفبك]?ال(?=..)/

export function normaliseText(text: string): string {
  // Most of a Latin conversation, at a tenth of the price.
  if (plain.test(text)) return text.toLowerCase()
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(marks, '')
    .replace(formPattern, letter => forms[letter]!)
    .replace(easternDigits, digit => String(digit.charCodeAt(0) & 0xf))
}

/** What is asked for: each is the beginning of a word. */
export function queryWords(text: string): string[] {
  return [...new Set(wordsOf(text))]
}

/** What a message is found by: its words, and Arabic ones without their article too. */
export function indexWords(text: string): Set<string> {
  const words = new Set<string>()
  for (const each of wordsOf(text.slice(0, maxTextLength))) {
    words.add(each)
    const bare = each.replace(article, '')
    if (bare !== each) words.add(bare)
  }
  return words
}

function wordsOf(text: string): string[] {
  return (normaliseText(text).match(word) ?? []).map(each => each.slice(0, maxWordLength))
}
