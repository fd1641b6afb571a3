/** The app's files as a browser gets them: from a folder as the build leaves it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import test from 'ava'
import { appFilesRoutes } from '../../server/client-api/app-files.ts'
import { startHttp, type TestHttp } from '../support/http.ts'
import { startTestServer } from '../support/server.ts'

const html = '<!doctype html><script type="importmap">{"integrity":{}}</script><title>Letro</title>'
const script = 'export const one = 1\n'.repeat(50)

let folder: string
let http: TestHttp
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letro-app-'))
  await mkdir(join(folder, 'assets'))
  await mkdir(join(folder, 'icons'))
  await writeFile(join(folder, 'index.html'), html)
  await writeFile(join(folder, 'service-worker.js'), script)
  await writeFile(join(folder, 'manifest.webmanifest'), '{}')
  await writeFile(join(folder, 'assets/index-abc.js'), script)
  await writeFile(join(folder, 'assets/index-abc.js.br'), brotliCompressSync(script))
  await writeFile(join(folder, 'assets/index-abc.js.gz'), gzipSync(script))
  await writeFile(join(folder, 'assets/index-abc.js.map'), '{}')
  await writeFile(join(folder, 'assets/sodium.wasm'), 'wasm')
  await writeFile(join(folder, 'icons/letro.svg'), '<svg/>')
  http = await startHttp(appFilesRoutes({ folder }))
})
test.after.always(async () => {
  await http?.close()
  await rm(folder, { recursive: true, force: true })
})

const get = (path: string, headers: Record<string, string> = {}) => http.call('GET', path, { headers })

test('every address of the app is the one page', async t => {
  for (const path of ['/', '/enrol', '/link', '/share', '/index.html']) {
    const { status, headers, body } = await get(path)
    t.is(status, 200, path)
    t.is(headers.get('content-type'), 'text/html; charset=utf-8')
    t.is(headers.get('cache-control'), 'no-cache')
    t.is(body, html)
  }
})

test('the page runs our scripts only, and its import map by its hash', async t => {
  const { headers } = await get('/')
  const policy = headers.get('content-security-policy')!
  t.regex(policy, /^default-src 'none'; script-src 'self' 'sha256-[A-Za-z0-9+/]{43}='; /)
  t.notRegex(policy, /unsafe|https?:|\*/)
  for (const directive of [
    "style-src 'self'",
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types letro dompurify',
  ])
    t.true(policy.includes(directive), directive)
  t.is(headers.get('integrity-policy'), 'blocked-destinations=(script)')
  t.is(headers.get('cross-origin-opener-policy'), 'same-origin')
  t.is(headers.get('cross-origin-embedder-policy'), 'require-corp')
  t.is(headers.get('cross-origin-resource-policy'), 'same-origin')
  t.is(headers.get('referrer-policy'), 'no-referrer')
  t.is(headers.get('x-content-type-options'), 'nosniff')
  t.is(headers.get('access-control-allow-origin'), null)
  t.regex(headers.get('permissions-policy')!, /camera=\(self\).*geolocation=\(\)/)
})

test('what has a hash in its name stays for ever, what has none is asked for again', async t => {
  t.is(
    (await get('/assets/index-abc.js')).headers.get('cache-control'),
    'public, max-age=31536000, immutable',
  )
  t.is((await get('/service-worker.js')).headers.get('cache-control'), 'no-cache')
  t.is((await get('/manifest.webmanifest')).headers.get('content-type'), 'application/manifest+json')
  const first = await get('/service-worker.js')
  const again = await get('/service-worker.js', {
    'if-none-match': first.headers.get('etag')!,
    'cache-control': 'max-age=0',
  })
  t.is(again.status, 304)
  t.is(again.body, '')
})

test('a changed build is served without a restart', async t => {
  const own = await mkdtemp(join(tmpdir(), 'letro-app-'))
  const server = await startHttp(appFilesRoutes({ folder: own }))
  t.teardown(async () => {
    await server.close()
    await rm(own, { recursive: true, force: true })
  })
  const without = await server.call('GET', '/')
  t.is(without.status, 503)
  t.regex(without.body, /not built.*npm run build/)
  await writeFile(join(own, 'index.html'), html)
  const built = await server.call('GET', '/')
  t.is(built.body, html)
  await writeFile(join(own, 'index.html'), `${html}<p>`)
  const { status } = await server.call('GET', '/', {
    headers: { 'if-none-match': built.headers.get('etag')!, 'cache-control': 'max-age=0' },
  })
  t.is(status, 200)
})

test('the smallest form that the browser takes is sent', async t => {
  const encoding = async (accept: string) =>
    (await get('/assets/index-abc.js', { 'accept-encoding': accept })).headers.get('content-encoding')
  t.is(await encoding('gzip, deflate, br, zstd'), 'br')
  t.is(await encoding('gzip'), 'gzip')
  t.is(await encoding('br;q=0, gzip'), 'gzip')
  t.is(await encoding('identity'), null)
  const { body, headers } = await get('/assets/index-abc.js', { 'accept-encoding': 'br' })
  t.is(body, script)
  t.is(headers.get('vary'), 'Accept-Encoding')
})

test('only scripts that are workers may compile WASM', async t => {
  t.regex(
    (await get('/assets/index-abc.js')).headers.get('content-security-policy')!,
    /script-src 'self' 'wasm-unsafe-eval'/,
  )
  t.notRegex((await get('/')).headers.get('content-security-policy')!, /wasm/)
  t.is((await get('/assets/sodium.wasm')).headers.get('content-type'), 'application/wasm')
})

test('nothing beside the app is served', async t => {
  for (const path of [
    '/assets/none.js',
    '/assets/index-abc.js.br',
    '/assets/index-abc.js.map',
    '/assets/..%2findex.html',
    '/assets/..%2f..%2fpackage.json',
    '/assets/.hidden.js',
    '/assets/%00.js',
    '/icons/letro.svg%00.js',
    '/package.json',
    '/enrol/x',
  ])
    t.is((await get(path)).status, 404, path)
})

test('the app learns what it must know of its server', async t => {
  const server = await startTestServer({ config: '[devices]\nlock_after_days = 7\n' })
  t.teardown(() => server.close())
  const { status, body } = await server.call('GET', '/_letro/client/v1/app')
  t.is(status, 200)
  t.deepEqual(body, {
    server_name: 'localhost',
    demo: null,
    push: { allowed: false },
    presence: { enabled: false },
    policy: { lock_after_days: 7 },
  })
})
