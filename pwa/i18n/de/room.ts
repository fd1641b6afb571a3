import type { Translated } from '../catalogue.ts'
import type { room as en } from '../en/room.ts'

export const room: Translated<typeof en> = {}
