/** Months of each calendar that can be chosen, day by day against Intl, which has no months. */
import test from 'ava'
import { addDays, CalendarMonths, noonOf } from '../../pwa/i18n/calendar.ts'
import { calendars } from '../../pwa/i18n/i18n.ts'

const written = (calendar: string) =>
  new Intl.DateTimeFormat(`en-u-ca-${calendar}-nu-latn`, {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
  })
const noon = (text: string) => noonOf(new Date(`${text}T00:00`).getTime())

for (const calendar of calendars) {
  test(`every day of twelve years is in the month that it says: ${calendar}`, t => {
    const months = new CalendarMonths(`en-GB-u-ca-${calendar}-nu-latn`)
    const format = written(calendar)
    let seen = ''
    for (let ts = noon('2020-01-01'); ts < noon('2032-01-01'); ts = addDays(ts, 1)) {
      const { day, month, year } = partsOf(format, ts)
      t.is(months.dayOfMonth(ts), day)
      const name = `${year}-${month}`
      if (name === seen) continue
      seen = name
      const first = months.firstOfMonth(ts)
      t.is(partsOf(format, first).day, 1)
      t.is(partsOf(format, first).month, month)
      t.is(partsOf(format, addDays(first, months.lengthOfMonth(ts))).day, 1, 'the day after its last')
      t.is(
        months
          .weeksOf(ts)
          .flat()
          .filter(each => partsOf(format, each).month === month).length,
        months.lengthOfMonth(ts),
      )
    }
  })

  test(`a month and a year on keep the day, or end with the month: ${calendar}`, t => {
    const months = new CalendarMonths(`en-GB-u-ca-${calendar}-nu-latn`)
    const format = written(calendar)
    for (let ts = noon('2023-01-01'); ts < noon('2025-01-01'); ts = addDays(ts, 1)) {
      const here = partsOf(format, ts)
      const next = months.addMonths(ts, 1)
      t.is(partsOf(format, next).month, (here.month % 12) + 1)
      t.is(partsOf(format, next).day, Math.min(here.day, months.lengthOfMonth(next)))
      const before = partsOf(format, months.addYears(ts, -1))
      t.is(before.year, here.year - 1)
      t.is(before.month, here.month)
    }
  })
}

test('a week begins where the language has it begin', t => {
  const of = (locale: string) => new CalendarMonths(`${locale}-u-ca-gregory-nu-latn`).firstWeekday
  t.is(of('en-GB'), 1)
  t.is(of('de'), 1)
  t.is(of('fr'), 1)
  t.is(of('ar'), 6)
  const months = new CalendarMonths('ar-u-ca-islamic-umalqura-nu-arab')
  for (const [first] of months.weeksOf(noon('2026-11-22'))) t.is(new Date(first!).getDay(), 6)
})

function partsOf(format: Intl.DateTimeFormat, ts: number) {
  const parts = Object.fromEntries(format.formatToParts(ts).map(({ type, value }) => [type, Number(value)]))
  return { day: parts['day']!, month: parts['month']!, year: (parts['year'] ?? parts['relatedYear'])! }
}
