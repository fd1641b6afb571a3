/**
 * The clock at the start, and the last good time: settings/clock.json.
 *
 * A machine whose battery is empty starts in 1970, one whose firmware was meddled with in 2038. Certificates, links and the ends
 * of accounts are judged by the clock, so:
 * - It never starts behind what is known to have been: the last good time, and when the release was made. There it is set forward.
 * - One that is far ahead is only said: it may be right. While in doubt it is not remembered, or every later start would look
 *   late; a time server (letro-clock-settled.service waits for it) or an administrator at the console ends the doubt.
 *
 * The last good time is written every quarter of an hour and when the machine stops; after a power cut it is that much older.
 */
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isObject } from '#protocol/json.ts'
import type { ReportedClock } from '#protocol/machine-report.ts'
import type { TimeSettings } from '#protocol/time-settings.ts'
import { type Machine, MachineError, mustRun } from '../program.ts'
import { writeWhole } from '../whole-file.ts'
import { chronyConf } from './chrony.ts'
import { readTime, writeTime } from './settings.ts'

export interface ClockState {
  /** behind: it was set to `setTs`. */
  readonly state: ReportedClock
  readonly foundTs: number
  readonly lastKnownTs: number | null
  readonly setTs?: number
}

const dayMs = 86_400_000
/** A machine that was off for longer than this starts in doubt. */
const offAtMostMs = 400 * dayMs
/** A release is not used longer than that. */
const usedAtMostMs = 15 * 365 * dayMs

/** @param madeTs when the release was made; null: nobody knows */
export function judgeClock(nowTs: number, lastKnownTs: number | null, madeTs: number | null): ClockState {
  const earliest = Math.max(lastKnownTs ?? 0, madeTs ?? 0)
  const found = { foundTs: nowTs, lastKnownTs }
  if (nowTs < earliest) return { state: 'behind', ...found, setTs: earliest }
  const isAhead =
    (lastKnownTs !== null && nowTs - lastKnownTs > offAtMostMs) ||
    (madeTs !== null && nowTs - madeTs > usedAtMostMs)
  return { state: isAhead ? 'ahead' : 'fine', ...found }
}

type Looked = Pick<Machine, 'run' | 'paths'>

/** When the data has been opened, before the server runs. */
export async function guardClock(machine: Looked, nowTs: number): Promise<ClockState> {
  const judged = judgeClock(nowTs, lastKnown(machine), releaseMade(machine))
  if (judged.setTs !== undefined) await setBoth(machine, judged.setTs)
  writeState(machine, judged)
  return judged
}

/** null: not looked at since the start. */
export function clockState({ paths }: Pick<Machine, 'paths'>): ClockState | null {
  const json = readJson(join(paths.run, 'clock.json'))
  return isObject(json) && typeof json['foundTs'] === 'number' ? (json as unknown as ClockState) : null
}

/** Keeps the time of now as the last good one, where it is good. */
export async function rememberClock(machine: Machine, nowTs: number): Promise<void> {
  const { synchronised } = await timeSources(machine)
  const last = lastKnown(machine)
  if (synchronised) {
    const state = clockState(machine)
    if (state && state.state !== 'fine') writeState(machine, { ...state, state: 'fine' })
  } else if (clockState(machine)?.state === 'ahead' || (last !== null && nowTs <= last)) return
  keep(machine, nowTs)
}

/** An administrator at the console says that it is right. */
export function confirmClock(machine: Machine, nowTs: number): void {
  writeState(machine, { state: 'fine', foundTs: nowTs, lastKnownTs: lastKnown(machine) })
  keep(machine, nowTs)
}

/**
 * Sets the clock by hand, to the second; in the machine's battery-backed clock as well.
 * @param evenBack behind the last good time as well: ask first, it is a grave thing
 * @throws MachineError CLOCK_FOLLOWS_SERVERS, CLOCK_WRONG, CLOCK_BACK
 */
