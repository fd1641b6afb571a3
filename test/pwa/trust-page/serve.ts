/** Bundles the fixture page with the app's own configuration, and serves it under the app's policies. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { build, type Plugin } from 'vite'
import { appConfig, root } from '../../../scripts/app-build.ts'

const here = import.meta.dirname
const outDir = join(root, 'dist/test/trust-page')
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
}
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "require-trusted-types-for 'script'",
  'trusted-types letro dompurify',
].join('; ')

export interface FixturePage {
  readonly url: string
  close(): Promise<void>
}

export async function serveFixturePage(): Promise<FixturePage> {
  const config = appConfig()
  await build({
    ...config,
    root: here,
    publicDir: false,
    build: { ...config.build, outDir },
    plugins: [...(config.plugins ?? []), withFixtureAccount],
  })
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url!, 'http://localhost').pathname)
    if (path === '/_letro/client/v1/app') {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ push: { allowed: false }, policy: { lock_after_days: 30 } }))
      return
    }
    const file = join(outDir, path === '/' ? 'index.html' : path)
    try {
      const body = await readFile(file)
      response.writeHead(200, {
        'content-type': types[extname(file)] ?? 'application/octet-stream',
        'content-security-policy': policy,
      })
      response.end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>(resolve => server.listen(0, 'localhost', resolve))
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

const withFixtureAccount: Plugin = {
  name: 'fixture-account',
  enforce: 'pre',
  resolveId: wanted => (/(?:^|\/)account\.ts$/.test(wanted) ? join(here, 'account.ts') : null),
}
