/**
 * Room keys that messages on this device wait for, asked of our other devices.
 *
 * Only once our identity vouches for this device: before that they would not answer, and nobody asks a second time. A key
 * often comes just after its message, so what is missing at two syncs is asked for, and no more than a bound of it:
 * after years away what is missing is in the backup, or nowhere.
 */
import { requestRoomKey } from '../e2ee/key-requests.ts'
import { readSession } from '../e2ee/room-sessions.ts'
import { isPartOfIdentity } from './own-identity.ts'
import type { TrustDeps } from './ports.ts'

/** Where the sync side notes for which sessions messages wait: `roomId|sessionId`. */
const waitingStore = 'unread-session'
const maxAsked = 300

export class MissingKeys {
  readonly #deps: TrustDeps
  /** Missing at the last look. */
  #before: ReadonlySet<string> = new Set()
  readonly #asked = new Set<string>()

  constructor(deps: TrustDeps) {
    this.#deps = deps
  }

  /** After each sync. */
  async look(): Promise<void> {
    const { machine, records } = this.#deps
    const ids = (await records.entries(waitingStore)).map(([id]) => id)
    const before = this.#before
    this.#before = new Set(ids)
    const wanted = ids.filter(id => before.has(id) && !this.#asked.has(id))
    if (wanted.length === 0 || !(await isPartOfIdentity(this.#deps))) return
    await machine.run(async (step, context) => {
      for (const id of wanted) {
        if (this.#asked.size === maxAsked) return
        const [roomId = '', sessionId = ''] = id.split('|')
        this.#asked.add(id)
        if (!(await readSession(step, roomId, sessionId))) {
          await requestRoomKey(step, context, roomId, sessionId)
        }
      }
    })
  }
}
