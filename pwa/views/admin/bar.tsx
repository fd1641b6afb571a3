import { formatNumber } from '../../i18n/i18n.ts'

/** How far something long is. */
export function Bar({
  words,
  done,
  of,
  percent = false,
}: {
  words: string
  done: number
  of: number
  percent?: boolean
}) {
  return (
    <div class="admin-progress">
      <p role="status">
        {words}
        {percent && ` · ${formatNumber(Math.floor((done / of) * 100))} %`}
      </p>
      <progress max={Math.max(1, of)} value={done} aria-label={words} />
    </div>
  )
}
