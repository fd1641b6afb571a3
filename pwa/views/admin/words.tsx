import { useEffect, useState } from 'preact/hooks'
import { fingerprintLines, sameFingerprint } from '#protocol/fingerprint-words.ts'
import { formatNumber, t } from '../../i18n/i18n.ts'
import { Field } from '../parts/field.tsx'

/** A key's fingerprint, four words a line, as people read it aloud. */
export function Words({ words, label }: { words: readonly string[]; label: string }) {
  return (
    <figure class="admin-words">
      <figcaption>{label}</figcaption>
      <ol dir="ltr" translate={false}>
        {fingerprintLines(words).map(line => (
          <li key={line}>{line}</li>
        ))}
      </ol>
    </figure>
  )
}

/**
 * The comparison, which nobody can click away: line by line with somebody at the other end, or typed as they were
 * heard. `onAgree` says how it stands.
 */
export function CompareWords({
  words,
  onAgree,
}: {
  words: readonly string[]
  onAgree: (agrees: boolean) => void
}) {
  const lines = fingerprintLines(words)
  const [ticked, setTicked] = useState<readonly number[]>([])
  const [typed, setTyped] = useState('')
  const isTyped = sameFingerprint(words, typed)
  const agrees = isTyped || ticked.length === lines.length
  useEffect(() => onAgree(agrees), [agrees])
  const tick = (line: number, on: boolean) =>
    setTicked(on ? [...ticked, line] : ticked.filter(each => each !== line))
  const count = typed.toLowerCase().match(/[a-z]+/g)?.length ?? 0
  return (
    <>
      <fieldset class="admin-compare">
        <legend>{t('site.compare')}</legend>
        <p class="quiet">{t('site.compareText')}</p>
        {lines.map((line, i) => (
          <label key={line}>
            <input
              type="checkbox"
              checked={ticked.includes(i)}
              onChange={event => tick(i, event.currentTarget.checked)}
            />
            <span dir="ltr" translate={false}>
              {line}
            </span>
          </label>
        ))}
      </fieldset>
      <Field
        label={t('site.typeWords')}
        error={count >= words.length && !isTyped ? t('site.wordsDiffer') : null}
        hint={isTyped ? t('site.wordsAgree') : t('site.wordsTyped', { count: formatNumber(count) })}
        value={typed}
        dir="ltr"
        autoComplete="off"
        autoCapitalize="off"
        spellcheck={false}
        onInput={event => setTyped(event.currentTarget.value)}
      />
    </>
  )
}
