/**
 * What was last read about a device or person, for as long as nothing durable changed it.
 *
 * The owner calls `forget` from its `onDurable` listener. A value whose reading began before a change and ended after it
 * is returned but not remembered, so what is remembered is never older than what was announced.
 */
import type { Topic } from '../store/store.ts'

/** Beyond this many we begin again: a memory that grows with every device that ever came by is a leak. */
const maxRemembered = 50_000

export class TopicMemory<V extends object> {
  readonly #values = new Map<Topic, V>()
  readonly #readings = new Map<Topic, symbol>()

  /** What is remembered; undefined where it must be read. */
  peek(topic: Topic): V | undefined {
    return this.#values.get(topic)
  }

  async recall(topic: Topic, read: () => Promise<V>): Promise<V> {
    const known = this.#values.get(topic)
    if (known) return known
    const reading = Symbol()
    this.#readings.set(topic, reading)
    try {
      const value = await read()
      if (this.#readings.get(topic) === reading) this.#remember(topic, value)
      return value
    } finally {
      if (this.#readings.get(topic) === reading) this.#readings.delete(topic)
    }
  }

  forget(topic: Topic): void {
    this.#values.delete(topic)
    this.#readings.delete(topic)
  }

  forgetAll(): void {
    this.#values.clear()
    this.#readings.clear()
  }

  #remember(topic: Topic, value: V): void {
    if (this.#values.size >= maxRemembered) this.#values.clear()
    this.#values.set(topic, value)
  }
}
