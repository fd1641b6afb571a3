/**
 * What was read from the store for one owner, kept until a commit says that it changed.
 *
 * A value is given out only if nothing of its owner became durable since its read began, so at the moment
 * when `peek` answers, it is what the store holds at `durablePosition`. The longest unused are dropped.
 */
import type { Store } from '../store/store.ts'

export interface DurableCache<K extends string, V> {
  /** What is known without waiting, and true now. */
  peek(key: K): V | undefined
  get(key: K): Promise<V>
}

export function openDurableCache<K extends string, V extends object>(options: {
  store: Store
  /** Which topics say that the value changed: `user` for `user:@id`, whose key is `@id`. */
  kind: 'room' | 'ephemeral' | 'user' | 'device' | 'devices'
  maxEntries: number
  load(key: K): Promise<V>
}): DurableCache<K, V> {
  const { store, kind, maxEntries, load } = options
  const values = new Map<K, V>()
  const loading = new Map<K, Promise<V>>()
  const prefix = `${kind}:`

  store.onDurable(({ topics }) => {
    for (const topic of topics) {
      if (!topic.startsWith(prefix)) continue
      const key = topic.slice(prefix.length) as K
      values.delete(key)
      loading.delete(key)
    }
  })
  store.onReset(() => {
    values.clear()
    loading.clear()
  })

  async function start(key: K): Promise<V> {
    const read = load(key)
    loading.set(key, read)
    try {
      const value = await read
      if (loading.get(key) === read) {
        values.set(key, value)
        for (const oldest of values.keys()) {
          if (values.size <= maxEntries) break
          values.delete(oldest)
        }
      }
      return value
    } finally {
      if (loading.get(key) === read) loading.delete(key)
    }
  }

  function peek(key: K): V | undefined {
    const value = values.get(key)
    if (value === undefined) return undefined
    values.delete(key)
    values.set(key, value)
    return value
  }

  return {
    peek,
    async get(key) {
      for (;;) {
        const known = peek(key)
        if (known !== undefined) return known
        await (loading.get(key) ?? start(key))
      }
    },
  }
}
