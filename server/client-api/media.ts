/**
 * The content repository: authenticated download (v1), upload and asynchronous upload.
 *
 * What people uploaded is served so that a browser does nothing with it: types that could run are attachments,
 * every answer is sandboxed, no type is guessed.
 *
 * Spec: client-server-api#content-repository
 * The deprecated, unauthenticated `/_matrix/media/v3/download` and `/thumbnail` have nothing to serve: "newly-uploaded
 * media" is frozen out since v1.12, and there is no older one here. They are 404 M_NOT_FOUND.
 * Deviation: who shows an access token there gets what the authenticated endpoints would give.
 */
import type { ReadStream } from 'node:fs'
import { mayAccessToken, requireAccessToken, type TokenReader } from '../http/authenticate.ts'
import { bodyPieces } from '../http/body.ts'
import { contentDisposition, contentTypeIn } from '../http/content-disposition.ts'
import { queryText } from '../http/fields.ts'
import { invalidParam, MatrixError, notFound } from '../http/matrix-error.ts'
import { queryThumbnail, queryWaitMs } from '../http/media-query.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Requester, Route, Step } from '../http/route.ts'
import type { Media, MediaFile, MediaSource, Upload } from '../media/media.ts'
import { fromPeer } from './remote-answer.ts'

export interface MediaRouteDeps {
  readonly accounts: TokenReader
  readonly media: Media
  /** Media of other servers. */
  readonly remoteMedia: MediaSource
}

export function mediaRoutes({ accounts, media, remoteMedia }: MediaRouteDeps): Route[] {
  const sourceOf = (server: string): MediaSource => (server === media.serverName ? media : remoteMedia)
  const read = [requireAccessToken(accounts), limit('media')]
  const write = [requireAccessToken(accounts), limit('upload')]
  const old = [mayAccessToken(accounts), refuseStrangers, limit('media')]
  const v1 = '/_matrix/client/v1/media'
  const v3 = '/_matrix/media/v3'
  const config: Step = ctx => {
    ctx.body = { 'm.upload.size': media.maxUploadBytes }
  }
  return [
    { method: 'POST', path: '/_matrix/media/v3/upload', steps: [...write, upload(media)] },
    { method: 'POST', path: '/_matrix/media/v1/create', steps: [...write, create(media)] },
    {
      method: 'PUT',
      path: '/_matrix/media/v3/upload/:serverName/:mediaId',
      steps: [...write, uploadTo(media)],
    },
    { method: 'GET', path: `${v1}/config`, steps: [...read, config] },
    { method: 'GET', path: '/_matrix/media/v3/config', steps: [...read, config] },
    { method: 'GET', path: `${v1}/download/:serverName/:mediaId`, steps: [...read, download(sourceOf)] },
    {
      method: 'GET',
      path: `${v1}/download/:serverName/:mediaId/:fileName`,
      steps: [...read, download(sourceOf)],
    },
    { method: 'GET', path: `${v1}/thumbnail/:serverName/:mediaId`, steps: [...read, thumbnail(sourceOf)] },
    { method: 'GET', path: `${v3}/download/:serverName/:mediaId`, steps: [...old, download(sourceOf)] },
    {
      method: 'GET',
      path: `${v3}/download/:serverName/:mediaId/:fileName`,
      steps: [...old, download(sourceOf)],
    },
    { method: 'GET', path: `${v3}/thumbnail/:serverName/:mediaId`, steps: [...old, thumbnail(sourceOf)] },
  ]
}

const refuseStrangers: Step = async function refuseStrangers(ctx, next) {
  const requester: Requester | undefined = ctx.state.requester
  if (!requester) throw notFound('Media is served to signed-in clients only: /_matrix/client/v1/media.')
  await next()
}

function upload(media: Media): Step {
  return async function upload(ctx) {
    ctx.body = { content_uri: media.contentUri(await media.upload(uploadOf(ctx))) }
  }
}

function create(media: Media): Step {
  return async function create(ctx) {
    const { mediaId, expiresTs } = await media.create(ctx.state.requester.userId)
    ctx.body = { content_uri: media.contentUri(mediaId), unused_expires_at: expiresTs }
  }
}

