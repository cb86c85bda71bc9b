import type { Calendar } from '../catalog/calendar.js'
import type { Texts } from '../texts/index.js'

/** An instant for `<time>`: machine-readable and as text. */
export interface FormattedTime {
  readonly iso: string
  readonly text: string
}

/** A day in the catalog's time zone. */
export interface FormattedDay {
  /** `YYYY-MM-DD`. */
  readonly iso: string
  readonly weekday: string
  readonly day: string
  /** Month and year. */
  readonly month: string
  /** Today, tomorrow, in 3 days; `undefined` for distant days. Valid until the day of `now` ends. */
  readonly relative: string | undefined
}

/** Formats instants in one language and in the catalog's time zone. */
export interface DateFormatter {
  readonly timeZone: string
  formatDay(instant: number, now: number): FormattedDay
  formatTime(instant: number): FormattedTime
  /** The time, with the date unless it is the day of `now`. */
  formatDateTime(instant: number, now: number): FormattedTime
}

/** More distant days have no relative form. */
const maxRelativeDays = 31
const dayMs = 86_400_000

export function createDateFormatter(calendar: Calendar, { locale }: Pick<Texts, 'locale'>): DateFormatter {
  const { timeZone } = calendar
  const formatIn = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(locale, { timeZone, ...options })
    return (instant: number) => format.format(instant)
  }
  const weekday = formatIn({ weekday: 'long' })
  const day = formatIn({ day: 'numeric' })
  const month = formatIn({ month: 'long', year: 'numeric' })
  const time = formatIn({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const date = formatIn({ day: 'numeric', month: 'long', year: 'numeric' })
  const relativeFormat = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  return { timeZone, formatDay, formatTime, formatDateTime }

  function formatDay(instant: number, now: number): FormattedDay {
    const iso = calendar.dayAt(instant).date
    const daysAhead = (Date.parse(iso) - Date.parse(calendar.dayAt(now).date)) / dayMs
    const relative = daysAhead <= maxRelativeDays ? relativeFormat.format(daysAhead, 'day') : undefined
    return { iso, weekday: weekday(instant), day: day(instant), month: month(instant), relative }
  }

  function formatTime(instant: number): FormattedTime {
    return { iso: new Date(instant).toISOString(), text: time(instant) }
  }

  function formatDateTime(instant: number, now: number): FormattedTime {
    const { iso, text } = formatTime(instant)
    const isToday = calendar.dayAt(instant).date === calendar.dayAt(now).date
    return { iso, text: isToday ? text : `${date(instant)}, ${text}` }
  }
}
