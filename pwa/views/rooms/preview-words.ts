/** What a line of the list says of the newest message: its own words where it has some, else what kind it is. Pure. */
import type { Key } from '../../i18n/i18n.ts'
import type { Preview } from '../../sync/room-entry.ts'
import { cut, plainName } from '../parts/plain-name.ts'

const kinds: Readonly<Record<string, Key>> = {
  'm.image': 'rooms.preview_image',
  'm.video': 'rooms.preview_video',
  'm.audio': 'rooms.preview_audio',
  'org.matrix.msc3245.voice': 'room.fileVoice',
  'm.file': 'rooms.preview_file',
  'm.location': 'rooms.preview_location',
  'm.key.verification.request': 'rooms.preview_verification',
}

export function previewWords({ type, msgtype, text }: Preview): { key: Key } | { text: string } {
  if (type === 'm.sticker') return { key: 'rooms.preview_sticker' }
  const kind = msgtype !== null && Object.hasOwn(kinds, msgtype) ? kinds[msgtype] : undefined
  if (kind !== undefined) return { key: kind }
  const words = plainName(text, 200)
  return type === 'm.room.message' && words !== null
    ? { text: cut(words, 160) }
    : { key: 'rooms.preview_unreadable' }
}

const rightToLeft = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/gu

/** Of most of its letters: a sentence may begin with the name of somebody who is written the other way. */
export function wayOf(text: string): 'rtl' | 'ltr' {
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  return (text.match(rightToLeft)?.length ?? 0) * 2 > letters ? 'rtl' : 'ltr'
}
