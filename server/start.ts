/**
 * Starts the server: configuration, data folder, areas, listening; says where it is; stops in good order.
 *
 * `npm start` · `npm start -- --config FILE` · `npm start -- --example-config > letro.toml`
 *
 * What is printed for people goes to stdout as sentences; what machines read (log lines) to stderr as JSON.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type App, openApp } from './app.ts'
import { type Config, ConfigError, exampleToml, parseConfig } from './config.ts'
import { formatHostPort } from './config-values.ts'
import { StartRefused } from './data-folder.ts'
import { type Log, openLog } from './http/log.ts'
import { type Listeners, openListeners } from './listeners.ts'
import { tellOfPeers } from './peers-changed.ts'
import { StoreError } from './store/store.ts'

/** SIGTERM to exit: 5 s. What does not end within this time is cut. */
const drainMs = 4_000

const say = (text: string) => void process.stdout.write(`${text}\n`)

const usage = `Letro, a Matrix homeserver.

  --config FILE      read this file (default: letro.toml, where there is one)
  --example-config   print a configuration with every key, its default and what it means
  --help             this

Every key can be set by environment as well: server.name is LETRO_SERVER_NAME.`

try {
  await main()
} catch (error) {
  const sentence = sentenceFor(error)
  if (sentence === null) throw error
  process.stderr.write(`Letro does not start.\n\n${sentence}\n`)
  process.exitCode = 1
}

async function main(): Promise<void> {
  const options = readOptions()
  if (options.help) return say(usage)
  if (options.exampleConfig) return void process.stdout.write(exampleToml())

  // Files that we make are ours alone, whatever the shell's default is.
  process.umask(0o077)
  const { config, warnings } = parseConfig(readConfigFile(options.config), process.env)
  const clock = Date.now
  const log = openLog(line => void process.stderr.write(line), clock)
  reportSurprises(log)

  let running = await start()
  tellOfPeers(config.server.data)
  stopOnSignals(() => running, log)
  process.on('SIGHUP', () => void running.listeners.reload())
  // Whoever reads this may stop it at once, and it ends in order.
  await announce(running)

  async function start(): Promise<Running> {
    const app = await openApp(config, {
      clock,
      monotonic: () => performance.now(),
      log,
      randomBytes: size => randomBytes(size),
      restart: () => void restart(),
    })
    let listeners: Listeners
    try {
      listeners = await openListeners(app.settings.current, app, log, clock)
    } catch (error) {
      await app.close()
      throw error
    }
    return { app, listeners }
  }

  async function announce({ app, listeners }: Running): Promise<void> {
    await greet(config, app, listeners, [...new Set([...warnings, ...app.warnings])])
    log.info('started', { state: app.state, new: app.isNew })
  }

  /** After a restore. Where it does not come up again, the process ends, and whoever watches over it starts it. */
  async function restart(): Promise<void> {
    log.info('starting again over restored data')
    try {
      await stop(running)
      running = await start()
      await announce(running)
    } catch (error) {
      process.stderr.write(`Letro does not start.\n\n${sentenceFor(error) ?? 'It failed after a restore.'}\n`)
      process.exit(1)
    }
  }
}

interface Running {
  readonly app: App
  readonly listeners: Listeners
}

async function stop({ app, listeners }: Running): Promise<void> {
  app.stopWaiting()
  await listeners.close(drainMs - 1_000)
  await app.close()
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        config: { type: 'string' },
        'example-config': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    return { config: values.config, exampleConfig: values['example-config'], help: values.help }
  } catch (error) {
    throw new StartRefused(`${error instanceof Error ? error.message : error}\n\n${usage}`)
  }
}

function readConfigFile(named: string | undefined): string {
  const file = named ?? 'letro.toml'
  if (named === undefined && !existsSync(file)) return ''
  return readNamed('--config', file)
}

function readNamed(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new StartRefused(`${name} = ${file} cannot be read (${codeOf(error)}).`, { cause: error })
  }
}

async function greet(
  config: Config,
  app: App,
  { client: server, federation }: Listeners,
  warnings: readonly string[],
): Promise<void> {
  const { name, trial, origin, data } = config.server
  say(`Letro serves ${name} at ${origin}`)
  const local = `${server.tls ? 'https' : 'http'}://${formatHostPort({ host: config.listen.client.host, port: server.port })}`
  if (local !== origin) say(`Listening at ${local}`)
  if (federation) {
    say(
      `Other servers: ${formatHostPort({ host: federation.host, port: federation.port })}, pinned ones only`,
    )
  }
  say(`Data: ${resolve(data)}`)
  if (trial) say('trial: this name cannot become production. Set server.name before the first real account.')
  for (const warning of warnings) say(`Warning: ${warning}`)
  if (app.state === 'maintenance') {
    say('')
    say('The data is damaged or incomplete: the server is in maintenance and serves nobody.')
    say(`See what was found:  letro store status --data ${resolve(data)}`)
    say(`Repair it:           letro store repair --data ${resolve(data)}`)
    return
  }
  // What an appliance prints stands in its journal. The link is a key: its console makes one and shows it.
  const link = config.appliance.report === null ? await app.firstAdministratorLink() : null
  if (link) {
    say('')
    say('Nobody administers this server yet. Open this link once to become its administrator:')
    say('')
    say(`  ${link.url}`)
    say('')
    // A terminal gets its colours set, so that the code is dark on light on any background; a file gets text alone.
    const { default: qrcode } = await import('qrcode')
    const type = process.stdout.isTTY ? 'terminal' : 'utf8'
    say(await qrcode.toString(link.url, { type, small: true, errorCorrectionLevel: 'L' }))
  }
}

function stopOnSignals(running: () => Running, log: Log): void {
  let stopping = false
  const stopNow = (signal: string) => {
    // A second signal: now.
    if (stopping) process.exit(1)
    stopping = true
    log.info('stopping', { signal })
    // Whatever hangs, the process does not.
    setTimeout(() => process.exit(1), drainMs + 900).unref()
    stop(running()).then(
      () => {
        log.info('stopped')
        process.exit(0)
      },
      error => {
        log.error('did not stop in order', { code: codeOf(error) })
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', () => stopNow('SIGTERM'))
  process.on('SIGINT', () => stopNow('SIGINT'))
}

/** A promise that nobody waits for must not take the server down, nor pass unseen. */
function reportSurprises(log: Log): void {
  process.on('unhandledRejection', error => {
    const frames =
      error instanceof Error ? (error.stack ?? '').split('\n').filter(line => /^ {4}at /.test(line)) : []
    log.error('unhandled rejection', {
      error: error instanceof Error ? error.name : typeof error,
      code: codeOf(error),
      stack: frames
        .slice(0, 8)
        .map(line => line.trim())
        .join(' | '),
    })
  })
}

function sentenceFor(error: unknown): string | null {
  if (error instanceof StartRefused) return error.message
  if (error instanceof ConfigError) {
    return error.problems.map(({ key, value, allowed }) => `${key} = ${value}\n    ${allowed}`).join('\n')
  }
  if (error instanceof StoreError) {
    const hints: Partial<Record<StoreError['code'], string>> = {
      STORE_LOCKED:
        'Another Letro, or a letro command, has the data open. Stop it first; one folder serves one server.',
      STORE_FULL: 'The disk is full. Make room, then start again; nothing that was acknowledged is lost.',
    }
    return hints[error.code] ?? `The store cannot be opened (${error.code}): ${error.message}`
  }
  // An area that refuses to open over this data says why (server.origin moved away from the passkeys, for one).
  if (error instanceof Error && error.name === 'AccountError') return error.message
  return null
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
