/** Every code that the app may have to show has words, in each language: the codes are collected from the sources. */
import { globSync, readFileSync } from 'node:fs'
import test from 'ava'
import { ar } from '../../pwa/i18n/ar.ts'
import { de } from '../../pwa/i18n/de.ts'
import { en } from '../../pwa/i18n/en.ts'
import { errorKey } from '../../pwa/i18n/error-key.ts'
import { fr } from '../../pwa/i18n/fr.ts'

const root = new URL('../../', import.meta.url).pathname
const languages: Record<string, { readonly errors: object }> = { en, ar, de, fr }

/** Words with an underscore, as codes are; and what stands where an error's code does. */
const inApp = [
  /'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g,
  /new (?:Api|E2ee|Trust|Vault)Error\(\s*'([A-Z]+)'/g,
  /code: '([A-Z]+)'/g,
]
/** Errcodes of the specification, and ours. */
const inServer = [/'((?:M|ORG_LETRO|LETRO)_[A-Z0-9_]+)'/g]

/** Names of other things: of what a hash is made, and of a method. */
const noCodes = new Set([
  // The administration has words of its own for what is wrong with a card.
  'CARD_UNREADABLE',
  // The page of backups takes it for a yes.
  'BACKUP_RUNNING',
  // The page of updates has its own words for its errors.
  'UPDATE_NOT_HERE',
  ...['KEY_IDS', 'MATRIX_KEY_VERIFICATION_SAS', 'MEGOLM_KEYS', 'OLM_KEYS', 'OLM_RATCHET', 'OLM_ROOT'],
])

function codesIn(files: string, patterns: readonly RegExp[]): Set<string> {
  const codes = new Set<string>()
  for (const file of globSync(files, { cwd: root })) {
    if (file.includes('/i18n/')) continue
    const source = readFileSync(`${root}${file}`, 'utf8')
    for (const pattern of patterns) for (const [, code] of source.matchAll(pattern)) codes.add(code!)
  }
  return codes.difference(noCodes)
}

const codes = codesIn('pwa/**/*.{ts,tsx}', inApp).union(codesIn('server/**/*.ts', inServer))

test('the codes are found', t => {
  const some = [
    'OFFLINE',
    'WRONG_KEY',
    'PASSKEY_DECLINED',
    'PASSKEY_NO_PRF',
    'CONFIRMATION_NEEDED',
    'BLOCKED',
  ]
  for (const code of [...some, 'REPLAY', 'M_FORBIDDEN', 'M_INVITE_BLOCKED']) t.true(codes.has(code), code)
})

for (const [language, { errors }] of Object.entries(languages)) {
  test(`every code has words: ${language}`, t => {
    const missing = [...codes].filter(code => !Object.hasOwn(errors, errorKey(code).replace('errors.', '')))
    t.deepEqual(missing.sort(), [])
  })
}

test('a number of something before the server has words as well', t => {
  t.is(errorKey('HTTP_502'), 'errors.kind_http')
  t.is(errorKey('HTTP_413'), 'errors.M_TOO_LARGE')
  t.is(errorKey('something new'), 'errors.something new')
})
