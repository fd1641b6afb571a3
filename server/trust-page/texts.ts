/** What the trust page says, in four languages. `host` is the name that people open. */
import { arabic } from './arabic.ts'
import { english } from './english.ts'
import { french } from './french.ts'
import { german } from './german.ts'

export const languages = ['en', 'ar', 'de', 'fr'] as const
export type Language = (typeof languages)[number]

/** A platform: its name, which file it takes, and what to do with it. */
export interface Platform {
  readonly name: string
  readonly file: 'mobileconfig' | 'crt'
  /** In order. A part in ‹› is what stands on the device's screen. */
  readonly steps: readonly string[]
}

export interface TrustTexts {
  readonly language: string
  readonly direction: 'ltr' | 'rtl'
  readonly title: (host: string) => string
  readonly lead: (host: string) => string
  readonly nothingToDo: (host: string) => string
  /** The address stands behind it. */
  readonly openByName: string
  readonly testing: string
  readonly trusted: (host: string) => string
  readonly notTrusted: string
  readonly noScript: string
  readonly again: string
  readonly open: string
  readonly compareTitle: string
  readonly compare: string
  readonly inWords: string
  readonly stepsTitle: string
  readonly download: string
  readonly testAfterwards: string
  readonly limits: (host: string) => string
  readonly platforms: Readonly<Record<PlatformId, Platform>>
}

export const platformIds = ['ios', 'android', 'windows', 'mac', 'firefox'] as const
export type PlatformId = (typeof platformIds)[number]

export const texts: Readonly<Record<Language, TrustTexts>> = {
  en: english,
  ar: arabic,
  de: german,
  fr: french,
}
