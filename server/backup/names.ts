/**
 * Names of backup files: `letro-SERVER-TIME-NNN.age`. One chain shares SERVER and TIME; 000 is the full backup, what
 * follows holds what changed since. So a listing alone says what belongs together, and what may go.
 */
export interface BackupName {
  readonly name: string
  /** All that stands before the number. */
  readonly chain: string
  /** 0: a full one. */
  readonly number: number
}

const pattern = /^(letro-[A-Za-z0-9._-]{1,255}-[0-9]{8}T[0-9]{6}Z)-([0-9]{3})\.age$/
export const partOfName = '.part'

export function backupName(chain: string, number: number): string {
  return `${chain}-${String(number).padStart(3, '0')}.age`
}

export function newChain(serverName: string, now: number): string {
  const time = new Date(now)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '')
  return `letro-${serverName.replaceAll(/[^A-Za-z0-9.-]/g, '_')}-${time}`
}

/** null: no backup of ours. */
export function parseBackupName(name: string): BackupName | null {
  const match = pattern.exec(name)
  return match ? { name, chain: match[1]!, number: Number(match[2]) } : null
}

export function byName(a: BackupName, b: BackupName): number {
  return a.name < b.name ? -1 : 1
}

/** Of the files that are there: those of chains beyond the newest `keep`. A chain goes as a whole. */
export function surplus(names: readonly BackupName[], keep: number): BackupName[] {
  const chains = [...new Set(names.map(({ chain }) => chain))].sort()
  const going = new Set(chains.slice(0, Math.max(0, chains.length - keep)))
  return names.filter(({ chain }) => going.has(chain))
}
