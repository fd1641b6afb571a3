/**
 * The app's words, in the language of the person, and how dates, numbers and sizes are written.
 *
 * A catalogue is one object an area, the same keys in every language (checked by types). A text has places `{name}`; what is put
 * there is isolated (FSI … PDI), so that a name in another direction cannot turn the sentence around. A text with a
 * `count` may be an object of plural categories. Only the language in use is loaded; what is seldom seen (administration) is
 * added when they open it.
 */
import { signal } from '@preact/signals'
import type { Catalogue, Plural, Texts } from './catalogue.ts'
import type { administration } from './en/administration.ts'
import type { seldom } from './en/seldom.ts'
import type { en } from './en.ts'
import { keepText, keptText } from './kept-text.ts'

export const languages = { en: 'English', ar: 'العربية', de: 'Deutsch', fr: 'Français' } as const
export type Language = keyof typeof languages

export const calendars = ['gregory', 'islamic-umalqura', 'persian'] as const
export type Calendar = (typeof calendars)[number]
export type Digits = 'latn' | 'arab'

/** How things are written, and how the app looks: kept in the browser, in the clear, for it says nothing of anybody. */
export interface Manner {
  readonly language: Language
  readonly calendar: Calendar
  readonly digits: Digits
  readonly theme: 'system' | 'light' | 'dark'
}

type FirstAreas = typeof en
type AddedAreas = typeof administration & typeof seldom
/** Areas that come with the part of the app that needs them. */
export type AddedTexts = Record<Language, () => Promise<Partial<Catalogue<AddedAreas>>>>
type Areas = FirstAreas & AddedAreas
export type Key = { [A in keyof Areas & string]: `${A}.${keyof Areas[A] & string}` }[keyof Areas & string]
export type Values = Readonly<Record<string, string | number>>

const storedAs = 'org.letro.manner'
const load: Record<Language, () => Promise<Catalogue<FirstAreas>>> = {
  en: async () => (await import('./en.ts')).en,
  ar: async () => (await import('./ar.ts')).ar,
  de: async () => (await import('./de.ts')).de,
  fr: async () => (await import('./fr.ts')).fr,
}

export const manner = signal<Manner>(firstManner())
const catalogue = signal<Catalogue<FirstAreas> | null>(null)
const added = signal<Partial<Catalogue<AddedAreas>>>({})
const addedBy = new Set<AddedTexts>()

/** Loads the words, and sets the document's language and direction. To be awaited before anything is drawn. */
export async function setManner(change: Partial<Manner>): Promise<void> {
  const next = { ...manner.peek(), ...change }
  if (!catalogue.peek() || next.language !== manner.peek().language) {
    const [first, ...more] = await Promise.all([
      load[next.language](),
      ...[...addedBy].map(each => each[next.language]()),
    ])
    catalogue.value = first
    added.value = Object.assign({}, ...more)
  }
  manner.value = next
  const root = document.documentElement
  root.lang = next.language
  root.dir = directionOf(next.language)
  if (next.theme === 'system') delete root.dataset['theme']
  else root.dataset['theme'] = next.theme
  if (Object.keys(change).length > 0) keepText(storedAs, JSON.stringify(next))
}

/** Brings the texts of a part of the app that is not in the first load; they follow the language from then on. */
export async function addTexts(load: AddedTexts): Promise<void> {
  if (addedBy.has(load)) return
  const texts = await load[manner.peek().language]()
  addedBy.add(load)
  added.value = { ...added.peek(), ...texts }
}

export function directionOf(language: Language): 'ltr' | 'rtl' {
  return language === 'ar' ? 'rtl' : 'ltr'
}

/** The text of a key. Reading it in a component makes the component follow the language. */
export function t(key: Key, values: Values = {}): string {
  return textOf(key, values).replace(place, (_, name: string) => isolated(written(values[name])))
}

/** The text with its places as parts of their own: for names, links and the like that are elements. */
export function parts<N>(key: Key, values: Readonly<Record<string, N | number>>): (string | N)[] {
  const counted = values['count']
  const text = textOf(key, typeof counted === 'number' ? { count: counted } : {})
  return text.split(/(\{\w+\})/).map(part => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1]
    if (name === undefined) return part
    const value = values[name]
    return typeof value === 'number' ? formatNumber(value) : (value as N)
  })
}

/** Is there a text of that name? For codes that come from elsewhere. */
export function isKey(key: string): key is Key {
  const [area = '', name = ''] = key.split('.')
  const texts = areaOf(area)
  return texts !== undefined && Object.hasOwn(texts, name)
}

const place = /\{(\w+)\}/g

function textOf(key: Key, values: Values): string {
  const [area = '', name = ''] = key.split('.')
  const text = areaOf(area)?.[name]
  if (text === undefined) return key
  if (typeof text === 'string') return text
  const category = new Intl.PluralRules(manner.value.language).select(Number(values['count'] ?? 0))
  return text[category] ?? text['other'] ?? key
}

