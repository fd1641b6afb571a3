/** The shape of the help: articles of paragraphs, lists and steps. Loaded when somebody opens it, kept for offline. */

export const helpPages = [
  'install',
  'new-phone',
  'lost-phone',
  'administrators',
  'verification',
  'marks',
  'offline',
  'sign-out',
  'shortcuts',
] as const
export type HelpPage = (typeof helpPages)[number]

export type Block =
  | string
  | { readonly heading: string }
  | { readonly steps: readonly string[] }
  | { readonly list: readonly string[] }
  /** Keys, separated by a space, and what they do. */
  | { readonly keys: readonly (readonly [keys: string, does: string])[] }

export interface Article {
  readonly title: string
  /** One line under the title, in the list as well. */
  readonly lead: string
  readonly blocks: readonly Block[]
}

export interface HelpTexts {
  readonly title: string
  readonly contents: string
  readonly noSuchPage: string
  readonly articles: Readonly<Record<HelpPage, Article>>
}
