/**
 * May this event replace what that one says? Pure; asked before a view shows an edit, and before a preview does.
 *
 * The server could relate anything to anything (attack 11, CVE-2026-45057). Spec: client-server-api#validity-of-replacement-events
 */
export interface EditSide {
  readonly eventId: string
  readonly roomId: string
  readonly sender: string
  /** Of the plaintext. */
  readonly type: string
  readonly isState: boolean
  readonly isEncrypted: boolean
  /** Does it itself replace another event? */
  readonly isEdit: boolean
}

export function isValidEdit(original: EditSide, edit: EditSide & { readonly replaces: string }): boolean {
  return (
    edit.replaces === original.eventId &&
    edit.roomId === original.roomId &&
    edit.sender === original.sender &&
    edit.type === original.type &&
    !original.isState &&
    !edit.isState &&
    !original.isEdit &&
    // What was encrypted cannot be overwritten by what the server can read, and write.
    (edit.isEncrypted || !original.isEncrypted)
  )
}
