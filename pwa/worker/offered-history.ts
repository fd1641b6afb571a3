/**
 * Takes the keys of what was said before we were invited (MSC4268), when they are offered: that may be after we joined, for
 * the offer goes another way than the invitation, and whose device it is has to be asked first. What is awaited is in the
 * vault: after a crash it is asked for again.
 */
import { ApiError } from '../api/api-error.ts'
import type { Http } from '../api/http.ts'
import { decryptAttachment } from '../e2ee/attachment.ts'
import { queryOutdatedLists } from '../e2ee/device-lists.ts'
import { E2eeError } from '../e2ee/errors.ts'
import {
  awaitedHistories,
  awaitHistory,
  giveUpHistory,
  historyOffer,
  importHistory,
} from '../e2ee/history-sharing.ts'
import type { Machine } from '../e2ee/machine.ts'
import { mediaPath } from '../outbox/media.ts'
import { VaultError } from '../vault/errors.ts'
import type { Pump } from './pump.ts'

export interface OfferedHistoryDeps {
  readonly machine: Machine
  readonly http: Pick<Http, 'send'>
  readonly pump: Pick<Pump, 'flush'>
}

/** 40,000 sessions, as the engine allows, and what encryption adds. */
const maxBundleBytes = 33 * 1024 * 1024

export class OfferedHistory {
  readonly #deps: OfferedHistoryDeps
  /** Null: not read yet. */
  #awaited: number | null = null
  #running: Promise<void> | null = null
  #again = false

  constructor(deps: OfferedHistoryDeps) {
    this.#deps = deps
  }

  /** We are about to join by this person's invitation. */
  async await(roomId: string, inviter: string): Promise<void> {
    await this.#deps.machine.run(async (step, context) => awaitHistory(step, context, roomId, inviter))
    this.#awaited = null
  }

  /** Something came that may be an offer. */
  wake(): void {
    if (this.#awaited === 0) return
    this.#again = true
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
  }

  async #run(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false
        const awaited = await this.#deps.machine.run(awaitedHistories)
        for (const { roomId, inviter } of awaited) await this.#take(roomId, inviter)
        this.#awaited = (await this.#deps.machine.run(awaitedHistories)).length
      }
    } catch (error) {
      // Locked or full: what is awaited is in it, and is looked at when it is open again.
      if (!(error instanceof VaultError)) throw error
    }
  }

  async #take(roomId: string, inviter: string): Promise<void> {
    const { machine, http } = this.#deps
    try {
      const file = await this.#offer(roomId, inviter)
      const url = file?.['url']
      if (!file || typeof url !== 'string') return
      const response = await http.send('GET', mediaPath(url))
      const plain = response.body!.pipeThrough(decryptAttachment(file, maxBundleBytes))
      const bytes = new Uint8Array(await new Response(plain).arrayBuffer())
      await machine.run((step, context) => importHistory(step, context, roomId, inviter, bytes))
    } catch (error) {
      const isPassing = error instanceof ApiError && error.isPassing
      if (isPassing) return
      if (!(error instanceof ApiError) && !(error instanceof E2eeError)) throw error
      await machine.run(async step => giveUpHistory(step, roomId))
    }
  }

  async #offer(roomId: string, inviter: string) {
    const { machine, pump } = this.#deps
    const look = () => machine.run((step, context) => historyOffer(step, context, roomId, inviter))
    const offer = await look()
    if (offer) return offer
    // Whose device it came from may not be known yet.
    await machine.run(queryOutdatedLists)
    await pump.flush()
    return look()
  }
}
