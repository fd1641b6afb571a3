import type { Key } from '../../i18n/i18n.ts'

/** The pages of the settings, in their order: `#/settings/PAGE`. */
export const pages = [
  'profile',
  'appearance',
  'notifications',
  'privacy',
  'passkeys',
  'devices',
  'recovery',
  'keys',
  'about',
  'sign-out',
] as const
export type Page = (typeof pages)[number]

export function isPage(page: string): page is Page {
  return (pages as readonly string[]).includes(page)
}

export function pageKey(page: Page): Key {
  return page === 'sign-out' ? 'settings.signOut' : `settings.${page}`
}
