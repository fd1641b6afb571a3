/** Files that the people of the demonstration send: drawn here, so that none has to be kept. */
import sharp, { type Sharp } from 'sharp'
import type { NewFile } from '../../pwa/worker/calls.ts'
import type { Line } from './history.ts'

type Described = Pick<NewFile, 'file' | 'name' | 'thumbnail' | 'image'>

export async function drawFile(which: NonNullable<Line['file']>): Promise<Described> {
  switch (which) {
    case 'roster':
      return picture('roster-december.png', roster())
    case 'floor-plan':
      return picture('extension-draft-2.png', floorPlan())
    case 'checklist':
      return { file: new Blob([stock], { type: 'text/csv' }), name: 'جرد-نوفمبر.csv' }
    default:
      return which satisfies never
  }
}

const width = 1200
const height = 800

async function picture(name: string, svg: string): Promise<Described> {
  const drawn = sharp(Buffer.from(svg))
  const blob = async (image: Sharp) =>
    new Blob([new Uint8Array(await image.png().toBuffer())], { type: 'image/png' })
  return {
    file: await blob(drawn.clone()),
    name,
    image: { width, height },
    thumbnail: { blob: await blob(drawn.clone().resize(600, 400)), width: 600, height: 400 },
  }
}

const paper = '#faf8f4'
const ink = '#1d2430'
const copper = '#a4552b'

function sheet(inside: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"
    font-family="sans-serif" fill="${ink}"><rect width="${width}" height="${height}" fill="${paper}"/>${inside}</svg>`
}

function roster(): string {
  const names = ['Weber', 'Okoye', 'Haas', 'Farouk', 'Lindt', 'Demir', 'Moreau', 'Sato']
  const shifts = ['E', 'L', 'N', '']
  const days = Array.from({ length: 15 }, (_, day) => day + 1)
  const x = (day: number) => 180 + day * 62
  const y = (row: number) => 190 + row * 68
  const heads = days.map(
    day => `<text x="${x(day)}" y="140" font-size="22" text-anchor="middle">${day}</text>`,
  )
  const rows = names.map((name, row) => {
    const cells = days.map(day => {
      const shift = shifts[(row * 3 + day * (row + 2)) % 4]!
      const fill = shift === 'N' ? copper : ink
      return `<text x="${x(day)}" y="${y(row)}" font-size="24" text-anchor="middle" fill="${fill}">${shift}</text>`
    })
    const line = `<path d="M60 ${y(row) + 24}H1140" stroke="${ink}" stroke-opacity=".2"/>`
    return `<text x="60" y="${y(row)}" font-size="24">${name}</text>${cells.join('')}${line}`
  })
  return sheet(
    `<text x="60" y="84" font-size="34" font-weight="600">Ward 4 · December, first half</text>${heads.join('')}${rows.join('')}`,
  )
}

function floorPlan(): string {
  const rooms = [
    [80, 160, 300, 240, 'Medicine room'],
    [380, 160, 340, 240, 'Treatment'],
    [720, 160, 400, 240, 'Bed 8–11'],
    [80, 500, 460, 220, 'Bed 12–15'],
    [540, 500, 260, 220, 'Station'],
    [800, 500, 320, 220, 'Relatives'],
  ] as const
  const drawn = rooms.map(
    ([x, y, w, h, name]) =>
      `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="${ink}" stroke-width="6"/>
       <text x="${x + 20}" y="${y + 44}" font-size="24">${name}</text>`,
  )
  const door = `<path d="M250 400v60a60 60 0 0 0 60-60" fill="none" stroke="${copper}" stroke-width="4"/>`
  return sheet(
    `<text x="80" y="100" font-size="34" font-weight="600">Extension, second draft · 1:100</text>${drawn.join('')}${door}
     <text x="330" y="462" font-size="22" fill="${copper}">Corridor</text>`,
  )
}

const stock = `\u{feff}الصنف,الكمية,الرف
أنسولين سريع المفعول,52,AB-101
باراسيتامول 500,310,AB-117
أموكسيسيلين 500,84,AB-204
محلول ملحي 0.9%,126,C-3
`
