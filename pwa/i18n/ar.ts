import { changes } from './ar/changes.ts'
import { enter } from './ar/enter.ts'
import { errors } from './ar/errors.ts'
import { notices } from './ar/notices.ts'
import { parts } from './ar/parts.ts'
import { room } from './ar/room.ts'
import { rooms } from './ar/rooms.ts'
import { settings } from './ar/settings.ts'
import { trust } from './ar/trust.ts'
import type { Catalogue } from './catalogue.ts'
import type { en } from './en.ts'

export const ar: Catalogue<typeof en> = {
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
