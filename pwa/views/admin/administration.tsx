import '../settings/settings.css'
import './administration.css'
import type { ComponentType } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { administrationTexts } from '../../i18n/administration.ts'
import { addTexts, t } from '../../i18n/i18n.ts'
import { Icon } from '../parts/icon.tsx'
import { Failure } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { addressOf } from '../route.ts'
import { Audit } from './audit.tsx'
import { Backup } from './backup.tsx'
import { Certificates } from './certificates.tsx'
import { CommandLines } from './command-lines.tsx'
import { Configuration } from './configuration.tsx'
import { Overview } from './overview.tsx'
import { isPage, type Page, pages } from './pages.ts'
import { Peers } from './peers.tsx'
import { People } from './people.tsx'
import { Reports } from './reports.tsx'
import { Rooms } from './rooms.tsx'
import { Updates } from './updates.tsx'

/** What a page is shown for: all of its kind, or `of` one. */
export interface PageProps {
  readonly of?: string
}

const views: Record<Page, ComponentType<PageProps>> = {
  overview: Overview,
  people: People,
  rooms: Rooms,
  peers: Peers,
  certificates: Certificates,
  backup: Backup,
  updates: Updates,
  audit: Audit,
  reports: Reports,
  configuration: Configuration,
  command: CommandLines,
}

/**
 * The administration of this server: a list of pages, and one of them; on a phone one or the other. For administrators alone,
 * loaded when it is opened. The server decides about each question and act anew: nothing here is a permission.
 */
export function Administration({ page, of }: { page: string; of?: string }) {
  const [hasTexts, setTexts] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    addTexts(administrationTexts).then(
      () => setTexts(true),
      () => setError({ code: 'OFFLINE' }),
    )
  }, [attempt])
  const again = () => {
    setError(null)
    setAttempt(attempt + 1)
  }
  if (error !== null) return <Failure error={error} onRetry={again} />
  if (!hasTexts) return <Skeleton lines={8} />
  return <Frame page={page} {...(of !== undefined && { of })} />
}

function Frame({ page, of }: { page: string; of?: string }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (page !== '') heading.current?.focus()
  }, [page, of])
  const known = isPage(page) ? page : null
  const shown = known ?? 'overview'
  const View = views[shown]
  return (
    <div class={page === '' ? 'settings admin at-list' : 'settings admin'}>
      <nav class="settings-pages" aria-label={t('admin.pages')}>
        <h1>{t('admin.title')}</h1>
        <ul>
          {pages.map(each => (
            <li key={each}>
              <a
                href={addressOf({ view: 'admin', page: each })}
                aria-current={each === shown ? 'page' : undefined}
              >
                {t(`admin.page_${each}`)}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <section class="settings-page" aria-labelledby="admin-heading">
        {/* On a phone the list, and its heading with it, is not there. */}
        <h1 class="spoken">{t('admin.title')}</h1>
        <header>
          <a
            class={of === undefined ? 'icon-button settings-back' : 'icon-button admin-back'}
            href={addressOf({ view: 'admin', page: of === undefined ? '' : shown })}
            aria-label={t('parts.back')}
          >
            <Icon name="back" />
          </a>
          <h2 id="admin-heading" ref={heading} tabIndex={-1}>
            {t(`admin.page_${shown}`)}
          </h2>
        </header>
        {page !== '' && !known ? (
          <p>{t('admin.noSuchPage')}</p>
        ) : (
          <View key={of ?? ''} {...(of !== undefined && { of })} />
        )}
      </section>
    </div>
  )
}
