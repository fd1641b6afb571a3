/** The server under test as its own process: ours, over LevelDB in a folder of its own, limits off. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../test/support/free-port.ts'
import type { ProbeCounters } from './probe.ts'

export interface ServerProcess {
  readonly base: string
  /** From the start of the process to the first 200. */
  readonly startMs: number
  counters(): Promise<ProbeCounters>
  stop(): Promise<void>
}

export interface ServerOptions {
  /** Where its data lies. */
  readonly folder: string
  /** Where to put a CPU profile when it stops. */
  readonly profileFolder?: string
}

export const benchFolder = (name: string): Promise<string> => mkdtemp(join(tmpdir(), `letro-bench-${name}-`))
export const removeFolder = (path: string): Promise<void> => rm(path, { recursive: true, force: true })

export async function startServer({ folder, profileFolder }: ServerOptions): Promise<ServerProcess> {
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  const begun = performance.now()
  const child = spawn(
    process.execPath,
    [
      ...(profileFolder === undefined
        ? []
        : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`, '--cpu-prof-interval=500']),
      ...startFlags(),
      '--import',
      new URL('probe.ts', import.meta.url).href,
      new URL('../../server/main.ts', import.meta.url).pathname,
    ],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...process.env,
        LETRO_SERVER_DATA: folder,
        LETRO_SERVER_NAME: 'bench.example',
        LETRO_SERVER_ORIGIN: `http://localhost:${port}`,
        LETRO_LISTEN_CLIENT: `127.0.0.1:${port}`,
        LETRO_ACCOUNTS_PASSWORDS: 'true',
        LETRO_ACCOUNTS_REGISTRATION: 'open',
        LETRO_LIMITS_ENABLED: 'false',
      },
    },
  )
  const output = collect(child)
  await firstAnswer(child, base, output)
  const startMs = performance.now() - begun
  return {
    base,
    startMs,
    counters: () => ask(child),
    stop: () => stop(child),
  }
}

/** What `npm start` gives to Node: measured is the server as people run it. */
export function startFlags(): string[] {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const words: string[] = manifest.scripts.start.replace(/^.* exec /, '').split(' ')
  return words.slice(1, words.indexOf('server/main.ts'))
}

function collect(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', chunk => {
      text = (text + chunk).slice(-4_000)
    })
  return () => text
}

async function firstAnswer(child: ChildProcess, base: string, output: () => string): Promise<void> {
  for (let i = 0; i < 3_000; i++) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${output()}`)
    try {
      const answer = await fetch(`${base}/_matrix/client/versions`)
      await answer.arrayBuffer()
      if (answer.status === 200) return
    } catch {
      // Not listening yet.
    }
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  throw new Error(`the server does not answer:\n${output()}`)
}

function ask(child: ChildProcess): Promise<ProbeCounters> {
  return new Promise((resolve, reject) => {
    child.once('message', message => resolve(message as ProbeCounters))
    child.send('counters', error => error && reject(error))
  })
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
}
