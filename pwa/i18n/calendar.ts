/**
 * Months and years of whichever calendar the locale asks for, by what Intl says of single days. Pure.
 *
 * A day is its noon in this time zone, in milliseconds: an hour more or less, as clocks change, never makes it another day.
 */
const day = 86_400_000
const longestMonth = 31
const monthsAYear = 12

export class CalendarMonths {
  readonly #fields: Intl.DateTimeFormat
  readonly #locale: string

  /** With its calendar: `ar-u-ca-islamic-umalqura-nu-arab`. */
  constructor(locale: string) {
    this.#locale = locale
    const { calendar } = new Intl.DateTimeFormat(locale).resolvedOptions()
    this.#fields = new Intl.DateTimeFormat(`en-u-ca-${calendar}-nu-latn`, { day: 'numeric' })
  }

  dayOfMonth(ts: number): number {
    return Number.parseInt(this.#fields.format(ts), 10)
  }

  firstOfMonth(ts: number): number {
    return addDays(ts, 1 - this.dayOfMonth(ts))
  }

  lengthOfMonth(ts: number): number {
    const next = this.#nextMonth(ts)
    return this.dayOfMonth(addDays(next, -1))
  }

  /** The same day of another month, or its last one where it is shorter. */
  addMonths(ts: number, count: number): number {
    const wanted = this.dayOfMonth(ts)
    let first = this.firstOfMonth(ts)
    for (let i = 0; i < count; i++) first = this.#nextMonth(first)
    for (let i = 0; i > count; i--) first = this.firstOfMonth(addDays(first, -1))
    return addDays(first, Math.min(wanted, this.lengthOfMonth(first)) - 1)
  }

  addYears(ts: number, count: number): number {
    return this.addMonths(ts, count * monthsAYear)
  }

  /** 1 is Monday, 7 is Sunday: where a week begins in this language. */
  get firstWeekday(): number {
    const locale = new Intl.Locale(this.#locale) as Intl.Locale & {
      getWeekInfo?(): { firstDay: number }
      weekInfo?: { firstDay: number }
    }
    // Firefox does not say: then as most of those who read the language have it.
    const info = locale.getWeekInfo?.() ?? locale.weekInfo
    return info?.firstDay ?? (locale.language === 'ar' ? 6 : 1)
  }

  firstOfWeek(ts: number): number {
    const weekday = new Date(ts).getDay() || 7
    return addDays(ts, -((weekday - this.firstWeekday + 7) % 7))
  }

  /** The weeks that the month touches, with the days of its neighbours in them. */
  weeksOf(ts: number): readonly (readonly number[])[] {
    const first = this.firstOfMonth(ts)
    const last = addDays(first, this.lengthOfMonth(ts) - 1)
    const weeks: number[][] = []
    for (let start = this.firstOfWeek(first); start <= last; start = addDays(start, 7))
      weeks.push([0, 1, 2, 3, 4, 5, 6].map(at => addDays(start, at)))
    return weeks
  }

  #nextMonth(ts: number): number {
    return this.firstOfMonth(addDays(this.firstOfMonth(ts), longestMonth + 1))
  }
}

export function noonOf(ts: number): number {
  const at = new Date(ts)
  at.setHours(12, 0, 0, 0)
  return at.getTime()
}

export function addDays(ts: number, count: number): number {
  return noonOf(ts + count * day)
}
