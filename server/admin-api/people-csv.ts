/**
 * A list of people as spreadsheets write it: CSV in UTF-8 with a first line of column names, comma or semicolon between them.
 *
 *     username,name,kind,ends,sponsor,language
 *     amal,Amal Haddad,member,,,ar
 *     j.weber,Jonas Weber,external,2027-03-31,amal,de
 *
 * Only `username` is needed. `ends` is the last day of an external person. `language` is that of their sheet. Every
 * line is looked at, so that somebody mends the file once and not once a line.
 */
import { parse } from 'csv-parse'
import type { RosterEntry } from '../accounts/roster.ts'
import type { RosterProblem, RosterProblemCode } from '../protocol/roster-problem.ts'

export const sheetLanguages = ['en', 'ar', 'de', 'fr'] as const
export type SheetLanguage = (typeof sheetLanguages)[number]

export interface CsvPerson extends RosterEntry {
  readonly language?: SheetLanguage
}

export interface PeopleCsv {
  readonly people: readonly CsvPerson[]
  readonly problems: readonly RosterProblem[]
}

export const maxPeople = 100_000
/** Nobody mends more at once. */
const maxProblems = 100
const columns = ['username', 'name', 'kind', 'ends', 'sponsor', 'language'] as const
type Column = (typeof columns)[number]
const longestName = 100
const dayMs = 24 * 60 * 60 * 1000

export async function readPeopleCsv(text: string): Promise<PeopleCsv> {
  const people: CsvPerson[] = []
  const problems: RosterProblem[] = []
  const add: Add = (line, code, column, facts = {}) => {
    if (problems.length < maxProblems) problems.push({ line, code, facts, ...(column ? { column } : {}) })
  }
  const firstLine = /^\uFEFF?([^\r\n]*)/.exec(text)?.[1] ?? ''
  const parser = parse(text, {
    bom: true,
    columns: false,
    delimiter: firstLine.includes(';') ? ';' : firstLine.includes('\t') ? '\t' : ',',
    info: true,
    max_record_size: 4_000,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  })
  let names: readonly Column[] | null = null
  try {
    // Records come by and by, so that a long list does not hold up everybody else.
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[]
      info: { lines: number }
    }>) {
      const line = info.lines
      if (names === null) {
        names = readColumns(record, add)
        if (names === null) break
      } else if (people.length === maxPeople) {
        add(line, 'too-many-people', undefined, { most: maxPeople })
        break
      } else people.push(readPerson(fieldsOf(names, record, line, add), line, add))
    }
  } catch (error) {
    const { message, lines } = error as Error & { lines?: number }
    add(lines ?? 1, 'not-csv', undefined, { reason: message })
  }
  // A list of nobody would make leavers of everybody.
  if (people.length === 0 && problems.length === 0) add(1, 'empty')
  return { people, problems }
}

type Add = (line: number, code: RosterProblemCode, column?: Column, facts?: RosterProblem['facts']) => void

function readColumns(record: readonly string[], add: Add): readonly Column[] | null {
  const names = record.map(name => name.toLowerCase())
  const strange = names.filter(name => !columns.includes(name as Column))
  const twice = names.filter((name, i) => names.indexOf(name) !== i)
  if (strange.length > 0)
    add(1, 'no-such-column', undefined, { column: strange[0]!.slice(0, 40), columns: columns.join(', ') })
  else if (twice.length > 0) add(1, 'column-twice', undefined, { column: twice[0]! })
  else if (!names.includes('username'))
    add(1, 'no-username-column', undefined, { columns: columns.join(', ') })
  else return names as Column[]
  return null
}

type Fields = Readonly<Partial<Record<Column, string>>>

function fieldsOf(names: readonly Column[], record: readonly string[], line: number, add: Add): Fields {
  if (record.length > names.length)
    add(line, 'too-many-fields', undefined, { fields: record.length, columns: names.length })
  return Object.fromEntries(names.flatMap((name, i) => (record[i] ? [[name, record[i]]] : [])))
}

function readPerson(fields: Fields, line: number, add: Add): CsvPerson {
  const { username = '', name, kind = 'member', ends, sponsor, language } = fields
  const isExternal = kind === 'external'
  if (username === '') add(line, 'username-missing', 'username')
  if (name !== undefined && (name.length > longestName || unprintable.test(name)))
    add(line, 'name-bad', 'name', { most: longestName })
  if (kind !== 'member' && !isExternal) add(line, 'kind-unknown', 'kind')
  const expiresTs = ends === undefined ? undefined : endOf(ends)
  if (isExternal && ends === undefined) add(line, 'ends-missing', 'ends')
  else if (expiresTs === null) add(line, 'ends-bad', 'ends')
  else if (!isExternal && ends !== undefined) add(line, 'ends-not-external', 'ends')
  if (isExternal && sponsor === undefined) add(line, 'sponsor-missing', 'sponsor')
  if (!isExternal && sponsor !== undefined) add(line, 'sponsor-not-external', 'sponsor')
  const known = sheetLanguages.find(each => each === language?.toLowerCase())
  if (language !== undefined && !known)
    add(line, 'language-unknown', 'language', { languages: sheetLanguages.join(', ') })
  return {
    line,
    localpart: username.toLowerCase(),
    kind: isExternal ? 'external' : 'member',
    ...(name === undefined ? {} : { displayName: name }),
    ...(isExternal && expiresTs ? { expiresTs } : {}),
    ...(isExternal && sponsor !== undefined ? { sponsor: sponsor.toLowerCase() } : {}),
    ...(known ? { language: known } : {}),
  }
}

/** Control characters, and those that turn the direction of what stands around them. */
const unprintable = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u

/** The moment after the last day, by UTC; null: no such day. */
function endOf(day: string): number | null {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(day)) return null
  const start = Date.parse(`${day}T00:00:00Z`)
  if (Number.isNaN(start) || !new Date(start).toISOString().startsWith(day)) return null
  return start + dayMs
}
