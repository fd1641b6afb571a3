/** What is wrong with a list of people, in English: for the command, and for whoever asks without the app. */
import type { RosterProblem, RosterProblemCode } from '../protocol/roster-problem.ts'

const sentences: Readonly<Record<RosterProblemCode, string>> = {
  empty: 'There is nobody in the file.',
  'not-csv': 'This is no CSV: {reason}.',
  'no-such-column': 'There is no column {column}. The columns are {columns}.',
  'column-twice': 'The column {column} stands there twice.',
  'no-username-column': 'The first line names the columns; username is needed. The columns are {columns}.',
  'too-many-people': 'More than {most} people: that is no list of one organisation.',
  'too-many-fields': 'This line has {fields} fields, the first line names {columns}.',
  'username-missing': 'A username is needed.',
  'username-bad': 'A username holds a–z, 0–9 and . _ = / + - and is not too long.',
  'username-twice': '{username} stands in line {before} already.',
  'username-deactivated': '{username} was deactivated, and a user id is never given out twice.',
  'name-bad': 'A name has at most {most} characters, all of which can be seen.',
  'kind-unknown': 'The kind is member or external: administrators and services are made one by one.',
  'ends-missing': 'An external person needs a last day, as in 2027-03-31.',
  'ends-bad': 'The last day is written as in 2027-03-31.',
  'ends-over': 'This day is over.',
  'ends-not-external': 'Only external people have a last day.',
  'sponsor-missing': 'An external person needs a sponsor: the username of a member who answers for them.',
  'sponsor-unknown': '{sponsor} is no member of this server who could answer for an external person.',
  'sponsor-not-external': 'Only external people have a sponsor.',
  'language-unknown': 'The language is one of {languages}.',
}

export function rosterSentence({ code, facts }: RosterProblem): string {
  return sentences[code].replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const fact = facts[name]
    return typeof fact === 'number' ? fact.toLocaleString('en') : String(fact)
  })
}
