/** What can go wrong with a backup. The message is for the person who has to do something about it, and says what. */
export type BackupErrorCode =
  /** Nothing says for whom to encrypt, or where to write. */
  | 'BACKUP_NOT_CONFIGURED'
  | 'BACKUP_RUNNING'
  | 'BACKUP_NO_SPACE'
  /** The place cannot be read or written. */
  | 'BACKUP_PLACE'
  /** The server's own data cannot be read for it. */
  | 'BACKUP_SOURCE'
  /** Not a backup at all. */
  | 'BACKUP_NOT_ONE'
  | 'BACKUP_WRONG_KEY'
  /** Cut short, changed, or not whole. */
  | 'BACKUP_DAMAGED'
  /** A backup that this one builds on is missing. */
  | 'BACKUP_NO_BASE'
  | 'BACKUP_OTHER_SITE'
  | 'BACKUP_NEWER'
  /** The folder to restore into is in use. */
  | 'BACKUP_TARGET'
  | 'BACKUP_ABANDONED'
  | 'SFTP_TIMEOUT'
  | 'SFTP_HOST_KEY'
  | 'SFTP_DENIED'
  | 'SFTP_FAILED'

export class BackupError extends Error {
  readonly code: BackupErrorCode
  /** Over the administration API. */
  readonly status: number
  constructor(code: BackupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BackupError'
    this.code = code
    this.status = code === 'BACKUP_NO_SPACE' ? 507 : 409
  }
}

/** A disk that is full says so in several ways. */
export function isNoSpace(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'STORE_FULL') return true
  }
  return false
}
