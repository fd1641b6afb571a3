import type { Catalogue } from './catalogue.ts'
import { changes } from './de/changes.ts'
import { enter } from './de/enter.ts'
import { errors } from './de/errors.ts'
import { notices } from './de/notices.ts'
import { parts } from './de/parts.ts'
import { room } from './de/room.ts'
import { rooms } from './de/rooms.ts'
import { settings } from './de/settings.ts'
import { trust } from './de/trust.ts'
import type { en } from './en.ts'

export const de: Catalogue<typeof en> = {
  parts,
  errors,
  enter,
  rooms,
  room,
  changes,
  settings,
  trust,
  notices,
}
