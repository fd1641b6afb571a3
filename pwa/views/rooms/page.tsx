import type { ComponentChildren } from 'preact'
import { t } from '../../i18n/i18n.ts'
import { IconButton } from '../parts/button.tsx'
import { go } from '../route.ts'

/** A page in the place of the room: its title, and on a phone the way back. */
export function Page({ title, children }: { title: ComponentChildren; children: ComponentChildren }) {
  return (
    <div class="page">
      <header class="bar">
        <BackToList />
        <h1>{title}</h1>
      </header>
      <div class="page-body">{children}</div>
    </div>
  )
}

/** On a phone the list is behind what is shown. */
export function BackToList() {
  return (
    <span class="back-to-list">
      <IconButton icon="back" label={t('rooms.backToList')} onClick={() => go({ view: 'start' })} />
    </span>
  )
}
