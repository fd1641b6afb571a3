/**
 * All rows as they were at one moment, while the store goes on: what a backup is made of.
 *
 * The moment is a commit boundary: a LevelDB snapshot never shows a part of a batch, and the newest journal row in it
 * says which group it ends with. It costs disk as long as it is open (what is replaced meanwhile is not freed) and
 * memory for some hundred rows. When the store has to open again meanwhile, it is over: STORE_UNCERTAIN.
 */
import { journal, type Schema, schemaRow } from './catalogue.ts'
import type { EngineSnapshot } from './engine.ts'
import { emptyHead, type HeadRecord } from './head-file.ts'
import { epochSize, LevelEngine, type LevelOptions, ourSchema } from './level-engine.ts'
import { type RowChunk, type RowText, rowChunks } from './row-chunks.ts'

export interface StoreExport {
  readonly epoch: number
  /** The last commit group that is in it. */
  readonly head: HeadRecord
  readonly schema: Schema
  /** Every row's checksum is looked at: rejects with STORE_DAMAGED rather than giving a wrong one. */
  chunks(): AsyncIterable<RowChunk>
  close(): Promise<void>
}

/** So few that the event loop gets its turn within a millisecond or two. */
const rowsAtOnce = 250

export async function exportRows(engine: LevelEngine): Promise<StoreExport> {
  const snapshot = engine.snapshot()
  try {
    const { from, to } = journal.under()
    const [newest] = await engine.range({ from, to, reverse: true, limit: 1 }, snapshot)
    const [schemaText] = engine.getMany([schemaRow.key()], snapshot)
    const head = newest === undefined ? emptyHead : headOf(newest)
    return {
      epoch: Math.floor(head.position / epochSize),
      head,
      schema: schemaText === undefined ? ourSchema : schemaRow.decode(schemaText),
      chunks: () => rowChunks(rowsIn(engine, snapshot)),
      close: async () => snapshot.close(),
    }
  } catch (error) {
    snapshot.close()
    throw error
  }
}

/** Of a folder that no server has open. */
export async function exportFolder(folder: string, options: LevelOptions = {}): Promise<StoreExport> {
  const engine = new LevelEngine(folder, options)
  await engine.open()
  try {
    const rows = await exportRows(engine)
    return {
      ...rows,
      close: async () => {
        await rows.close()
        await engine.close()
      },
    }
  } catch (error) {
    await engine.close()
    throw error
  }
}

async function* rowsIn(engine: LevelEngine, snapshot: EngineSnapshot): AsyncGenerator<readonly RowText[]> {
  let from = ''
  for (;;) {
    const rows = await engine.range({ from, to: '\xff', reverse: false, limit: rowsAtOnce }, snapshot)
    if (rows.length > 0) yield rows
    if (rows.length < rowsAtOnce) return
    from = `${rows.at(-1)![0]}\x00`
  }
}

function headOf([key, text]: RowText): HeadRecord {
  const [position, , , chain] = journal.decode(text)
  return { sequence: journal.parts(key)[0], position, chain }
}
