/**
 * `letro backup restore --server`: a running server's data replaced by a backup, for a machine that nobody types at. It serves
 * nobody meanwhile; the backup is uploaded, or named where it lies, restored beside the data in use, and put in its place.
 *
 * Where anything fails before that last step, the server serves again what it had. Cut off here, it goes on by itself:
 * `letro store status` says how far it is.
 */
import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { backupName, newChain, parseBackupName } from '../server/backup/names.ts'
import { gibibytes } from './amounts.ts'
import { backupNamed, keysFrom, type OpenOptions } from './backup-open.ts'
import { restoredAfarText } from './backup-text.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { connectMaintenance, type MaintenanceOptions, placeText } from './maintenance-server.ts'
import type { ServerConnection } from './server-connection.ts'
import { restoringText } from './store-text.ts'
import { confirm, tell } from './terminal.ts'

export interface AfarOptions extends MaintenanceOptions, OpenOptions {
  readonly yes?: boolean
}

const lookAgainMs = 500
/** For the way from the old data to the restored data, which are renames and a start. */
const restartMs = 5 * 60_000

export async function restoreAfar(options: AfarOptions, named: string): Promise<void> {
  const files = await filesOf(named)
  const keys = await keysFrom(options)
  const server = await connectMaintenance(options)
  const before = await server.ask('GET', '/status')
  const backup = files === null ? named : files.at(-1)!.name
  const question = `Disconnect everybody from ${server.name}, and replace all of its data by ${named}? [yes/no] `
  if (!options.yes && !(await confirm(question)))
    throw new CommandFailed('Nothing was changed.', exitCodes.unsound)
  const show = progressLine(options)
  if (before['status'] === 'ok') await server.ask('POST', '/enter')
  try {
    for (const { name, file } of files ?? [])
      await server.upload(
        `/backups/${name}`,
        file,
        (sent, of) => show(`Uploading ${name}: ${gibibytes(sent)} of ${gibibytes(of)}`),
        'PUT',
      )
    const { identities, passphrase } = keys
    await server.ask('POST', '/restore', {
      backup,
      keys: [...identities],
      ...(passphrase === undefined ? {} : { passphrase }),
    })
    const after = await untilRestored(server, before, options, show)
    show(null)
    const aside = keptAside(after)
    tell(options, { backup, kept_aside: aside }, restoredAfarText(server.name, aside))
  } catch (error) {
    show(null)
    if (!(error instanceof CommandFailed) || error instanceof GoesOn) throw error
    throw await served(server, before, options, error)
  }
}

/** What is done here no longer decides what becomes of it there. */
class GoesOn extends CommandFailed {}

async function untilRestored(
  server: ServerConnection,
  before: JsonObject,
  options: AfarOptions,
  show: (text: string) => void,
): Promise<JsonObject> {
  let heard = Date.now()
  for (;;) {
    const status = await server.ask('GET', '/status').catch(() => null)
    const restore = isObject(status?.['restore']) ? status['restore'] : {}
    if (status) heard = Date.now()
    if (restore['state'] === 'failed') throw new CommandFailed(String(restore['error']), exitCodes.unsound)
    if (restore['state'] === 'running') show(restoringText(restore))
    else if (restore['state'] === 'none') {
      if (keptAside(status!) !== keptAside(before)) return status!
      throw new CommandFailed('The server stopped before it had restored anything.', exitCodes.unsound)
    } else show('The server starts again with the restored data …')
    if (Date.now() - heard > restartMs)
      throw new GoesOn(
        `${server.name} does not answer any more. See what its machine says; then: letro store status ${placeText(options)}`,
        exitCodes.impossible,
      )
    await new Promise(resolve => setTimeout(resolve, lookAgainMs))
  }
}

/** Back to what was before, and words for both. */
async function served(
  server: ServerConnection,
  before: JsonObject,
  options: AfarOptions,
  { message, exitCode }: CommandFailed,
): Promise<CommandFailed> {
  const kept = 'Nothing was restored; the data is what it was.'
  if (before['status'] !== 'ok') return new CommandFailed(`${message}\n${kept}`, exitCode)
  const isBack = await server.ask('POST', '/leave').then(
    () => true,
    () => false,
  )
  return new CommandFailed(
    isBack
      ? `${message}\n${kept} People are served again.`
      : `${message}\n${kept} The server may serve nobody: letro store maintenance off ${placeText(options)}`,
    exitCode,
  )
}

function keptAside({ restore }: JsonObject): string | null {
  return isObject(restore) && typeof restore['kept_aside'] === 'string' ? restore['kept_aside'] : null
}

/** Those that belong together, the full one first; null: no file here, so it is one that the server has. */
async function filesOf(named: string): Promise<{ name: string; file: string }[] | null> {
  const isName = parseBackupName(named) !== null
  if (isName && !(await stat(named).catch(() => null))) return null
  const file = await backupNamed(named)
  const found = parseBackupName(basename(file))
  // Under a name of its own it is a full one: those before it could not be found.
  if (!found) return [{ name: backupName(newChain('upload', Date.now()), 0), file }]
  return Array.from({ length: found.number + 1 }, (_, i) => {
    const name = backupName(found.chain, i)
    return { name, file: join(dirname(file), name) }
  })
}

/** null: the line goes. */
function progressLine({ json }: AfarOptions): (text: string | null) => void {
  if (json || !process.stderr.isTTY) return () => {}
  return text => process.stderr.write(`\r\x1b[K${text ?? ''}`)
}
