/**
 * Where a message is written. Its words say who will read it.
 *
 * Enter sends, or makes a line, as set; Ctrl/⌘ Enter always sends. ↑ in an empty one edits our last message, Escape leaves
 * an edit or an answer. What is sent makes room for the next message at once; what could not be sealed in the outbox comes
 * back.
 */
import './composer.css'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { Member } from '../../worker/calls.ts'
import { call, connection } from '../account.ts'
import { Button, IconButton } from '../parts/button.tsx'
import { lazy } from '../parts/lazy.tsx'
import { Name } from '../parts/name.tsx'
import { Failure } from '../parts/notice.tsx'
import { toast } from '../parts/toast.tsx'
import { preferences } from '../preferences.ts'
import { useAct } from '../use-act.ts'
import { ComposerBar } from './composer-bar.tsx'
import { composerLabel } from './composer-label.ts'
import { type Draft, emptyDraft } from './draft.ts'
import { MentionList, mentionOptionId } from './mention-list.tsx'
import {
  type Mention,
  type MentionQuery,
  matchingMembers,
  mentionName,
  mentionQuery,
  roomMention,
  withMention,
} from './mention-query.ts'
import { useGround } from './room-ground.ts'
import { type Format, formatted, inserted, type Selected } from './text-edits.ts'
import { useTypingNotice } from './use-typing.ts'
import { isTooLong, type Writing, writtenContent } from './written-message.ts'

const EmojiPicker = lazy(async () => (await import('./emoji-picker.tsx')).EmojiPicker)
const mostOffered = 6
const formatKeys: Record<string, Format> = { b: 'bold', i: 'italic', e: 'code', k: 'link' }

