/**
 * Is anything that people wrote readable in what the server keeps?
 *
 * Looked through are all files as they lie on the disk, and, because LevelDB compresses, every row that it gives back.
 * What an encrypted room does not hide (its name, its topic, who is in it) is looked for as well: a search that finds none
 * of that would prove nothing. The server must not be running.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { pathsOf, storeFolder } from '../../server/store/level-folder.ts'

export interface Search {
  readonly files: number
  readonly rows: number
  readonly bytes: number
  /** Words that were found, and where. */
  readonly found: ReadonlyMap<string, string>
}

/** @param words as people typed them; in the data they stand as UTF-8, with or without JSON's escapes */
export async function searchData(dataFolder: string, words: readonly string[]): Promise<Search> {
  const needles = words.flatMap(word =>
    [...new Set([word, JSON.stringify(word).slice(1, -1)])].map(form => [word, Buffer.from(form)] as const),
  )
  const found = new Map<string, string>()
  const look = (bytes: Buffer, where: string) => {
    for (const [word, needle] of needles) {
      if (!found.has(word) && bytes.includes(needle)) found.set(word, where)
    }
  }
  let files = 0
  let bytes = 0
  for (const entry of await readdir(dataFolder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const content = await readFile(path)
    look(content, path)
    files++
    bytes += content.length
  }
  const { db } = pathsOf(storeFolder(dataFolder))
  const level = new ClassicLevel<Buffer, Buffer>(db, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
  let rows = 0
  for await (const [key, value] of level.iterator()) {
    look(Buffer.concat([key, value]), `row ${key.toString('latin1').slice(0, 2)} of ${db}`)
    rows++
    bytes += key.length + value.length
  }
  await level.close()
  return { files, rows, bytes, found }
}

/** Whole texts, and their longer words, but for those that names and topics have too. */
export function wordsOf(texts: readonly string[], inTheOpen: readonly string[]): string[] {
  const open = inTheOpen.join('\n').toLowerCase()
  const words = texts.flatMap(text => [text, ...(text.match(/[\p{L}\p{M}\d-]{9,}/gu) ?? [])])
  return [...new Set(words)].filter(word => !open.includes(word.toLowerCase()))
}
