import { isKey, type Key, t } from '../../i18n/i18n.ts'
import { Notice } from '../parts/notice.tsx'
import { formatFact, formatSpan } from './amounts.ts'
import type { FindingAnswer } from './answers.ts'

const tones = { note: 'plain', warning: 'warn', alarm: 'bad' } as const

/** What was found, since when, and what to do about it. */
export function FindingView({ finding }: { finding: FindingAnswer }) {
  const { severity, since_ts: since } = finding
  const { is, todo } = wordsOf(finding)
  return (
    <Notice tone={tones[severity]}>
      <p>
        <strong>{t(`site.severity_${severity}`)}</strong> · {is}
      </p>
      {todo !== '' && <p>{todo}</p>}
      <p class="quiet">{t('site.foundSince', { span: formatSpan(Math.max(0, Date.now() - since)) })}</p>
    </Notice>
  )
}

/** A code of a newer server has no words here: it is shown as it is. */
export function wordsOf({ code, subject = '', facts }: Pick<FindingAnswer, 'code' | 'subject' | 'facts'>): {
  is: string
  todo: string
} {
  const name = code.replaceAll(/[.-]/g, '_')
  const values = Object.fromEntries(
    Object.entries(facts).map(([fact, value]) => [fact, formatFact(fact, value) ?? t('site.unknown')]),
  )
  const withSubject = { ...values, subject: useWords(subject) }
  const text = (key: string) => (isKey(key) ? filled(key, withSubject) : '')
  return {
    is: text(`findings.${name}`) || [code, subject].join(' ').trim(),
    todo: text(`findings.${name}_do`),
  }
}

/** What a sentence needs and the finding does not say reads as unknown, never as a hole. */
function filled(key: Key, values: Readonly<Record<string, string>>): string {
  return t(key, new Proxy(values, { get: (all, name: string) => all[name] ?? t('site.unknown') }))
}

/** Certificates are told apart by whom they are shown. */
function useWords(subject: string): string {
  const key = `site.use_${subject === '' ? 'server' : subject}`
  return isKey(key) ? t(key) : subject
}
