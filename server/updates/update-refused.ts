/** Why an update of the appliance was not taken. The message is for the administrator, mostly in the updater's own words. */
import type { UpdateErrorCode } from '../protocol/update-status.ts'

export type UpdateRefusal =
  | UpdateErrorCode
  /** `appliance.update_socket` is not set. */
  | 'UPDATE_NOT_HERE'
  | 'UPDATER_AWAY'
  | 'UPDATE_NO_SPACE'
  /** Nothing was uploaded, or another one than the administrator saw. */
  | 'UPDATE_NOT_UPLOADED'

export class UpdateRefused extends Error {
  readonly code: UpdateRefusal
  /** Over the administration API. */
  readonly status: number
  constructor(code: UpdateRefusal, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UpdateRefused'
    this.code = code
    this.status = code === 'UPDATE_NOT_HERE' ? 404 : code === 'UPDATE_NO_SPACE' ? 507 : 409
  }
}
