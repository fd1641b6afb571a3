import type { Translated } from '../catalogue.ts'
import type { push as en } from '../en/push.ts'

export const push: Translated<typeof en> = {
  rooms: { one: 'Du nouveau dans {count} salon', other: 'Du nouveau dans {count} salons' },
  something: 'Il y a du nouveau',
}
