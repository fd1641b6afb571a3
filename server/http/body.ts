/**
 * The request's body: read within a size and a time, parsed strictly, put into `ctx.state.body`.
 *
 * The content type is not asked for: bodies are authorised by a bearer token, never by a cookie, so a form
 * that another site posts carries no one's authority.
 */
import type { IncomingMessage } from 'node:http'
import { MatrixError } from './matrix-error.ts'
import type { Context, Step } from './route.ts'
import { parseJsonObject } from './strict-json.ts'

/** Enough for the largest JSON body that is no backup: an event has 64 KiB, keys and to-device batches more. */
export const maxBodyBytes = 1024 * 1024
/** A client that takes longer for a JSON body holds a connection and gives nothing. */
export const maxBodyMs = 30_000

/** What we still read and throw away, so that a refused client gets to see the refusal. */
const lingerBytes = 4 * 1024 * 1024
const lingerMs = 2_000

export const parseBody: Step = bodyStep(maxBodyBytes, false)
/** As `parseBody`; no body at all is `{}`. */
export const parseOptionalBody: Step = bodyStep(maxBodyBytes, true)

/** As `parseBody` with another size, for what is large by nature (key backup). */
export function parseBodyUpTo(maxBytes: number): Step {
  return bodyStep(maxBytes, false)
}

/** The connection broke before the request was complete: nobody is left to answer. */
export class RequestAborted extends Error {
  constructor() {
    super('the client went away')
    this.name = 'RequestAborted'
  }
}

function bodyStep(maxBytes: number, optional: boolean): Step {
  return async function parseBody(ctx, next) {
    const bytes = await readBody(ctx, maxBytes)
    if (bytes === null && !optional) {
      throw new MatrixError(400, 'M_NOT_JSON', 'The body is missing: a JSON object is needed.')
    }
    ctx.state.body = bytes === null ? {} : parseJsonObject(bytes)
    await next()
  }
}

/** The bytes as they came, for whoever checks a signature over them; null: there is no body. */
export async function readBody(ctx: Context, maxBytes: number): Promise<Buffer | null> {
  const { req } = ctx
  if (req.headers['content-encoding'] !== undefined && req.headers['content-encoding'] !== 'identity') {
    throw new MatrixError(415, 'M_UNKNOWN', 'A compressed body (Content-Encoding) is not supported.')
  }
  const announced = Number(req.headers['content-length'])
  if (announced > maxBytes) throw await tooLarge(req, maxBytes)
  // A body that came in one packet with its headers is there when Node's parser, in which we still are, has ended.
  if (!req.complete) await undefined
  if (req.complete && req.readableLength <= maxBytes) return req.read() as Buffer | null
  const bytes = await collect(req, maxBytes)
  // A slow body must not carry an act past a logout, a lock or the end of the account.
  await ctx.state.authenticateAgain?.()
  return bytes
}

/** An upload may be slow, but not silent. */
const silenceMs = 60_000
const longestUploadMs = 30 * 60_000

/**
 * The body as it comes. A client that goes away, falls silent or takes too long and is cut off, ends it with RequestAborted.
 * @param longestMs null: as long as something comes (what is uploaded is large, and whoever uploads it is trusted)
 */
export async function* bodyPieces(
  { req, state }: Context,
  longestMs: number | null = longestUploadMs,
): AsyncGenerator<Uint8Array> {
  const timer = setTimeout(() => req.destroy(), silenceMs)
  const end = longestMs === null ? undefined : setTimeout(() => req.destroy(), longestMs)
  try {
    // Not destroyed where the reader has had enough: it still gets an answer.
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      timer.refresh()
      yield chunk as Uint8Array
    }
  } catch {
    throw new RequestAborted()
  } finally {
    clearTimeout(timer)
    clearTimeout(end)
    if (!req.complete && !req.destroyed) await discard(req)
  }
  if (!req.complete) throw new RequestAborted()
  await state.authenticateAgain?.()
}

function collect(req: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let settled = false
    const settle = (finish: () => void) => {
      if (settled) return
      settled = true
      underway.delete(reading)
      finish()
    }
    const reading: Reading = {
      sweepsLeft: maxBodyMs / sweepMs,
      late: () =>
        settle(() =>
          reject(new MatrixError(408, 'M_UNKNOWN', `The body took longer than ${maxBodyMs / 1000} s.`)),
        ),
    }
    watch(reading)
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxBytes) {
        chunks.push(chunk)
        return
      }
      req.off('data', onData)
      settle(() => void tooLarge(req, maxBytes).then(reject, reject))
    }
    const onClose = () => settle(() => reject(new RequestAborted()))
    req.on('data', onData)
    req.on('end', () => {
      settle(() =>
        resolve(size === 0 ? null : chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)),
      )
    })
    req.on('close', onClose)
    req.on('error', onClose)
  })
}

interface Reading {
  sweepsLeft: number
  late(): void
}

/**
 * Bodies that are being read. One sweep for all: a timer for each costs more than most bodies. Sweeps are counted and not the
 * time: while this process stands still (a busy or a suspended machine), nobody was too slow but itself.
 */
const underway = new Set<Reading>()
const sweepMs = 5_000
let sweep: NodeJS.Timeout | undefined

function watch(reading: Reading): void {
  underway.add(reading)
  sweep ??= setInterval(() => {
    for (const each of underway) if (--each.sweepsLeft < 0) each.late()
    if (underway.size > 0) return
    clearInterval(sweep)
    sweep = undefined
  }, sweepMs).unref()
}

async function tooLarge(req: IncomingMessage, maxBytes: number): Promise<MatrixError> {
  await discard(req)
  return new MatrixError(413, 'M_TOO_LARGE', `The body is larger than ${maxBytes} bytes.`)
}

/** Reads on for a moment without keeping anything. */
export function discard(req: IncomingMessage): Promise<void> {
  return new Promise(resolve => {
    if (req.complete || req.destroyed) return resolve(void req.resume())
    let size = 0
    const done = () => {
      clearTimeout(timer)
      req.off('data', onData).off('end', done).off('close', done).off('error', done)
      resolve()
    }
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size > lingerBytes) done()
    }
    const timer = setTimeout(done, lingerMs)
    req.on('data', onData).on('end', done).on('close', done).on('error', done)
  })
}
