import './name.css'
import { t } from '../../i18n/i18n.ts'
import { plainName } from './plain-name.ts'

/** A name that somebody gave: harmless, isolated, cut by its place. */
export function Name({
  of,
  fallback,
  limit,
}: {
  of: string | null | undefined
  fallback?: string
  limit?: number
}) {
  return <bdi class="name">{plainName(of, limit) ?? fallback ?? t('parts.unnamed')}</bdi>
}

/** Ids, keys, codes, fingerprints: left to right in every language, isolated; a line ends after a colon where it can. */
export function Code({ children, block = false }: { children: string; block?: boolean }) {
  return (
    <code class={block ? 'code block' : 'code'} dir="ltr" translate={false}>
      {children.split(/(?<=:)/).flatMap((part, i) => (i === 0 ? [part] : [<wbr key={i} />, part]))}
    </code>
  )
}
