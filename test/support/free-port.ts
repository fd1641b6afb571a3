/**
 * Ports for servers that are told theirs before they start.
 *
 * A port that is found by binding 0 and let go can be anybody's outgoing connection a moment later. These lie below
 * those that systems take for outgoing connections (Linux from 32,768 on, macOS from 49,152). Test processes run side by
 * side: each takes slices of its own, and listens at the first port of a slice for as long as it lives; that keeps
 * others away, and a process that was killed leaves nothing behind.
 */
import { createServer, type Server } from 'node:net'

const first = 16_384
const slicePorts = 32
const slices = 512

let slice = process.pid % slices
let next: number | null = null
let turn: Promise<unknown> = Promise.resolve()

/** A port at which nobody listens on any address of this machine, and that no other test is given. */
export function freePort(): Promise<number> {
  const port = turn.then(take)
  turn = port.catch(() => {})
  return port
}

async function take(): Promise<number> {
  for (let tried = 0; tried < slices * slicePorts; tried++) {
    if (next === null || next % slicePorts === 0) next = (await takeSlice()) + 1
    const port = next++
    const probe = await listenAt(port)
    if (probe === null) continue
    await new Promise(closed => probe.close(closed))
    return port
  }
  throw new Error('no port is free')
}

async function takeSlice(): Promise<number> {
  for (let tried = 0; tried < slices; tried++) {
    slice = (slice + 1) % slices
    const port = first + slice * slicePorts
    if (await listenAt(port)) return port
  }
  throw new Error(`none of ${slices} slices of ports is free: do that many tests run?`)
}

/** On every address, so that whoever has it on one of them is noticed; null: it is taken. */
function listenAt(port: number): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer().unref()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(null)
      else reject(error)
    })
    server.listen(port, () => resolve(server))
  })
}
