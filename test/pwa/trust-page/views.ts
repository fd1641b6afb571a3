/** The views that the fixture page can show. */
import { helpPages } from '../../../pwa/i18n/help.ts'
import { pages } from '../../../pwa/views/settings/pages.ts'

export interface View {
  readonly name: string
  readonly query: Readonly<Record<string, string>>
}

const verification = (name: string, flow: object): View => ({
  name: `verification-${name}`,
  query: { view: 'verification', of: JSON.stringify(flow) },
})

export const views: readonly View[] = [
  ...['', ...pages].map(page => ({
    name: `settings-${page === '' ? 'list' : page}`,
    query: { view: 'settings', of: page },
  })),
  {
    name: 'settings-recovery-locked',
    query: { view: 'settings', of: 'recovery', identity: 'locked' },
  },
  { name: 'help-contents', query: { view: 'help', of: '' } },
  ...helpPages.map(page => ({ name: `help-${page}`, query: { view: 'help', of: page } })),
  { name: 'who-can-read', query: { view: 'who' } },
  ...['samir:clinic', 'jonas:court', 'mira:court', 'guest:clinic', 'amal:clinic'].map(who => ({
    name: `person-${who.split(':')[0]}`,
    query: { view: 'person', of: `@${who}.example` },
  })),
  { name: 'shield', query: { view: 'shield' } },
  verification('asked', {}),
  verification('codes', { requestedByUs: true, phase: 'ready' }),
  verification('pictures', { requestedByUs: true, phase: 'comparing' }),
  verification('scanned', { requestedByUs: true, phase: 'scanned' }),
  verification('done', { requestedByUs: true, phase: 'done' }),
  verification('mismatch', { requestedByUs: true, phase: 'cancelled', cancelCode: 'm.mismatched_sas' }),
]

export function addressOf({ query }: View, more: string): string {
  return `?${new URLSearchParams(query)}&${more}`
}
