/** A lock as a file that names the process that holds it: for commands that change the same folder, also beside the server. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** A sentence. */
export class FolderLocked extends Error {}

export async function underLock<T>(file: string, change: () => T | Promise<T>): Promise<T> {
  takeLock(file)
  try {
    return await change()
  } finally {
    rmSync(file, { force: true })
  }
}

/** Of a process that is no more it is taken over: one that was cut off leaves its lock. */
function takeLock(file: string): void {
  // It comes to its place with its content, so that nobody reads an empty one.
  const own = `${file}.${process.pid}`
  writeFileSync(own, String(process.pid), { mode: 0o600 })
  try {
    while (!linkTo(own, file)) {
      const holder = readLock(file)
      if (holder === null) continue
      if (isAlive(Number(holder))) {
        throw new FolderLocked(
          `Another command, or the server, is changing the certificate at this moment (process ${holder}). Nothing was changed: try again in a minute. If no such process is at work, remove ${file}.`,
        )
      }
      removeLockOf(holder, file)
    }
  } finally {
    rmSync(own, { force: true })
  }
}

/** Of two that find it, one takes it away; who took another's by mistake gives it back. */
function removeLockOf(holder: string, file: string): void {
  const aside = `${file}.${process.pid}.old`
  try {
    renameSync(file, aside)
  } catch {
    return
  }
  if (readLock(aside) !== holder) linkTo(aside, file)
  rmSync(aside, { force: true })
}

/** false: something is there. */
function linkTo(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

function readLock(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
