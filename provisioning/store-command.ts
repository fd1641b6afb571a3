/**
 * `letro store check` and `letro store repair`: looking at the data, and mending it, while no server runs.
 * Words for somebody who was woken for this: what is wrong, what it means, what to type next.
 */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { type CheckReport, checkFolder } from '../server/store/check.ts'
import { storeFolder } from '../server/store/level-folder.ts'
import { type RepairReport, repairFolder } from '../server/store/repair.ts'
import type { Progress } from '../server/store/scrub.ts'
import { StoreError } from '../server/store/store.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'

interface Options {
  readonly data: string
  readonly json?: boolean
}

const exitHelp = `
Exit codes:
  0  all is well (repair: the data is sound now)
  1  damage was found (repair: damage is left)
  2  the command line is wrong
  3  the server, or another command, has the data open
  4  it could not run: no such folder, no space, data of a newer release
`

export function storeCommand(): Command {
  const store = new Command('store').description('Check and repair the data of a server that is not running.')
  store
    .command('check')
    .description('Read everything and say whether it is what was written. Loses nothing, changes no data.')
    .requiredOption('--data <folder>', "the server's data folder (server.data in letro.toml)")
    .option('--json', 'print one JSON object instead of sentences')
    .addHelpText(
      'after',
      `
Examples:
  letro store check --data /var/lib/letro
  letro store check --data /var/lib/letro --json > report.json
${exitHelp}`,
    )
    .action(async (options: Options) => {
      process.exitCode = await run(options, check)
    })
  store
    .command('repair')
    .description(
      'Build sound data out of everything that can be read with certainty. The damaged data is set aside, not deleted.',
    )
    .requiredOption('--data <folder>', "the server's data folder (server.data in letro.toml)")
    .option('--json', 'print one JSON object instead of sentences')
    .addHelpText(
      'after',
      `
It checks first, and does nothing where nothing is wrong. It needs free space of about
three times the size of the data.

Rows that had been deleted may come back. So at its next start the server signs everybody
out, withdraws open links and asks all devices for new one-time keys.

Examples:
  letro store repair --data /var/lib/letro
${exitHelp}`,
    )
    .action(async (options: Options) => {
      process.exitCode = await run(options, repair)
    })
  return store
}

type Action = (folder: string, options: Options) => Promise<ExitCode>

async function run(options: Options, action: Action): Promise<ExitCode> {
  const data = resolve(options.data)
  const folder = storeFolder(data)
  if (!(await isFolder(folder))) {
    const message = (await isFolder(data))
      ? `There is no store in ${data}: it would be ${folder}. Is this the folder of server.data?`
      : `There is no folder ${data}.`
    return fail(options, 'NO_STORE', message, exitCodes.impossible)
  }
  try {
    return await action(folder, options)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    if (error.code === 'STORE_LOCKED') {
      const message = `${data} is in use by the server or another command. Stop it first, then try again.`
      return fail(options, error.code, message, exitCodes.inUse)
    }
    return fail(options, error.code, `${sentence(error.message)}.`, exitCodes.impossible)
  }
}

async function check(folder: string, options: Options): Promise<ExitCode> {
  const report = await checkFolder(folder, { onProgress: progressLine(options) })
  endProgress(options)
  if (options.json) print(JSON.stringify(report))
  else for (const line of checkLines(report, options.data)) print(line)
  return report.findings.length === 0 ? exitCodes.done : exitCodes.unsound
}

async function repair(folder: string, options: Options): Promise<ExitCode> {
  const onProgress = progressLine(options)
  const before = await checkFolder(folder, { onProgress })
  if (before.findings.length === 0) {
    endProgress(options)
    if (options.json) print(JSON.stringify({ before, repair: null, after: before }))
    else print('Nothing is wrong, so nothing was changed.')
    return exitCodes.done
  }
  const repaired = await repairFolder(folder, { onProgress })
  const after = await checkFolder(folder, { onProgress })
  endProgress(options)
  if (options.json) print(JSON.stringify({ before, repair: repaired, after }))
  else for (const line of repairLines(before, repaired, after)) print(line)
  return after.findings.length === 0 ? exitCodes.done : exitCodes.unsound
}

function checkLines(report: CheckReport, data: string): string[] {
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
    `  3. Run: letro store repair --data ${data}`,
    '     or restore a backup, if losing what came after it is better than losing what repair cannot read.',
  ]
}

function repairLines(before: CheckReport, repaired: RepairReport, after: CheckReport): string[] {
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
    'Deleted rows may have come back. At its next start the server therefore signs everybody out, withdraws',
    'open links, asks all devices for new one-time keys, and compares pins with their cards.',
    '',
  )
  if (after.findings.length === 0) {
    lines.push(`All is well now (${after.rows} rows, epoch ${repaired.epoch}). Start the server.`)
  } else {
    lines.push('There is STILL damage. Restore a backup, and suspect the disk:')
    for (const finding of after.findings) lines.push(`  - ${finding.message}`)
  }
  return lines
}

function fail(options: Options, code: string, message: string, exitCode: ExitCode): ExitCode {
  if (options.json) print(JSON.stringify({ error: { code, message } }))
  else process.stderr.write(`${message}\n`)
  return exitCode
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

const stepNames: Record<Progress['step'], string> = {
  files: 'Reading table files',
  rows: 'Reading rows',
  journal: 'Reading the journal',
  salvage: 'Collecting what can be read',
  rewrite: 'Writing the new database',
}

/** One line that rewrites itself, for people only. */
function progressLine(options: Options): (progress: Progress) => void {
  if (options.json || !process.stderr.isTTY) return () => {}
  return ({ step, done, total }) => {
    process.stderr.write(`\r\x1b[K${stepNames[step]}: ${total === undefined ? done : `${done} of ${total}`}`)
  }
}

function endProgress(options: Options): void {
  if (!options.json && process.stderr.isTTY) process.stderr.write('\r\x1b[K')
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isDirectory(),
    () => false,
  )
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
