/** One device of one person: matrix-js-sdk with the Rust crypto, both as they come from npm. */
import {
  createClient,
  type MatrixClient,
  type MatrixEvent,
  PendingEventOrdering,
  SyncState,
} from 'matrix-js-sdk'
import { CryptoEvent } from 'matrix-js-sdk/lib/crypto-api/CryptoEvent.js'
import {
  VerificationPhase,
  type VerificationRequest,
  VerifierEvent,
} from 'matrix-js-sdk/lib/crypto-api/verification.js'
import { type Logger, logger as sdkLogger } from 'matrix-js-sdk/lib/logger.js'
import { type ServerProcess, type Session, sleep } from '../support/server-process.ts'
import { patienceMs } from '../support/until.ts'

const waitMs = patienceMs

// What has no client of its own writes here.
Object.assign(sdkLogger, quietLogger([]), { log: () => {} })

export class SdkDevice {
  readonly client: MatrixClient
  readonly userId: string
  readonly deviceId: string
  /** The person's recovery key, once there is one: what they have written down. */
  recoveryKey: Uint8Array<ArrayBuffer> | undefined
  /** Lines that the SDK wrote as warnings and errors. */
  readonly complaints: string[] = []
  /** The last requests: method, path, status. */
  readonly requests: string[] = []
  readonly #asked: VerificationRequest[] = []
  #held: Promise<void> = Promise.resolve()
  #newToken: string | undefined
  readonly #dial: typeof fetch

  /** @param server with a `fetch` of its own where its name and certificate are not this machine's */
  constructor(
    server: Pick<ServerProcess, 'base'> & { readonly fetch?: typeof fetch },
    { userId, deviceId, token }: Session,
  ) {
    this.#dial = server.fetch ?? fetch
    this.userId = userId
    this.deviceId = deviceId
    this.client = createClient({
      baseUrl: server.base,
      userId,
      deviceId,
      accessToken: token,
      logger: quietLogger(this.complaints),
      fetchFn: (input, init) => this.#fetch(input, init),
      cryptoCallbacks: {
        getSecretStorageKey: async ({ keys }) =>
          this.recoveryKey ? [Object.keys(keys)[0]!, this.recoveryKey] : null,
        cacheSecretStorageKey: (_id, _info, key) => {
          this.recoveryKey = key as Uint8Array<ArrayBuffer>
        },
      },
    })
    this.client.on(CryptoEvent.VerificationRequestReceived, request => void this.#asked.push(request))
  }

  /** Its requests wait from now on; the answer lets them go on, with the token of a renewed session. */
  hold(): (newToken: string) => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held = promise
    return newToken => {
      this.#newToken = newToken
      resolve()
    }
  }

  async #fetch(input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> {
    const line = `${init?.method ?? 'GET'} ${String(input instanceof Request ? input.url : input).slice(21, 180)}`
    if (this.requests.length > 100) this.requests.shift()
    try {
      await this.#held
      const headers = new Headers(init?.headers)
      if (this.#newToken) headers.set('Authorization', `Bearer ${this.#newToken}`)
      const answer = await this.#dial(input, { ...init, headers })
      this.requests.push(`${line} → ${answer.status}`)
      return answer
    } catch (error) {
      this.requests.push(`${line} → ${error}`)
      throw error
    }
  }

  get crypto() {
    return this.client.getCrypto()!
  }

  /** Crypto, then the first sync. */
  async start(): Promise<this> {
    await this.client.initRustCrypto({ useIndexedDB: false })
    await this.client.startClient({
      initialSyncLimit: 50,
      pendingEventOrdering: PendingEventOrdering.Detached,
    })
    await until(() => this.client.getSyncState() === SyncState.Prepared || this.syncing, 'the first sync')
    return this
  }

  get syncing(): boolean {
    return this.client.getSyncState() === SyncState.Syncing
  }

  stop(): void {
    this.client.stopClient()
  }

