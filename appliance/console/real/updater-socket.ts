/** What is asked of the updater, over its socket: a line of JSON there, lines of JSON back (appliance/update/socket.ts). */
import { connect } from 'node:net'
import type { JsonObject } from '#protocol/json.ts'
import { isObject } from '#protocol/json.ts'
import { parseUpdateStatus, type UpdateStatus, type UpdateStep } from '#protocol/update-status.ts'
import { MachineRefused, type Tell, type UpdateChecked } from '../machine.ts'
import { objectIn } from './admin-socket.ts'

const steps: Readonly<Record<UpdateStep, string>> = {
  check: 'Checking the whole file',
  clear: 'Making room on the boot partition',
  root: 'Writing the system to the other slot',
  verity: 'Writing its check sums',
  table: 'Naming the slot',
  uki: 'Writing the kernel image',
}

export class UpdaterSocket {
  readonly #path: string
  constructor(path: string) {
    this.#path = path
  }

  async status(): Promise<UpdateStatus | null> {
    return parseUpdateStatus((await this.#ask({ do: 'status' }))['status'])
  }

  async check(file: string, tell: Tell): Promise<UpdateChecked> {
    return checkedIn(await this.#ask({ do: 'check', file }, tell))
  }

  async apply(file: string, tell: Tell): Promise<void> {
    await this.#ask({ do: 'apply', file }, tell)
  }

  /** `now`, hours such as 02:00-04:00, or null for: never by itself. */
  async restartAt(when: string | null): Promise<void> {
    await this.#ask({ do: 'restart-at', when })
  }

  #ask(question: JsonObject, tell: Tell = () => {}): Promise<JsonObject> {
    return new Promise((fulfil, reject) => {
      const socket = connect(this.#path)
      const away = () =>
        reject(
          new MachineRefused(
            'UPDATER_AWAY',
            'The updater does not answer. Nothing is known to have changed.',
          ),
        )
      let rest = ''
      socket.setEncoding('utf8')
      socket.on('connect', () => socket.write(`${JSON.stringify(question)}\n`))
      socket.on('error', away)
      socket.on('close', away)
      socket.on('data', (piece: string) => {
        const lines = (rest + piece).split('\n')
        rest = lines.pop()!
        for (const line of lines) {
          const said = objectIn(line)
          if (said['done'] === true) fulfil(said)
          else if (said['done'] === false)
            reject(new MachineRefused(String(said['code']), String(said['sentence'])))
          else tellProgress(said['progress'], tell)
        }
      })
    })
  }
}

function tellProgress(progress: unknown, tell: Tell): void {
  if (!isObject(progress)) return
  const { step, bytes, of } = progress
  const words = steps[step as UpdateStep] ?? 'Working'
  const [done, all] = [Number(bytes), Number(of)]
  const megabytes = all > 1e6 ? `: ${Math.round(done / 1e6)} of ${Math.round(all / 1e6)} MB` : ''
  tell({ text: `${words}${megabytes}`, part: all > 0 ? done / all : null })
}

function checkedIn(answer: JsonObject): UpdateChecked {
  const update = answer['update']
  const { version, bytes } = isObject(update) ? update : { version: '?', bytes: 0 }
  return { version: String(version), sizeBytes: Number(bytes) }
}
