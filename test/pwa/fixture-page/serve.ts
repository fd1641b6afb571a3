/** Bundles the fixture page as the app is bundled, and serves it with the policy that the app is served with. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { build, type Plugin } from 'vite'
import { appConfig, root } from '../../../scripts/app-build.ts'

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
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types letro dompurify',
].join('; ')

export interface FixturePage {
  readonly url: string
  close(): Promise<void>
}

export async function serveFixture(): Promise<FixturePage> {
  const outDir = join(root, 'dist/fixture-page')
  const config = appConfig()
  await build({
    ...config,
    root: import.meta.dirname,
    publicDir: false,
    plugins: [withoutWorker()],
    build: { ...config.build, outDir, minify: false },
  })
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url!, 'http://localhost').pathname)
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

/** The views ask the fixture's world, not a worker. */
function withoutWorker(): Plugin {
  return {
    name: 'fixture-without-worker',
    enforce: 'pre',
    resolveId(source) {
      return source.endsWith('worker/account-client.ts')
        ? join(import.meta.dirname, 'account-client.ts')
        : null
    },
  }
}
