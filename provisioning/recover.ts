/**
 * `letro recover-administrator`: for an administrator who has lost every passkey.
 *
 * Needs the data folder, nothing else: who can write there owns the server anyway. The secret of the link is made
 * here and shown here; the server gets its hash, writes the act into the audit and tells all administrators.
 */
import { createHash, randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { parseUserId } from '#protocol/ids.ts'
import { act } from './act.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { askServer } from './local-requests.ts'
import { tell } from './terminal.ts'

interface Options {
  readonly data: string
  readonly user?: string
  readonly origin?: string
  readonly wait: string
  readonly json?: boolean
}

export function recoverCommand(): Command {
  return new Command('recover-administrator')
    .description('Make a single-use link with which an administrator starts again with a new passkey.')
    .requiredOption('--data <folder>', "the server's data folder (server.data in letro.toml)")
    .option('--user <user id>', 'which administrator; not needed where there is one only')
    .option('--origin <url>', 'server.origin, to print the whole link while the server is not running')
    .option('--wait <seconds>', 'how long to wait for the server', '10')
    .option('--json', 'answer in JSON, for scripts')
    .addHelpText(
      'after',
      `
The server may be running or not: if it is not, the link works from its next start on,
which must be within 24 hours. The link works once and for 24 hours. Using it revokes the
administrator's passkeys, password, sessions and devices. It is in the audit, and all
administrators are told.

Examples:
  letro recover-administrator --data /var/lib/letro
  letro recover-administrator --data /var/lib/letro --user @amal:clinic.example

Exit codes:
  0  the link was made, or waits for the server's start
  1  the server refused
  2  the command line is wrong
  4  it could not run: no such folder
`,
    )
    .action(act((options: Options) => recover(options)))
}

async function recover(options: Options): Promise<void> {
  const userId = options.user === undefined ? undefined : parseUserId(options.user)
  if (userId === null) throw new CommandFailed('--user is no user id (@name:server).', exitCodes.usage)
  const wait = Number(options.wait)
  if (!Number.isFinite(wait) || wait < 0)
    throw new CommandFailed('--wait is no number of seconds.', exitCodes.usage)
  const data = resolve(options.data)
  if (!(await isFolder(data))) throw new CommandFailed(`There is no folder ${data}.`, exitCodes.impossible)

  const secret = `enrol_${randomBytes(32).toString('base64url')}`
  const secretHash = createHash('sha256').update(secret).digest('base64url')
  const request = {
    type: 'recover-administrator',
    createdTs: Date.now(),
    secretHash,
    ...(userId === undefined ? {} : { userId }),
  } as const
  const { answer } = await askServer(data, request, wait * 1000)
  if (answer === null) {
    const link = `${options.origin?.replace(/\/+$/, '') ?? '<server.origin>'}/enrol#${secret}`
    tell(
      options,
      { waits: true, link },
      `The server has not answered: it is probably not running. The link works once it has started.\n${link}`,
    )
    return
  }
  if (!answer.ok) throw new CommandFailed(answer.error, exitCodes.unsound)
  const link = `${answer.origin}/enrol#${secret}`
  const until = answer.expiresTs === undefined ? '' : `, until ${new Date(answer.expiresTs).toISOString()}`
  const { userId: whose = null, expiresTs = null } = answer
  tell(
    options,
    { waits: false, user_id: whose, link, expires_ts: expiresTs },
    `For ${whose}, once${until}:\n${link}`,
  )
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isDirectory(),
    () => false,
  )
}
