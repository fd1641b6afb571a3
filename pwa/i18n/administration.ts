/** The texts of the administration view, which few people see: brought when it is opened (`addTexts`). */
import type { Catalogue } from './catalogue.ts'
import type { administration } from './en/administration.ts'
import type { Language } from './i18n.ts'

export type AddedAreas = typeof administration

export const administrationTexts: Record<Language, () => Promise<Catalogue<AddedAreas>>> = {
  en: async () => (await import('./en/administration.ts')).administration,
  ar: async () => (await import('./ar/administration.ts')).administration,
  de: async () => (await import('./de/administration.ts')).administration,
  fr: async () => (await import('./fr/administration.ts')).administration,
}
