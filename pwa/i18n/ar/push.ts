import type { Translated } from '../catalogue.ts'
import type { push as en } from '../en/push.ts'

export const push: Translated<typeof en> = {
  rooms: {
    one: 'جديد في غرفة واحدة',
    two: 'جديد في غرفتين',
    few: 'جديد في {count} غرف',
    many: 'جديد في {count} غرفة',
    other: 'جديد في {count} غرفة',
  },
  something: 'هناك جديد',
}
