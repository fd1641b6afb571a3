/** A process that is going to be killed: writes without pause and says what was acknowledged, in order. */
import { writeSync } from 'node:fs'
import { jsonTable } from '../../server/store/key.ts'
import { openLevelStore } from '../../server/store/level-engine.ts'

export const written = jsonTable<{ writer: number; n: number; body: string }>()('zd', 'durability test', [
  'u32',
  'u32',
])
export const latest = jsonTable<{ n: number }>()('ze', 'durability test: latest', ['u32'])

export const writers = 16

if (process.argv[1] === import.meta.filename) {
  const store = await openLevelStore(process.argv[2]!)
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const [last] = await store.read(view => view.getMany([latest.key(writer)]))
      for (let n = (last?.n ?? 0) + 1; ; n++) {
        await store.transact(`writer ${writer}`, tx => {
          tx.put(written.key(writer, n), { writer, n, body: 'x'.repeat((n * 37) % 2000) })
          tx.put(latest.key(writer), { n })
          tx.sequence(next => next())
        })
        // Not through a stream: what is in a buffer when the process dies was never said.
        writeSync(1, `${writer} ${n}\n`)
      }
    }),
  )
}
