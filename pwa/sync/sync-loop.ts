/**
 * Asks the server what is new, for as long as the session is open: a long poll, and where it fails, again after a while.
 *
 * A server that hangs, fails or answers nonsense makes us wait, never forget: what was taken is stored with the token to go on from.
 * Spec: client-server-api#syncing
 */
import { ApiError } from '../api/api-error.ts'
import { type Http, v3 } from '../api/http.ts'
import { parseSyncAnswer, type SyncAnswer } from './sync-answer.ts'

export interface ConnectionState {
  readonly state: 'online' | 'connecting' | 'offline'
  readonly code: string | null
  readonly lastTs: number
  readonly firstSyncDone: boolean
}

/** The one interface behind which a way to synchronise stands. */
export interface SyncSource {
  /** What happened since `since`; null: from the beginning. Waits at most `waitMs` where nothing did. @throws ApiError */
  next(since: string | null, waitMs: number, signal: AbortSignal): Promise<SyncAnswer>
}

const longPollMs = 30_000
/** Beyond its long poll a server has so long for an answer; a first sync is large. */
const graceMs = 30_000
const firstSyncMs = 300_000
const shortestPauseMs = 1_000
const longestPauseMs = 60_000
/** A server may ask for more patience, but not for ever. */
const longestAskedMs = 15 * 60_000
/** A poll that is older may hang on a connection that is long gone: a computer slept. */
const freshPollMs = 3_000

/** `/sync` of the specification's version 2. Members are not left out: the engine has to know who may read. */
export function pollingSource(
  http: Http,
  /** What a poll tells others of us; null: nothing. */
  presenceToSay: (isFirst: boolean) => Promise<string | null> = async () => null,
): SyncSource {
  const filter = JSON.stringify({ room: { timeline: { limit: 50 }, state: { lazy_load_members: false } } })
  return {
    async next(since, waitMs, signal) {
      const presence = await presenceToSay(since === null)
      const answer = await http.request('GET', `${v3}/sync`, {
        query: {
          filter,
          timeout: since === null ? 0 : waitMs,
          use_state_after: true,
          'org.matrix.msc4222.use_state_after': true,
          ...(since !== null && { since }),
          ...(presence !== null && { set_presence: presence }),
        },
        timeoutMs: since === null ? firstSyncMs : waitMs + graceMs,
        signal,
      })
      const parsed = parseSyncAnswer(answer)
      if (!parsed) throw new ApiError('BAD_ANSWER', 'the answer of a sync has no next_batch')
      return parsed
    },
  }
}

export interface LoopDeps {
  readonly source: SyncSource
  readonly since: string | null
  /** Durable when it returns. */
  readonly apply: (answer: SyncAnswer) => Promise<void>
  readonly onConnection: (connection: ConnectionState) => void
  readonly clock: () => number
  /** 0 to 1. */
  readonly random: () => number
}

export class SyncLoop {
  readonly #deps: LoopDeps
  #since: string | null
  #connection: ConnectionState
  #stop = new AbortController()
  #wake: (() => void) | null = null
  #running: Promise<void> | null = null
  /** What is being asked, and since when. */
  #poll: { readonly abort: AbortController; readonly startTs: number } | null = null
  #isWoken = false

  constructor(deps: LoopDeps) {
    this.#deps = deps
    this.#since = deps.since
    this.#connection = { state: 'connecting', code: null, lastTs: 0, firstSyncDone: deps.since !== null }
  }

  get connection(): ConnectionState {
    return this.#connection
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Nothing is taken any more when this resolves. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake?.()
    await this.#running
  }

  /** Somebody came back: try at once. `isOutdated`: a poll that was begun just now says what is not so any more. */
  wake(isOutdated = false): void {
    const isFresh = this.#poll && this.#deps.clock() - this.#poll.startTs <= freshPollMs
    if (this.#poll && (isOutdated || !isFresh)) {
      this.#isWoken = true
      this.#poll.abort.abort()
    }
    this.#wake?.()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    let failures = 0
    while (!signal.aborted) {
      try {
        const answer = await this.#ask(signal)
        await this.#deps.apply(answer)
        this.#since = answer.nextBatch
        failures = 0
        this.#become({ state: 'online', code: null, lastTs: this.#deps.clock(), firstSyncDone: true })
      } catch (error) {
        if (signal.aborted) return
        if (this.#isWoken) continue
        const code = codeOf(error)
        this.#become({ ...this.#connection, state: 'offline', code: code === 'OFFLINE' ? null : code })
        if (code === 'M_UNKNOWN_TOKEN') return
        await this.#pause(pauseMs(failures++, error, this.#deps.random()), signal)
      }
    }
  }

  async #ask(signal: AbortSignal): Promise<SyncAnswer> {
    // The first answer after a pause shows at once that we are back.
    const waitMs = this.#connection.state === 'online' && !this.#isWoken ? longPollMs : 0
    this.#isWoken = false
    const abort = new AbortController()
    // A first sync takes long: it is not begun anew because somebody looks.
    if (this.#since !== null) this.#poll = { abort, startTs: this.#deps.clock() }
    try {
      return await this.#deps.source.next(this.#since, waitMs, AbortSignal.any([signal, abort.signal]))
    } finally {
      this.#poll = null
    }
  }

  #become(connection: ConnectionState): void {
    const { state, code, firstSyncDone } = this.#connection
    this.#connection = connection
    const isNews =
      state !== connection.state || code !== connection.code || firstSyncDone !== connection.firstSyncDone
    if (isNews) this.#deps.onConnection(connection)
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(timer)
        this.#wake = null
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#wake = done
      if (signal.aborted) done()
    })
  }
}

/** Twice as long each time, with jitter, so that a server that comes back is not met by everybody at once. */
export function pauseMs(failures: number, error: unknown, random: number): number {
  const asked = error instanceof ApiError ? error.retryAfterMs : null
  const backOff = Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(failures, 10))
  return Math.max(Math.min(asked ?? 0, longestAskedMs), backOff * (0.5 + random / 2))
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : 'INTERNAL'
}
