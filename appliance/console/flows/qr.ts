/** A text as the modules of a QR code. */
import qrcode from 'qrcode'

export function qrModules(words: string): boolean[][] {
  const { size, data } = qrcode.create(words, { errorCorrectionLevel: 'L' }).modules
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) => data[row * size + column] === 1),
  )
}

/** Rows of the screen: two modules each, and two modules of light around them. */
export const qrRows = (modules: readonly unknown[]): number => Math.ceil((modules.length + 4) / 2)
