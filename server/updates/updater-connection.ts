/**
 * Asks the appliance's updater over its socket: one line of JSON, lines of JSON back, the last with `done`.
 * The protocol stands in appliance/update/README.md.
 */
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { isObject, type JsonObject } from '../protocol/json.ts'
import { isUpdateErrorCode, parseUpdateStatus, type UpdateStatus } from '../protocol/update-status.ts'
import { UpdateRefused } from './update-refused.ts'

/** What an update file says of itself, once its signature held. */
export interface UpdateDescription {
  readonly version: string
  readonly counter: number
  readonly architecture: string
  readonly minimum_version: string
  readonly bytes: number
}

/** A disk that takes longer for one percent of an update is broken; the updater goes on by itself. */
const silenceMs = 120_000

export class UpdaterConnection {
  readonly #path: string

  /** @param path of the socket */
  constructor(path: string) {
    this.#path = path
  }

  async status(): Promise<UpdateStatus> {
    const status = parseUpdateStatus((await this.#ask({ do: 'status' }))['status'])
    if (status) return status
    throw new UpdateRefused(
      'UPDATER_AWAY',
      'The updater answered something that is no status. Restart the machine.',
    )
  }

  check(file: string): Promise<UpdateDescription> {
    return this.#describe({ do: 'check', file })
  }

  /** As long as it takes. */
  apply(file: string): Promise<UpdateDescription> {
    return this.#describe({ do: 'apply', file })
  }

  /** @param when `now`, a window such as `02:00-04:00`, or null: never by itself */
  async restartAt(when: string | null): Promise<void> {
    await this.#ask({ do: 'restart-at', when })
  }

  async #describe(request: JsonObject): Promise<UpdateDescription> {
    const { update } = await this.#ask(request)
    if (isObject(update)) return update as unknown as UpdateDescription
    throw away()
  }

  /** The last line. Throws UpdateRefused with the updater's code and sentence. */
  #ask(request: JsonObject): Promise<JsonObject> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#path)
      const fail = (cause?: unknown) => {
        socket.destroy()
        reject(away(cause))
      }
      socket.setTimeout(silenceMs, fail)
      socket.on('error', fail)
      socket.on('close', fail)
      socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`))
      createInterface({ input: socket })
        .on('line', line => {
          const answer = objectIn(line)
          if (!answer) return fail()
          if (answer['done'] === true) resolve(answer)
          if (answer['done'] === false) reject(refusalIn(answer))
        })
        .on('error', () => {})
    })
  }
}

function refusalIn({ code, sentence }: JsonObject): UpdateRefused {
  return new UpdateRefused(
    isUpdateErrorCode(code) ? code : 'UPDATER_AWAY',
    typeof sentence === 'string' ? sentence : 'The updater refused.',
  )
}

function away(cause?: unknown): UpdateRefused {
  return new UpdateRefused(
    'UPDATER_AWAY',
    'The machine’s updater does not answer. If it stays away for some minutes, restart the machine.',
    { cause },
  )
}

function objectIn(line: string): JsonObject | null {
  try {
    const read: unknown = JSON.parse(line)
    return isObject(read) ? read : null
  } catch {
    return null
  }
}