  async room(roomId: string) {
    await until(
      () => this.client.getRoom(roomId)?.getMyMembership() === 'join',
      `${this.userId} is in the room`,
    )
    return this.client.getRoom(roomId)!
  }

  /** Back to the room's beginning, as far as this device is shown it. */
  async readHistory(roomId: string): Promise<void> {
    const room = await this.room(roomId)
    while (room.oldState.paginationToken) await this.client.scrollback(room, 100)
  }

  async sendText(roomId: string, body: string): Promise<string> {
    const { event_id } = await this.client.sendTextMessage(roomId, body)
    return event_id
  }

  /** The event as this device sees it, decrypted if it can be. Behind a gap in the timeline it is looked for in history. */
  async event(roomId: string, eventId: string): Promise<MatrixEvent> {
    const found = () => this.client.getRoom(roomId)?.findEventById(eventId)
    const wait = (ms: number) => until(() => found() !== undefined, `${this.userId} sees ${eventId}`, ms)
    await wait(3_000).catch(async () => {
      await until(() => this.syncing, `${this.userId} is online again`)
      await this.readHistory(roomId)
      await wait(waitMs)
    })
    const event = found()!
    await until(() => !event.isBeingDecrypted(), `${eventId} is decrypted`)
    return event
  }

  /** Waits until the message can be read, and gives its text. */
  async read(roomId: string, eventId: string): Promise<string> {
    const event = await this.event(roomId, eventId)
    await until(
      () => event.getType() === 'm.room.message' && !event.isDecryptionFailure(),
      () => `${this.userId}/${this.deviceId} reads ${eventId}: ${event.decryptionFailureReason}`,
    )
    return event.getContent()['body']
  }

  async verificationRequest(): Promise<VerificationRequest> {
    await until(() => this.#asked.length > 0, `${this.userId}/${this.deviceId} is asked to verify`)
    return this.#asked.shift()!
  }
}

/** Both people compare what they see, until both sides are done. Gives the seven emoji, which must be the same. */
export async function verifyBySas(
  ours: VerificationRequest,
  theirs: VerificationRequest,
): Promise<{ readonly ours: string; readonly theirs: string }> {
  await theirs.accept()
  await until(() => ours.phase === VerificationPhase.Ready, 'the request is accepted')
  const ourVerifier = await ours.startVerification('m.sas.v1')
  await until(() => theirs.verifier !== undefined, 'the other side has started')
  const shown = [ourVerifier, theirs.verifier!].map(
    verifier =>
      new Promise<string>((resolve, reject) => {
        const confirm = (sas: { sas: { emoji?: [string, string][] }; confirm(): Promise<void> }) => {
          resolve((sas.sas.emoji ?? []).map(([emoji]) => emoji).join(' '))
          sas.confirm().catch(reject)
        }
        verifier.once(VerifierEvent.ShowSas, confirm)
      }),
  )
  const done = [ourVerifier.verify(), theirs.verifier!.verify()]
  const [first, second] = await within(Promise.all(shown), 'both sides show emoji')
  await within(Promise.all(done), 'both sides have confirmed')
  await until(
    () => ours.phase === VerificationPhase.Done && theirs.phase === VerificationPhase.Done,
    'both sides are done',
  )
  return { ours: first!, theirs: second! }
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = sleep(waitMs).then(() =>
    Promise.reject(new Error(`waited ${waitMs / 1000} s in vain: ${what}`)),
  )
  return await Promise.race([promise, late])
}

export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  timeoutMs = waitMs,
): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) {
      throw new Error(`waited ${timeoutMs / 1000} s in vain: ${typeof what === 'string' ? what : what()}`)
    }
    await sleep(20)
  }
}

function quietLogger(complaints: string[]): Logger {
  const note = (...parts: unknown[]) => void complaints.push(parts.map(String).join(' '))
  const nothing = () => {}
  const logger: Logger = {
    trace: nothing,
    debug: nothing,
    info: nothing,
    warn: note,
    error: note,
    getChild: () => logger,
  }
  return logger
}
