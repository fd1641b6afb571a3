/**
 * `npm run dev [-- --port N]`: the app from its sources, each change shown at once, over the data of the demonstration.
 *
 * Vite serves the app and hands everything else to a demonstration server beside it. There is no service worker here and no
 * policy for scripts (Vite's own would not pass it): those are the business of `npm run demo`, which serves the built app.
 */
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createServer } from 'vite'
import { appConfig, root } from './app-build.ts'
import { DemoServer } from './demo/demo-server.ts'
import { historyMs, liveThrough } from './demo/live.ts'
import { people } from './demo/organisation.ts'

const { values } = parseArgs({ options: { port: { type: 'string', default: '5173' } } })
const port = Number(values.port)
const serverPort = port + 1
const startedTs = Date.now()

const server = await DemoServer.start(serverPort, startedTs - historyMs)
const vite = await createServer({
  ...appConfig(),
  server: {
    host: 'localhost',
    port,
    strictPort: true,
    // The packages may be a link to another folder's.
    fs: { allow: [root, realpathSync(join(root, 'node_modules'))] },
    // The page's host stays: a demonstration signs in its own pages alone.
    proxy: { '^/(?:_matrix|_letro|\\.well-known)/': { target: server.origin, changeOrigin: false } },
    headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
  },
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end())

await liveThrough(server, startedTs, () => {})
await vite.listen()
console.log('The app from its sources, over the data of the demonstration:\n')
for (const { localpart, role } of people)
  console.log(`  http://${localpart}.localhost:${port}/#/demo/${localpart}`.padEnd(48) + role)

async function end(): Promise<void> {
  await vite.close()
  await server.remove()
  process.exit(0)
}
