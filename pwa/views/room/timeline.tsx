/**
 * The ledger of a room or a thread: lines along a ruled margin that carries time and state.
 *
 * It draws a window of what is held (row-window.ts) of what there is (timeline-stretch.ts), and slides both while somebody
 * scrolls. A line that did not change is not drawn again.
 */
import './timeline.css'
import type { VNode } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { formatDay, locale, startOfDay, t } from '../../i18n/i18n.ts'
import { Button, IconButton } from '../parts/button.tsx'
import { Empty } from '../parts/empty.tsx'
import { Failure } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { Changes } from './changes.tsx'
import { Message } from './message.tsx'
import { Readers } from './readers.tsx'
import { useGround } from './room-ground.ts'
import { type RowWindow, realigned, slidDown, slidUp, windowAround, windowAtEnd } from './row-window.ts'
import { lineOf, ScrollAnchor } from './scroll-anchor.ts'
import { useSpokenNews } from './spoken-news.ts'
import { type Row, timelineRows } from './timeline-rows.ts'
import type { TimelineStretch } from './timeline-stretch.ts'
import { useReadMarks } from './use-read-marks.ts'

/** Nearer to an edge than this, more is drawn or fetched. */
const nearPixels = 900

export function Timeline({
  stretch,
  readUpTo,
  target,
  onTargetShown,
}: {
  stretch: TimelineStretch
  readUpTo: string | null
  /** An event to be shown; where it is `unread`, the line above what is new. */
  target: string | 'unread' | null
  onTargetShown: () => void
}) {
  const ground = useGround()
  const { ourUserId, roomId, threadRoot, entry } = ground
  const scroller = useRef<HTMLElement>(null)
  const anchor = useMemo(() => new ScrollAnchor(), [stretch])
  const rows = useMemo(
    () => timelineRows(stretch.items, { ourUserId, readUpTo, reachesEnd: !stretch.hasNewer, startOfDay }),
    [stretch.items, stretch.hasNewer, ourUserId, readUpTo],
  )
  const [window, setWindow] = useWindow(rows, anchor.isAtEnd && !stretch.hasNewer)
  const [active, setActive] = useState<string | null>(null)
  const [flash, setFlash] = useState<string | null>(null)
  const [isAtEnd, setAtEnd] = useState(true)
  const reachesEnd = !stretch.hasNewer && window.end === rows.length
  const news = useSpokenNews(stretch, ourUserId)

  const slide = () => {
    const element = scroller.current
    if (!element || !stretch.isOpen) return
    const below = element.scrollHeight - element.scrollTop - element.clientHeight
    const mayAsk = !stretch.offline && stretch.error === null
    if (element.scrollTop < nearPixels) {
      if (window.start > 0) setWindow(slidUp(window))
      else if (mayAsk) void stretch.older()
    }
    if (below < nearPixels && !reachesEnd) {
      if (window.end < rows.length) setWindow(slidDown(window, rows.length))
      else if (mayAsk) void stretch.newer()
    }
  }
  const onScroll = () => {
    const element = scroller.current
    // What is being left says nothing of where one will be; and the room may be left already.
    if (!element || stretch.busy === 'opening') return
    anchor.note(element, reachesEnd)
    setAtEnd(anchor.isAtEnd)
    slide()
  }

  useLayoutEffect(() => {
    if (scroller.current) anchor.restore(scroller.current)
  })
  useEffect(slide)
  useEffect(() => {
    const element = scroller.current
    if (!element) return
    const observer = new ResizeObserver(() => anchor.restore(element))
    observer.observe(element)
    observer.observe(element.firstElementChild!)
    return () => observer.disconnect()
  }, [anchor])

  // A place that was asked for: into the window first, then into view.
  useEffect(() => {
    if (target === null || stretch.busy === 'opening' || !stretch.isOpen) return
    const index = rows.findIndex(row => isTarget(row, target))
    if (index === -1) return onTargetShown()
    const key = rows[index]!.key
    if (index < window.start || index >= window.end) {
      anchor.isAtEnd = false
      setWindow(windowAround(index, rows.length))
      return
    }
    if (!anchor.moveTo(scroller.current!, key)) return
    setAtEnd(false)
    if (target !== 'unread') {
      setFlash(key)
      lineOf(scroller.current!, key)?.focus({ preventScroll: true })
    }
    onTargetShown()
  })
  useEffect(() => {
    if (flash === null) return
    const timer = setTimeout(() => setFlash(null), 2400)
    return () => clearTimeout(timer)
  }, [flash])

  // What was pointed at is left by pointing elsewhere.
  useEffect(() => {
    if (active === null) return
    const leave = ({ target: at }: Event) => {
      if (at instanceof Element && !at.closest('dialog') && !scroller.current?.contains(at)) setActive(null)
    }
    document.addEventListener('pointerdown', leave)
    return () => document.removeEventListener('pointerdown', leave)
  }, [active])

  // Lines that move under a resting mouse take nothing from the one that has the focus, nor does a mouse that leaves.
  const mouse = useRef({ x: -1, y: -1 })
  const focused = () => {
    const at = document.activeElement
    return at && scroller.current?.contains(at) ? keyAt(at) : null
  }
  const pointAt = ({ pointerType, clientX, clientY, target }: PointerEvent) => {
    if (pointerType !== 'mouse') return
    const rests = clientX === mouse.current.x && clientY === mouse.current.y
    setActive((rests ? focused() : null) ?? keyAt(target) ?? focused())
  }

  useReadMarks(scroller, stretch, roomId, threadRoot, isAtEnd)

  const toEnd = () => {
    anchor.isAtEnd = true
    setAtEnd(true)
    if (stretch.hasNewer) void stretch.open('end')
    else setWindow(windowAtEnd(rows.length))
  }
  const drawn = useDrawn(rows, window, active, flash, ground)

  return (
    <div class="timeline-frame">
      <section
        class="timeline"
        ref={scroller}
        aria-label={t(threadRoot === null ? 'room.messages' : 'room.threadMessages')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys
        tabIndex={0}
        onScroll={onScroll}
        onKeyDown={event => {
          if (event.key === 'Enter' || event.key === ' ') showSpoiler(event)
          moveFocus(event, scroller.current!)
        }}
      >
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: what is pressed has keys of its own: see moveFocus and onKeyDown */}
        <ol
          class="ledger"
          onPointerOver={pointAt}
          onPointerMove={({ clientX, clientY }) => {
            mouse.current = { x: clientX, y: clientY }
          }}
          onPointerLeave={event => {
            if (event.pointerType === 'mouse') setActive(focused())
          }}
          onFocusIn={event => setActive(keyAt(event.target))}
          onClick={event => {
            showSpoiler(event)
            setActive(keyAt(event.target))
          }}
        >
          <Top stretch={stretch} isFirst={window.start === 0} isThread={threadRoot !== null} />
          {drawn}
        </ol>
        {stretch.isOpen && rows.length === 0 && !stretch.hasOlder && (
          <Empty title={t('room.emptyTitle')}>
            <p>{t(entry?.encrypted === false ? 'room.emptyPlain' : 'room.emptyEncrypted')}</p>
          </Empty>
        )}
        {!stretch.isOpen && stretch.error === null && <Skeleton lines={9} />}
        {stretch.error !== null && (
          <Failure
            error={stretch.error}
            onRetry={() => void (stretch.isOpen ? stretch.older() : stretch.open('end'))}
          />
        )}
      </section>
      {!(isAtEnd && reachesEnd) && stretch.isOpen && rows.length > 0 && (
        <div class="to-newest">
          {(entry?.unread ?? 0) > 0 && threadRoot === null ? (
            <Button onClick={toEnd}>{t('room.newBelow', { count: entry!.unread })}</Button>
          ) : (
            <IconButton icon="down" label={t('room.toNewest')} onClick={toEnd} />
          )}
        </div>
      )}
      <p class="spoken" role="status" aria-live="polite">
        {news}
      </p>
    </div>
  )
}

