/**
 * How a file that people uploaded is offered: what could run is an attachment, and a name is only a name.
 *
 * Spec: client-server-api#serving-inline-content
 */
const inlineTypes = new Set([
  'text/css',
  'text/plain',
  'text/csv',
  'application/json',
  'application/ld+json',
  'image/jpeg',
  'image/gif',
  'image/png',
  'image/apng',
  'image/webp',
  'image/avif',
  'video/mp4',
  'video/webm',
  'video/ogg',
  'video/quicktime',
  'audio/mp4',
  'audio/webm',
  'audio/aac',
  'audio/mpeg',
  'audio/ogg',
  'audio/wave',
  'audio/wav',
  'audio/x-wav',
  'audio/x-pn-wav',
  'audio/flac',
  'audio/x-flac',
])

/** RFC 6266: an ASCII name for old clients, the real one percent-encoded (RFC 8187). No path, no control character. */
export function contentDisposition(contentType: string, fileName: string | undefined): string {
  const essence = contentType.split(';')[0]!.trim().toLowerCase()
  const kind = inlineTypes.has(essence) ? 'inline' : 'attachment'
  const name = fileName?.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}/\\]/gu, '_').slice(0, 255)
  if (name === undefined || name === '') return kind
  const ascii = name.replaceAll(/[^\x20-\x7e]|["%]/g, '_')
  const encoded = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return ascii === name
    ? `${kind}; filename="${name}"`
    : `${kind}; filename="${ascii}"; filename*=UTF-8''${encoded}`
}

/** The name in a header that another server wrote; nothing but a text, whatever is in it. */
export function fileNameIn(header: string | undefined): string | undefined {
  if (header === undefined || header.length > 4_096) return undefined
  const extended = /;\s*filename\*=utf-8'[^']{0,20}'([^;\s]+)/i.exec(header)?.[1]
  const plain = /;\s*filename=(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))/i.exec(header)
  const name = decoded(extended) ?? plain?.[1]?.replaceAll(/\\(.)/g, '$1') ?? plain?.[2]
  return name === undefined || name === '' ? undefined : name.slice(0, 255)
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text)
  } catch {
    return undefined
  }
}

// RFC 9110 §8.3.1, parameters included; what is none is "some bytes".
const mediaType =
  /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(?:; ?[\w-]{1,50}=(?:[\w!#$&^.+:-]{1,100}|"[^"\\\x00-\x1f\x7f-\uffff]{0,100}"))*$/

export function contentTypeIn(header: string | undefined): string {
  return header !== undefined && header.length <= 255 && mediaType.test(header)
    ? header
    : 'application/octet-stream'
}
