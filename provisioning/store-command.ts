/**
 * `letro store`: looking at the data, and mending it: in its folder while no server runs, or by the running server, in
 * maintenance as well. Words for somebody who was woken for this: what is wrong, what it means, what to type next.
 */
import { Argument, Command } from 'commander'
import type { Progress } from '../server/store/scrub.ts'
import { act } from './act.ts'
import { CommandFailed } from './command-failed.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import {
  connectMaintenance,
  type MaintenanceOptions,
  placeText,
  withMaintenance,
} from './maintenance-server.ts'
import { atStore, type PlaceMeans, type StorePlace } from './store-place.ts'
import { checkLines, repairLines, statusLines } from './store-text.ts'
import { confirm, tell } from './terminal.ts'

const exitHelp = `
Exit codes:
  0  all is well (repair: the data is sound now)
  1  damage was found (repair: damage is left); status: in maintenance; or the server refused
  2  the command line is wrong
  3  another command has the data open
  4  it could not run: no such folder, no space, no answer, data of a newer release
`

const fromAfar = `
From elsewhere it asks a running server, with a copy of the file maintenance.token from its data
folder: keep one where it is found when nobody can sign in. It is as good as a login, guard it so.
An appliance has no shell to copy it: without --token-file you are asked for the code that its
console shows (Damaged data; or Backup, How a backup is restored).
`

export function storeCommand(): Command {
  const store = new Command('store').description('See whether the data is sound, and repair it.')

  add(store, 'status', 'What a running server says of its data, and whether it serves people.')
    .addHelpText(
      'after',
      `${fromAfar}
Examples:
  letro store status --data /var/lib/letro
  letro store status --server https://chat.clinic.example --token-file maintenance.token
${exitHelp}`,
    )
    .action(
      act(async (options: MaintenanceOptions): Promise<ExitCode> => {
        const status = await (await connectMaintenance(options)).ask('GET', '/status')
        tell(options, status, statusLines(status, placeText(options)).join('\n'))
        return status['status'] === 'ok' ? exitCodes.done : exitCodes.unsound
      }),
    )

  add(
    store,
    'check',
    'Read everything and say whether it is what was written. Loses nothing, changes no data.',
  )
    .addHelpText(
      'after',
      `
A running server is asked to do it, and goes on serving meanwhile.
${fromAfar}
Examples:
  letro store check --data /var/lib/letro
  letro store check --data /var/lib/letro --json > report.json
  letro store check --server https://chat.clinic.example --token-file maintenance.token
${exitHelp}`,
    )
    .action(
      act((options: MaintenanceOptions) => atStore(options, meansOf(options), at => check(at, options))),
    )

  add(
    store,
    'repair',
    'Build sound data out of everything that can be read with certainty. The damaged data is set aside, not deleted.',
  )
    .addHelpText(
      'after',
      `
It checks first, and does nothing where nothing is wrong. It needs free space of about
three times the size of the data. A running server, which is in maintenance then, does it
itself and serves again.

Rows that had been deleted may come back. So the server signs everybody out, withdraws open
links and asks all devices for new one-time keys.
${fromAfar}
Examples:
  letro store repair --data /var/lib/letro
  letro store repair --server https://chat.clinic.example --token-file maintenance.token
${exitHelp}`,
    )
    .action(
      act((options: MaintenanceOptions) => atStore(options, meansOf(options), at => repair(at, options))),
    )

  add(store, 'maintenance', 'Let a running server serve nobody (on), or people again (off).')
    .addArgument(new Argument('<state>').choices(['on', 'off']))
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
On: everybody is disconnected until it is switched off, or the server is started anew.
${fromAfar}
Examples:
  letro store maintenance on --data /var/lib/letro
  letro store maintenance off --data /var/lib/letro
${exitHelp}`,
    )
    .action(
      act((options: MaintenanceOptions & { readonly yes?: boolean }, to: 'on' | 'off') =>
        switchTo(to, options),
      ),
    )
  return store
}

function add(parent: Command, name: string, description: string): Command {
  const command = parent.command(name).description(description)
  return withMaintenance(
    command.option('--data <folder>', "the server's data folder (server.data in letro.toml)"),
  )
}

async function check(at: StorePlace, options: MaintenanceOptions): Promise<ExitCode> {
  const report = await at.check()
  endProgress(options)
  tell(options, report, checkLines(report, at.words).join('\n'))
  return report.findings.length === 0 ? exitCodes.done : exitCodes.unsound
}

async function repair(at: StorePlace, options: MaintenanceOptions): Promise<ExitCode> {
  const before = await at.check()
  if (before.findings.length === 0) {
    endProgress(options)
    tell(options, { before, repair: null, after: before }, 'Nothing is wrong, so nothing was changed.')
    return exitCodes.done
  }
  const repaired = await at.repair()
  const after = await at.check()
  endProgress(options)
  tell(
    options,
    { before, repair: repaired, after },
    repairLines(before, repaired, after, at.serverRuns).join('\n'),
  )
  return after.findings.length === 0 ? exitCodes.done : exitCodes.unsound
}

async function switchTo(
  to: 'on' | 'off',
  options: MaintenanceOptions & { readonly yes?: boolean },
): Promise<void> {
  const server = await connectMaintenance(options)
  if (to === 'on' && !options.yes && !(await confirm(`Disconnect everybody from ${server.name}? [yes/no] `)))
    throw new CommandFailed('Nothing was changed.', exitCodes.unsound)
  const { status = null } = await server.ask('POST', to === 'on' ? '/enter' : '/leave')
  tell(
    options,
    { status },
    to === 'on'
      ? `Nobody is served until: letro store maintenance off ${placeText(options)}`
      : 'People are served again.',
  )
}

const stepNames: Record<Progress['step'], string> = {
  files: 'Reading table files',
  rows: 'Reading rows',
  journal: 'Reading the journal',
  salvage: 'Collecting what can be read',
  rewrite: 'Writing the new database',
}

/** One line that rewrites itself, for people only. */
function meansOf(options: MaintenanceOptions): PlaceMeans {
  const show = (text: string) => {
    if (!options.json && process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
  }
  return {
    onProgress: ({ step, done, total }) =>
      show(`${stepNames[step]}: ${total === undefined ? done : `${done} of ${total}`}`),
    onAsking: () => show('The server is at it. It says nothing until it is done …'),
  }
}

function endProgress(options: MaintenanceOptions): void {
  if (!options.json && process.stderr.isTTY) process.stderr.write('\r\x1b[K')
}
