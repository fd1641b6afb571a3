/**
 * What a setting needs on this machine, looked at before it is kept: at the next start it would be missed in the night, or stand in
 * the way of the start itself. Throws a sentence.
 */
import { accessSync, constants, statSync } from 'node:fs'
import type { Config } from './config.ts'
import { readMonitoring } from './monitoring.ts'

export function requireUsable(config: Config): void {
  readMonitoring(config)
  const { folder, sftp } = config.backup
  const isSet = (key: string) => config.shown.some(setting => setting.key === key && setting.from === 'set')
  if (
    folder !== null &&
    isSet('backup.folder') &&
    !statSync(folder, { throwIfNoEntry: false })?.isDirectory()
  )
    throw new Error(`backup.folder = ${folder}: there is no such folder on the server.`)
  if (sftp?.keyFile != null && isSet('backup.sftp_key_file')) {
    try {
      accessSync(sftp.keyFile, constants.R_OK)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : ''
      throw new Error(`backup.sftp_key_file = ${sftp.keyFile} cannot be read by the server (${code}).`, {
        cause: error,
      })
    }
  }
}