function uploadTo(media: Media): Step {
  return async function uploadTo(ctx) {
    const { serverName, mediaId } = ctx.state.params
    await media.uploadTo(serverName!, mediaId!, uploadOf(ctx))
    ctx.body = {}
  }
}

type SourceOf = (server: string) => MediaSource

function download(sourceOf: SourceOf): Step {
  return async function download(ctx) {
    const { serverName, mediaId, fileName } = ctx.state.params
    const file = await fromPeer(sourceOf(serverName!).download(serverName!, mediaId!, queryWaitMs(ctx)))
    send(ctx, file, fileName ?? file.fileName)
  }
}

function thumbnail(sourceOf: SourceOf): Step {
  return async function thumbnail(ctx) {
    const { serverName, mediaId } = ctx.state.params
    const wish = queryThumbnail(ctx)
    const file = await fromPeer(
      sourceOf(serverName!).thumbnail(serverName!, mediaId!, wish, queryWaitMs(ctx)),
    )
    send(ctx, file, file.fileName)
  }
}

// ── upload ───────────────────────────────────────────────────────────────────────────────────────────

function uploadOf(ctx: Context): Upload {
  const fileName = queryText(ctx.query, 'filename')
  if (fileName !== undefined && fileName.length > 255) {
    throw invalidParam('filename is longer than 255 characters.')
  }
  if (ctx.req.headers['content-encoding'] !== undefined) {
    throw new MatrixError(415, 'M_UNKNOWN', 'A compressed body (Content-Encoding) is not supported.')
  }
  const announced = ctx.req.headers['content-length']
  return {
    userId: ctx.state.requester.userId,
    contentType: contentTypeIn(ctx.req.headers['content-type']),
    ...(fileName === undefined || fileName === '' ? {} : { fileName }),
    ...(announced === undefined ? {} : { announcedBytes: Number(announced) }),
    body: bodyPieces(ctx),
  }
}

// ── download ─────────────────────────────────────────────────────────────────────────────────────────

/** Spec: the recommended policy, without the plugin type, which no browser knows any more. */
const sandbox =
  "sandbox; default-src 'none'; script-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'"

function send(ctx: Context, file: MediaFile, fileName: string | undefined): void {
  ctx.set('Content-Type', file.contentType)
  ctx.set('Content-Disposition', contentDisposition(file.contentType, fileName))
  ctx.set('Content-Security-Policy', sandbox)
  ctx.set('Cross-Origin-Resource-Policy', 'cross-origin')
  // A media id means the same bytes for ever; what is private stays in the private cache.
  ctx.set('Cache-Control', 'private, max-age=31536000, immutable')
  ctx.set('Accept-Ranges', 'bytes')
  const range = rangeOf(ctx.req.headers.range, file.sizeBytes)
  if (range === 'unsatisfiable') {
    ctx.set('Content-Range', `bytes */${file.sizeBytes}`)
    throw new MatrixError(416, 'M_INVALID_PARAM', 'Range: the file has no such bytes.')
  }
  if (range) {
    ctx.status = 206
    ctx.set('Content-Range', `bytes ${range.first}-${range.last}/${file.sizeBytes}`)
  }
  // Koa's `body` setter would take a stream for application/octet-stream; the type is set already.
  const stream: ReadStream | '' =
    ctx.method === 'HEAD' || file.sizeBytes === 0 ? '' : file.read(range ?? undefined)
  ctx.body = stream
  ctx.length = range ? range.last - range.first + 1 : file.sizeBytes
}

interface Range {
  readonly first: number
  readonly last: number
}

/** RFC 9110 §14.2: one range; several, or anything else, is answered with the whole file. */
function rangeOf(header: string | undefined, size: number): Range | 'unsatisfiable' | null {
  const match = header === undefined ? null : /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header)
  if (!match || (match[1] === '' && match[2] === '')) return null
  const [first, last] =
    match[1] === ''
      ? [Math.max(0, size - Number(match[2])), size - 1]
      : [Number(match[1]), match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1)]
  if (match[1] !== '' && match[2] !== '' && Number(match[2]) < first) return null
  return first <= last && first < size ? { first, last } : 'unsatisfiable'
}
