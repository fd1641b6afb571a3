/** The texts of what is seldom needed: brought with it (`addTexts`), so that the first load need not carry them. */
import type { Catalogue } from './catalogue.ts'
import type { seldom } from './en/seldom.ts'
import type { AddedTexts } from './i18n.ts'

export const seldomTexts = {
  en: async () => (await import('./en/seldom.ts')).seldom,
  ar: async () => (await import('./ar/seldom.ts')).seldom,
  de: async () => (await import('./de/seldom.ts')).seldom,
  fr: async () => (await import('./fr/seldom.ts')).seldom,
} satisfies AddedTexts

export type SeldomAreas = Catalogue<typeof seldom>
