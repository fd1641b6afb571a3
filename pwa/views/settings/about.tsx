import '../trust/trust.css'
import { licences, version } from 'virtual:release'
import { t } from '../../i18n/i18n.ts'
import { session } from '../account.ts'
import { Code } from '../parts/name.tsx'

/** Which release this is, and what it is made with. */
export function About() {
  return (
    <>
      <p class="wordmark">
        letro<i>.</i>
      </p>
      <p>{t('settings.aboutText')}</p>
      <dl class="trust-facts">
        <dt>{t('settings.version')}</dt>
        <dd>
          <bdi dir="ltr">{version}</bdi>
        </dd>
        <dt>{t('settings.server')}</dt>
        <dd>
          <Code>{session.value?.serverName ?? location.host}</Code>
        </dd>
      </dl>
      <p>{t('settings.licence')}</p>
      <h3>{t('settings.madeWith')}</h3>
      <div class="licences">
        {licences.map(({ name, version: of, licence, text }) => (
          <details key={name}>
            <summary>
              <bdi dir="ltr">
                {name} {of}
              </bdi>{' '}
              <span class="quiet">
                <bdi dir="ltr">{licence}</bdi>
              </span>
            </summary>
            <section class="licence-text" aria-label={t('settings.licenceOf', { name })}>
              <pre dir="ltr" lang="en">
                {text}
              </pre>
            </section>
          </details>
        ))}
      </div>
    </>
  )
}
