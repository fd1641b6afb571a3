/** What `letro update` asks of a running server. */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { parseUpdateStatus, type UpdateStatus } from '#protocol/update-status.ts'
import { CommandFailed } from './command-failed.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { connect, type ServerConnection, type ServerOptions } from './server-connection.ts'
import { confirm, eachTenth, print, printer, tell } from './terminal.ts'
import { statusText, underwayText } from './update-text.ts'

export interface ApplyOptions extends ServerOptions {
  readonly check?: boolean
  readonly yes?: boolean
}

const lookAgainMs = 1000

export async function applyFile(file: string, options: ApplyOptions): Promise<void> {
  const server = await connect(options)
  const say = printer(options)
  const percent = eachTenth(say)
  const { update } = await server.upload('/update', file, (bytes, of) =>
    percent(`Uploading: ${Math.floor((bytes / of) * 100)} %`, bytes / of),
  )
  const version = isObject(update) ? String(update['version']) : ''
  say(`${file} is release ${version}: signed by a key that the machine trusts, whole, and for this machine.`)
  if (options.check) {
    if (options.json) print(JSON.stringify({ update }))
    return
  }
  const question = `Write ${version} beside what runs? Nothing changes for people until the machine restarts. [yes/no] `
  if (!options.yes && !(await confirm(question)))
    throw new CommandFailed('Nothing was changed.', exitCodes.unsound)
  await server.ask('POST', '/update/apply', { version })
  const status = await untilWritten(server, version, say)
  tell(
    options,
    { version, waiting: status.waiting },
    status.window === null
      ? `${version} is written and waits for a restart: letro update restart`
      : `${version} is written. The machine restarts by itself between ${status.window}; or now: letro update restart`,
  )
}

export async function showStatus(options: ServerOptions): Promise<ExitCode> {
  const answer = await (await connect(options)).ask('GET', '/update')
  const status = statusIn(answer)
  tell(options, answer, statusText(status, Date.now()))
  return status.went_back ? exitCodes.unsound : exitCodes.done
}

export async function setWindow(hours: string, options: ServerOptions): Promise<void> {
  const window = hours === 'never' ? null : hours
  await (await connect(options)).ask('PUT', '/update/window', { window })
  tell(
    options,
    { window },
    window === null
      ? 'The machine never restarts by itself for an update.'
      : `For an update the machine restarts by itself between ${window}, by its own clock.`,
  )
}

export async function restart(options: ApplyOptions): Promise<void> {
  const server = await connect(options)
  const { waiting } = statusIn(await server.ask('GET', '/update'))
  if (!waiting) throw new CommandFailed('No update waits for a restart.', exitCodes.unsound)
  const question = `Restart ${server.name} into ${waiting.version} now? People are disconnected for a minute or two. [yes/no] `
  if (!options.yes && !(await confirm(question)))
    throw new CommandFailed('Nothing was done.', exitCodes.unsound)
  await server.ask('POST', '/update/restart', {})
  tell(
    options,
    { restarting: waiting.version },
    `It restarts into ${waiting.version}. See: letro update status`,
  )
}

async function untilWritten(
  server: ServerConnection,
  version: string,
  say: (text: string) => void,
): Promise<UpdateStatus> {
  const percent = eachTenth(say)
  const begun = Date.now()
  for (;;) {
    const status = statusIn(await server.ask('GET', '/update'))
    if (status.underway) percent(underwayText(status.underway), status.underway.bytes / status.underway.of)
    else if (status.waiting?.version === version) return status
    else {
      const last = status.events.at(-1)
      if (last?.kind === 'refused')
        throw new CommandFailed(last.sentence ?? String(last.code), exitCodes.unsound)
      if (Date.now() - begun > 60_000)
        throw new CommandFailed(
          'The machine does not say what became of it. See: letro update status',
          exitCodes.impossible,
        )
    }
    await new Promise(resolve => setTimeout(resolve, lookAgainMs))
  }
}

function statusIn(answer: JsonObject): UpdateStatus {
  const status = parseUpdateStatus({ ...answer, spool: '' })
  if (status) return status
  throw new CommandFailed('The server answered something that is no status of updates.', exitCodes.impossible)
}
