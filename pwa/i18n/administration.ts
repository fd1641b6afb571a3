/** The texts of the administration view, which few people see: brought when it is opened (`addTexts`). */
import type { Catalogue } from './catalogue.ts'
import type { administration } from './en/administration.ts'
import type { AddedTexts } from './i18n.ts'

export const administrationTexts = {
  en: async () => (await import('./en/administration.ts')).administration,
  ar: async () => (await import('./ar/administration.ts')).administration,
  de: async () => (await import('./de/administration.ts')).administration,
  fr: async () => (await import('./fr/administration.ts')).administration,
} satisfies AddedTexts

export type AdministrationAreas = Catalogue<typeof administration>
