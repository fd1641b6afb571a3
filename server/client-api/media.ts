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
import { discard, RequestAborted } from '../http/body.ts'
import { queryBoolean, queryInteger, queryText } from '../http/fields.ts'
import { invalidParam, MatrixError, missingParam, notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Requester, Route, Step } from '../http/route.ts'
import type { Media, MediaFile, Upload } from '../media/media.ts'

export interface MediaRouteDeps {
  readonly accounts: TokenReader
  readonly media: Media
}

const defaultWaitMs = 20_000
const maxWaitMs = 60_000
/** An upload may be slow, but not silent. */
const silenceMs = 60_000

export function mediaRoutes({ accounts, media }: MediaRouteDeps): Route[] {
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
    { method: 'GET', path: `${v1}/download/:serverName/:mediaId`, steps: [...read, download(media)] },
    {
      method: 'GET',
      path: `${v1}/download/:serverName/:mediaId/:fileName`,
      steps: [...read, download(media)],
    },
    { method: 'GET', path: `${v1}/thumbnail/:serverName/:mediaId`, steps: [...read, thumbnail(media)] },
    { method: 'GET', path: `${v3}/download/:serverName/:mediaId`, steps: [...old, download(media)] },
    {
      method: 'GET',
      path: `${v3}/download/:serverName/:mediaId/:fileName`,
      steps: [...old, download(media)],
    },
    { method: 'GET', path: `${v3}/thumbnail/:serverName/:mediaId`, steps: [...old, thumbnail(media)] },
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

function download(media: Media): Step {
  return async function download(ctx) {
    const { serverName, mediaId, fileName } = ctx.state.params
    const file = await media.download(serverName!, mediaId!, waitOf(ctx))
    send(ctx, file, fileName ?? file.fileName)
  }
}

function thumbnail(media: Media): Step {
  return async function thumbnail(ctx) {
    const width = queryInteger(ctx.query, 'width', 1, 100_000)
    const height = queryInteger(ctx.query, 'height', 1, 100_000)
    if (width === undefined) throw missingParam('width')
    if (height === undefined) throw missingParam('height')
    const method = queryText(ctx.query, 'method') ?? 'scale'
    if (method !== 'crop' && method !== 'scale') throw invalidParam('method must be crop or scale.')
    const animated = queryBoolean(ctx.query, 'animated') ?? false
    const { serverName, mediaId } = ctx.state.params
    const wish = { width, height, method, animated } as const
    const file = await media.thumbnail(serverName!, mediaId!, wish, waitOf(ctx))
    send(ctx, file, file.fileName)
  }
}

/** Spec: `timeout_ms`: "the default value is 20000 (20 seconds)"; the server imposes a maximum. */
function waitOf(ctx: Context): number {
  return Math.min(queryInteger(ctx.query, 'timeout_ms') ?? defaultWaitMs, maxWaitMs)
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
    contentType: contentTypeOf(ctx.req.headers['content-type']),
    ...(fileName === undefined || fileName === '' ? {} : { fileName }),
    ...(announced === undefined ? {} : { announcedBytes: Number(announced) }),
    body: bodyOf(ctx),
  }
}

/** The body as it comes. A client that goes away, or falls silent and is cut off, ends it with RequestAborted. */
async function* bodyOf({ req, state }: Context): AsyncGenerator<Uint8Array> {
  const timer = setTimeout(() => req.destroy(), silenceMs)
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
    if (!req.complete && !req.destroyed) await discard(req)
  }
  if (!req.complete) throw new RequestAborted()
  await state.authenticateAgain?.()
}

// RFC 9110 §8.3.1, parameters included; what is none is "some bytes".
const mediaType =
  /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(?:; ?[\w-]{1,50}=(?:[\w!#$&^.+:-]{1,100}|"[^"\\\x00-\x1f\x7f-\uffff]{0,100}"))*$/

function contentTypeOf(header: string | undefined): string {
  return header !== undefined && header.length <= 255 && mediaType.test(header)
    ? header
    : 'application/octet-stream'
}

// ── download ─────────────────────────────────────────────────────────────────────────────────────────

/** Spec: client-server-api#serving-inline-content */
const inlineTypes = new Set([
  'text/css',
  'text/plain',
  'text/csv',
  'application/json',
  'application/ld+json',
  'image/jpeg',
  'image/gif',
  'image/png',
  'image/apng',
  'image/webp',
  'image/avif',
  'video/mp4',
  'video/webm',
  'video/ogg',
  'video/quicktime',
  'audio/mp4',
  'audio/webm',
  'audio/aac',
  'audio/mpeg',
  'audio/ogg',
  'audio/wave',
  'audio/wav',
  'audio/x-wav',
  'audio/x-pn-wav',
  'audio/flac',
  'audio/x-flac',
])

/** Spec: the recommended policy, without the plugin type, which no browser knows any more. */
const sandbox =
  "sandbox; default-src 'none'; script-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'"

function send(ctx: Context, file: MediaFile, fileName: string | undefined): void {
  const essence = file.contentType.split(';')[0]!.trim().toLowerCase()
  ctx.set('Content-Type', file.contentType)
  ctx.set('Content-Disposition', disposition(inlineTypes.has(essence) ? 'inline' : 'attachment', fileName))
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

/** RFC 6266: an ASCII name for old clients, the real one percent-encoded (RFC 8187). No path, no control character. */
function disposition(kind: 'inline' | 'attachment', fileName: string | undefined): string {
  const name = fileName?.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}/\\]/gu, '_').slice(0, 255)
  if (name === undefined || name === '') return kind
  const ascii = name.replaceAll(/[^\x20-\x7e]|["%]/g, '_')
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return ascii === name
    ? `${kind}; filename="${name}"`
    : `${kind}; filename="${ascii}"; filename*=UTF-8''${encoded}`
}