/** What stands above the first line: more to come, more out of reach, or the beginning. */
function Top({
  stretch,
  isFirst,
  isThread,
}: {
  stretch: TimelineStretch
  isFirst: boolean
  isThread: boolean
}) {
  if (!stretch.isOpen || !isFirst) return null
  if (stretch.hasOlder && stretch.offline) {
    return (
      <li class="ledger-top">
        <p>{t('room.olderOffline')}</p>
        <Button tone="quiet" onClick={() => void stretch.older()}>
          {t('parts.retry')}
        </Button>
      </li>
    )
  }
  if (stretch.hasOlder) {
    return (
      <li class="ledger-top" aria-hidden="true">
        {t('room.fetchingOlder')}
      </li>
    )
  }
  return isThread || stretch.items.length === 0 ? null : <li class="ledger-top">{t('room.begins')}</li>
}

/** The window that is drawn; it follows the rows when they change around it. */
function useWindow(rows: readonly Row[], isAtEnd: boolean): [RowWindow, (window: RowWindow) => void] {
  const [window, setWindow] = useState(() => windowAtEnd(rows.length))
  const before = useRef({ rows, window })
  let now = window
  if (before.current.rows !== rows) {
    now =
      before.current.rows.length === 0
        ? windowAtEnd(rows.length)
        : realigned(window, before.current.rows, rows)
    if (isAtEnd && now.end < rows.length) now = windowAtEnd(rows.length)
    if (now.start !== window.start || now.end !== window.end) setWindow(now)
  }
  before.current = { rows, window: now }
  return [now, setWindow]
}

