/** What was found in a store, and what became of it: for somebody who was woken for this. */
import { isObject, type JsonObject } from '#protocol/json.ts'
import type { CheckReport } from '../server/store/check.ts'
import type { RepairReport } from '../server/store/repair.ts'
import { gibibytes } from './amounts.ts'

/** @param place how this store is named to the next command */
export function checkLines(report: CheckReport, place: string): string[] {
  if (report.isNew) return ['There is no data yet.']
  if (report.findings.length === 0) {
    return [
      `All is well: ${report.rows} rows and ${report.bytes} bytes of table files are what was written.`,
      `Last commit group ${report.sequence}, epoch ${report.epoch}.`,
    ]
  }
  return [
    'The data is DAMAGED:',
    ...report.findings.map(finding => `  - ${finding.message}`),
    ...(report.isComplete ? [] : ['Because of that, not everything was looked at; there may be more.']),
    '',
    'The server does not serve this data. What to do:',
    '  1. If you can, copy the whole data folder to another disk first.',
    '  2. Look whether the disk itself is failing (smartctl -a, dmesg). If it is, move the copy to a good one.',
    `  3. Run: letro store repair ${place}`,
    '     or restore a backup, if losing what came after it is better than losing what repair cannot read.',
  ]
}

export function repairLines(
  before: CheckReport,
  repaired: RepairReport,
  after: CheckReport,
  serverRuns: boolean,
): string[] {
  const dropped = Object.entries(repaired.rowsDropped)
  const blocks = Object.values(repaired.blocksDropped).reduce((sum, n) => sum + n, 0)
  const lines = [
    'Was wrong:',
    ...before.findings.map(finding => `  - ${finding.message}`),
    `Kept ${repaired.rowsKept} rows.`,
  ]
  if (repaired.groupsLost > 0) {
    lines.push(
      `LOST: at least a part of ${amount(repaired.groupsLost, 'acknowledged commit group')} (one holds one or more changes).`,
    )
  }
  if (blocks > 0)
    lines.push(
      `LOST: the rows of ${amount(blocks, 'damaged block')} of table files, as far as no older file has them.`,
    )
  for (const [table, rows] of dropped) {
    lines.push(`Left out because they are not what was written: ${amount(rows, 'row')} of "${table}".`)
  }
  if (repaired.groupsLost === 0 && blocks === 0 && dropped.length === 0) lines.push('Nothing was lost.')
  lines.push(
    `The damaged data is in ${repaired.setAside}. Delete it once you are sure that you do not need it.`,
    `Deleted rows may have come back. ${serverRuns ? 'The server has therefore signed everybody out, withdrawn' : 'At its next start the server therefore signs everybody out, withdraws'}`,
    `open links, ${serverRuns ? 'asked all devices for new one-time keys, and compared' : 'asks all devices for new one-time keys, and compares'} pins with their cards.`,
    '',
  )
  if (after.findings.length === 0) {
    lines.push(
      `All is well now (${after.rows} rows, epoch ${repaired.epoch}). ${serverRuns ? 'The server serves again.' : 'Start the server.'}`,
    )
  } else {
    lines.push('There is STILL damage. Restore a backup, and suspect the disk:')
    for (const finding of after.findings) lines.push(`  - ${finding.message}`)
  }
  return lines
}

/** Of a running server (server/maintenance.ts). */
export function statusLines(status: JsonObject, place: string): string[] {
  const findings = (status['findings'] as readonly { readonly message: string }[] | undefined) ?? []
  const restore = isObject(status['restore']) ? status['restore'] : {}
  if (status['status'] === 'ok') return ['The server serves: it knows of no damage.']
  return [
    'The server is in MAINTENANCE: it serves nobody.',
    ...(findings.length > 0
      ? [
          'It found damaged data:',
          ...findings.map(({ message }) => `  - ${message}`),
          '',
          'What to do:',
          '  1. If you can, copy the whole data folder to another disk first.',
          `  2. letro store repair ${place}`,
          '     or restore a backup, if losing what came after it is better than losing what repair cannot read:',
          '     letro backup restore --help',
        ]
      : [
          'It knows of no damage: somebody said so. People are served again after:',
          `  letro store maintenance off ${place}`,
        ]),
    ...restoreLines(restore),
  ]
}

function restoreLines(restore: JsonObject): string[] {
  const { state, uploaded, error } = restore
  const names = Array.isArray(uploaded) ? uploaded.map(String) : []
  return [
    ...(state === 'running' ? [`A backup is being restored. ${restoringText(restore)}`] : []),
    ...(state === 'restarting' ? ['A backup was restored; the server starts again with it.'] : []),
    ...(state === 'failed' ? [`The last restore failed, and changed nothing: ${error}`] : []),
    ...(names.length > 0 ? [`Uploaded to be restored: ${names.join(', ')}`] : []),
  ]
}

export function restoringText({ step, done, total }: JsonObject): string {
  return step === 'reading'
    ? `Reading: ${gibibytes(Number(done))} of ${gibibytes(Number(total))}`
    : `Comparing media: ${done} of ${total}`
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
