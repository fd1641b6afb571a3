import type { Translated } from '../catalogue.ts'
import { rooms as en } from '../en/rooms.ts'

export const rooms: Translated<typeof en> = en
