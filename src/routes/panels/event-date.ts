import type { Calendar } from '../../catalog/calendar.js'

/** A start date in the words of a page, in the time zone of the catalog. */
export interface EventDate {
  /** As the upstream said it, for `<time datetime>`. */
  readonly machine: string
  readonly weekday: string
  readonly day: string
  readonly month: string
  readonly year: string
  /** Hour and minute; `undefined` for a date without a time. */
  readonly time: string | undefined
}

/** Puts start dates into words; `undefined` for what is not a date. */
export function createDateFormat(calendar: Calendar): (date: string | null) => EventDate | undefined {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: calendar.timeZone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  })
  return (date) => {
    const instant = calendar.instantOf(date)
    if (date === null || instant === undefined) return undefined
    const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]))
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? ''
    return {
      machine: date,
      weekday: part('weekday'),
      day: part('day'),
      month: part('month'),
      year: part('year'),
      time: date.length > 10 ? `${part('hour')}:${part('minute')}` : undefined,
    }
  }
}
