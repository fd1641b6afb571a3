/** The second step of a night: what the other machine does not have yet is copied there, what is too old goes. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { backupsIn } from './backup-file.ts'
import type { BackupSettings } from './backups.ts'
import { surplus } from './names.ts'
import { listBySftp, putBySftp, removeBySftp, type SftpPlace } from './sftp.ts'

export interface CopyDeps {
  readonly dataFolder: string
  readonly settings: BackupSettings
}

/** May be broken off anywhere and run again. */
export async function copyAway(
  { dataFolder, settings }: CopyDeps,
  folder: string,
  place: SftpPlace,
  signal: AbortSignal,
): Promise<void> {
  const away = await listBySftp(place, dataFolder, signal)
  const has = new Set(away.map(({ name }) => name))
  const here = await backupsIn(folder)
  // Older chains that are gone there were removed there.
  const oldest = away[0]?.chain ?? ''
  for (const backup of here) {
    if (has.has(backup.name) || backup.chain < oldest) continue
    await putBySftp(place, dataFolder, folder, backup.name, signal)
    away.push(backup)
  }
  const going = surplus(away, settings.keepChains).map(({ name }) => name)
  await removeBySftp(place, dataFolder, going, signal)
  // Without a folder of the configuration they only waited here for their way.
  if (settings.folder === null) for (const { name } of here) await rm(join(folder, name), { force: true })
}