export async function setClock(machine: Machine, ts: number, { evenBack = false } = {}): Promise<void> {
  if (readTime(machine).servers.length > 0) {
    throw new MachineError(
      'CLOCK_FOLLOWS_SERVERS',
      'The clock follows the time servers. Remove them first, to set it by hand.',
    )
  }
  const made = releaseMade(machine)
  if ((made !== null && ts < made) || ts > Date.UTC(2100, 0)) {
    throw new MachineError(
      'CLOCK_WRONG',
      'That cannot be: this release is younger, or the year is after 2099.',
    )
  }
  const last = lastKnown(machine)
  if (last !== null && ts < last && !evenBack) {
    throw new MachineError(
      'CLOCK_BACK',
      `That is before ${new Date(last).toISOString().slice(0, 16).replace('T', ' ')} UTC, the last time this machine knows to have been. Messages and certificates of since then would lie in the future.`,
    )
  }
  await setBoth(machine, ts)
  confirmClock(machine, ts)
}

/** Durable; chronyd and the firewall follow. */
export async function saveTime(machine: Machine, settings: TimeSettings): Promise<void> {
  writeTime(machine, settings)
  writeChrony(machine, settings)
  await mustRun(machine, 'systemctl', [
    '--no-block',
    'restart',
    'letro-time.service',
    'letro-firewall.service',
  ])
}

export function writeChrony({ paths }: Pick<Machine, 'paths'>, settings: TimeSettings): void {
  mkdirSync(paths.run, { recursive: true, mode: 0o755 })
  writeWhole(join(paths.run, 'chrony.conf'), chronyConf(settings), 0o644)
}

export interface TimeSource {
  readonly name: string
  readonly reachable: boolean
  /** The clock follows it. */
  readonly selected: boolean
  readonly offsetMs: number
}

export async function timeSources({ run }: Pick<Machine, 'run'>): Promise<{
  readonly synchronised: boolean
  readonly sources: readonly TimeSource[]
}> {
  const tracking = await run('chronyc', ['-n', 'tracking'])
  const leap = /^Leap status\s*:\s*(.+)$/m.exec(tracking.stdout)?.[1]?.trim()
  const listed = await run('chronyc', ['-N', '-c', 'sources'])
  const sources = listed.stdout.split('\n').flatMap((line): TimeSource[] => {
    // Spec: chronyc(1), sources, with -c: mode, state, name, stratum, poll, reach, last, adjusted offset …
    const [mode, state, name, , , reach, , offset] = line.split(',')
    if (mode !== '^' || name === undefined) return []
    return [
      {
        name,
        reachable: reach !== '0',
        selected: state === '*',
        offsetMs: Math.round(Number(offset) * 1000) || 0,
      },
    ]
  })
  return { synchronised: tracking.code === 0 && leap !== undefined && leap !== 'Not synchronised', sources }
}

// ── the clock itself, and what is kept ───────────────────────────────────────────────────────────────

/**
 * The system's clock, then the one that the battery keeps. Not the other way round: after a step back of years the latter has been
 * seen to give no tick for ten seconds, and hwclock then gives up. With a dead battery the time is right until the machine is
 * switched off; the next start knows how late it is at least.
 */
async function setBoth(machine: Looked, ts: number): Promise<void> {
  await mustRun(machine, 'date', ['--utc', `--set=@${(ts / 1000).toFixed(3)}`])
  const { code } = await machine.run('hwclock', ['--systohc', '--utc', '--noadjfile'])
  if (code !== 0) console.error('the clock that the battery keeps could not be set')
}

function lastKnown({ paths }: Pick<Machine, 'paths'>): number | null {
  const json = readJson(join(paths.settings, 'clock.json'))
  return isObject(json) && Number.isSafeInteger(json['lastTs']) ? (json['lastTs'] as number) : null
}

function keep({ paths }: Pick<Machine, 'paths'>, ts: number): void {
  mkdirSync(paths.settings, { recursive: true, mode: 0o700 })
  writeWhole(join(paths.settings, 'clock.json'), `${JSON.stringify({ lastTs: ts })}\n`)
}

function writeState({ paths }: Pick<Machine, 'paths'>, state: ClockState): void {
  mkdirSync(paths.run, { recursive: true, mode: 0o755 })
  writeWhole(join(paths.run, 'clock.json'), JSON.stringify(state), 0o644)
}

/** All files of a release have the time at which it was made. */
function releaseMade({ paths }: Pick<Machine, 'paths'>): number | null {
  const made = statSync(paths.release, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return made > 0 ? made : null
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}
