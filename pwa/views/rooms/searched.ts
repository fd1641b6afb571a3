/** What was searched for last: whoever looks at what was found comes back to the rest. In memory, and gone when the vault is locked. */
import { effect, signal } from '@preact/signals'
import { rooms } from '../account.ts'
import { go } from '../route.ts'

export const searchedText = signal('')
/** Empty: in all rooms. */
export const searchedRoom = signal('')

export function searchIn(roomId: string): void {
  if (searchedRoom.peek() !== roomId) searchedText.value = ''
  searchedRoom.value = roomId
  go({ view: 'search' })
}

effect(() => {
  if (rooms.value !== null) return
  searchedText.value = ''
  searchedRoom.value = ''
})
