/** Why an update was refused or failed. The message is for the person who has to do something about it, and says what. */
import type { UpdateErrorCode } from '#protocol/update-status.ts'

export class UpdateError extends Error {
  readonly code: UpdateErrorCode
  constructor(code: UpdateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UpdateError'
    this.code = code
  }
}

/** For failures that no sentence of ours foresaw: of a disk, mostly. */
export function asUpdateError(error: unknown): UpdateError {
  if (error instanceof UpdateError) return error
  const { code = 'unknown' } = error as NodeJS.ErrnoException
  return new UpdateError(
    'UPDATE_DISK',
    `A disk or the EFI partition could not be read or written (${code}). The running version was not changed. Try once more; if it fails again, make a backup and replace the disk.`,
    { cause: error },
  )
}
