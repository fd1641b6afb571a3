/**
 * How much of requests may lie in memory before it is known who sent them: everybody can write a peer's name into a header.
 *
 * Each address has its share. Addresses from which no peer ever spoke share one more limit, so that thousands of them
 * together cannot fill the memory, nor take the place of those from which peers spoke.
 */
import { MatrixError } from '../http/matrix-error.ts'

export interface BodyBudgetOptions {
  readonly perAddressBytes: number
  /** Of all addresses together that have not proved to be a peer's. */
  readonly unprovedBytes: number
}

/** Peers' addresses that are remembered: one that falls out proves itself again. */
const maxProved = 1_000

export class BodyBudget {
  readonly #options: BodyBudgetOptions
  readonly #held = new Map<string, number>()
  readonly #proved = new Set<string>()
  #unproved = 0

  constructor(options: BodyBudgetOptions) {
    this.#options = options
  }

  /** Answers with what gives it back. Throws M_LIMIT_EXCEEDED; who is honest tries again. */
  take(address: string, sizeBytes: number): () => void {
    const held = this.#held.get(address) ?? 0
    const isProved = this.#proved.has(address)
    const { perAddressBytes, unprovedBytes } = this.#options
    if (held + sizeBytes > perAddressBytes || (!isProved && this.#unproved + sizeBytes > unprovedBytes)) {
      throw new MatrixError(
        429,
        'M_LIMIT_EXCEEDED',
        'Too many large requests at a time. Wait and try again.',
        {
          retry_after_ms: 1_000,
        },
      )
    }
    this.#held.set(address, held + sizeBytes)
    if (!isProved) this.#unproved += sizeBytes
    return () => {
      const left = this.#held.get(address)! - sizeBytes
      if (left === 0) this.#held.delete(address)
      else this.#held.set(address, left)
      if (!isProved) this.#unproved -= sizeBytes
    }
  }

  /** A request with a peer's good signature came from there. */
  prove(address: string): void {
    if (this.#proved.has(address)) return
    if (this.#proved.size >= maxProved) this.#proved.delete(this.#proved.values().next().value!)
    this.#proved.add(address)
  }
}
