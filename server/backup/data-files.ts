/**
 * Which files of the data folder belong into a backup: all, except what the backup has as rows, what is made anew by
 * itself, and backups. So a file that a later release adds is not forgotten.
 */
import type { FileHandle } from 'node:fs/promises'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { requestsFolder } from '../protocol/local-request.ts'

export interface DataFile {
  /** From the data folder, with `/`. */
  readonly path: string
}

/** Where backups wait for their way to another machine, and where the server notes what the last one held. */
export const stagingFolder = 'backups'
export const notesFolder = 'backup'
/** What a restore builds before it counts. */
export const restoringFolder = 'restoring'

/** What a running server restores beside its data, what was uploaded for it, the order to take its place, and what stood there before. */
export const restoredFolder = 'restored'
export const uploadedFolder = 'uploaded-backups'
export const replacingFile = 'replacing.json'
export const keptAside = 'before-restore-'

/** Folders of files that never change, by their random ids: `ab/cd/abcd…`. */
export const mediaFolders = ['media', 'remote-media'] as const

const leftOut = new Set<string>([
  'store',
  ...mediaFolders,
  'thumbnails',
  'remote-thumbnails',
  stagingFolder,
  notesFolder,
  restoringFolder,
  restoredFolder,
  uploadedFolder,
  replacingFile,
  requestsFolder,
  'maintenance.token',
])

/** Keys, certificates, identity: small, always written whole. */
export async function* plainFiles(dataFolder: string, under = ''): AsyncGenerator<DataFile> {
  const entries = await readdir(join(dataFolder, under), { withFileTypes: true })
  for (const entry of entries.sort(byName)) {
    if (under === '' && (leftOut.has(entry.name) || entry.name.startsWith(keptAside))) continue
    const path = under === '' ? entry.name : `${under}/${entry.name}`
    // What a crash left half written, and what no backup could carry (sockets, links), stays behind.
    if (!isSafePath(path) || /\.(?:new|part|tmp)$/.test(path)) continue
    if (entry.isDirectory()) yield* plainFiles(dataFolder, path)
    else if (entry.isFile()) yield { path }
  }
}

/** In the order of their paths, so that two lists can be compared as they are read. */
export async function* mediaFiles(dataFolder: string): AsyncGenerator<DataFile> {
  for (const top of mediaFolders) {
    for (const first of await namesIn(join(dataFolder, top), /^[\w-]{2}$/)) {
      for (const second of await namesIn(join(dataFolder, top, first), /^[\w-]{2}$/)) {
        for (const name of await namesIn(join(dataFolder, top, first, second), /^[\w-]{16,64}$/)) {
          yield { path: `${top}/${first}/${second}/${name}` }
        }
      }
    }
  }
}

/** null: it was removed meanwhile. */
export async function openFile(
  dataFolder: string,
  { path }: DataFile,
): Promise<{ readonly file: FileHandle; readonly bytes: number } | null> {
  let file: FileHandle
  try {
    file = await open(join(dataFolder, path), 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  return { file, bytes: (await file.stat()).size }
}

/** Of a path that stands in a backup: does it stay inside the folder that it is unpacked into? */
export function isSafePath(path: unknown): path is string {
  return (
    typeof path === 'string' &&
    path.length <= 400 &&
    path.split('/').every(name => /^[\w.@+~-]+$/.test(name) && name !== '.' && name !== '..')
  )
}

async function namesIn(folder: string, pattern: RegExp): Promise<string[]> {
  try {
    return (await readdir(folder)).filter(name => pattern.test(name)).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1
}
