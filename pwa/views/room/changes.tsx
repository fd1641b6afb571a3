import { useState } from 'preact/hooks'
import { formatList, formatTime, parts, t } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { Button } from '../parts/button.tsx'
import { Name } from '../parts/name.tsx'
import { nameIn, useGround } from './room-ground.ts'
import { foldedCounts, stateWords } from './state-words.ts'
import { isFolded, type Row } from './timeline-rows.ts'

/** Changes of the room's state: said one by one, or counted where they are many. */
export function Changes({ row }: { row: Extract<Row, { kind: 'changes' }> }) {
  const [isOpen, setOpen] = useState(false)
  const { items } = row
  const folds = isFolded(items)
  const created = items.find(({ type }) => type === 'm.room.create')
  return (
    <li class="changes" data-key={row.key}>
      {folds && (
        <p class="change">
          <time class="margin">{formatTime(items.at(-1)!.ts)}</time>
          <span>
            {created && <Words item={created} />}{' '}
            {formatList(foldedCounts(items).map(({ key, count }) => t(key, { count })))}{' '}
            <Button tone="quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
              {t(isOpen ? 'changes.fold' : 'changes.unfold')}
            </Button>
          </span>
        </p>
      )}
      {(!folds || isOpen) && items.map(item => <Change key={item.key} item={item} />)}
    </li>
  )
}

function Change({ item }: { item: TimelineItem }) {
  return (
    <p class="change">
      <time class="margin" dateTime={new Date(item.ts).toISOString()}>
        {formatTime(item.ts)}
      </time>
      <span>
        <Words item={item} />
      </span>
    </p>
  )
}

function Words({ item }: { item: TimelineItem }) {
  const ground = useGround()
  const { key, sender, target, texts, reason } = stateWords(item)
  const shown = (userId: string, name: string) => (
    <Name of={name === userId ? nameIn(ground, userId) : name} />
  )
  const places = {
    sender: shown(sender.userId, sender.name),
    target: shown(target.userId, target.name),
    ...Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [name, <Name key={name} of={text} limit={300} />]),
    ),
  }
  return (
    <>
      {parts(key, places)}
      {reason !== null && <> {parts('changes.reason', { reason: <Name of={reason} limit={300} /> })}</>}
    </>
  )
}
