/** UTF-8 sizes and bytes. The specification counts bytes; JavaScript counts UTF-16 code units. */
const encoder = new TextEncoder()

export function utf8Bytes(text: string): Uint8Array {
  return encoder.encode(text)
}

/** How many bytes the text takes in UTF-8, without making them. A lone surrogate counts 3, as U+FFFD would. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    bytes += unit < 0x800 ? 1 : 2
    // A pair is 4 bytes for 2 units: the high half brought 1 + 2, the low half brings 1.
    if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) i++
  }
  return bytes
}

/** Is the text at most this many bytes long? Answers most questions without looking at the text. */
export function fitsUtf8(text: string, maxBytes: number): boolean {
  return text.length * 3 <= maxBytes || (text.length <= maxBytes && utf8Length(text) <= maxBytes)
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000
}
