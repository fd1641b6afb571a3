/**
 * What can be wrong with a list of people. The server says the code and its facts, whoever shows it has the sentence: the app in four
 * languages, the command in English (server/admin-api/roster-sentences.ts).
 */
export const rosterProblemCodes = [
  'empty',
  'not-csv',
  'no-such-column',
  'column-twice',
  'no-username-column',
  'too-many-people',
  'too-many-fields',
  'username-missing',
  'username-bad',
  'username-twice',
  'username-deactivated',
  'name-bad',
  'kind-unknown',
  'ends-missing',
  'ends-bad',
  'ends-over',
  'ends-not-external',
  'sponsor-missing',
  'sponsor-unknown',
  'sponsor-not-external',
  'language-unknown',
] as const
export type RosterProblemCode = (typeof rosterProblemCodes)[number]

export interface RosterProblem {
  /** Where it stands in the file: for the person who mends it. */
  readonly line: number
  readonly column?: string
  readonly code: RosterProblemCode
  /** Numbers, and words as they stand in the file. */
  readonly facts: Readonly<Record<string, string | number>>
}
