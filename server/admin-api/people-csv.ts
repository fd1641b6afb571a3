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
import type { RosterEntry, RosterProblem } from '../accounts/roster.ts'

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
  const add = (line: number, message: string, column?: Column) => {
    if (problems.length < maxProblems) problems.push({ line, message, ...(column ? { column } : {}) })
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
        add(line, `More than ${maxPeople.toLocaleString('en')} people: that is no list of one organisation.`)
        break
      } else people.push(readPerson(fieldsOf(names, record, line, add), line, add))
    }
  } catch (error) {
    const { message, lines } = error as Error & { lines?: number }
    add(lines ?? 1, `This is no CSV: ${message}.`)
  }
  if (names === null && problems.length === 0) add(1, 'The file is empty.')
  return { people, problems }
}

type Add = (line: number, message: string, column?: Column) => void

function readColumns(record: readonly string[], add: Add): readonly Column[] | null {
  const names = record.map(name => name.toLowerCase())
  const strange = names.filter(name => !columns.includes(name as Column))
  const twice = names.filter((name, i) => names.indexOf(name) !== i)
  if (strange.length > 0)
    add(1, `There is no column ${strange[0]!.slice(0, 40)}. The columns are ${columns.join(', ')}.`)
  else if (twice.length > 0) add(1, `The column ${twice[0]} stands there twice.`)
  else if (!names.includes('username'))
    add(1, `The first line names the columns; username is needed. The columns are ${columns.join(', ')}.`)
  else return names as Column[]
  return null
}

type Fields = Readonly<Partial<Record<Column, string>>>

function fieldsOf(names: readonly Column[], record: readonly string[], line: number, add: Add): Fields {
  if (record.length > names.length)
    add(line, `This line has ${record.length} fields, the first line names ${names.length}.`)
  return Object.fromEntries(names.flatMap((name, i) => (record[i] ? [[name, record[i]]] : [])))
}

function readPerson(fields: Fields, line: number, add: Add): CsvPerson {
  const { username = '', name, kind = 'member', ends, sponsor, language } = fields
  const isExternal = kind === 'external'
  if (username === '') add(line, 'A username is needed.', 'username')
  if (name !== undefined && (name.length > longestName || unprintable.test(name)))
    add(line, `A name has at most ${longestName} characters, all of which can be seen.`, 'name')
  if (kind !== 'member' && !isExternal)
    add(line, 'The kind is member or external: administrators and services are made one by one.', 'kind')
  const expiresTs = ends === undefined ? undefined : endOf(ends)
  if (isExternal && ends === undefined)
    add(line, 'An external person needs a last day, as in 2027-03-31.', 'ends')
  else if (expiresTs === null) add(line, 'The last day is written as in 2027-03-31.', 'ends')
  else if (!isExternal && ends !== undefined) add(line, 'Only external people have a last day.', 'ends')
  if (isExternal && sponsor === undefined)
    add(line, 'An external person needs a sponsor: the username of a member who answers for them.', 'sponsor')
  if (!isExternal && sponsor !== undefined) add(line, 'Only external people have a sponsor.', 'sponsor')
  const known = sheetLanguages.find(each => each === language?.toLowerCase())
  if (language !== undefined && !known)
    add(line, `The language is one of ${sheetLanguages.join(', ')}.`, 'language')
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
