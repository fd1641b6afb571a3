/**
 * letro-update.service: the only program of the appliance that writes to its slots. As root, without any network; it listens
 * on a socket that root and the server's user can open.
 */
import { chmod, chown } from 'node:fs/promises'
import { join } from 'node:path'
import { paths, serverUser } from '../paths.ts'
import { openLinuxMachine } from './linux-machine.ts'
import { readRelease } from './release.ts'
import { serveUpdater } from './socket.ts'
import { readTrustedKeys } from './update-keys.ts'
import { Updater } from './updater.ts'

const lookEveryMs = 20_000

const updater = await Updater.open({
  machine: openLinuxMachine(paths.esp),
  release: await readRelease(paths.release),
  trusted: await readTrustedKeys(paths.keys),
  recordFile: join(paths.settings, 'update.json'),
  folders: [paths.spool, paths.stick],
  clock: Date.now,
  report: (message, cause) =>
    console.error(cause instanceof Error ? `${message}: ${cause.message}` : message),
})
process.umask(0o177)
await serveUpdater(updater, paths.updateSocket)
await chown(paths.updateSocket, 0, serverUser.id)
await chmod(paths.updateSocket, 0o660)
setInterval(() => void updater.look(), lookEveryMs)
