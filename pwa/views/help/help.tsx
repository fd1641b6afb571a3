import './help.css'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Article, type Block, type HelpPage, type HelpTexts, helpPages } from '../../i18n/help.ts'
import { manner, t } from '../../i18n/i18n.ts'
import { Icon } from '../parts/icon.tsx'
import { Failure } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { addressOf } from '../route.ts'
import { loadHelp } from './help-texts.ts'

/** The help, in the language of the app: a list of articles, and one of them. It is in the app, so that it needs no server. */
export function Help({ page }: { page: string }) {
  const { language } = manner.value
  const [texts, setTexts] = useState<HelpTexts | null>(null)
  const [error, setError] = useState<unknown>(null)
  useEffect(() => {
    let gone = false
    loadHelp(language).then(
      loaded => {
        if (!gone) setTexts(loaded)
      },
      () => {
        if (!gone) setError({ code: 'OFFLINE' })
      },
    )
    return () => {
      gone = true
    }
  }, [language])
  if (error !== null) return <Failure error={error} />
  if (!texts) return <Skeleton lines={8} />
  const known = helpPages.find(each => each === page)
  return (
    <div class="help">
      {known ? (
        <ArticleView key={known} texts={texts} page={known} />
      ) : (
        <Contents texts={texts} isLost={page !== ''} />
      )}
    </div>
  )
}

function Contents({ texts, isLost }: { texts: HelpTexts; isLost: boolean }) {
  return (
    <nav aria-label={texts.contents}>
      <h1>{texts.title}</h1>
      {isLost && <p role="status">{texts.noSuchPage}</p>}
      <ul class="help-contents">
        {helpPages.map(each => (
          <li key={each}>
            <a href={addressOf({ view: 'help', page: each })}>{texts.articles[each].title}</a>
            <p>{texts.articles[each].lead}</p>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function ArticleView({ texts, page }: { texts: HelpTexts; page: HelpPage }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  const article: Article = texts.articles[page]
  return (
    <article>
      <a class="help-back" href={addressOf({ view: 'help', page: '' })}>
        <Icon name="back" /> {texts.title}
      </a>
      <h1 ref={heading} tabIndex={-1}>
        {article.title}
      </h1>
      <p class="help-lead">{article.lead}</p>
      {article.blocks.map((block, i) => (
        <BlockView key={i} block={block} />
      ))}
      {page === 'lost-phone' && (
        <p>
          <a href={addressOf({ view: 'settings', page: 'devices' })}>{t('settings.devices')}</a>
        </p>
      )}
    </article>
  )
}

function BlockView({ block }: { block: Block }) {
  if (typeof block === 'string') return <p>{block}</p>
  if ('heading' in block) return <h2>{block.heading}</h2>
  if ('steps' in block) {
    return (
      <ol class="help-steps">
        {block.steps.map(step => (
          <li key={step}>{step}</li>
        ))}
      </ol>
    )
  }
  if ('list' in block) {
    return (
      <ul>
        {block.list.map(line => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    )
  }
  return (
    <dl class="help-keys">
      {block.keys.map(([keys, does]) => (
        <div key={keys}>
          <dt dir="ltr">
            {keys.split(' ').map(each => (
              <kbd key={each}>{each}</kbd>
            ))}
          </dt>
          <dd>{does}</dd>
        </div>
      ))}
    </dl>
  )
}
