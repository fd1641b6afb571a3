/**
 * The two parts of a media answer, read as they come: metadata of a few bytes, then a file of any size.
 *
 * Spec: server-server-api#get_matrixfederationv1mediadownloadmediaid; RFC 2046 §5.1. Nothing is kept but what one delimiter
 * could still be the end of; what is not closed by its delimiter is not whole, and throws.
 */
export interface FilePart {
  readonly headers: ReadonlyMap<string, string>
  readonly body: AsyncIterable<Uint8Array>
}

export class MultipartError extends Error {
  readonly code = 'BAD_MULTIPART'
  constructor(message: string) {
    super(message)
    this.name = 'MultipartError'
  }
}

const maxHeaderBytes = 16 * 1024
const maxMetadataBytes = 64 * 1024
const lineEnd = Buffer.from('\r\n')

/** `boundary=…` of a multipart/mixed type; null: it is another type. */
export function boundaryIn(contentType: string | undefined): string | null {
  const match = /^multipart\/mixed\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(
    contentType?.slice(0, 500) ?? '',
  )
  return match?.[1] ?? match?.[2] ?? null
}

/** The second part. @throws MultipartError, here or while its body is read */
export async function readFilePart(body: AsyncIterable<Uint8Array>, boundary: string): Promise<FilePart> {
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  const bytes = new Incoming(body)
  // The first delimiter may stand at the very beginning, without the line end that is part of all others.
  bytes.putBack(lineEnd)
  await bytes.before(delimiter, maxHeaderBytes)
  await readHeaders(bytes)
  await bytes.before(delimiter, maxMetadataBytes)
  const headers = await readHeaders(bytes)
  return { headers, body: bytes.streamBefore(delimiter) }
}

async function readHeaders(bytes: Incoming): Promise<Map<string, string>> {
  const rest = await bytes.before(lineEnd, 256)
  if (rest.toString('latin1').trim() !== '') throw new MultipartError('the answer has too few parts')
  // So that a part without headers ends like one with some.
  bytes.putBack(lineEnd)
  const text = (await bytes.before(Buffer.from('\r\n\r\n'), maxHeaderBytes)).toString('utf8')
  const headers = new Map<string, string>()
  for (const line of text.split('\r\n')) {
    const [, name, value] = /^([\w-]+):\s*(.*)$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) headers.set(name.toLowerCase(), value)
  }
  return headers
}

class Incoming {
  readonly #source: AsyncIterator<Uint8Array>
  #held: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  putBack(bytes: Buffer): void {
    this.#held = Buffer.concat([bytes, this.#held])
  }

  /** What comes before `end`, which is taken as well. */
  async before(end: Buffer, maxBytes: number): Promise<Buffer> {
    for (;;) {
      const at = this.#held.indexOf(end)
      if (at > maxBytes || (at < 0 && this.#held.length > maxBytes + end.length)) {
        throw new MultipartError(`a part is longer than ${maxBytes} bytes`)
      }
      if (at >= 0) {
        const found = this.#held.subarray(0, at)
        this.#held = this.#held.subarray(at + end.length)
        return found
      }
      this.#held = Buffer.concat([this.#held, await this.#more()])
    }
  }

  async *streamBefore(end: Buffer): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const at = this.#held.indexOf(end)
        if (at >= 0) {
          if (at > 0) yield this.#held.subarray(0, at)
          return
        }
        // The last bytes may be the beginning of the delimiter.
        const sure = this.#held.length - (end.length - 1)
        if (sure > 0) {
          yield this.#held.subarray(0, sure)
          this.#held = this.#held.subarray(sure)
        }
        this.#held = Buffer.concat([this.#held, await this.#more()])
      }
    } finally {
      // What comes after the last delimiter is no part; the connection goes with it.
      await this.#source.return?.()
    }
  }

  async #more(): Promise<Uint8Array> {
    const { done, value } = await this.#source.next()
    if (done) throw new MultipartError('the answer ended before its last delimiter')
    return value
  }
}
