/** Each setting of the server has a text in each language; the English one is that of letro.example.toml. */
import test from 'ava'
import { configuration as ar } from '../../pwa/i18n/ar/configuration.ts'
import { configuration as de } from '../../pwa/i18n/de/configuration.ts'
import { configuration as en } from '../../pwa/i18n/en/configuration.ts'
import { configuration as fr } from '../../pwa/i18n/fr/configuration.ts'
import { changesOf, kindOf, settingOf } from '../../server/changeable.ts'
import { configKeys } from '../../server/config-keys.ts'

type Texts = Readonly<Record<string, string>>
const others: Readonly<Record<string, Texts>> = { ar, de, fr }
const inEnglish: Texts = en
const nameOf = (key: string) => key.replaceAll('.', '_')
/** As pwa/views/admin/setting-text.tsx looks for it. */
const allowedName = (key: string) =>
  [`allowed_${nameOf(key)}`, `allowed_${key.split('.')[0]}`].find(name => name in en)
const isEntered = (key: string) => changesOf(key) !== null && !['switch', 'choice'].includes(kindOf(key))

test('the English text is what the server says', t => {
  for (const key of configKeys) {
    t.is(inEnglish[nameOf(key)], settingOf(key).doc, key)
    if (isEntered(key)) t.is(inEnglish[allowedName(key) ?? ''], settingOf(key).allowed, key)
  }
})

test('every setting has a text in every language, and no text stands for no setting', t => {
  const names = configKeys.map(nameOf)
  const wanted = new Set([...names, ...configKeys.filter(isEntered).map(key => allowedName(key)!)])
  for (const [language, texts] of Object.entries({ en, ...others })) {
    for (const name of wanted) t.truthy((texts as Texts)[name], `${language} ${name}`)
    t.deepEqual(
      Object.keys(texts).filter(name => !wanted.has(name)),
      [],
      language,
    )
  }
})

test('a translation is one, keeps what is typed as it stands, and closes its quotation marks', t => {
  const quoted = (text: string) => text.match(/"[^"]+"/g) ?? []
  for (const [language, texts] of Object.entries(others))
    for (const [name, text] of Object.entries(texts)) {
      const original = inEnglish[name]!
      t.not(text, original, `${language} ${name}`)
      t.is(text.split('"').length % 2, 1, `${language} ${name}`)
      for (const word of quoted(original)) t.true(text.includes(word), `${language} ${name} lacks ${word}`)
    }
})
