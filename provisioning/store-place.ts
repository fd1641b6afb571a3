/** Where a store is looked at and mended: its folder, while nobody has it open; or the running server that has it open. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { JsonObject } from '#protocol/json.ts'
import { type CheckReport, checkFolder } from '../server/store/check.ts'
import { storeFolder } from '../server/store/level-folder.ts'
import { type RepairReport, repairFolder } from '../server/store/repair.ts'
import type { Progress } from '../server/store/scrub.ts'
import { StoreError } from '../server/store/store.ts'
import { CommandFailed } from './command-failed.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { connectMaintenance, type MaintenanceOptions, placeText } from './maintenance-server.ts'
import type { ServerConnection } from './server-connection.ts'

export interface StorePlace {
  /** For the next command, typed. */
  readonly words: string
  /** A server runs, and serves again what was repaired. */
  readonly serverRuns: boolean
  check(): Promise<CheckReport>
  repair(): Promise<RepairReport>
}

export interface PlaceMeans {
  readonly onProgress: (progress: Progress) => void
  /** A server is asked, which says nothing until it is done. */
  readonly onAsking: () => void
}

/** With `--data` the folder; where a server has that open, the server. */
export async function atStore(
  options: MaintenanceOptions,
  means: PlaceMeans,
  act: (place: StorePlace) => Promise<ExitCode>,
): Promise<ExitCode> {
  if (options.data === undefined || options.server !== undefined)
    return act(running(await connectMaintenance(options), options, means))
  const data = resolve(options.data)
  try {
    return await act(inFolder(await folderOf(data), options, means))
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    if (error.code !== 'STORE_LOCKED')
      throw new CommandFailed(`${sentence(error.message)}.`, exitCodes.impossible, { code: error.code })
    const server = await answering(options)
    if (server) return act(running(server, options, means))
    throw new CommandFailed(
      `${data} is in use by another command, or by a server that does not answer. Wait for it or stop it, then try again.`,
      exitCodes.inUse,
      { code: error.code },
    )
  }
}

function inFolder(folder: string, options: MaintenanceOptions, { onProgress }: PlaceMeans): StorePlace {
  return {
    words: placeText(options),
    serverRuns: false,
    check: () => checkFolder(folder, { onProgress }),
    repair: () => repairFolder(folder, { onProgress }),
  }
}

function running(
  server: ServerConnection,
  options: MaintenanceOptions,
  { onAsking }: PlaceMeans,
): StorePlace {
  const ask = async (path: string) => {
    onAsking()
    return (await server.ask('POST', path)) as unknown
  }
  return {
    words: placeText(options),
    serverRuns: true,
    check: async () => (await ask('/check')) as CheckReport,
    repair: async () => (await ask('/repair')) as RepairReport,
  }
}

/** The server of this folder, where it answers by its socket. */
async function answering(options: MaintenanceOptions): Promise<ServerConnection | null> {
  try {
    const server = await connectMaintenance(options)
    const status: JsonObject = await server.ask('GET', '/status')
    return 'status' in status ? server : null
  } catch (error) {
    if (error instanceof CommandFailed) return null
    throw error
  }
}

async function folderOf(data: string): Promise<string> {
  const folder = storeFolder(data)
  if (await isFolder(folder)) return folder
  throw new CommandFailed(
    (await isFolder(data))
      ? `There is no store in ${data}: it would be ${folder}. Is this the folder of server.data?`
      : `There is no folder ${data}.`,
    exitCodes.impossible,
    { code: 'NO_STORE' },
  )
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isDirectory(),
    () => false,
  )
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
