/**
 * A bounded map of what was used lately. Two generations: when the young one is full it becomes the old one, and
 * what was in the old one and was not asked for since is gone. Every step costs the same; taking the oldest out of one
 * `Map` does not, because it steps over everything that was deleted before.
 *
 * `weigh` says what a value takes of `size`: events differ in length by a thousand.
 */
export class Recent<K, V> {
  readonly #half: number
  readonly #weigh: (value: V) => number
  #young = new Map<K, V>()
  #old = new Map<K, V>()
  /** Of the young one; what was put twice or taken out counts until it grows old. */
  #weight = 0

  constructor(size: number, weigh: (value: V) => number = () => 1) {
    this.#half = Math.ceil(size / 2)
    this.#weigh = weigh
  }

  get(key: K): V | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: K, value: V): void {
    this.#young.set(key, value)
    this.#weight += this.#weigh(value)
    if (this.#weight < this.#half) return
    this.#old = this.#young
    this.#young = new Map()
    this.#weight = 0
  }

  delete(key: K): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  *values(): Generator<V> {
    yield* this.#young.values()
    yield* this.#old.values()
  }

  clear(): void {
    this.#weight = 0
    this.#young = new Map()
    this.#old = new Map()
  }
}
