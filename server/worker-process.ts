/**
 * The worker process as the server sees it: two lanes (passwords, pictures) with one job at work in each, so that
 * pictures never keep people from signing in; bounded queues that refuse clearly; one child, started at the
 * first job, ended when nothing came for a while, started again when it dies.
 *
 * The child runs under Node's permission model: it may read our code and the media folder, nothing else; no
 * writing, no network, no programs. Native code (sharp) is outside that model, so this narrows an attack, it
 * does not stop one; the appliance's unit adds the kernel's means.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PasswordHasher } from './accounts/core.ts'
import type { Log } from './http/log.ts'
import { MatrixError } from './http/matrix-error.ts'
import type { Thumbnailer } from './media/thumbnail.ts'
import { childStdio } from './store/child-stdio.ts'
import type { AnswerMessage, JobKind, JobMessage, Jobs } from './worker-protocol.ts'

export interface WorkerOptions {
  readonly dataFolder: string
  readonly log: Log
  /** How long one job may take before the child is killed. */
  readonly jobTimeoutMs?: number
  /** Jobs that may wait in each lane. */
  readonly maxWaiting?: number
  /** The child ends when it had no job for so long. */
  readonly idleMs?: number
}

export interface WorkerProcess extends PasswordHasher, Thumbnailer {
  /** Its process id while it runs. */
  readonly pid: number | undefined
  /** How many died in the middle of their work, since the start. */
  readonly deaths: number
  close(): Promise<void>
}

interface Job {
  readonly message: JobMessage
  /** A child died over it before. */
  triedBefore: boolean
  /** It took too long: it is not tried again. */
  tookTooLong: boolean
  resolve(gives: never): void
  reject(error: Error): void
}

type LaneName = 'passwords' | 'pictures'

interface Lane {
  readonly waiting: Job[]
  atWork: { readonly job: Job; readonly timer: NodeJS.Timeout } | null
}

/** The child died or took too long over this job; the next one gets a new child. */
export class WorkerFailed extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'WorkerFailed'
  }
}

export function openWorkerProcess(options: WorkerOptions): WorkerProcess {
  const worker = new Worker(options)
  return {
    hash: password => worker.run('passwords', 'hash', { password }),
    verify: (hash, password) => worker.run('passwords', 'verify', { hash, password }),
    thumbnail: async request => {
      try {
        return await worker.run('pictures', 'thumbnail', request)
      } catch (error) {
        // A picture that kills its decoder is refused like any other broken one.
        if (error instanceof WorkerFailed) return { kind: 'refused', reason: 'broken' }
        throw error
      }
    },
    get pid() {
      return worker.pid
    },
    get deaths() {
      return worker.deaths
    },
    close: () => worker.close(),
  }
}

