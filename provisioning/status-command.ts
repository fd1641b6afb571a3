/** `letro status`: is all well with this server, and if not, what is there to do? */
import { Command } from 'commander'
import { act } from './act.ts'
import { exitCodes } from './exit-codes.ts'
import { connect, type ServerOptions, withServer } from './server-connection.ts'
import { type ShownHealth, statusPage } from './status-page.ts'
import { print } from './terminal.ts'

export function statusCommand(): Command {
  return withServer(new Command('status'))
    .description('Say whether all is well with the running server, and if not, what to do.')
    .addHelpText(
      'after',
      `
Examples:
  letro status --data /var/lib/letro
  letro status --server https://chat.example.org
  letro status --data /var/lib/letro --json | jq .findings
  letro status --data /var/lib/letro > /dev/null || page-somebody

Exit codes:
  0  all is well, or nothing that cannot wait for days (notes and warnings)
  1  an alarm: something has to be done now; or the server is in maintenance
  2  the command line is wrong
  4  the server does not answer
`,
    )
    .action(
      act(async (options: ServerOptions) => {
        const server = await connect(options)
        const health = (await server.ask('GET', '/health')) as unknown as ShownHealth
        print(options.json ? JSON.stringify(health) : statusPage(health))
        return health.state === 'alarm' ? exitCodes.unsound : exitCodes.done
      }),
    )
}
