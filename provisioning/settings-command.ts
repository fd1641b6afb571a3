/** `letro settings`: what an administrator may change while the server runs, and what the server runs with otherwise. */
import { Command } from 'commander'
import type { JsonObject } from '#protocol/json.ts'
import { act } from './act.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { connect, type ServerConnection, type ServerOptions, withServer } from './server-connection.ts'
import { folded, tell } from './terminal.ts'

interface Setting extends JsonObject {
  readonly key: string
  readonly value: string | null
  readonly from: 'file' | 'environment' | 'set' | 'default'
  readonly doc: string
  readonly allowed: string
  readonly changes: 'now' | 'restart' | null
  readonly version: string
}

interface ListOptions extends ServerOptions {
  readonly changeable?: boolean
  readonly explain?: boolean
}

export function settingsCommand(): Command {
  const settings = new Command('settings').description(
    'What the server runs with, and what of it can be changed without its machine.',
  )

  withServer(settings.command('list [beginning]'))
    .description('All settings, or those whose names begin so; those that can be changed here are marked.')
    .option('--changeable', 'only those that can be changed here')
    .option('--explain', 'with what each is for, and what may stand there')
    .addHelpText('after', help)
    .action(
      act(async (options: ListOptions, beginning: string = '') => {
        const all = await settingsOf(await connect(options))
        const shown = all.filter(
          ({ key, changes }) => key.startsWith(beginning) && (!options.changeable || changes !== null),
        )
        if (shown.length === 0)
          throw new CommandFailed(`No setting begins with ${beginning}.`, exitCodes.unsound)
        const text = options.explain ? shown.map(explained).join('\n\n') : shown.map(line).join('\n')
        tell(options, { settings: shown }, text)
      }),
    )

  withServer(settings.command('set <key> [value]'))
    .description('Change one. It stands above letro.toml, and below the environment of the server.')
    .option('--none', 'as if letro.toml said nothing: no trust page, no backup folder …')
    .addHelpText('after', help)
    .action(
      act(
        async (
          options: ServerOptions & { readonly none?: boolean },
          key: string,
          value: string | undefined,
        ) => {
          if ((value === undefined) === (options.none !== true))
            throw new CommandFailed('Give a value, or --none.', exitCodes.usage)
          const server = await connect(options)
          const { version } = await one(server, key)
          const done = await server.ask('PUT', `/configuration/${encodeURIComponent(key)}`, {
            value: value ?? null,
            version,
          })
          tell(options, done, `${line(done as Setting)}\n${whenText(done as Setting)}`)
        },
      ),
    )

  withServer(settings.command('reset <key>'))
    .description('Back to what letro.toml says, or to the default.')
    .addHelpText('after', help)
    .action(
      act(async (options: ServerOptions, key: string) => {
        const server = await connect(options)
        const { version } = await one(server, key)
        const done = await server.ask('DELETE', `/configuration/${encodeURIComponent(key)}`, { version })
        tell(options, done, `${line(done as Setting)}\n${whenText(done as Setting)}`)
      }),
    )
  return settings
}

const help = `
In front of a setting: * can be changed here and counts at once, + can be changed here and counts
after the next start of the server. Every change is in the audit.

Examples:
  letro settings list --changeable --data /var/lib/letro
  letro settings list accounts --explain --data /var/lib/letro
  letro settings set accounts.registration open --data /var/lib/letro
  letro settings set listen.trust_page --none --data /var/lib/letro
  letro settings set push.hosts fcm.googleapis.com,updates.push.services.mozilla.com \\
    --server https://chat.clinic.example
  letro settings reset accounts.registration --data /var/lib/letro

Exit codes:
  0  done
  1  the server refused: a value that is not allowed, or a setting that is fixed
  2  the command line is wrong
  4  it could not run: the server does not answer
`

async function settingsOf(server: ServerConnection): Promise<readonly Setting[]> {
  const { settings } = await server.ask('GET', '/configuration')
  return settings as readonly JsonObject[] as readonly Setting[]
}

/** As it is now: a change that another administrator makes in this moment is not overwritten. */
async function one(server: ServerConnection, key: string): Promise<Setting> {
  const found = (await settingsOf(server)).find(setting => setting.key === key)
  if (found) return found
  throw new CommandFailed(`There is no setting ${key}. See: letro settings list`, exitCodes.unsound)
}

const fromText = { file: 'letro.toml', environment: 'environment', set: 'set here', default: 'default' }

function line(setting: Setting): string {
  const { key, value, from, changes } = setting
  const mark = changes === 'now' ? '*' : changes === 'restart' ? '+' : ' '
  const waits = 'in_force' in setting ? `; until the next start: ${setting['in_force'] ?? 'nothing'}` : ''
  return `${mark} ${key} = ${value ?? 'nothing'}  (${fromText[from]}${waits})`
}

function explained(setting: Setting): string {
  return [line(setting), folded(setting.doc, '    '), folded(`Allowed: ${setting.allowed}`, '    ')].join(
    '\n',
  )
}

function whenText(setting: Setting): string {
  return 'in_force' in setting ? 'It counts after the next start of the server.' : 'It counts from now on.'
}
