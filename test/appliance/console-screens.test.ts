/** Every page as it stands on 80 columns and 24 rows is in vectors/console-screens.txt. Made again with LETRO_CAPTURE=1. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { Facts } from '../../appliance/console/machine.ts'
import { type Screen, textOf } from '../../appliance/console/screen.ts'
import { asciiOf } from '../../appliance/console/shown-text.ts'
import { gallery } from './console-gallery.ts'
import { servingMachine, testMachine } from './console-machine.ts'
import { Person } from './console-person.ts'

const file = join(import.meta.dirname, '../vectors/console-screens.txt')

test('every page looks as it was looked at', async t => {
  const captured = (await gallery()).map(({ name, screen }) => `== ${name}\n${textOf(screen)}\n`).join('\n')
  if (process.env['LETRO_CAPTURE']) writeFileSync(file, captured)
  t.is(captured, readFileSync(file, 'utf8'))
})

const sizes = [
  { columns: 80, rows: 24 },
  { columns: 80, rows: 25 },
  { columns: 100, rows: 37 },
  { columns: 132, rows: 43 },
  { columns: 240, rows: 67 },
]
for (const size of sizes)
  test(`no page breaks its frame on ${size.columns} by ${size.rows}`, async t => {
    for (const { name, screen } of await gallery(size)) {
      t.is(screen.cells.length, size.columns * size.rows, name)
      if (name !== 'enrolment-qr') checkFrame(screen, problem => t.fail(`${name}: ${problem}`))
    }
    t.pass()
  })

test('what does not fit can be reached, and the keys say so', async t => {
  const person = await new Person(testMachine(servingMachine)).arrive()
  await person.press('enter')
  await person.choose('Licences')
  await person.choose('systemd')
  t.regex(person.screen, /PgUp PgDn more below/)
  for (let i = 0; i < 20; i++) await person.press('page-down')
  t.regex(person.screen, /Back/)
  t.regex(person.screen, /more above/)
  // As many steps back as forward would be a fault: it stands at the end, not beyond it.
  await person.press('page-up', 'page-up', 'page-up', 'page-up', 'page-up')
  t.notRegex(person.screen, / Back\n/)
})

const hostile: readonly string[] = [
  '\x1b[2J\x1b[31mowned\x1b]0;x\x07',
  '\x9b2J',
  '漢字'.repeat(100),
  '👩‍👩‍👧‍👦'.repeat(40),
  'a'.repeat(5000),
  '\u202eevil',
  'line\nbreak\r\rback\ttab',
  '│'.repeat(200),
  '\u0301'.repeat(300),
]
for (const name of hostile)
  test(`whatever others call themselves stays in its place: ${JSON.stringify(name).slice(0, 40)}`, async t => {
    const facts: Facts = {
      ...servingMachine,
      release: { version: name, isDevelopment: true },
      site: { serverName: name, origin: name, trustPage: name },
      network: [{ name, hasLink: true, isCard: true, carries: name, addresses: [name] }],
      server: { state: 'maintenance', sentences: [name] },
      certificate: { words: [name], fingerprint: name, untilTs: null },
      disk: { state: 'open', sentence: name, opensBy: 'tpm' },
    }
    const machine = testMachine(facts)
    machine.healthText = async () => [name, `Warning   ${name}`]
    machine.findUpdates = async () => ({
      window: name,
      wentBack: name,
      found: [{ file: name, name, from: 'stick' }],
    })
    const person = await new Person(machine).arrive()
    const check = () => {
      const { screen } = { screen: person.cells }
      checkFrame(screen, problem => t.fail(problem))
      for (const { glyph } of screen.cells) {
        if (/[\p{Cc}\p{Cf}\p{M}]/u.test(glyph) || glyph.length !== 1) t.fail(JSON.stringify(glyph))
        if (!/^[ -~]$/.test(asciiOf(glyph))) t.fail(JSON.stringify(glyph))
      }
    }
    check()
    await person.press('enter')
    await person.choose('Health')
    check()
    await person.press('escape')
    await person.choose('Update')
    check()
    await person.press('escape')
    await person.choose('Network')
    check()
    t.pass()
  })

test('what is typed stays in its place as well, however long and whatever it is', async t => {
  const person = await new Person(testMachine(servingMachine)).arrive()
  await person.press('enter')
  await person.choose('Recover an administrator')
  await person.type(`${'x'.repeat(200)}漢👩🏽 \u202e`)
  checkFrame(person.cells, problem => t.fail(problem))
  t.notRegex(person.screen, /xxx/)
  t.regex(person.screen, /\*{50}/)
})

/** The rule between margin and text runs from top to bottom, the rules above and below from side to side. */
function checkFrame({ columns, rows, cells }: Screen, fail: (problem: string) => void): void {
  const at = (row: number, column: number) => cells[row * columns + column]!.glyph
  const margin = Array.from({ length: columns }, (_, column) => column).find(column => at(1, column) === '┬')
  if (margin === undefined) throw new Error('there is no margin')
  for (let column = 0; column < columns; column++) {
    if (at(1, column) !== '─' && column !== margin) fail(`row 1, column ${column}: ${at(1, column)}`)
    if (at(rows - 2, column) !== '─' && column !== margin) fail(`row ${rows - 2}, column ${column}`)
  }
  for (let row = 2; row < rows - 2; row++)
    if (at(row, margin) !== '│' && at(row, margin) !== '▌') fail(`row ${row}: ${at(row, margin)}`)
}
