/** English: the catalogue that the others are held against. */

import { changes } from './en/changes.ts'
import { enter } from './en/enter.ts'
import { errors } from './en/errors.ts'
import { notices } from './en/notices.ts'
import { parts } from './en/parts.ts'
import { room } from './en/room.ts'
import { rooms } from './en/rooms.ts'
import { settings } from './en/settings.ts'
import { trust } from './en/trust.ts'

export const en = { parts, errors, enter, rooms, room, changes, settings, trust, notices }