class Worker {
  readonly #options: Required<WorkerOptions>
  readonly #lanes: Readonly<Record<LaneName, Lane>> = {
    passwords: { waiting: [], atWork: null },
    pictures: { waiting: [], atWork: null },
  }
  #child: ChildProcess | null = null
  #nextId = 1
  #idle: NodeJS.Timeout | undefined
  #closed = false
  deaths = 0

  constructor(options: WorkerOptions) {
    this.#options = { jobTimeoutMs: 30_000, maxWaiting: 64, idleMs: 60_000, ...options }
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  run<K extends JobKind>(laneName: LaneName, kind: K, asks: Jobs[K]['asks']): Promise<Jobs[K]['gives']> {
    const lane = this.#lanes[laneName]
    if (this.#closed) return Promise.reject(new WorkerFailed('the server is stopping'))
    if (lane.waiting.length >= this.#options.maxWaiting) {
      const retry = { retry_after_ms: 2_000 }
      return Promise.reject(
        new MatrixError(429, 'M_LIMIT_EXCEEDED', `The server has too many ${laneName} to work on.`, retry),
      )
    }
    return new Promise((resolve, reject) => {
      lane.waiting.push({
        message: { id: this.#nextId++, kind, asks },
        triedBefore: false,
        tookTooLong: false,
        resolve,
        reject,
      })
      this.#next(lane)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#idle)
    for (const lane of Object.values(this.#lanes)) {
      for (const job of lane.waiting.splice(0)) job.reject(new WorkerFailed('the server is stopping'))
    }
    const child = this.#child
    if (!child) return
    const gone = new Promise<void>(resolve => child.once('exit', () => resolve()))
    this.#kill(child)
    await gone
  }

  #next(lane: Lane): void {
    if (lane.atWork) return
    const job = lane.waiting.shift()
    if (!job) {
      this.#endWhenIdle()
      return
    }
    clearTimeout(this.#idle)
    const child = this.#start()
    const timer = setTimeout(() => {
      this.#options.log.error('worker job took too long', { kind: job.message.kind })
      job.tookTooLong = true
      this.#kill(child)
    }, this.#options.jobTimeoutMs)
    lane.atWork = { job, timer }
    child.send(job.message, error => {
      if (error) this.#kill(child)
    })
  }

  #start(): ChildProcess {
    if (this.#child) return this.#child
    const child = fork(join(import.meta.dirname, 'worker-main.ts'), [], {
      execArgv: permissions(this.#options.dataFolder),
      // The pool runs one password and one picture; nothing of our environment is its business.
      env: { UV_THREADPOOL_SIZE: '2' },
      serialization: 'advanced',
      stdio: childStdio('ignore', 'ignore', 'ignore', 'ipc'),
    })
    child.on('message', message => this.#answered(message as AnswerMessage))
    child.on('error', () => this.#gone(child))
    child.on('exit', () => this.#gone(child))
    this.#child = child
    return child
  }

  #answered(message: AnswerMessage): void {
    const lane = Object.values(this.#lanes).find(({ atWork }) => atWork?.job.message.id === message.id)
    if (!lane?.atWork) return
    const { job, timer } = lane.atWork
    clearTimeout(timer)
    lane.atWork = null
    if ('gives' in message) job.resolve(message.gives as never)
    else job.reject(new Error(`the worker could not do it: ${message.failed}`))
    this.#next(lane)
  }

  /**
   * A picture may have been what killed the child: it is refused. A password that was at work beside it is tried once more.
   */
  #gone(child: ChildProcess): void {
    if (this.#child !== child) return
    this.#child = null
    const lanes = Object.values(this.#lanes).filter(lane => lane.atWork !== null)
    if (lanes.length > 0) {
      this.deaths++
      this.#options.log.warn('worker process ended in the middle of its work')
    }
    for (const lane of lanes) {
      const { job, timer } = lane.atWork!
      clearTimeout(timer)
      lane.atWork = null
      if (lane === this.#lanes.passwords && !job.triedBefore && !job.tookTooLong && !this.#closed) {
        job.triedBefore = true
        lane.waiting.unshift(job)
      } else job.reject(new WorkerFailed('the worker process ended in the middle of this job'))
    }
    for (const lane of lanes) this.#next(lane)
  }

  #endWhenIdle(): void {
    clearTimeout(this.#idle)
    if (Object.values(this.#lanes).some(lane => lane.atWork !== null)) return
    this.#idle = setTimeout(() => {
      const child = this.#child
      // Forgotten before it is gone: a job that comes meanwhile gets a new one.
      this.#child = null
      if (child) this.#kill(child)
    }, this.#options.idleMs)
    this.#idle.unref()
  }

  #kill(child: ChildProcess): void {
    child.kill('SIGKILL')
  }
}

function permissions(dataFolder: string): string[] {
  const server = import.meta.dirname
  const modules = nodeModules(server)
  const media = ['media', 'remote-media'].map(name => join(dataFolder, name))
  // In the appliance's image our code is bundled; what several programs share lies beside them.
  const code = [server, join(dirname(server), 'chunks')]
  const readable = [...code, ...media, ...modules, join(dirname(server), 'package.json')]
  return [
    '--permission',
    '--allow-addons',
    ...readable.map(
      path => `--allow-fs-read=${path}${existsSync(path) && path.endsWith('.json') ? '' : '/*'}`,
    ),
    '--no-warnings',
    '--max-old-space-size=128',
  ]
}

/** Where packages lie, links resolved: what the module loader will ask to read. */
function nodeModules(folder: string): string[] {
  const sharp = dirname(fileURLToPath(import.meta.resolve('sharp')))
  const found = sharp.slice(0, sharp.lastIndexOf('node_modules') + 'node_modules'.length)
  const named = join(dirname(folder), 'node_modules')
  return [...new Set([found, named, realpathSync(found)])]
}
