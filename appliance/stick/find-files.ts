/** Updates and backups on whatever is plugged in: the names in each medium's top folder, nothing below. */
import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Machine } from '../program.ts'
import { findMedia, type Medium, withMedium } from './media.ts'

export interface FoundFile {
  readonly medium: Medium
  readonly name: string
  readonly sizeBytes: number
  readonly modifiedTs: number
}
export type FileKind = 'update' | 'backup'

const patterns: Record<FileKind, RegExp> = {
  update: /^[^.].{0,200}\.update$/,
  // Spec: server/backup/README.md, names.
  backup: /^letro-.{1,200}-[0-9]{8}T[0-9]{6}Z-[0-9]{3}\.age$/,
}
/** A stick with more than that in its top folder is searched no further, and that is said. */
const mostEntries = 20_000
const mostFiles = 200

/** @returns files by medium and name; a sentence for each medium that could not be searched, or not to its end */
export async function findFiles(
  machine: Pick<Machine, 'run' | 'paths'>,
  kind: FileKind,
): Promise<{ readonly files: readonly FoundFile[]; readonly problems: readonly string[] }> {
  const files: FoundFile[] = []
  const problems: string[] = []
  for (const medium of await findMedia(machine)) {
    try {
      const isWhole = await withMedium(machine, medium, async folder => {
        const { names, isWhole } = await namesIn(folder, patterns[kind])
        for (const name of names) {
          const { size, mtimeMs } = await stat(join(folder, name))
          files.push({ medium, name, sizeBytes: size, modifiedTs: Math.round(mtimeMs) })
        }
        return isWhole
      })
      if (!isWhole) problems.push(`${medium.device} holds so many files that not all were looked at.`)
    } catch {
      problems.push(`${medium.device} cannot be read: it was pulled out, or its file system is damaged.`)
    }
  }
  return { files, problems }
}

async function namesIn(folder: string, pattern: RegExp): Promise<{ names: string[]; isWhole: boolean }> {
  const names: string[] = []
  let entries = 0
  // Left early or not, the loop closes it.
  for await (const entry of await opendir(folder, { bufferSize: 256 })) {
    if (++entries > mostEntries || names.length >= mostFiles) return { names: names.sort(), isWhole: false }
    if (entry.isFile() && pattern.test(entry.name)) names.push(entry.name)
  }
  return { names: names.sort(), isWhole: true }
}
