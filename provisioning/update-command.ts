/** `letro update`: a new release for an appliance, from a file; how it stands, and when the machine restarts for it. */
import { Command } from 'commander'
import { act } from './act.ts'
import { withServer } from './server-connection.ts'
import { type ApplyOptions, applyFile, restart, setWindow, showStatus } from './update-server.ts'

const exitHelp = `
Exit codes:
  0  done (status: all is well)
  1  the machine refused the file, or went back from an update by itself
  2  the command line is wrong
  4  it could not run: no such file, no answer
`

export function updateCommand(): Command {
  const update = new Command('update').description(
    'Update an appliance from a file: checked by the machine itself, written beside what runs, started when you say.',
  )
  // `status --data F` is an option of `status`, not of ours.
  update.enablePositionalOptions()
  withServer(update.argument('<file>', 'the update file: letro-VERSION-amd64.update'))
    .option('--check', 'upload and check it, and stop there')
    .option('--yes', 'do not ask before it is applied')
    .addHelpText(
      'after',
      `
What runs is not touched until the machine restarts. If the new release does not start well, the
machine goes back to this one by itself.

Examples:
  letro update letro-1.4.0-amd64.update --server https://chat.clinic.example
  letro update status
  letro update window 02:00-04:00
  letro update restart
${exitHelp}`,
    )
    .action(act((options: ApplyOptions, file: string) => applyFile(file, options)))

  withServer(update.command('status'))
    .description('What runs, what waits, and what happened.')
    .addHelpText('after', exitHelp)
    .action(act((options: ApplyOptions) => showStatus(options)))

  withServer(update.command('window').argument('<hours>', 'such as 02:00-04:00, or: never'))
    .description('The hours, by the machine’s clock, in which it may restart by itself for an update.')
    .action(act((options: ApplyOptions, hours: string) => setWindow(hours, options)))

  withServer(update.command('restart'))
    .description(
      'Restart the machine now for the update that waits. People are disconnected for a minute or two.',
    )
    .option('--yes', 'do not ask')
    .action(act((options: ApplyOptions) => restart(options)))
  return update
}
