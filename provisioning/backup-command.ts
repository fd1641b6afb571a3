/** `letro backup`: making backups, trying them, and coming back from one. */
import { Command } from 'commander'
import { act } from './act.ts'
import { type AfarOptions, restoreAfar } from './backup-afar.ts'
import { createOffline, type OfflineOptions } from './backup-offline.ts'
import { type OpenOptions, restore, verify } from './backup-open.ts'
import {
  type CreateOptions,
  createBackup,
  type KeyOptions,
  listBackups,
  makeKey,
  showStatus,
} from './backup-server.ts'
import { CommandFailed } from './command-failed.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { tokenFileWords } from './maintenance-server.ts'
import { withServer } from './server-connection.ts'

const exitHelp = `
Exit codes:
  0  done (verify: the backup is sound)
  1  the server refused, or the backup is not sound, not yours, or does not open with this key
  2  the command line is wrong
  4  it could not run: no such file, no space, a backup of a newer release
`

export function backupCommand(): Command {
  const backup = new Command('backup').description(
    'Make backups of the server, try them, and restore one. They are age files (https://age-encryption.org).',
  )

  withServer(backup.command('key'))
    .description('Make a key for backups. The private half is shown once; the server keeps the public one.')
    .option('--out <file>', 'write the private half to this file (0600) instead of the terminal')
    .option('--offline', 'ask no server: print the line for letro.toml')
    .addHelpText(
      'after',
      `
Best made on another machine than the server (letro login URL, then letro backup key): then
the private half was never there.

Examples:
  letro backup key --server https://chat.clinic.example
  letro backup key --data /var/lib/letro --out /media/usb/backup-key.txt
${exitHelp}`,
    )
    .action(act((options: KeyOptions) => makeKey(options)))

  withServer(backup.command('create'))
    .description(
      'Back up now: into the folder and to the other machine of the configuration, or to a file here.',
    )
    .option('--out <file>', 'fetch a full backup into this file instead')
    .option('--no-wait', 'do not wait until it is done')
    .option('--offline', 'of a server that does not run: a full backup from --data into --out')
    .option(
      '--recipient <age1…>',
      'with --offline: who opens it (default: the key of letro backup key)',
      (one, before: readonly string[] = []) => [...before, one],
    )
    .option('--passphrase-file <file>', 'with --offline, in place of a recipient')
    .addHelpText(
      'after',
      `
The server goes on meanwhile, and reads at most backup.rate a second for it.

Examples:
  letro backup create --data /var/lib/letro
  letro backup create --server https://chat.clinic.example --out clinic.age
  letro backup create --offline --data /var/lib/letro --out /media/usb/clinic.age
${exitHelp}`,
    )
    .action(
      act((options: CreateOptions & OfflineOptions & { readonly offline?: boolean }) =>
        options.offline ? createOffline(options) : createBackup(options),
      ),
    )

  withServer(backup.command('status'))
    .description('The last backup, the last failure, the next one, and who can open them.')
    .addHelpText('after', exitHelp)
    .action(act(showStatus))

  withServer(backup.command('list'))
    .description('The backups in the folder of the configuration.')
    .addHelpText('after', exitHelp)
    .action(act(listBackups))

  withKey(backup.command('verify <file>'))
    .description('Restore a backup into scratch, read everything, and say whether it is sound.')
    .option(
      '--scratch <folder>',
      'where there is room for all of the data (default: the folder for temporary files)',
    )
    .addHelpText(
      'after',
      `
FILE is a backup, or a folder: then the newest one in it. An incremental backup (-001 and up)
needs the files before it beside it. Scratch holds the data unencrypted while it runs, and is
removed. Do it once a quarter, on a machine that is not the server: a backup that nobody has
tried is a hope.

Examples:
  letro backup verify /mnt/backups --key /media/usb/backup-key.txt
  letro backup verify clinic.age --key - --json < key.txt
${exitHelp}`,
    )
    .action(
      act((options: OpenOptions & { readonly scratch?: string }, file: string) => verify(options, file)),
    )

  withKey(backup.command('restore <file>'))
    .description('Make a data folder out of a backup; or replace the data of a running server.')
    .option('--data <folder>', 'the new data folder (server.data): empty, or not there yet')
    .option('--server <url>', 'instead: of a running server, over the network')
    .option('--token-file <file>', `with --server: ${tokenFileWords}`)
    .option('--ca <file>', "the authority of that server's certificate (PEM)")
    .option('--yes', 'with --server: do not ask')
    .addHelpText(
      'after',
      `
FILE is a backup, or a folder: then the newest one in it. Nothing counts until all of it was
read and is right: cut off in between, the folder serves nobody, and the same command begins anew.

With --server nobody is served while FILE is uploaded (or taken from backup.folder there, where
only its name is given) and restored beside the data in use. Only then that goes, and is kept
aside. Where it fails, the server serves what it had. The key is sent to the server, which forgets it.
The server wants its maintenance token; of an appliance, whose disk nobody can read, the code that
its console shows (Backup, How a backup is restored) does as well.

Examples:
  letro backup restore /mnt/backups --key /media/usb/backup-key.txt --data /var/lib/letro \\
    --site clinic.example
  letro backup restore clinic.age --key key.txt --server https://chat.clinic.example
${exitHelp}`,
    )
    .action(act((options: AfarOptions, file: string) => comeBack(options, file)))
  return backup
}

async function comeBack(options: AfarOptions, file: string): Promise<ExitCode> {
  const { data, server } = options
  if (data !== undefined && server === undefined) return restore({ ...options, data }, file)
  if (data !== undefined || server === undefined)
    throw new CommandFailed(
      'Whereto? Give --data FOLDER for a new data folder, or --server URL for a running server.',
      exitCodes.usage,
    )
  await restoreAfar(options, file)
  return exitCodes.done
}

function withKey(command: Command): Command {
  return command
    .option('--key <file>', 'the private key (AGE-SECRET-KEY-1…); - reads it from the standard input')
    .option('--passphrase-file <file>', 'for a backup that was encrypted with a passphrase')
    .option('--site <server name>', 'refuse a backup of any other site')
    .option('--json', 'answer in JSON, for scripts')
}
