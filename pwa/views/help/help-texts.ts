import type { HelpTexts } from '../../i18n/help.ts'
import type { Language } from '../../i18n/i18n.ts'

const load: Record<Language, () => Promise<{ readonly help: HelpTexts }>> = {
  en: () => import('../../i18n/en/help.ts'),
  ar: () => import('../../i18n/ar/help.ts'),
  de: () => import('../../i18n/de/help.ts'),
  fr: () => import('../../i18n/fr/help.ts'),
}

export async function loadHelp(language: Language): Promise<HelpTexts> {
  return (await load[language]()).help
}
