import './search-view.css'
import { useEffect, useState } from 'preact/hooks'
import { formatDateTime, t } from '../../i18n/i18n.ts'
import type { FoundMessage } from '../../worker/calls.ts'
import { call, rooms } from '../account.ts'
import { Field } from '../parts/field.tsx'
import { Name } from '../parts/name.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { plainName } from '../parts/plain-name.ts'
import { addressOf } from '../route.ts'
import { BackToList } from './shell.tsx'
import { folded } from './switcher-state.ts'

const limit = 100
const typingPauseMs = 120

/** All that this device has read, word by word; nothing is asked of the server. */
export function SearchView() {
  const [text, setText] = useState('')
  const [roomId, setRoomId] = useState('')
  const [result, setResult] = useState<{ found: FoundMessage[]; incomplete: boolean } | null>(null)
  const [error, setError] = useState<unknown>(null)
  useEffect(() => {
    if (text.trim() === '') return setResult(null)
    let gone = false
    const timer = setTimeout(() => {
      call('searchMessages', { text, limit, ...(roomId !== '' && { roomId }) }).then(
        found => {
          if (gone) return
          setResult(found)
          setError(null)
        },
        failure => {
          if (!gone) setError(failure)
        },
      )
    }, typingPauseMs)
    return () => {
      gone = true
      clearTimeout(timer)
    }
  }, [text, roomId])
  const searchable = [...(rooms.value?.values() ?? [])].filter(
    entry => entry.membership === 'join' && !entry.isSpace,
  )
  return (
    <div class="page">
      <header class="bar">
        <BackToList />
        <h1>{t('rooms.searchAll')}</h1>
      </header>
      <div class="page-body">
        <form class="search-form" onSubmit={event => event.preventDefault()}>
          <Field
            type="search"
            label={t('rooms.searchFor')}
            hint={t('rooms.searchHint')}
            value={text}
            autoFocus
            onInput={event => setText(event.currentTarget.value)}
          />
          <label class="search-room">
            <span>{t('rooms.searchIn')}</span>
            <select value={roomId} onChange={event => setRoomId(event.currentTarget.value)}>
              <option value="">{t('rooms.searchEverywhere')}</option>
              {searchable.map(entry => (
                <option key={entry.roomId} value={entry.roomId}>
                  {plainName(entry.name, 60) ?? t('rooms.emptyRoom')}
                </option>
              ))}
            </select>
          </label>
        </form>
        {error !== null && <Failure error={error} />}
        <div aria-live="polite">
          {result && <p class="search-count">{t('rooms.searchCount', { count: result.found.length })}</p>}
          {result?.incomplete && <Notice tone="warn">{t('rooms.searchIncomplete')}</Notice>}
        </div>
        <ol class="search-list">
          {result?.found.map(message => (
            <li key={message.eventId}>
              <a href={addressOf({ view: 'room', roomId: message.roomId, eventId: message.eventId })}>
                <span class="search-head">
                  <Name of={message.senderName} limit={40} /> ·{' '}
                  <Name
                    of={rooms.value?.get(message.roomId)?.name}
                    fallback={t('rooms.emptyRoom')}
                    limit={40}
                  />
                  <time>{formatDateTime(message.ts)}</time>
                </span>
                <Marked text={message.text} words={text} />
              </a>
            </li>
          ))}
        </ol>
      </div>
    </div>
  )
}

/** The message's words, with those that were searched for marked. */
function Marked({ text, words }: { text: string; words: string }) {
  const wanted = folded(words).split(/\s+/).filter(Boolean)
  const shown = plainName(text, 400) ?? ''
  return (
    <span class="search-text" dir="auto">
      {shown.split(/(\s+)/).map((part, i) => {
        const isFound = wanted.some(word => folded(part.replace(/^\P{L}+/u, '')).startsWith(word))
        return isFound ? <mark key={`${i} ${part}`}>{part}</mark> : part
      })}
    </span>
  )
}
