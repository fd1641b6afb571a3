import './settings.css'
import type { ComponentType } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { Icon } from '../parts/icon.tsx'
import { lazy } from '../parts/lazy.tsx'
import { addressOf } from '../route.ts'
import { Appearance } from './appearance.tsx'
import { Devices } from './devices.tsx'
import { KeyFiles } from './key-files.tsx'
import { Notifications } from './notifications.tsx'
import { isPage, type Page, pageKey, pages } from './pages.ts'
import { Passkeys } from './passkeys.tsx'
import { Privacy } from './privacy.tsx'
import { Profile } from './profile.tsx'
import { Recovery } from './recovery.tsx'
import { SignOut } from './sign-out.tsx'

/** With the texts of all licences. */
const About = lazy(async () => (await import('./about.tsx')).About)

const views: Record<Page, ComponentType> = {
  profile: Profile,
  appearance: Appearance,
  notifications: Notifications,
  privacy: Privacy,
  passkeys: Passkeys,
  devices: Devices,
  recovery: Recovery,
  keys: KeyFiles,
  about: About,
  'sign-out': SignOut,
}

/** The settings: a list of pages, and one of them. On a phone one or the other. */
export function Settings({ page }: { page: string }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (page !== '') heading.current?.focus()
  }, [page])
  const known = isPage(page) ? page : null
  const View = views[known ?? 'profile']
  return (
    <div class={page === '' ? 'settings at-list' : 'settings'}>
      <nav class="settings-pages" aria-label={t('settings.pages')}>
        <h1>{t('settings.title')}</h1>
        <ul>
          {pages.map(each => (
            <li key={each}>
              <a
                href={addressOf({ view: 'settings', page: each })}
                aria-current={each === (known ?? 'profile') ? 'page' : undefined}
              >
                {t(pageKey(each))}
              </a>
            </li>
          ))}
          <li>
            <a href={addressOf({ view: 'help', page: '' })}>{t('settings.help')}</a>
          </li>
        </ul>
      </nav>
      <section class="settings-page" aria-labelledby="settings-heading">
        {/* On a phone the list, and its heading with it, is not there. */}
        <h1 class="spoken">{t('settings.title')}</h1>
        <header>
          <a
            class="icon-button settings-back"
            href={addressOf({ view: 'settings', page: '' })}
            aria-label={t('parts.back')}
          >
            <Icon name="back" />
          </a>
          <h2 id="settings-heading" ref={heading} tabIndex={-1}>
            {t(pageKey(known ?? 'profile'))}
          </h2>
        </header>
        {page !== '' && !known ? <p>{t('settings.noSuchPage')}</p> : <View />}
      </section>
    </div>
  )
}
