/**
 * Carries the engine's requests to the server and the answers back, in their order, until there are none.
 *
 * What fails for now is tried again, later and later; what the server refuses for good is told to the engine as null. After a crash
 * everything unanswered leaves again under its id.
 */
import type { JsonObject } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import type { Machine } from '../e2ee/machine.ts'
import type { OutgoingRequest } from '../e2ee/requests.ts'
import { pauseMs } from '../sync/sync-loop.ts'

export interface PumpDeps {
  readonly machine: Machine
  readonly send: (request: OutgoingRequest) => Promise<JsonObject>
  readonly random: () => number
}

export class Pump {
  readonly #deps: PumpDeps
  #running: Promise<void> | null = null
  #stopped = false
  #held = false
  #wake: (() => void) | null = null
  /** Wait for the outcome of the attempt that is next to end: null where it was answered. */
  readonly #watchers: ((error: ApiError | null) => void)[] = []
  /** Requests that a call carries out itself, to answer the server's wish for a person's confirmation. */
  readonly #apart = new Set<string>()

  constructor(deps: PumpDeps) {
    this.#deps = deps
  }

  /** After every input: there may be something to send. */
  kick(): void {
    if (this.#stopped || this.#held) return
    this.#running ??= this.#run().finally(() => {
      this.#running = null
      if (this.#open().length > 0) this.kick()
    })
  }

  /** The server is back. */
  wake(): void {
    this.#wake?.()
    this.kick()
  }

  /** Until what waits now was answered. @throws ApiError where the server is not within reach */
  async flush(): Promise<void> {
    const ids = new Set(this.#open().map(({ id }) => id))
    while (this.#open().some(({ id }) => ids.has(id)) && !this.#stopped && !this.#held) {
      const attempted = new Promise<ApiError | null>(resolve => this.#watchers.push(resolve))
      this.wake()
      const error = await attempted
      if (error) throw error
    }
  }

  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.kick()
  }

  leaveApart(requestId: string): void {
    this.#apart.add(requestId)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#tell(new ApiError('OFFLINE', 'the session is being closed'))
    this.#wake?.()
    await this.#running
  }

  #open(): OutgoingRequest[] {
    return this.#deps.machine.outgoingRequests().filter(({ id }) => !this.#apart.has(id))
  }

  async #run(): Promise<void> {
    const { machine, send, random } = this.#deps
    let failures = 0
    while (!this.#stopped && !this.#held) {
      const [request] = this.#open()
      if (!request) return
      let answer: JsonObject | null
      try {
        answer = await send(request)
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        if (error.isPassing || error.code === 'M_UNKNOWN_TOKEN') this.#tell(error)
        if (error.code === 'M_UNKNOWN_TOKEN') {
          // The session has ended: another one has a pump of its own.
          this.#held = true
          return
        }
        if (error.isPassing) {
          await this.#pause(pauseMs(failures++, error, random()))
          continue
        }
        answer = null
      }
      failures = 0
      await machine.receiveAnswer(request.id, answer)
      this.#tell(null)
    }
  }

  #tell(error: ApiError | null): void {
    for (const watcher of this.#watchers.splice(0)) watcher(error)
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(timer)
        this.#wake = null
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#wake = done
      if (this.#stopped) done()
    })
  }
}

/** The machine, with a word to the pump after every input. */
export function kicking(machine: Machine, kick: () => void): Machine {
  const after = async <T>(result: Promise<T>): Promise<T> => {
    try {
      return await result
    } finally {
      kick()
    }
  }
  return {
    userId: machine.userId,
    deviceId: machine.deviceId,
    get generation() {
      return machine.generation
    },
    receiveSync: changes => after(machine.receiveSync(changes)),
    receiveAnswer: (requestId, answer) => after(machine.receiveAnswer(requestId, answer)),
    outgoingRequests: () => machine.outgoingRequests(),
    receiveRoom: (roomId, change) => after(machine.receiveRoom(roomId, change)),
    encryptRoomEvent: (...event) => after(machine.encryptRoomEvent(...event)),
    decryptRoomEvents: (roomId, events) => after(machine.decryptRoomEvents(roomId, events)),
    run: input => after(machine.run(input)),
    onNotice: listener => machine.onNotice(listener),
  }
}
