import { MemoryEngine } from '../../server/store/memory-engine.ts'

/** Fails once when told to: before the rows are there, or after. */
export class FailingEngine extends MemoryEngine {
  fails: 'before' | 'after' | null = null
  /** Writes that go well before that. */
  spared = 0

  override async write(...args: Parameters<MemoryEngine['write']>): Promise<void> {
    const fails = this.spared-- > 0 ? null : this.fails
    if (fails) this.fails = null
    if (fails === 'before') throw new Error('EIO')
    await super.write(...args)
    if (fails === 'after') throw new Error('EIO')
  }
}
