import './words.css'
import { useMemo, useState } from 'preact/hooks'
import { parts, t } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { Button } from '../parts/button.tsx'
import { Name } from '../parts/name.tsx'
import { plainName } from '../parts/plain-name.ts'
import { Attachment } from './attachment.tsx'
import { linkedParts } from './link-text.ts'
import { addressInside, parseMatrixLink } from './matrix-link.ts'
import { mentionedParts } from './mentioned-parts.ts'
import { isEmojiOnly, saidBy, type Words } from './message-content.ts'
import { safeHtml } from './message-html.ts'
import { useGround } from './room-ground.ts'
import { Unreadable } from './unreadable.tsx'

/** Longer than this, a message is shown in part at first. */
const foldFrom = 2500

/** What a message says. */
export function MessageBody({ item }: { item: TimelineItem }) {
  const said = useMemo(() => saidBy(item), [item])
  if (item.redacted) return <Redacted by={item.redacted} sender={item.sender} />
  if (item.unreadable) return <Unreadable of={item.unreadable} />
  switch (said.kind) {
    case 'text':
      return (
        <div class={`said said-${said.tone}`}>
          {said.tone === 'emote' && (
            <>
              <Name of={item.senderName} fallback={item.sender} />{' '}
            </>
          )}
          <Text words={said.words} />
        </div>
      )
    case 'file':
      return (
        <>
          <Attachment item={item} file={said.file} />
          {said.caption && <Text words={said.caption} />}
        </>
      )
    case 'location':
      return <p class="quiet">{parts('room.location', { place: <Name of={said.place} limit={200} /> })}</p>
    case 'verification':
      return <p class="quiet">{parts('room.verificationAsked', { name: <Name of={item.senderName} /> })}</p>
    case 'unknown':
      return (
        <>
          <p class="quiet">{t('room.unknownKind')}</p>
          {said.text !== null && <Text words={{ text: said.text, html: null }} />}
        </>
      )
  }
}

function Redacted({ by, sender }: { by: NonNullable<TimelineItem['redacted']>; sender: string }) {
  return (
    <p class="quiet">
      {by.by === sender ? t('room.deleted') : parts('room.deletedBy', { name: <Name of={by.byName} /> })}
      {by.reason !== null && (
        <> {parts('room.deletedReason', { reason: <Name of={by.reason} limit={300} /> })}</>
      )}
    </p>
  )
}

/** Words that somebody wrote, each paragraph in its own direction. */
export function Text({ words }: { words: Words }) {
  const [isWhole, setWhole] = useState(false)
  const folds = words.text.length > foldFrom && !isWhole
  return (
    <>
      {words.html === null ? (
        <Plain text={folds ? words.text.slice(0, foldFrom) : words.text} mentions={words.mentions ?? []} />
      ) : (
        <Html html={words.html} folds={folds} />
      )}
      {folds && (
        <Button tone="quiet" onClick={() => setWhole(true)}>
          {t('room.showAll')}
        </Button>
      )}
    </>
  )
}

function Plain({ text, mentions }: { text: string; mentions: readonly string[] }) {
  const { members } = useGround()
  const names = new Map(mentions.map(userId => [userId, plainName(members.get(userId)?.name ?? null) ?? '']))
  return (
    <p class={isEmojiOnly(text) ? 'words emoji' : 'words'} dir="auto">
      {linkedParts(text).map((part, i) =>
        part.href === null ? (
          mentionedParts(part.text, names).map((said, j) =>
            said.userId === null ? said.text : <bdi key={j}>{said.text}</bdi>,
          )
        ) : (
          <Link key={i} href={part.href} words={part.text} />
        ),
      )}
    </p>
  )
}

/** People, rooms and messages open here; everything else in a window of its own. */
function Link({ href, words }: { href: string; words: string }) {
  const inside = parseMatrixLink(href, location.origin)
  return inside ? (
    <a href={addressInside(inside)}>{words}</a>
  ) : (
    <a href={href} target="_blank" rel="noreferrer noopener">
      {words}
    </a>
  )
}

function Html({ html, folds }: { html: string; folds: boolean }) {
  const { members, ourUserId } = useGround()
  const safe = useMemo(
    () =>
      safeHtml(html, {
        ourUserId,
        nameOf: userId => members.get(userId)?.name ?? null,
        spoilerLabel: t('room.hiddenText'),
      }),
    [html, members, ourUserId],
  )
  return (
    <div
      class={folds ? 'words html folded' : 'words html'}
      dir="auto"
      dangerouslySetInnerHTML={{ __html: safe }}
    />
  )
}
