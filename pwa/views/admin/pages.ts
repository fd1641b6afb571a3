/** The pages of the administration view, in their order: `#/admin/PAGE`. */
export const pages = [
  'overview',
  'people',
  'rooms',
  'peers',
  'certificates',
  'backup',
  'updates',
  'audit',
  'reports',
  'configuration',
  'command',
] as const
export type Page = (typeof pages)[number]

export function isPage(page: string): page is Page {
  return (pages as readonly string[]).includes(page)
}
