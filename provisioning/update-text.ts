/** How updates stand, in words for a terminal. */
import type { UpdateEvent, UpdateStatus, UpdateUnderway } from '#protocol/update-status.ts'
import { moment } from './amounts.ts'

const shownEvents = 8

export function statusText(status: UpdateStatus, now: number): string {
  const { running, waiting, went_back: wentBack, window, underway, events } = status
  const lines = [
    `Release ${running.version} runs${status.slot ? `, from slot ${status.slot.toUpperCase()}` : ''}${status.on_trial ? '; it has just started, and is being tried' : ''}.`,
  ]
  if (underway) lines.push(underwayText(underway))
  if (waiting) lines.push(`Release ${waiting.version} is written and waits for a restart.`)
  if (wentBack)
    lines.push(
      `Release ${wentBack.version} did not start well, ${moment(wentBack.ts, now)}: the machine went back by itself.`,
    )
  lines.push(
    window === null
      ? 'The machine never restarts by itself for an update.'
      : `For an update it restarts by itself between ${window}, by its own clock.`,
  )
  if (events.length > 0) lines.push('')
  for (const event of events.slice(-shownEvents).reverse()) lines.push(`  ${eventText(event, now)}`)
  return lines.join('\n')
}

export function underwayText({ act, step, bytes, of }: UpdateUnderway): string {
  const percent = Math.floor((bytes / of) * 100)
  if (act === 'check' || step === 'check') return `The file is being checked: ${percent} %`
  const what = {
    clear: 'Making room in the other slot',
    root: 'Writing and reading back the system',
    verity: 'Writing and reading back its seal',
    table: 'Naming the partitions',
    uki: 'Writing the kernel image',
  }[step]
  return `${what}: ${percent} %`
}

function eventText({ ts, kind, version = 'an update', code, sentence }: UpdateEvent, now: number): string {
  const what = {
    applied: `${version} was written`,
    runs: `${version} runs, and was found good`,
    'went-back': `the machine went back from ${version}`,
    interrupted: `the power went while ${version} was written; it has to be applied again`,
    refused: `refused: ${sentence ?? code ?? ''}`,
  }[kind]
  return `${moment(ts, now)}: ${what}`
}
