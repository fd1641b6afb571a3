/**
 * `npm run demo [-- --port N]`: a small organisation on this machine, to look at and to write in.
 *
 * Everything is real but the people: the server, the encryption, the history that was written with it. It listens on
 * loopback addresses alone, its data is thrown away at the end, and who signs in does so by one click, without a
 * passkey. Each person has an address of their own (`amal.localhost`), which to a browser is another site: several of
 * them fit into one browser.
 */
import { parseArgs } from 'node:util'
import { DemoServer } from './demo/demo-server.ts'
import { historyMs, liveThrough } from './demo/live.ts'
import { people } from './demo/organisation.ts'

const { values } = parseArgs({ options: { port: { type: 'string', default: '8008' } } })
const port = Number(values.port)
if (!Number.isInteger(port) || port < 1 || port > 65_535) fail('--port is a number from 1 to 65535.')

const say = (text: string) => void process.stdout.write(`${text}\n`)
const started = Date.now()
const server = await DemoServer.start(port, started - historyMs).catch((error: NodeJS.ErrnoException) => {
  if (error.code === 'EADDRINUSE')
    fail(`Port ${port} is taken. Choose another one: npm run demo -- --port 8010`)
  throw error
})
let isEnding = false
process.on('SIGINT', end)
process.on('SIGTERM', end)

say('A demonstration of Letro: everything is encrypted, nobody is real, nothing is kept.')
await liveThrough(server, started, (done, of) => {
  if (process.stdout.isTTY) process.stdout.write(`\rFive people write their history: ${done} of ${of} `)
})
if (process.stdout.isTTY) say('')
say(`
One click signs in. Open two of them, in one browser or in several, and let them write to each other:
`)
for (const { localpart, role } of people) {
  say(`  http://${localpart}.localhost:${port}/#/demo/${localpart}`.padEnd(48) + role)
}
say(`
A browser that does not know these names (Safari): http://localhost:${port}/#/demo/amal, one person a browser.

  s   stop the server, and start it again: people keep writing meanwhile
  q   end; the data is removed
`)
process.send?.('ready')
listenForKeys()

function listenForKeys(): void {
  const { stdin } = process
  if (stdin.isTTY) stdin.setRawMode(true)
  let last = Promise.resolve()
  stdin.setEncoding('utf8').on('data', (keys: string) => {
    for (const key of keys) {
      if (key === 'q' || key === '\u0003') end()
      if (key === 's') last = last.then(toggle)
    }
  })
}

async function toggle(): Promise<void> {
  if (server.isRunning) {
    await server.stop()
    say('The server is stopped. Write on; press s to start it again.')
  } else {
    await server.start()
    say('The server is back.')
  }
}

function end(): void {
  if (isEnding) process.exit(1)
  isEnding = true
  server.remove().then(
    () => process.exit(0),
    () => process.exit(1),
  )
}

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(2)
}
