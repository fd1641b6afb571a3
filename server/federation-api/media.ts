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
import { notFound } from '../http/matrix-error.ts'
import { queryThumbnail, queryWaitMs } from '../http/media-query.ts'
import type { Context, Route, Step } from '../http/route.ts'
import type { Media, MediaFile } from '../media/media.ts'
import type { PeerAccess } from '../media/peer-access.ts'

export interface MediaDeps {
  readonly authenticate: Step
  readonly media: Pick<Media, 'serverName' | 'uploader' | 'download' | 'thumbnail'>
  readonly access: PeerAccess
}

export function mediaRoutes({ authenticate, media, access }: MediaDeps): Route[] {
  const needAccess: Step = async function needAccess(ctx, next) {
    const uploader = await media.uploader(ctx.state.params['mediaId']!)
    if (uploader === undefined || !(await access.mayHave(ctx.state.origin, uploader))) {
      throw notFound('mediaId: there is no such media.')
    }
    await next()
  }
  const download: Step = async function download(ctx) {
    const file = await media.download(media.serverName, ctx.state.params['mediaId']!, queryWaitMs(ctx))
    send(ctx, file)
  }
  const thumbnail: Step = async function thumbnail(ctx) {
    const wish = queryThumbnail(ctx)
    send(ctx, await media.thumbnail(media.serverName, ctx.state.params['mediaId']!, wish, queryWaitMs(ctx)))
  }
  const v1 = '/_matrix/federation/v1/media'
  return [
    { method: 'GET', path: `${v1}/download/:mediaId`, steps: [authenticate, needAccess, download] },
    { method: 'GET', path: `${v1}/thumbnail/:mediaId`, steps: [authenticate, needAccess, thumbnail] },
  ]
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
