/**
 * With what a child process is started, so that it gets nothing of the database.
 *
 * LevelDB opens its files without O_CLOEXEC: every child had the log, the manifest and the lock as descriptors of its
 * own, could write to them whatever else it was forbidden, and kept a disk busy that we had let go. Node has no way to
 * set that flag; but a descriptor to which the child is given something else is closed in it.
 */
import { fstatSync, openSync, readdirSync } from 'node:fs'

/** LevelDB may open files on threads of its own between our look and the start of the child: numbers for those as well. */
const moreFiles = 8

let nothing: number | undefined

/** The child's `stdio`: what it is to have (its type says only that), and behind it nothing of our files. */
export function childStdio<Own extends ('ignore' | 'pipe' | 'ipc')[]>(...own: Own): Own {
  const open = openDescriptors()
  if (open.length === 0) return own
  nothing ??= openSync('/dev/null', 'r')
  // What Node opened itself, such as sockets, has the flag: 'ignore' leaves it alone.
  const others = new Set(open.filter(number => !isFile(number)))
  const stdio: ('ignore' | 'pipe' | 'ipc' | number)[] = own
  for (let number = own.length; number <= Math.max(...open) + moreFiles; number++)
    stdio.push(others.has(number) ? 'ignore' : nothing)
  return own
}

/** Their numbers; none where the system has no such list. */
function openDescriptors(): number[] {
  try {
    return readdirSync(process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd').map(Number)
  } catch {
    return []
  }
}

function isFile(number: number): boolean {
  try {
    return fstatSync(number).isFile()
  } catch {
    // It was the look itself.
    return true
  }
}
