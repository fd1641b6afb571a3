/** Where something is being written, and the record that keeps it: one a room, one a thread. */
export interface DraftPlace {
  readonly roomId: string
  /** Null or left out: in the room itself. */
  readonly threadRoot?: string | null
}

export const draftCollection = 'draft'
/** No room's id has it. */
export const threadMark = '|'

export function draftId({ roomId, threadRoot = null }: DraftPlace): string {
  return threadRoot === null ? roomId : roomId + threadMark + threadRoot
}