/** Lines as they were drawn before, where nothing of them changed. */
function useDrawn(
  rows: readonly Row[],
  { start, end }: RowWindow,
  active: string | null,
  flash: string | null,
  ground: unknown,
): VNode[] {
  const cache = useRef(new Map<string, { of: readonly unknown[]; node: VNode }>())
  const next = new Map<string, { of: readonly unknown[]; node: VNode }>()
  const nodes: VNode[] = []
  for (const row of rows.slice(start, end)) {
    const isActive = row.key === active
    const isFlashed = row.key === flash
    const of = [...inputsOf(row), isActive, isFlashed, ground, locale()]
    const known = cache.current.get(row.key)
    const isSame = known && known.of.length === of.length && known.of.every((value, i) => value === of[i])
    const entry = isSame
      ? known
      : { of, node: <Line key={row.key} row={row} active={isActive} flash={isFlashed} /> }
    next.set(row.key, entry)
    nodes.push(entry.node)
  }
  cache.current = next
  return nodes
}

function inputsOf(row: Row): unknown[] {
  switch (row.kind) {
    case 'message':
      return [row.item, row.isFirst, row.margin, row.saysShield]
    case 'changes':
      return [...row.items]
    case 'readers':
      return [...row.userIds]
    default:
      return []
  }
}

function Line({ row, active, flash }: { row: Row; active: boolean; flash: boolean }) {
  switch (row.kind) {
    case 'day':
      // Without a key for the anchor: what sticks says nothing of where one is.
      return (
        <li class="day">
          <h2>{formatDay(row.ts)}</h2>
        </li>
      )
    case 'unread':
      return (
        <li class="unread-line" data-key={row.key}>
          <span>{t('room.newFromHere')}</span>
        </li>
      )
    case 'changes':
      return <Changes row={row} />
    case 'readers':
      return <Readers rowKey={row.key} userIds={row.userIds} />
    case 'message':
      return <Message row={row} isActive={active} isFlashed={flash} />
  }
}

function isTarget(row: Row, target: string): boolean {
  if (target === 'unread') return row.kind === 'unread'
  if (row.kind === 'message') return row.item.eventId === target
  return row.kind === 'changes' && row.items.some(item => item.eventId === target)
}

function keyAt(target: EventTarget | null): string | null {
  return target instanceof Element
    ? (target.closest<HTMLElement>('[data-key]')?.dataset['key'] ?? null)
    : null
}

/** Arrow keys go from line to line; Home and End scroll, as everywhere. */
function moveFocus(event: KeyboardEvent, scroller: HTMLElement): void {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key]
  const from = event.target as HTMLElement
  if (step === undefined || (from !== scroller && !from.matches('li.message'))) return
  const lines = [...scroller.querySelectorAll<HTMLElement>('li.message')]
  const at = lines.indexOf(from)
  const to = at === -1 ? (step < 0 ? lines.at(-1) : undefined) : lines[at + step]
  if (!to) return
  event.preventDefault()
  to.focus()
}

function showSpoiler(event: Event): void {
  const spoiler = event.target instanceof Element ? event.target.closest('.spoiler') : null
  if (!spoiler) return
  event.preventDefault()
  const isShown = spoiler.classList.toggle('shown')
  if (isShown) spoiler.removeAttribute('aria-label')
  else spoiler.setAttribute('aria-label', t('room.hiddenText'))
}