function areaOf(area: string): Readonly<Record<string, string | Plural>> | undefined {
  const [first, more] = [catalogue.value, added.value] as (Record<string, Texts> | null)[]
  return first?.[area] ?? more?.[area]
}

function written(value: string | number | undefined): string {
  return typeof value === 'number' ? formatNumber(value) : (value ?? '')
}

function isolated(text: string): string {
  return `\u2068${text}\u2069`
}

// ── dates, numbers, sizes ──────────────────────────────────────────────────────────────────────────

export function locale(): string {
  const { language, calendar, digits } = manner.value
  return `${language === 'en' ? 'en-GB' : language}-u-ca-${calendar}-nu-${digits}`
}

export function formatNumber(value: number): string {
  return new Intl.NumberFormat(locale()).format(value)
}

/** `14:22` */
export function formatTime(ts: number): string {
  return dateFormat({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(ts)
}

/** `Thursday, 19 November`, with the year where it is another one. */
export function formatDay(ts: number, now = Date.now()): string {
  const isThisYear = new Date(ts).getFullYear() === new Date(now).getFullYear()
  return dateFormat({
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...(!isThisYear && { year: 'numeric' }),
  }).format(ts)
}

/** `19 November 2026, 14:22` */
export function formatDateTime(ts: number): string {
  return dateFormat({ dateStyle: 'long', timeStyle: 'short', hourCycle: 'h23' }).format(ts)
}

/** `19 November 2026` */
export function formatDate(ts: number): string {
  return dateFormat({ dateStyle: 'long' }).format(ts)
}

/** As short as it is clear: a time today, else a weekday, a day, a year. For lists. */
export function formatWhen(ts: number, now = Date.now()): string {
  const days = Math.round((startOfDay(now) - startOfDay(ts)) / 86_400_000)
  if (days <= 0) return formatTime(ts)
  if (days === 1) return new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(-1, 'day')
  if (days < 7) return dateFormat({ weekday: 'short' }).format(ts)
  const isThisYear = new Date(ts).getFullYear() === new Date(now).getFullYear()
  return dateFormat({ day: 'numeric', month: 'short', ...(!isThisYear && { year: 'numeric' }) }).format(ts)
}

/** `5 minutes ago` */
export function formatAgo(ts: number, now = Date.now()): string {
  const minutes = Math.max(1, Math.floor((now - ts) / 60_000))
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: 'always' })
  if (minutes < 60) return relative.format(-minutes, 'minute')
  const hours = Math.floor(minutes / 60)
  return hours < 24 ? relative.format(-hours, 'hour') : relative.format(-Math.floor(hours / 24), 'day')
}

export function startOfDay(ts: number): number {
  const day = new Date(ts)
  day.setHours(0, 0, 0, 0)
  return day.getTime()
}

/** `184 kB` */
export function formatBytes(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
  const step = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3))
  const unit = units[step]!
  return new Intl.NumberFormat(locale(), {
    style: 'unit',
    unit,
    unitDisplay: unit === 'byte' ? 'long' : 'short',
    maximumFractionDigits: bytes / 1000 ** step < 10 && step > 0 ? 1 : 0,
  }).format(bytes / 1000 ** step)
}

/** `2:05` */
export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  const two = new Intl.NumberFormat(locale(), { minimumIntegerDigits: 2 })
  return `${formatNumber(Math.floor(seconds / 60))}:${two.format(seconds % 60)}`
}

/** `Amal, Jonas and Samir` */
export function formatList(names: readonly string[]): string {
  return new Intl.ListFormat(locale(), { type: 'conjunction' }).format(names.map(isolated))
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** Making one takes longer than using it a hundred times. */
function dateFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${locale()} ${JSON.stringify(options)}`
  const format = formats.get(name) ?? new Intl.DateTimeFormat(locale(), options)
  formats.set(name, format)
  return format
}

function firstManner(): Manner {
  const fresh: Manner = {
    language: preferredLanguage(),
    calendar: 'gregory',
    digits: 'latn',
    theme: 'system',
  }
  try {
    const stored = JSON.parse(keptText(storedAs) ?? '{}') as Partial<Manner>
    return {
      ...fresh,
      ...stored,
      language: stored.language && stored.language in languages ? stored.language : fresh.language,
    }
  } catch {
    return fresh
  }
}

function preferredLanguage(): Language {
  for (const wanted of globalThis.navigator?.languages ?? []) {
    const base = wanted.toLowerCase().split('-')[0]!
    if (base in languages) return base as Language
  }
  return 'en'
}

// Another tab changed it.
globalThis.window?.addEventListener('storage', event => {
  if (event.key === storedAs) void setManner(firstManner())
})
