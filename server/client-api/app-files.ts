/**
 * The app that people install, as `npm run build` left it in dist/pwa: pages, hashed assets, icons, the service worker.
 *
 * Files are read from disk at each request, so that a new build is served without a restart; their compressed forms lie
 * beside them. The page runs our scripts only, those that its import map names with their hash; WASM runs in the
 * workers alone. Without a build every page says so.
 *
 * Addresses of the app are one page: what stands behind `#` (a link's secret, a room's id) never reaches a server.
 */
import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { notFound } from '../http/matrix-error.ts'
import type { Context, Route, Step } from '../http/route.ts'

export interface AppFilesDeps {
  /** dist/pwa */
  readonly folder: string
}

/** As in the service worker, which answers them when the server is away. */
const pagePaths = ['/', '/enrol', '/link', '/share']

export function appFilesRoutes({ folder }: AppFilesDeps): Route[] {
  const page: Step = ctx => sendPage(ctx, folder)
  const named = (file: string): Step => {
    return ctx => sendFile(ctx, folder, file, 'no-cache')
  }
  const inFolder = (under: string, caching: string): Step => {
    return ctx => sendFile(ctx, folder, join(under, safeName(ctx.state.params['name'])), caching)
  }
  return [
    ...[...pagePaths, '/index.html'].map(path => ({ method: 'GET' as const, path, steps: [page] })),
    { method: 'GET', path: '/manifest.webmanifest', steps: [named('manifest.webmanifest')] },
    { method: 'GET', path: '/service-worker.js', steps: [named('service-worker.js')] },
    // Their names carry a hash of what is in them.
    { method: 'GET', path: '/assets/:name', steps: [inFolder('assets', forEver)] },
    { method: 'GET', path: '/icons/:name', steps: [inFolder('icons', 'public, max-age=86400')] },
  ]
}

const forEver = 'public, max-age=31536000, immutable'

// ── what a browser may do with it ────────────────────────────────────────────────────────────────────

const framedByNobody = ["frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"]

function pagePolicy(scriptHashes: readonly string[]): string {
  return [
    "default-src 'none'",
    `script-src ${["'self'", ...scriptHashes].join(' ')}`,
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "media-src 'self' blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    ...framedByNobody,
    "require-trusted-types-for 'script'",
    'trusted-types letro dompurify',
  ].join('; ')
}

/** Of scripts, for those that are workers: their answer's policy is theirs. Our cryptography is WASM, and runs nowhere else. */
const scriptPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "connect-src 'self'",
  "worker-src 'self'",
  ...framedByNobody,
].join('; ')

const ours = ['camera', 'microphone', 'publickey-credentials-create', 'publickey-credentials-get']
/** Reading aloud, looking closely, copying: what the views do. */
const used = ['autoplay', 'clipboard-write', 'fullscreen']
const refused = [
  'accelerometer',
  'clipboard-read',
  'display-capture',
  'encrypted-media',
  'geolocation',
  'gyroscope',
  'hid',
  'idle-detection',
  'magnetometer',
  'midi',
  'payment',
  'picture-in-picture',
  'screen-wake-lock',
  'serial',
  'usb',
  'xr-spatial-tracking',
]
const permissions = [
  ...[...ours, ...used].map(feature => `${feature}=(self)`),
  ...refused.map(feature => `${feature}=()`),
].join(', ')

function setIsolation(ctx: Context): void {
  ctx.set('Cross-Origin-Opener-Policy', 'same-origin')
  ctx.set('Cross-Origin-Embedder-Policy', 'require-corp')
  ctx.set('Cross-Origin-Resource-Policy', 'same-origin')
  // The API's answers are for every Matrix client's origin; the app's files for none but their own.
  ctx.remove('Access-Control-Allow-Origin')
  ctx.remove('Access-Control-Allow-Methods')
  ctx.remove('Access-Control-Allow-Headers')
}

// ── the files ────────────────────────────────────────────────────────────────────────────────────────

async function sendPage(ctx: Context, folder: string): Promise<void> {
  const html = await mayRead(join(folder, 'index.html'))
  setIsolation(ctx)
  if (html === null) {
    ctx.set('Content-Security-Policy', "default-src 'none'")
    ctx.status = 503
    ctx.type = 'text/plain; charset=utf-8'
    ctx.body =
      'The app is not built. Run "npm run build" where this server was started; it need not be restarted.\n'
    return
  }
  ctx.set('Content-Security-Policy', pagePolicy(inlineHashes(html.toString('utf8'))))
  ctx.set('Permissions-Policy', permissions)
  ctx.set('Integrity-Policy', 'blocked-destinations=(script)')
  await send(ctx, join(folder, 'index.html'), html, 'no-cache')
}

/** The import map, which holds the hashes of all scripts, is the one script that stands in the page itself. */
function inlineHashes(html: string): string[] {
  return [...html.matchAll(/<script type="importmap">([\s\S]*?)<\/script>/g)].map(
    ([, text]) => `'sha256-${hash('sha256', text!, 'base64')}'`,
  )
}

async function sendFile(ctx: Context, folder: string, name: string, caching: string): Promise<void> {
  const body = await mayRead(join(folder, name))
  if (body === null || typeOf(name) === undefined) throw notFound('The app has no such file.')
  setIsolation(ctx)
  if (name.endsWith('.js')) ctx.set('Content-Security-Policy', scriptPolicy)
  await send(ctx, join(folder, name), body, caching)
}

async function send(ctx: Context, path: string, body: Buffer, caching: string): Promise<void> {
  ctx.set('Content-Type', typeOf(path)!)
  ctx.set('Cache-Control', caching)
  ctx.set('Vary', 'Accept-Encoding')
  ctx.etag = `W/"${hash('sha256', body, 'base64url')}"`
  ctx.status = 200
  if (ctx.fresh) {
    ctx.status = 304
    return
  }
  for (const [encoding, suffix] of compressedForms) {
    if (ctx.acceptsEncodings(encoding) !== encoding) continue
    const compressed = await mayRead(path + suffix)
    if (compressed === null) continue
    ctx.set('Content-Encoding', encoding)
    ctx.body = compressed
    return
  }
  ctx.body = body
}

const compressedForms = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json',
  webmanifest: 'application/manifest+json',
  svg: 'image/svg+xml',
  png: 'image/png',
  woff2: 'font/woff2',
  wasm: 'application/wasm',
  txt: 'text/plain; charset=utf-8',
}

/** Undefined: nothing that the app consists of. Compressed forms and source maps have no address. */
function typeOf(path: string): string | undefined {
  return types[path.slice(path.lastIndexOf('.') + 1)]
}

/** One segment, and no way out of the folder. */
function safeName(name: string | undefined): string {
  if (name === undefined || !/^[\w-][\w.-]{0,200}$/.test(name)) throw notFound('The app has no such file.')
  return name
}

async function mayRead(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return null
    throw error
  }
}
