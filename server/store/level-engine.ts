/**
 * LevelDB behind the store. Reads answer at once (`getSync`, no thread hop); one batch with fsync a group.
 */
import { mkdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { seal, unseal } from './checksum.ts'
import type { Engine, EngineRange, EngineSnapshot, Head, Rows, Texts } from './engine.ts'
import { type GroupCommitOptions, openGroupCommit } from './group-commit.ts'
import { type Store, StoreError } from './store.ts'

export interface LevelOptions {
  readonly cacheBytes?: number
}

export async function openLevelStore(
  folder: string,
  options: LevelOptions & GroupCommitOptions = {},
): Promise<Store> {
  return openGroupCommit(new LevelEngine(folder, options), options)
}

type Level = ClassicLevel<string, string>

class LevelSnapshot implements EngineSnapshot {
  readonly level: Level
  readonly options: { readonly snapshot: ReturnType<Level['snapshot']> }

  constructor(level: Level) {
    this.level = level
    this.options = { snapshot: level.snapshot() }
  }

  close(): void {
    void this.options.snapshot.close()
  }
}

export class LevelEngine implements Engine {
  readonly #folder: string
  readonly #options: LevelOptions
  #level: Level | undefined

  constructor(folder: string, options: LevelOptions = {}) {
    this.#folder = folder
    this.#options = options
  }

  async open(): Promise<Head> {
    await this.#level?.close().catch(() => {})
    this.#level = undefined
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const level: Level = new ClassicLevel(join(this.#folder, 'db'), {
      keyEncoding: 'utf8',
      valueEncoding: 'utf8',
      cacheSize: this.#options.cacheBytes ?? 32 * 2 ** 20,
    })
    await level.open()
    this.#level = level
    return { epoch: 1, position: 2 ** 36 }
  }

  getMany(keys: readonly string[], snapshot?: EngineSnapshot): Texts {
    const level = this.#mustBeOpen(snapshot)
    const options = snapshot instanceof LevelSnapshot ? snapshot.options : {}
    const texts: Texts = new Array(keys.length)
    for (let i = 0; i < texts.length; i++) {
      const key = keys[i]!
      const sealed = level.getSync(key, options)
      texts[i] = sealed === undefined ? undefined : opened(key, sealed)
    }
    return texts
  }

  async range(range: EngineRange, snapshot?: EngineSnapshot): Promise<[string, string][]> {
    const level = this.#mustBeOpen(snapshot)
    const iterator = level.iterator({
      gte: range.from,
      lt: range.to,
      reverse: range.reverse,
      limit: Math.min(range.limit, 2 ** 31 - 1),
      ...(snapshot instanceof LevelSnapshot ? snapshot.options : {}),
    })
    try {
      const found: [string, string][] = []
      while (found.length < range.limit) {
        const rows = await iterator.nextv(Math.min(range.limit - found.length, 1000))
        if (rows.length === 0) break
        for (const [key, sealed] of rows) found.push([key, opened(key, sealed)])
      }
      return found
    } finally {
      await iterator.close()
    }
  }

  async write(rows: Rows, _position: number): Promise<void> {
    const batch = this.#mustBeOpen().batch()
    for (const [key, text] of rows) {
      if (text === null) batch.del(key)
      else batch.put(key, seal(key, text))
    }
    await batch.write({ sync: true })
  }

  snapshot(): EngineSnapshot {
    return new LevelSnapshot(this.#mustBeOpen())
  }

  async hasSpace(): Promise<boolean> {
    const { bavail, bsize } = await statfs(this.#folder)
    return bavail * bsize > 16 * 2 ** 20
  }

  async close(): Promise<void> {
    await this.#level?.close()
    this.#level = undefined
  }

  #mustBeOpen(snapshot?: EngineSnapshot): Level {
    const level = this.#level
    if (level === undefined || (snapshot instanceof LevelSnapshot && snapshot.level !== level)) {
      throw new StoreError('STORE_UNCERTAIN', 'the store was opened again: read again')
    }
    return level
  }
}

function opened(key: string, sealed: string): string {
  const text = unseal(key, sealed)
  if (text === null) {
    throw new StoreError('STORE_DAMAGED', `a row of ${key.slice(0, 2)} is not what was written`)
  }
  return text
}
