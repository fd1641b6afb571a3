import './search-view.css'
import { useEffect, useRef } from 'preact/hooks'
import { formatDateTime, formatNumber, t } from '../../i18n/i18n.ts'
import type { FoundMessage } from '../../worker/calls.ts'
import { call, rooms } from '../account.ts'
import { Field } from '../parts/field.tsx'
import { Name } from '../parts/name.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { plainName } from '../parts/plain-name.ts'
import { addressOf } from '../route.ts'
import { useAsked } from '../use-asked.ts'
import { excerpt, foundParts } from './found-words.ts'
import { Page } from './page.tsx'
import { searchedRoom, searchedText } from './searched.ts'
import { useKept, useSettled } from './use-settled.ts'

const limit = 100
const shownText = 400
const nothing: Result = { found: [], incomplete: false }

interface Result {
  readonly found: readonly FoundMessage[]
  readonly incomplete: boolean
}

/** All that this device has read, word by word; nothing is asked of the server. */
export function SearchView() {
  const form = useRef<HTMLFormElement>(null)
  const text = searchedText.value
  const roomId = searchedRoom.value
  const wanted = useSettled(text.trim())
  const asked = useAsked(
    `search ${roomId} ${wanted}`,
    async (): Promise<Result> =>
      wanted === ''
        ? nothing
        : call('searchMessages', { text: wanted, limit, ...(roomId !== '' && { roomId }) }),
  )
  const answer = useKept(asked.answer)
  useEffect(() => {
    const field = form.current?.querySelector('input')
    field?.focus()
    field?.select()
  }, [])
  const searchable = [...(rooms.value?.values() ?? [])].filter(
    entry => entry.membership === 'join' && !entry.isSpace,
  )
  return (
    <Page title={t('rooms.searchAll')}>
      <form ref={form} class="search-form" onSubmit={event => event.preventDefault()}>
        <Field
          type="search"
          label={t('rooms.searchFor')}
          hint={t('rooms.searchHint')}
          value={text}
          onInput={event => {
            searchedText.value = event.currentTarget.value
          }}
        />
        <label class="labelled">
          <span>{t('rooms.searchIn')}</span>
          <select
            value={roomId}
            onChange={event => {
              searchedRoom.value = event.currentTarget.value
            }}
          >
            <option value="">{t('rooms.searchEverywhere')}</option>
            {searchable.map(entry => (
              <option key={entry.roomId} value={entry.roomId}>
                {plainName(entry.name, 60) ?? t('rooms.emptyRoom')}
              </option>
            ))}
          </select>
        </label>
      </form>
      {asked.error !== null && <Failure error={asked.error} onRetry={asked.again} />}
      <div aria-live="polite">
        {answer && wanted !== '' && <p class="search-count">{countWords(answer.found.length)}</p>}
        {answer?.incomplete && <Notice tone="warn">{t('rooms.searchIncomplete')}</Notice>}
      </div>
      <ol class="search-list">
        {answer?.found.map(message => (
          <li key={message.eventId}>
            <Found message={message} searched={wanted} />
          </li>
        ))}
      </ol>
    </Page>
  )
}

function countWords(count: number): string {
  if (count === 0) return t('rooms.searchNothing')
  return count < limit
    ? t('rooms.searchCount', { count })
    : t('rooms.searchMore', { count: formatNumber(limit) })
}

/** A link to the place where it was said. */
function Found({ message, searched }: { message: FoundMessage; searched: string }) {
  const { roomId, eventId, senderName, ts, text } = message
  return (
    <a href={addressOf({ view: 'room', roomId, eventId })}>
      <span class="search-head">
        <b>
          <Name of={senderName} limit={40} />
        </b>
        <Name of={rooms.value?.get(roomId)?.name} fallback={t('rooms.emptyRoom')} limit={40} />
        <time>{formatDateTime(ts)}</time>
      </span>
      <span class="search-text" dir="auto">
        {foundParts(plainName(excerpt(text, searched, shownText), shownText) ?? '', searched).map(
          (part, i) => (part.isFound ? <mark key={i}>{part.text}</mark> : part.text),
        )}
      </span>
    </a>
  )
}
