/**
 * A page with its workers, bundled as the app will be and served on localhost: for tests and benches in a browser.
 */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { build } from 'vite'

const root = join(import.meta.dirname, '../..')
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
}

export interface BundledPage {
  /** Of the page, with a slash at its end. */
  readonly url: string
  close(): Promise<void>
}

/** Bundles `index.html` of a folder into `dist/`, which is not tracked, and serves it. */
export async function serveBundle(folder: string): Promise<BundledPage> {
  const outDir = join(root, 'dist', folder)
  await build({
    root: join(root, folder),
    configFile: false,
    logLevel: 'error',
    build: { outDir, emptyOutDir: true, target: 'esnext', modulePreload: false },
    worker: { format: 'es' },
  })
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url!, 'http://localhost').pathname)
    const file = join(outDir, path === '/' ? 'index.html' : path)
    try {
      const body = await readFile(file)
      // The policy of the app: only the worker, whose response says so, compiles WASM.
      const policy = path.startsWith('/assets/')
        ? "script-src 'self' 'wasm-unsafe-eval'"
        : "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'"
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
