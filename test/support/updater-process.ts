/** A real updater in a process of its own, on the files of a TestAppliance. It prints where its socket and its update files are. */
import { join } from 'node:path'
import { serveUpdater } from '../../appliance/update/socket.ts'
import { makeRelease, makeUpdateFile, TestAppliance } from './update-disk.ts'

const made = await TestAppliance.make(makeRelease('1.0.0'))
const socket = join(made.folder, 'socket')
await serveUpdater(await made.updater({ clock: Date.now }), socket)
const good = await makeUpdateFile(
  join(made.folder, 'letro-1.1.0-amd64.update'),
  makeRelease('1.1.0', { counter: 2 }),
)
const old = await makeUpdateFile(join(made.folder, 'letro-0.9.0-amd64.update'), makeRelease('0.9.0'))
process.stdout.write(`${JSON.stringify({ folder: made.folder, socket, good, old })}\n`)
