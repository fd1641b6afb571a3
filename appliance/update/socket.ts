/**
 * The updater's socket. One line of JSON asks, lines of JSON answer, the last has `done`; what may be asked stands in
 * README.md. Whoever may open the socket may ask: root and the server's user, by its file mode.
 */
import { rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { isObject, type JsonObject } from '#protocol/json.ts'
import type { UpdateUnderway } from '#protocol/update-status.ts'
import type { Manifest } from './manifest.ts'
import { asUpdateError, UpdateError } from './update-error.ts'
import type { Updater } from './updater.ts'
import { parseWindow } from './window.ts'

const maxLineBytes = 8 * 1024
/** Whoever connects asks at once. */
const askWithinMs = 10_000

export async function serveUpdater(updater: Updater, path: string): Promise<Server> {
  await rm(path, { force: true })
  const server = createServer(socket => void answer(updater, socket))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return server
}

async function answer(updater: Updater, socket: Socket): Promise<void> {
  // Who went away is not told; an act that has begun goes on.
  socket.on('error', () => {})
  const say = (line: object) => {
    if (socket.writable) socket.write(`${JSON.stringify(line)}\n`)
  }
  try {
    say({ done: true, ...(await carryOut(updater, parseRequest(await readLine(socket)), say)) })
  } catch (error) {
    const { code, message } = asUpdateError(error)
    say({ done: false, code, sentence: message })
  }
  socket.end()
}

async function carryOut(updater: Updater, request: JsonObject, say: (line: object) => void): Promise<object> {
  const { do: act, file, when } = request
  switch (act) {
    case 'status':
      return { status: await updater.status() }
    case 'check':
      return { update: description(await updater.check(fileOf(file), eachPercent(say))) }
    case 'apply':
      return { update: description(await updater.apply(fileOf(file), eachPercent(say))) }
    case 'restart-at': {
      if (when === 'now') await updater.restartNow()
      else await updater.setWindow(windowOf(when))
      return {}
    }
    default:
      throw badRequest('The updater knows status, check, apply and restart-at.')
  }
}

function description({ version, counter, architecture, minimumVersion, parts }: Manifest): object {
  const bytes = parts.reduce((sum, part) => sum + part.size, 0)
  return { version, counter, architecture, minimum_version: minimumVersion, bytes }
}

/** A file has hundreds of pieces; nobody reads that many lines. */
function eachPercent(say: (line: object) => void): (underway: UpdateUnderway) => void {
  let last = ''
  return underway => {
    const key = `${underway.step} ${Math.floor((underway.bytes / underway.of) * 100)}`
    if (key === last) return
    last = key
    say({ progress: underway })
  }
}

function fileOf(file: unknown): string {
  if (typeof file === 'string' && file.length < 1000) return file
  throw badRequest('file: the path of an update file.')
}

function windowOf(when: unknown) {
  if (when === null) return null
  const window = parseWindow(when)
  if (window) return window
  throw badRequest('when: “now”, a window such as “02:00-04:00”, or null for: never by itself.')
}

function badRequest(message: string): UpdateError {
  return new UpdateError('UPDATE_BAD_REQUEST', message)
}

function parseRequest(line: string): JsonObject {
  try {
    const read: unknown = JSON.parse(line)
    if (isObject(read)) return read
  } catch {}
  throw badRequest('One line with an object of JSON is needed.')
}

function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = Buffer.alloc(0)
    const fail = () => reject(badRequest('One line with an object of JSON is needed, within ten seconds.'))
    socket.setTimeout(askWithinMs, fail)
    socket.on('end', fail).on('close', fail)
    socket.on('data', piece => {
      text = Buffer.concat([text, piece as Buffer])
      const end = text.indexOf(10)
      if (end >= 0) {
        socket.setTimeout(0)
        socket.removeAllListeners('data')
        socket.resume()
        resolve(text.toString('utf8', 0, end))
      } else if (text.length > maxLineBytes) fail()
    })
  })
}
