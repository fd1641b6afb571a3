import type { Translated } from '../catalogue.ts'
import type { push as en } from '../en/push.ts'

export const push: Translated<typeof en> = {
  rooms: { one: 'Neues in {count} Raum', other: 'Neues in {count} Räumen' },
  something: 'Es gibt Neues',
}
