/**
 * Messages that somebody looks at and whose author's device was not known, or not confirmed, when they came. They are judged again:
 * when they are looked at, and when that person's devices or identity become known or change.
 *
 * The first message of somebody new comes before their list of devices does; its shield would stay for ever. What was found
 * good stays good: a device that is signed out later has still written what it wrote.
 */
import type { Machine } from '../e2ee/machine.ts'
import { type Shield, sessionShield } from '../e2ee/room-decryption.ts'
import { VaultError } from '../vault/errors.ts'
import type { Search, SyncNotice } from './ports.ts'
import type { RoomStore } from './room-store.ts'
import type { StoredEvent } from './stored-event.ts'

export interface DoubtDeps {
  readonly store: RoomStore
  readonly machine: Pick<Machine, 'run'>
  readonly search: Search
  readonly tell: (notice: SyncNotice) => void
}

interface Doubt {
  readonly roomId: string
  readonly sessionId: string
  readonly sender: string
  readonly shield: Shield
}

export class Doubts {
  readonly #deps: DoubtDeps
  readonly #met = new Map<string, Doubt>()
  #last: Promise<void> = Promise.resolve()

  constructor(deps: DoubtDeps) {
    this.#deps = deps
  }

  /** Somebody looks at these. */
  met(roomId: string, events: readonly StoredEvent[]): void {
    const people = new Set<string>()
    for (const { sender, shield, doubted } of events) {
      const id = `${roomId}|${doubted}`
      if (doubted == null || this.#met.has(id)) continue
      this.#met.set(id, { roomId, sessionId: doubted, sender, shield })
      people.add(sender)
    }
    for (const userId of people) this.personChanged(userId)
  }

  personChanged(userId: string): void {
    const theirs = [...this.#met].filter(([, { sender }]) => sender === userId)
    if (theirs.length === 0) return
    this.#last = this.#last
      .then(() => this.#judge(theirs))
      .catch(error => {
        // Locked, or full: whoever looks next time asks again.
        if (!(error instanceof VaultError)) throw error
      })
  }

  /** When nothing is being judged any more. */
  settled(): Promise<void> {
    return this.#last
  }

  async #judge(doubts: readonly [string, Doubt][]): Promise<void> {
    for (const [id, doubt] of doubts) {
      const { roomId, sessionId, sender } = doubt
      const shield = await this.#deps.machine.run((step, context) =>
        sessionShield(step, context, { roomId, sessionId, sender }),
      )
      if (shield === null || shield === doubt.shield) continue
      await judgeAnew(this.#deps, { ...doubt, shield })
      if (shield === 'none') this.#met.delete(id)
      else this.#met.set(id, { ...doubt, shield })
    }
  }
}

async function judgeAnew(deps: DoubtDeps, { roomId, sessionId, shield }: Doubt): Promise<void> {
  const { store, search, tell } = deps
  await store.alone(async () => {
    const timeline = await store.timeline(roomId)
    const doubted = shield === 'none' ? null : sessionId
    for (const number of timeline.packNumbers) {
      const { events } = await timeline.pack(number)
      if (!events.some(event => event.doubted === sessionId)) continue
      await timeline.replace(number, event =>
        event.doubted === sessionId ? { ...event, shield, doubted } : event,
      )
    }
    try {
      await search.commit(timeline.writes(), {})
    } catch (error) {
      store.distrust([roomId])
      throw error
    }
    timeline.written()
  })
  tell({ kind: 'timeline', roomId })
}
