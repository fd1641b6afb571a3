/**
 * QR codes as drawings, and what a camera saw as bytes.
 *
 * Verification codes are binary (client-server-api#qr-code-format): bytes go in and come out as they are, never as text.
 */

/** The dark modules as an SVG path on a grid, with the quiet zone that ISO/IEC 18004 wants around them. */
export interface QrSymbol {
  readonly size: number
  readonly path: string
}

const quietZone = 4

export async function drawSymbol(content: Uint8Array | string): Promise<QrSymbol> {
  const { encodeQR } = await import('qr')
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  const rows = encodeQR('bytes', 'raw', {
    encoding: 'byte',
    ecc: 'low',
    border: quietZone,
    textEncoder: () => bytes,
  })
  const path = rows
    .map((row, y) =>
      runs(row)
        .map(([x, length]) => `M${x} ${y}h${length}v1h-${length}z`)
        .join(''),
    )
    .join('')
  return { size: rows.length, path }
}

/** Dark stretches of a row: where they begin, how long they are. */
function runs(row: readonly boolean[]): [at: number, length: number][] {
  const found: [number, number][] = []
  for (let x = 0; x < row.length; x++) {
    if (!row[x]) continue
    const at = x
    while (row[x]) x++
    found.push([at, x - at])
  }
  return found
}

/** Null where there is no code in the picture. */
export async function readSymbol(
  picture: Pick<ImageData, 'data' | 'width' | 'height'>,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const { decodeQR } = await import('qr/decode.js')
  const { data, width, height } = picture
  try {
    // Every byte as the character of its number, so that nothing is lost between.
    const text = decodeQR({ data, width, height }, { textDecoder: latin1, timeLimit: 60 })
    return Uint8Array.from(text, char => char.charCodeAt(0))
  } catch {
    return null
  }
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, byte => String.fromCharCode(byte)).join('')
}
