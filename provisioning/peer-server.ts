/** What `letro peer` asks of the running server, by a file in its data folder (local-requests.ts). */
import { stat } from 'node:fs/promises'
import type { JsonObject } from '#protocol/json.ts'
import type { PeerActName } from '#protocol/local-request.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { askServer, withdraw } from './local-requests.ts'
import type { ShownPeer } from './peer-text.ts'

/** What could not be done, in words for the person who typed it. */
export class CommandFailed extends Error {
  readonly exitCode: ExitCode
  constructor(message: string, exitCode: ExitCode) {
    super(message)
    this.exitCode = exitCode
  }
}

const waitMs = 10_000

export async function act(data: string, name: PeerActName, body: JsonObject = {}): Promise<JsonObject> {
  const folder = await stat(data).catch(() => null)
  if (!folder?.isDirectory()) {
    throw new CommandFailed(
      `There is no folder ${data}. --data is server.data of letro.toml.`,
      exitCodes.impossible,
    )
  }
  const asked = await askServer(data, { type: 'peer', createdTs: Date.now(), act: name, body }, waitMs)
  if (asked.answer === null) {
    // It must not happen by itself at some later start.
    await withdraw(asked)
    throw new CommandFailed(
      'The server does not answer: nothing was changed. Is it running, with this data folder?',
      exitCodes.impossible,
    )
  }
  if (!asked.answer.ok) throw new CommandFailed(asked.answer.error, exitCodes.unsound)
  return asked.answer.result ?? {}
}

export async function peersOf(data: string): Promise<readonly ShownPeer[]> {
  return (await act(data, 'list'))['peers'] as unknown as readonly ShownPeer[]
}
