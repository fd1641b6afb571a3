/**
 * From a timeline's items to what stands in the ledger: days, groups, folded changes, the line where reading stopped. Pure.
 */
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { isShown } from './shown-events.ts'
import { shieldKey } from './trust-words.ts'

export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly ts: number }
  | { readonly kind: 'unread'; readonly key: string }
  | MessageRow
  | { readonly kind: 'changes'; readonly key: string; readonly items: readonly TimelineItem[] }
  /** Who has read the newest of our messages that anybody read. */
  | { readonly kind: 'readers'; readonly key: string; readonly userIds: readonly string[] }

export interface MessageRow {
  readonly kind: 'message'
  readonly key: string
  readonly item: TimelineItem
  readonly isOurs: boolean
  /** First of its group: it says who writes. */
  readonly isFirst: boolean
  /** What the margin shows. */
  readonly margin: 'time' | 'state' | 'nothing'
  /** What is wrong with its origin is said here: once for messages in a row of which the same is true. */
  readonly saysShield: boolean
}

export interface RowOptions {
  readonly ourUserId: string
  /** Where reading had stopped when the room was opened. */
  readonly readUpTo: string | null
  /** Nothing newer is known: receipts of all are here. */
  readonly reachesEnd: boolean
  /** Midnight before a time, in the person's time zone. */
  readonly startOfDay: (ts: number) => number
}

/** Messages of one person within this time are one group. */
const groupMs = 5 * 60_000
/** So many changes in a row are folded. */
const foldFrom = 3

export function timelineRows(items: readonly TimelineItem[], options: RowOptions): Row[] {
  const shown = items.filter(isShown)
  const rows: Row[] = []
  const lastOurs = lastOursByState(shown, options.ourUserId)
  let previous: TimelineItem | null = null
  let shownDay: number | null = null
  let wasRead = false
  let shownMinute = -1
  let saidShield = ''
  for (const item of shown) {
    const day = options.startOfDay(item.ts)
    if (day !== shownDay) {
      rows.push({ kind: 'day', key: `day ${day} ${item.key}`, ts: item.ts })
      shownDay = day
      previous = null
    }
    if (wasRead && item.sender !== options.ourUserId) {
      rows.push({ kind: 'unread', key: 'unread' })
      wasRead = false
      previous = null
    }
    if (item.stateKey !== null) {
      addChange(rows, item)
      previous = item
    } else {
      const isFirst = !previous || !continues(previous, item)
      const isOurs = item.sender === options.ourUserId
      const minute = Math.floor(item.ts / 60_000)
      const margin =
        isOurs && saysState(item, lastOurs) ? 'state' : isFirst || minute !== shownMinute ? 'time' : 'nothing'
      if (margin === 'time') shownMinute = minute
      const shield = shieldRun(item)
      const saysShield = shield !== '' && shield !== saidShield
      saidShield = shield
      rows.push({ kind: 'message', key: item.key, item, isOurs, isFirst, margin, saysShield })
      if (options.reachesEnd && item.key === lastOurs.read) {
        const userIds = readersFrom(shown, item, options.ourUserId)
        if (userIds.length > 0) {
          rows.push({ kind: 'readers', key: 'readers', userIds })
          previous = null
          continue
        }
      }
      previous = item
    }
    if (item.eventId !== null && item.eventId === options.readUpTo) wasRead = true
  }
  return rows
}

/** Who has read this message, or anything after it. Receipts stand only where somebody's newest is. */
export function readersFrom(items: readonly TimelineItem[], from: TimelineItem, ourUserId: string): string[] {
  const start = items.findIndex(item => item.key === from.key)
  const readers = new Set<string>()
  for (const item of items.slice(start === -1 ? items.length : start).reverse()) {
    for (const userId of item.readBy) readers.add(userId)
  }
  readers.delete(ourUserId)
  return [...readers]
}

/** Changes that follow each other are one row. */
function addChange(rows: Row[], item: TimelineItem): void {
  const last = rows.at(-1)
  if (last?.kind === 'changes') {
    rows[rows.length - 1] = { ...last, items: [...last.items, item] }
    return
  }
  rows.push({ kind: 'changes', key: `changes ${item.key}`, items: [item] })
}

/** Few changes are said one by one; many are counted, and open on demand. */
export function isFolded(changes: readonly TimelineItem[]): boolean {
  return changes.length >= foldFrom
}

function continues(previous: TimelineItem, item: TimelineItem): boolean {
  return (
    previous.stateKey === null &&
    previous.sender === item.sender &&
    item.ts - previous.ts < groupMs &&
    item.ts >= previous.ts - groupMs &&
    item.replyTo === null &&
    item.content['msgtype'] !== 'm.emote' &&
    previous.content['msgtype'] !== 'm.emote'
  )
}

/** What messages in a row share: of keys that came another way it is true whoever wrote; of devices, of one person. */
function shieldRun(item: TimelineItem): string {
  const key = shieldKey(item, true)
  if (key === null) return ''
  return item.shield === 'not-authentic' && item.encrypted ? item.shield : `${key} ${item.sender}`
}

interface LastOurs {
  readonly sent: string | null
  readonly read: string | null
}

function lastOursByState(items: readonly TimelineItem[], ourUserId: string): LastOurs {
  const last = (state: string) =>
    items.findLast(item => item.stateKey === null && item.sender === ourUserId && item.state === state)
      ?.key ?? null
  return { sent: last('sent'), read: last('read') }
}

/** What is settled is said once, at the newest message that it is true of; what is not is said at each. */
function saysState(item: TimelineItem, lastOurs: LastOurs): boolean {
  if (item.state === null || item.redacted) return false
  if (item.state === 'sent' || item.state === 'read') return item.key === lastOurs[item.state]
  return true
}
