/** What `letro enrol` tells: who is new, who changes, who left, and what is wrong with the list. */
import type { ImportReport, Invited } from './enrol-server.ts'

/** Longer lists are in the JSON. */
const mostShown = 20

export function importText(report: ImportReport, isApplied: boolean): string {
  const { problems } = report
  if (problems.length > 0) {
    return section(
      `${count(problems.length, 'problem', 'problems')}, in these lines:`,
      problems.map(({ line, column, message }) => `line ${line}${column ? `, ${column}` : ''}: ${message}`),
    )
  }
  const done = (will: string, is: string) => (isApplied ? is : will)
  const parts = [
    section(
      `${count(report.new.length, 'person', 'people')} ${done('would be invited', 'to invite')}:`,
      report.new.map(person => named(person.user_id, person.display_name)),
    ),
    section(
      `${count(report.waiting.length, 'person has', 'people have')} a link and did not use it yet:`,
      report.waiting.map(person => named(person.user_id, person.display_name)),
    ),
    section(
      `${count(report.changed.length, 'person changes', 'people change')}:`,
      report.changed.map(({ user_id, from, to }) => `${user_id}: ${factsText(from)} → ${factsText(to)}`),
    ),
    section(
      `${count(report.leavers.length, 'person is', 'people are')} here and not on the list:`,
      report.leavers.map(({ user_id, locked }) => `${user_id}${locked ? ' (locked)' : ''}`),
    ),
  ]
  return [...parts.filter(part => part !== ''), `${report.unchanged} unchanged.`].join('\n')
}

export function invitedText({ userId, displayName, link, code, expiresTs }: Invited): string {
  return [
    `For ${named(userId, displayName)}, once, until ${new Date(expiresTs).toLocaleString()}:`,
    '',
    `    ${link}`,
    ...(code === undefined ? [] : ['', `    Code: ${code}`]),
    '',
    'Whoever has it can take their place until it is used: hand it over yourself.',
    '',
  ].join('\n')
}

function section(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return ''
  const more = lines.length - mostShown
  const shown = lines.slice(0, mostShown).map(line => `  ${line}`)
  return [title, ...shown, ...(more > 0 ? [`  … and ${more} more (--json shows all)`] : []), ''].join('\n')
}

function named(userId: string, name: string | undefined): string {
  return name === undefined ? userId : `${userId}  ${name}`
}

function factsText({ kind, expires_ts: ends }: ImportReport['changed'][number]['to']): string {
  return ends === undefined ? kind : `${kind} until ${new Date(ends - 1).toISOString().slice(0, 10)}`
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`
}
