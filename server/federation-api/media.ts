/**
 * Media of ours for peers, as two parts: an empty object that may say more some day, and the file.
 *
 * Who gets which file: media/peer-access.ts. A file that a peer may not have is one that is not there.
 *
 * Spec: server-server-api#content-repository
 */
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { contentDisposition } from '../http/content-disposition.ts'
import { queryBoolean, queryInteger, queryText } from '../http/fields.ts'
import { invalidParam, missingParam, notFound } from '../http/matrix-error.ts'
import type { Context, Route, Step } from '../http/route.ts'
import type { Media, MediaFile } from '../media/media.ts'
import type { PeerAccess } from '../media/peer-access.ts'

export interface MediaDeps {
  readonly authenticate: Step
  readonly media: Pick<Media, 'serverName' | 'uploader' | 'download' | 'thumbnail'>
  readonly access: PeerAccess
}

const defaultWaitMs = 20_000
const maxWaitMs = 60_000

export function mediaRoutes({ authenticate, media, access }: MediaDeps): Route[] {
  const needAccess: Step = async function needAccess(ctx, next) {
    const uploader = await media.uploader(ctx.state.params['mediaId']!)
    if (uploader === undefined || !(await access.mayHave(ctx.state.origin, uploader))) {
      throw notFound('mediaId: there is no such media.')
    }
    await next()
  }
  const download: Step = async function download(ctx) {
    const file = await media.download(media.serverName, ctx.state.params['mediaId']!, waitOf(ctx))
    send(ctx, file)
  }
  const thumbnail: Step = async function thumbnail(ctx) {
    const width = queryInteger(ctx.query, 'width', 1, 100_000)
    const height = queryInteger(ctx.query, 'height', 1, 100_000)
    if (width === undefined) throw missingParam('width')
    if (height === undefined) throw missingParam('height')
    const method = queryText(ctx.query, 'method') ?? 'scale'
    if (method !== 'crop' && method !== 'scale') throw invalidParam('method must be crop or scale.')
    const animated = queryBoolean(ctx.query, 'animated') ?? false
    const wish = { width, height, method, animated } as const
    send(ctx, await media.thumbnail(media.serverName, ctx.state.params['mediaId']!, wish, waitOf(ctx)))
  }
  const v1 = '/_matrix/federation/v1/media'
  return [
    { method: 'GET', path: `${v1}/download/:mediaId`, steps: [authenticate, needAccess, download] },
    { method: 'GET', path: `${v1}/thumbnail/:mediaId`, steps: [authenticate, needAccess, thumbnail] },
  ]
}

function waitOf(ctx: Context): number {
  return Math.min(queryInteger(ctx.query, 'timeout_ms') ?? defaultWaitMs, maxWaitMs)
}

function send(ctx: Context, file: MediaFile): void {
  // 122 random bits: nobody uploads a file with this line in it.
  const boundary = randomUUID()
  const head = Buffer.from(
    `--${boundary}\r\nContent-Type: application/json\r\n\r\n{}\r\n` +
      `--${boundary}\r\nContent-Type: ${file.contentType}\r\n` +
      `Content-Disposition: ${contentDisposition(file.contentType, file.fileName)}\r\n\r\n`,
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  ctx.set('Content-Type', `multipart/mixed; boundary=${boundary}`)
  ctx.body = Readable.from(parts(head, file, tail), { objectMode: false })
  ctx.length = head.length + file.sizeBytes + tail.length
}

async function* parts(head: Buffer, file: MediaFile, tail: Buffer): AsyncGenerator<Uint8Array> {
  yield head
  if (file.sizeBytes > 0) yield* file.read() as AsyncIterable<Uint8Array>
  yield tail
}