export function Composer({
  mayFocus,
  draft,
  onDraft,
  onUnsent,
  thread,
  recent,
  onEditLast,
  onFiles,
  onVoice,
  onSent,
}: {
  /** What was written here before has been read, and the address names no message that is to be looked at. */
  mayFocus: boolean
  draft: Draft
  onDraft: (draft: Draft) => void
  onUnsent: (drafts: readonly Draft[]) => void
  thread: Writing['thread']
  /** Who wrote lately, for mentions. */
  recent: readonly string[]
  onEditLast: () => void
  onFiles: (files: readonly File[]) => void
  onVoice: () => void
  onSent: () => void
}) {
  const ground = useGround()
  const { roomId, members, ourUserId, detail, entry } = ground
  const field = useRef<HTMLTextAreaElement>(null)
  const fileInput = useRef<HTMLInputElement>(null)
  const [query, setQuery] = useState<MentionQuery | null>(null)
  const [chosen, setChosen] = useState(0)
  const [isFormatting, setFormatting] = useState(false)
  const sending = useAct()
  const leaving = useRef<{ readonly draft: Draft; readonly thread: Writing['thread'] }[]>([])
  const { onText, onStop } = useTypingNotice(roomId)
  const offered = query ? offers(query.text) : []

  function offers(text: string): (Member | 'room')[] {
    const people = matchingMembers([...members.values()], text, { recent, ourUserId, limit: mostOffered })
    const everybody = (detail?.may.notifyRoom ?? false) && roomMention.startsWith(text.toLowerCase())
    return everybody ? [...people.slice(0, mostOffered - 1), 'room'] : people
  }

  // The field is as high as its text, up to the limit that the style sets; some browsers do that themselves.
  useLayoutEffect(() => {
    const element = field.current
    if (!element || CSS.supports('field-sizing', 'content')) return
    element.style.blockSize = 'auto'
    element.style.blockSize = `${element.scrollHeight + 2}px`
  }, [draft.text])
  // Writing begins: what Markdown needs is fetched meanwhile.
  const warm = () => void loadMarkdown().catch(() => {})
  useEffect(() => {
    if (mayFocus && takesFocus()) field.current?.focus({ preventScroll: true })
  }, [mayFocus])
  useEffect(() => {
    if (draft.replyTo || draft.editing) field.current?.focus()
  }, [draft.replyTo, draft.editing])

  const set = ({ text, start, end }: Selected) => {
    onDraft({ ...draft, text })
    requestAnimationFrame(() => field.current?.setSelectionRange(start, end))
  }
  const selected = (): Selected => ({
    text: draft.text,
    start: field.current?.selectionStart ?? draft.text.length,
    end: field.current?.selectionEnd ?? draft.text.length,
  })
  const onInput = (text: string) => {
    onDraft({ ...draft, text })
    onText(text)
    lookForMention(text)
  }
  const lookForMention = (text = draft.text) => {
    const caret = field.current?.selectionStart ?? text.length
    setQuery(mentionQuery(text, caret))
    setChosen(0)
  }
  const choose = (whom: Member | 'room') => {
    if (!query) return
    const mention: Mention =
      whom === 'room' ? { userId: null, name: roomMention } : { userId: whom.userId, name: mentionName(whom) }
    const { text, caret } = withMention(draft.text, query, selected().start, mention.name)
    setQuery(null)
    onDraft({ ...draft, text, mentions: [...draft.mentions, mention] })
    requestAnimationFrame(() => {
      field.current?.focus()
      field.current?.setSelectionRange(caret, caret)
    })
  }
  const send = () => {
    if (draft.text.trim() === '') return
    // Sealed before anything is drawn anew.
    if (leaving.current.push({ draft, thread }) === 1) void seal()
    onDraft(emptyDraft)
    onStop()
  }
  /** One after the other, in the order in which they were written; where one cannot, those behind it do not overtake it. */
  const seal = async () => {
    const queue = leaving.current
    await sending.act(async () => {
      const formatted = formattedBody ?? (await loadMarkdown())
      for (; queue.length > 0; queue.shift()) {
        const content = writtenContent({ ...queue[0]!, formatted, ourUserId })
        if (isTooLong(content)) return toast(t('room.tooLong'))
        await call('send', { roomId, type: 'm.room.message', content })
        onSent()
      }
    })
    const unsent = queue.splice(0)
    if (unsent.length > 0) onUnsent(unsent.map(each => each.draft))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return
    if (query && offered.length > 0 && mentionKey(event)) return
    const isEnter = event.key === 'Enter'
    if (isEnter && (event.ctrlKey || event.metaKey || (preferences.value.enterSends && !event.shiftKey))) {
      event.preventDefault()
      send()
    } else if (
      (event.ctrlKey || event.metaKey) &&
      formatKeys[event.key] &&
      !event.shiftKey &&
      !event.altKey
    ) {
      if (event.key === 'k' && selected().start === selected().end) return
      event.preventDefault()
      event.stopPropagation()
      set(formatted(selected(), formatKeys[event.key]!))
    } else if (event.key === 'ArrowUp' && draft.text === '' && !draft.editing) {
      event.preventDefault()
      onEditLast()
    } else if (event.key === 'Escape' && (draft.editing || draft.replyTo)) {
      event.preventDefault()
      event.stopPropagation()
      leave()
    }
  }
  /** True: it was for the list of names. */
  function mentionKey(event: KeyboardEvent): boolean {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) setChosen((chosen + step + offered.length) % offered.length)
    else if (event.key === 'Enter' || event.key === 'Tab') choose(offered[chosen]!)
    else if (event.key === 'Escape') setQuery(null)
    else return false
    event.preventDefault()
    event.stopPropagation()
    return true
  }
  const leave = () => onDraft(draft.editing ? emptyDraft : { ...draft, replyTo: null })
  const onPaste = (event: ClipboardEvent) => {
    const files = [...(event.clipboardData?.files ?? [])]
    if (files.length === 0) return
    event.preventDefault()
    onFiles(files)
  }

  const label = thread ? t('room.threadWrite') : composerLabel(entry, ourUserId, members)
  return (
    <form
      class="composer"
      onSubmit={event => {
        event.preventDefault()
        send()
      }}
    >
      {(draft.replyTo || draft.editing) && (
        <div class="composer-about">
          <p>
            {draft.editing ? t('room.editing') : t('room.answering', { name: draft.replyTo!.senderName })}
            {draft.replyTo && !draft.editing && <Name of={draft.replyTo.text} limit={120} />}
          </p>
          <IconButton
            icon="close"
            label={t(draft.editing ? 'room.stopEditing' : 'room.stopAnswering')}
            onClick={leave}
          />
        </div>
      )}
      {sending.error !== null && <Failure error={sending.error} onRetry={() => send()} />}
      {query && offered.length > 0 && <MentionList offered={offered} chosen={chosen} onChoose={choose} />}
      <div class="composer-box">
        {isFormatting && <ComposerBar onFormat={format => set(formatted(selected(), format))} />}
        <textarea
          ref={field}
          rows={1}
          dir={draft.text === '' ? undefined : 'auto'}
          value={draft.text}
          aria-label={label}
          placeholder={label}
          aria-autocomplete="list"
          aria-controls={query ? 'mention-list' : undefined}
          aria-activedescendant={query && offered.length > 0 ? mentionOptionId(chosen) : undefined}
          enterkeyhint={preferences.value.enterSends ? 'send' : 'enter'}
          onInput={event => onInput(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onClick={() => lookForMention()}
          onFocus={warm}
          onBlur={() => setQuery(null)}
          onPaste={onPaste}
        />
        <div class="composer-acts">
          <IconButton
            icon="attach"
            label={t('room.attachFiles')}
            onClick={() => fileInput.current?.click()}
          />
          <input
            ref={fileInput}
            type="file"
            multiple
            hidden
            onChange={event => {
              onFiles([...(event.currentTarget.files ?? [])])
              event.currentTarget.value = ''
            }}
          />
          <button
            type="button"
            class="icon-button format-toggle"
            aria-label={t('room.formatting')}
            title={t('room.formatting')}
            aria-pressed={isFormatting}
            onClick={() => setFormatting(!isFormatting)}
          >
            <span aria-hidden="true">Aa</span>
          </button>
          <EmojiButton onChoose={emoji => set(inserted(selected(), emoji))} />
          {draft.text.trim() === '' && !draft.editing ? (
            <IconButton icon="microphone" label={t('room.voice')} onClick={onVoice} />
          ) : (
            <Button tone="main" type="submit">
              {t('room.send')}
            </Button>
          )}
        </div>
      </div>
      <Hint />
    </form>
  )
}

/** Kept here once it is loaded: what is written is then sealed without waiting for anything. */
let formattedBody: Writing['formatted'] | null = null

async function loadMarkdown(): Promise<Writing['formatted']> {
  formattedBody = (await import('./markdown.ts')).formattedBody
  return formattedBody
}

/** Whoever opens a room at a keyboard writes at once. On a touch screen the keyboard would jump up over what is to be read. */
function takesFocus(): boolean {
  return (
    matchMedia('(pointer: fine) and (min-width: 46.01rem)').matches && !document.querySelector('dialog[open]')
  )
}

function EmojiButton({ onChoose }: { onChoose: (emoji: string) => void }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <IconButton icon="smile" label={t('room.emojiInsert')} onClick={() => setOpen(true)} />
      {isOpen && (
        <EmojiPicker
          onClose={() => setOpen(false)}
          onChoose={emoji => {
            setOpen(false)
            onChoose(emoji)
          }}
        />
      )}
    </>
  )
}

/** Under the field: what happens to it. */
function Hint() {
  const { entry, members } = useGround()
  const outside = [...members.values()].filter(
    each => each.external && (each.membership === 'join' || each.membership === 'invite'),
  ).length
  const isOnline = connection.value.state === 'online'
  const key =
    entry?.encrypted === false ? 'room.hintPlain' : isOnline ? 'room.hintSealed' : 'room.hintOffline'
  return (
    <p class="composer-hint">
      {t(key)}
      {outside > 0 && <> {t('room.hintExternal', { count: outside })}</>}
    </p>
  )
}
