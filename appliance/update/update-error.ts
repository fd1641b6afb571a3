/** Why an update was refused or failed. The message is for the person who has to do something about it, and says what. */
export type UpdateErrorCode =
  // The file.
  | 'UPDATE_NOT_ONE'
  | 'UPDATE_NEWER_FORMAT'
  | 'UPDATE_MALFORMED'
  | 'UPDATE_UNKNOWN_KEY'
  | 'UPDATE_FORGED'
  | 'UPDATE_TRUNCATED'
  | 'UPDATE_TRAILING'
  | 'UPDATE_DAMAGED'
  /** It is not what it was when it was checked. */
  | 'UPDATE_CHANGED'
  | 'UPDATE_UNREADABLE'
  // The file, and this machine.
  | 'UPDATE_OTHER_PRODUCT'
  | 'UPDATE_OTHER_ARCHITECTURE'
  | 'UPDATE_RUNNING_ALREADY'
  | 'UPDATE_OLDER'
  | 'UPDATE_ROLLBACK'
  | 'UPDATE_NEEDS_ANOTHER_FIRST'
  | 'UPDATE_TOO_LARGE'
  // This machine.
  | 'UPDATE_NO_SLOT'
  /** The running version has not yet proved itself: the other slot is what to fall back to. */
  | 'UPDATE_ON_TRIAL'
  | 'UPDATE_ESP_FULL'
  | 'UPDATE_DISK'
  | 'UPDATE_SETTINGS'
  | 'UPDATE_NOT_APPLIED'
  | 'UPDATE_BUSY'
  | 'UPDATE_BAD_REQUEST'

export class UpdateError extends Error {
  readonly code: UpdateErrorCode
  constructor(code: UpdateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UpdateError'
    this.code = code
  }
}
