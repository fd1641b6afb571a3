/** Which key means what, wherever it is pressed. Pure. */

export type Command = 'switch' | 'next-unread' | 'previous-unread' | 'next' | 'previous' | 'help' | 'leave'

type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>

/** Null: not ours. */
export function commandOf(
  { key, ctrlKey, metaKey, altKey, shiftKey }: Pressed,
  isTyping: boolean,
): Command | null {
  const isPlain = !ctrlKey && !metaKey && !altKey
  // On an Arabic keyboard the same key has another letter.
  if ((ctrlKey || metaKey) && !shiftKey && !altKey && /^[kن]$/i.test(key)) return 'switch'
  if (altKey && !ctrlKey && !metaKey && key === 'ArrowDown') return shiftKey ? 'next' : 'next-unread'
  if (altKey && !ctrlKey && !metaKey && key === 'ArrowUp') return shiftKey ? 'previous' : 'previous-unread'
  if (isPlain && !isTyping && /^[?؟]$/.test(key)) return 'help'
  if (isPlain && !isTyping && key === 'Escape') return 'leave'
  return null
}
