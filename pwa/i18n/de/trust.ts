import type { Translated } from '../catalogue.ts'
import type { trust as en } from '../en/trust.ts'

export const trust: Translated<typeof en> = {}
