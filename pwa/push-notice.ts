/**
 * What a push says, as a notification. The server sends the number of rooms and the language, nothing else: names and words
 * are in the vault, which is shut. Pure.
 */
import { push as ar } from './i18n/ar/push.ts'
import type { Plural } from './i18n/catalogue.ts'
import { push as de } from './i18n/de/push.ts'
import { push as en } from './i18n/en/push.ts'
import { push as fr } from './i18n/fr/push.ts'

const words: Readonly<Record<string, { readonly rooms: Plural; readonly something: string }>> = {
  en,
  ar,
  de,
  fr,
}

export interface PushNotice {
  readonly body: string
  readonly lang: string
  readonly dir: 'ltr' | 'rtl'
  /** In how many rooms something is new; undefined: it does not say. */
  readonly rooms: number | undefined
}

/** @param payload whatever came: a push without words that we know still has to be shown */
export function pushNotice(payload: unknown, browserLanguage: string): PushNotice {
  const { rooms, lang } = (typeof payload === 'object' && payload !== null ? payload : {}) as {
    rooms?: unknown
    lang?: unknown
  }
  const known = [lang, browserLanguage].flatMap(each =>
    typeof each === 'string' ? (each.toLowerCase().split('-')[0] ?? []) : [],
  )
  const language = known.find(each => Object.hasOwn(words, each)) ?? 'en'
  const { rooms: plural, something } = words[language]!
  const isCount = typeof rooms === 'number' && Number.isInteger(rooms) && rooms > 0
  const body = isCount
    ? (plural[new Intl.PluralRules(language).select(rooms)] ?? plural.other).replace(
        '{count}',
        new Intl.NumberFormat(language).format(rooms),
      )
    : something
  return { body, lang: language, dir: language === 'ar' ? 'rtl' : 'ltr', rooms: isCount ? rooms : undefined }
}
