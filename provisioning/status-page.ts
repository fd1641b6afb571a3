/** The page of `letro status`: first whether all is well, then what is wrong and what to do, then the numbers. */
import { type Severity, worstFirst } from '#protocol/finding.ts'
import type { JsonObject } from '#protocol/json.ts'
import { clockTime, days, gibibytes, moment, span } from './amounts.ts'
import { findingText } from './finding-texts.ts'

/** As the administration API answers (server/admin-api/README.md, *Health*). */
export interface ShownHealth {
  readonly ts: number
  readonly state: 'ok' | Severity
  readonly findings: readonly {
    readonly code: string
    readonly severity: Severity
    readonly subject?: string
    readonly facts: JsonObject
    readonly since_ts: number
  }[]
  readonly readings: Readonly<Record<string, JsonObject>>
}

const width = 96
const labelWidth = 10

export function statusPage({ ts, state, findings, readings }: ShownHealth): string {
  const lines = [`${headlines[state]}  (${clockTime(ts)})`]
  for (const finding of worstFirst(findings)) {
    const { is, act } = findingText(finding, ts)
    const since = ts - finding.since_ts >= 3_600_000 ? ` (for ${span(ts - finding.since_ts)})` : ''
    lines.push('', ...folded(labels[finding.severity], `${is}${since}`), ...folded('', `→ ${act}`, 2))
  }
  const numbers = rows(readings, ts)
  if (numbers.length > 0) lines.push('', ...numbers.flatMap(([label, text]) => folded(label, text)))
  return lines.join('\n')
}

const headlines: Readonly<Record<ShownHealth['state'], string>> = {
  ok: 'All is well.',
  note: 'All is well.',
  warning: 'It works, and something needs you in the next days.',
  alarm: 'SOMETHING IS WRONG: act now.',
}

const labels: Readonly<Record<Severity, string>> = { alarm: 'ALARM', warning: 'Warning', note: 'Note' }

function rows(readings: ShownHealth['readings'], now: number): [string, string][] {
  const found: [string, string][] = []
  const add = (label: string, reading: string, text: (of: Reading) => string | null) => {
    const given = readings[reading]
    const said = given && text(new Reading(given))
    if (said) found.push([label, said])
  }
  add('Disk', 'disk', disk => {
    const left = disk.number('days_left')
    const grows = disk.number('bytes_per_day')
    return [
      `${gibibytes(disk.number('available_bytes'))} of ${gibibytes(disk.number('size_bytes'))} free`,
      ...(grows === null
        ? []
        : [`${grows >= 0 ? 'grows' : 'shrinks'} by ${gibibytes(Math.abs(grows))} a day`]),
      ...(left === null ? [] : [`full in ${days(left)}`]),
    ].join(', ')
  })
  add(
    'Store',
    'store',
    store =>
      gibibytes(store.number('size_bytes')) +
      (store.number('found_whole_ts') === null
        ? ''
        : `, all of it read and found whole ${moment(store.number('found_whole_ts')!, now)}`),
  )
  add(
    'Writes',
    'writes',
    writes =>
      `${writes.number('median_ms')} ms each, the slowest of the last hour ${writes.number('worst_ms')} ms`,
  )
  add(
    'Memory',
    'memory',
    memory =>
      `${gibibytes(memory.number('available_bytes'))} of ${gibibytes(memory.number('total_bytes'))} free, this server takes ${gibibytes(memory.number('server_bytes'))}`,
  )
  add('Heat', 'temperature', heat => `${heat.number('celsius')} °C`)
  add('Clock', 'clock', clock => {
    const synchronised = clock.is('synchronised')
    if (synchronised === null) return null
    return synchronised ? 'kept right' : 'kept right by nothing'
  })
  add('Backup', 'backup', backup => {
    const last = backup.number('last_success_ts')
    return last === null ? 'none has succeeded' : `the last ${moment(last, now)}`
  })
  add('TLS', 'certificates', certificates => {
    const ends = certificates.list('server').flatMap(one => one.number('not_after_ts') ?? [])
    return ends.length === 0 ? null : `certificate until ${moment(Math.min(...ends), now)}`
  })
  add('Peers', 'queues', queues => {
    const peers = queues.list('peers')
    const waiting = peers.filter(peer => (peer.number('length') ?? 0) > 0)
    const words = waiting.map(peer => `${peer.number('length')} for ${peer.text('server_name')}`)
    return `${peers.length} pinned, ${words.length === 0 ? 'nothing waits' : `waiting: ${words.join(', ')}`}`
  })
  add('People', 'people', people => {
    const external = people.number('external') ?? 0
    return `${people.number('people')}, of them ${people.number('administrators')} administrating${external > 0 ? ` and ${external} external` : ''}`
  })
  add('Running', 'process', server => `for ${span((server.number('up_seconds') ?? 0) * 1000)}`)
  return found
}

class Reading {
  readonly #given: JsonObject
  constructor(given: JsonObject) {
    this.#given = given
  }
  number(name: string): number | null {
    const value = this.#given[name]
    return typeof value === 'number' ? value : null
  }
  text(name: string): string {
    return String(this.#given[name] ?? '?').replaceAll(/[\p{Cc}\p{Cf}]/gu, '·')
  }
  is(name: string): boolean | null {
    const value = this.#given[name]
    return typeof value === 'boolean' ? value : null
  }
  list(name: string): Reading[] {
    const value = this.#given[name]
    return Array.isArray(value) ? value.map(one => new Reading(one as JsonObject)) : []
  }
}

/** A label, and text beside it that is broken at words and keeps its column. */
function folded(label: string, text: string, hang = 0): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width - labelWidth) {
      lines.push(line)
      line = ' '.repeat(hang) + word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines.map((part, i) => `${(i === 0 ? label : '').padEnd(labelWidth)}${part}`)
}
