/** `node test/appliance/console-pictures.ts`: every page of the console as a PNG in dist/pictures, to be looked at. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Screen } from '../../appliance/console/screen.ts'
import { chromiumArgs, installChromium } from '../support/chromium.ts'
import { gallery } from './console-gallery.ts'

const folder = join(import.meta.dirname, '../../dist/pictures')
const tones = {
  ink: '#ece8e0',
  strong: '#fffdf8',
  soft: '#b3b6bd',
  faint: '#8d93a0',
  line: '#3b4250',
  seal: '#e8a878',
  good: '#7cc7a2',
  warn: '#e0b45c',
  bad: '#f19aa3',
  'on-seal': '#12151b',
}
const papers = { paper: '#12151b', well: '#262c38', seal: '#e8a878', black: '#000', white: '#fff' }

/** The cells of the kernel's font: 8 by 16. */
export function pictureOf({ columns, rows, cells, cursor }: Screen): string {
  const [w, h] = [9, 18]
  const parts: string[] = []
  cells.forEach(({ glyph, tone, paper }, i) => {
    const [x, y] = [(i % columns) * w, Math.floor(i / columns) * h]
    if (paper !== 'paper')
      parts.push(`<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="${papers[paper]}"/>`)
    parts.push(glyphOf(glyph, x, y, w, h, tones[tone], tone === 'strong'))
  })
  if (cursor)
    parts.push(
      `<rect x="${cursor.column * w}" y="${cursor.row * h + h - 3}" width="${w}" height="2" fill="${tones.seal}"/>`,
    )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${columns * w}" height="${rows * h}" style="display:block;background:${papers.paper}" font-family="'IBM Plex Mono','DejaVu Sans Mono',monospace" font-size="15">${parts.join('')}</svg>`
}

function glyphOf(
  glyph: string,
  x: number,
  y: number,
  w: number,
  h: number,
  fill: string,
  bold: boolean,
): string {
  const rect = (dx: number, dy: number, width: number, height: number) =>
    `<rect x="${x + dx}" y="${y + dy}" width="${width}" height="${height}" fill="${fill}"/>`
  switch (glyph) {
    case ' ':
      return ''
    case '█':
      return rect(0, 0, w, h)
    case '▀':
      return rect(0, 0, w, h / 2)
    case '▄':
      return rect(0, h / 2, w, h / 2)
    case '▌':
      return rect(0, 0, w / 2, h)
    case '─':
      return rect(0, h / 2, w, 1)
    case '│':
      return rect(4, 0, 1, h)
    case '┬':
      return rect(0, h / 2, w, 1) + rect(4, h / 2, 1, h / 2)
    case '┴':
      return rect(0, h / 2, w, 1) + rect(4, 0, 1, h / 2)
    case '░':
      return rect(2, h / 2 - 1, w - 4, 2)
    default: {
      const safe = glyph.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
      return `<text x="${x}" y="${y + 14}" fill="${fill}"${bold ? ' font-weight="600"' : ''}>${safe}</text>`
    }
  }
}

if (import.meta.main) {
  mkdirSync(folder, { recursive: true })
  const browser = await chromium.launch({ executablePath: installChromium(), args: chromiumArgs })
  for (const [size, suffix] of [
    [{ columns: 80, rows: 24 }, ''],
    [{ columns: 128, rows: 48 }, '-wide'],
  ] as const) {
    const page = await browser.newPage({ viewport: { width: size.columns * 9, height: size.rows * 18 } })
    for (const { name, screen } of await gallery(size)) {
      await page.setContent(`<body style="margin:0">${pictureOf(screen)}</body>`)
      writeFileSync(join(folder, `console-${name}${suffix}.png`), await page.screenshot())
    }
  }
  await browser.close()
}
