/**
 * A day of a month, in the calendar, the digits and the language of the person. What has the focus is what is chosen.
 *
 * Keys and roles: https://www.w3.org/WAI/ARIA/apg/patterns/dialog-modal/examples/datepicker-dialog/
 */
import './day-picker.css'
import { useEffect, useId, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { addDays, CalendarMonths, noonOf } from '../../i18n/calendar.ts'
import { locale, t } from '../../i18n/i18n.ts'
import { Button } from './button.tsx'
import { Icon } from './icon.tsx'

const daysAWeek = 7

export function DayPicker({
  value,
  max,
  onChange,
  onChoose,
}: {
  /** Noon of the day. */
  value: number
  /** Noon of the last day that may be chosen. */
  max: number
  onChange: (value: number) => void
  /** Enter. */
  onChoose: () => void
}) {
  const grid = useRef<HTMLTableElement>(null)
  const mustFocus = useRef(false)
  const [heading, keys] = [useId(), useId()]
  const written = locale()
  const { months, monthName, dayNumber, dayName, weekdays } = useMemo(() => wordsOf(written), [written])
  const focus = () => grid.current?.querySelector<HTMLElement>('td[tabindex="0"]')?.focus()
  // After the dialog, which gives the focus to its first button, was shown.
  useEffect(() => queueMicrotask(focus), [])
  // With the drawing itself: a key that comes before would find nobody to hear it.
  useLayoutEffect(() => {
    if (mustFocus.current) focus()
    mustFocus.current = false
  }, [value])
  const change = (next: number) => onChange(Math.min(next, max))
  const move = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const isLeftward = getComputedStyle(event.currentTarget as Element).direction === 'rtl'
    const next = movedTo(months, value, event, isLeftward)
    if (next === null && event.key !== 'Enter' && event.key !== ' ') return
    event.preventDefault()
    if (next === null) return event.key === 'Enter' ? onChoose() : undefined
    mustFocus.current = true
    change(next)
  }
  const month = months.firstOfMonth(value)
  const isIn = (ts: number) => months.firstOfMonth(ts) === month
  const isLast = isIn(max)
  return (
    <div class="day-picker">
      <div class="days-bar">
        <Step
          label={t('day.earlierYear')}
          icon="back"
          twice
          onClick={() => change(months.addYears(value, -1))}
        />
        <Step label={t('day.earlierMonth')} icon="back" onClick={() => change(months.addMonths(value, -1))} />
        <h3 id={heading} aria-live="polite">
          {monthName.format(month)}
        </h3>
        <Step
          label={t('day.laterMonth')}
          icon="forward"
          disabled={isLast}
          onClick={() => change(months.addMonths(value, 1))}
        />
        <Step
          label={t('day.laterYear')}
          icon="forward"
          twice
          disabled={isLast}
          onClick={() => change(months.addYears(value, 1))}
        />
      </div>
      <table
        class="days"
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a table is what the pattern has
        role="grid"
        ref={grid}
        aria-labelledby={heading}
        aria-describedby={keys}
        onKeyDown={move}
      >
        <thead>
          <tr>
            {weekdays(months.firstOfWeek(value)).map(([short, long]) => (
              <th key={long} scope="col" abbr={long}>
                {short}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {months.weeksOf(value).map(week => (
            <tr key={week[0]}>
              {week.map(ts => (
                // biome-ignore lint/a11y/useKeyWithClickEvents: the grid hears the keys
                <td
                  key={ts}
                  // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a cell is what the pattern has
                  role="gridcell"
                  class={isIn(ts) ? '' : 'other'}
                  tabIndex={ts === value ? 0 : -1}
                  aria-selected={ts === value}
                  aria-disabled={ts > max}
                  aria-label={dayName.format(ts)}
                  {...(ts === noonOf(Date.now()) && { 'aria-current': 'date' as const })}
                  onClick={() => {
                    if (ts > max) return
                    mustFocus.current = true
                    change(ts)
                  }}
                >
                  {dayNumber.format(months.dayOfMonth(ts))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <div class="days-chosen">
        <p aria-live="polite">{t('day.chosen', { day: dayName.format(value) })}</p>
        <Button tone="quiet" onClick={() => change(noonOf(Date.now()))}>
          {t('day.today')}
        </Button>
      </div>
      <p class="days-keys" id={keys}>
        {t('day.keys')}
      </p>
    </div>
  )
}

function Step({
  label,
  icon,
  twice = false,
  disabled = false,
  onClick,
}: {
  label: string
  icon: 'back' | 'forward'
  twice?: boolean
  disabled?: boolean
  onClick: () => void
}) {
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onClick}
    >
      <span class="twice">
        <Icon name={icon} />
        {twice && <Icon name={icon} />}
      </span>
    </button>
  )
}

/** Null: no key that moves. */
function movedTo(
  months: CalendarMonths,
  ts: number,
  { key, shiftKey }: { readonly key: string; readonly shiftKey: boolean },
  isLeftward: boolean,
): number | null {
  const onward = isLeftward ? -1 : 1
  switch (key) {
    case 'ArrowRight':
      return addDays(ts, onward)
    case 'ArrowLeft':
      return addDays(ts, -onward)
    case 'ArrowDown':
      return addDays(ts, daysAWeek)
    case 'ArrowUp':
      return addDays(ts, -daysAWeek)
    case 'Home':
      return months.firstOfWeek(ts)
    case 'End':
      return addDays(months.firstOfWeek(ts), daysAWeek - 1)
    case 'PageDown':
      return shiftKey ? months.addYears(ts, 1) : months.addMonths(ts, 1)
    case 'PageUp':
      return shiftKey ? months.addYears(ts, -1) : months.addMonths(ts, -1)
    default:
      return null
  }
}

function wordsOf(written: string) {
  const short = new Intl.DateTimeFormat(written, { weekday: written.startsWith('ar') ? 'narrow' : 'short' })
  const long = new Intl.DateTimeFormat(written, { weekday: 'long' })
  return {
    months: new CalendarMonths(written),
    monthName: new Intl.DateTimeFormat(written, { month: 'long', year: 'numeric' }),
    dayNumber: new Intl.NumberFormat(written),
    dayName: new Intl.DateTimeFormat(written, { dateStyle: 'full' }),
    weekdays: (first: number) =>
      [0, 1, 2, 3, 4, 5, 6].map(at => {
        const ts = addDays(first, at)
        return [short.format(ts), long.format(ts)] as const
      }),
  }
}
