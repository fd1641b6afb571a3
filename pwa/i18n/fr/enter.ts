import type { Translated } from '../catalogue.ts'
import type { enter as en } from '../en/enter.ts'

export const enter: Translated<typeof en> = {}
