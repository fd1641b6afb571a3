import type { Catalogue } from './catalogue.ts'
import type { en } from './en.ts'
import { changes } from './fr/changes.ts'
import { enter } from './fr/enter.ts'
import { errors } from './fr/errors.ts'
import { notices } from './fr/notices.ts'
import { parts } from './fr/parts.ts'
import { room } from './fr/room.ts'
import { rooms } from './fr/rooms.ts'
import { settings } from './fr/settings.ts'
import { trust } from './fr/trust.ts'

export const fr: Catalogue<typeof en> = {
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
