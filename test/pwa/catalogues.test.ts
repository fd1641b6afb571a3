import test from 'ava'
import { administration as arAdministration } from '../../pwa/i18n/ar/administration.ts'
import { seldom as arSeldom } from '../../pwa/i18n/ar/seldom.ts'
import { ar } from '../../pwa/i18n/ar.ts'
import { administration as deAdministration } from '../../pwa/i18n/de/administration.ts'
import { seldom as deSeldom } from '../../pwa/i18n/de/seldom.ts'
import { de } from '../../pwa/i18n/de.ts'
import { administration as enAdministration } from '../../pwa/i18n/en/administration.ts'
import { seldom as enSeldom } from '../../pwa/i18n/en/seldom.ts'
import { en } from '../../pwa/i18n/en.ts'
import { administration as frAdministration } from '../../pwa/i18n/fr/administration.ts'
import { seldom as frSeldom } from '../../pwa/i18n/fr/seldom.ts'
import { fr } from '../../pwa/i18n/fr.ts'

type Text = string | Record<string, string>
type Areas = Record<string, Record<string, Text>>
const languages = {
  en: { ...en, ...enAdministration, ...enSeldom },
  ar: { ...ar, ...arAdministration, ...arSeldom },
  de: { ...de, ...deAdministration, ...deSeldom },
  fr: { ...fr, ...frAdministration, ...frSeldom },
} as unknown as Record<'en' | 'ar' | 'de' | 'fr', Areas>

function* textsOf(areas: Areas): Generator<[key: string, text: Text]> {
  for (const [area, texts] of Object.entries(areas))
    for (const [name, text] of Object.entries(texts)) yield [`${area}.${name}`, text]
}
const placesIn = (text: string) => new Set(text.match(/\{\w+\}/g) ?? [])

test('every language has the same keys', t => {
  const keys = [...textsOf(languages.en)].map(([key]) => key)
  for (const [language, areas] of Object.entries(languages))
    t.deepEqual([...textsOf(areas)].map(([key]) => key).sort(), keys.toSorted(), language)
})

test('a translation has the places of its original; a plural may leave out the number', t => {
  for (const [language, areas] of Object.entries(languages)) {
    for (const [key, text] of textsOf(areas)) {
      const [area, name] = key.split('.') as [string, string]
      const original = languages.en[area]![name]!
      const expected = placesIn(typeof original === 'string' ? original : original['other']!)
      for (const [category, form] of Object.entries(typeof text === 'string' ? { text } : text)) {
        const places = placesIn(form)
        for (const place of places) t.true(expected.has(place), `${language} ${key} ${category} ${place}`)
        for (const place of expected)
          if (place !== '{count}') t.true(places.has(place), `${language} ${key} ${category} lacks ${place}`)
      }
    }
  }
})

test('plurals have the forms that their language tells apart', t => {
  for (const [language, areas] of Object.entries(languages)) {
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories
    for (const [key, text] of textsOf(areas)) {
      if (typeof text === 'string') continue
      for (const category of Object.keys(text))
        t.true((categories as string[]).includes(category), `${language} ${key} ${category}`)
      t.true('other' in text && 'one' in text, `${language} ${key}`)
      if (language === 'ar') t.true('two' in text && 'few' in text && 'many' in text, `${language} ${key}`)
    }
  }
})

test('no text is empty, and none is left in English', t => {
  const same = new Set<string>()
  for (const language of ['ar', 'de', 'fr'] as const) {
    for (const [key, text] of textsOf(languages[language])) {
      for (const form of typeof text === 'string' ? [text] : Object.values(text)) t.not(form.trim(), '', key)
      const [area, name] = key.split('.') as [string, string]
      const original = languages.en[area]![name]!
      const words = typeof original === 'string' ? original.split(' ').length : 0
      if (words > 2 && text === original && !key.includes('digits')) same.add(`${language} ${key}`)
    }
  }
  t.deepEqual([...same], [])
})
