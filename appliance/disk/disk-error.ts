/** What goes wrong with the disk: a code for programs, a sentence for the administrator at the console. */
export type DiskErrorCode =
  | 'DISK_NOT_FOUND'
  | 'DISK_AMBIGUOUS'
  | 'DISK_TOO_SMALL'
  | 'DISK_WRITE_FAILED'
  | 'DISK_COMPARE_FAILED'
  | 'DISK_TARGET_REFUSED'
  | 'DATA_NOT_NEW'
  | 'DATA_NOT_THERE'
  | 'DATA_DAMAGED'
  | 'DATA_IN_USE'
  | 'DATA_MOUNT_FAILED'
  | 'KEY_NOT_TYPED_BACK'
  | 'KEY_MALFORMED'
  | 'KEY_WRONG'
  | 'PASSPHRASE_WEAK'
  | 'TPM_ABSENT'
  | 'TPM_REFUSED'
  | 'TPM_FAILED'
  | 'SECURE_BOOT_OFF'
  | 'SECURE_BOOT_IMPOSSIBLE'
  | 'PROGRAM_FAILED'

export class DiskError extends Error {
  readonly code: DiskErrorCode
  constructor(code: DiskErrorCode, sentence: string, options?: ErrorOptions) {
    super(sentence, options)
    this.name = 'DiskError'
    this.code = code
  }
}
