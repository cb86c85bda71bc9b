import type { Calendar } from '../catalog/calendar.js'
import type { Texts } from '../texts/index.js'

/** A point in time, for `<time datetime>` and for people. */
export interface TimeWords {
  readonly machine: string
  readonly text: string
}

/** A day of the catalog's calendar in the words of a page. */
export interface DayWords {
  /** `YYYY-MM-DD`. */
  readonly machine: string
  readonly weekday: string
  readonly day: string
  /** With its year. */
  readonly month: string
  /** Today, tomorrow, in 3 days; `undefined` for what is far off. True until the day of `now` ends. */
  readonly when: string | undefined
}

/** Puts instants into words, in one language and in the time zone of the catalog. */
export interface DateWords {
  readonly timeZone: string
  dayOf(instant: number, now: number): DayWords
  timeOf(instant: number): TimeWords
  /** The time; with its day where that is not the day of `now`. */
  momentOf(instant: number, now: number): TimeWords
}

/** Beyond this the date says it better than a number of days. */
const maxDaysAhead = 31
const dayMs = 86_400_000

export function createDateWords(calendar: Calendar, { locale }: Pick<Texts, 'locale'>): DateWords {
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
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  return { timeZone, dayOf, timeOf, momentOf }

  function dayOf(instant: number, now: number): DayWords {
    const machine = calendar.dayAt(instant).date
    const daysAhead = (Date.parse(machine) - Date.parse(calendar.dayAt(now).date)) / dayMs
    const when = daysAhead <= maxDaysAhead ? relative.format(daysAhead, 'day') : undefined
    return { machine, weekday: weekday(instant), day: day(instant), month: month(instant), when }
  }

  function timeOf(instant: number): TimeWords {
    return { machine: new Date(instant).toISOString(), text: time(instant) }
  }

  function momentOf(instant: number, now: number): TimeWords {
    const { machine, text } = timeOf(instant)
    const isToday = calendar.dayAt(instant).date === calendar.dayAt(now).date
    return { machine, text: isToday ? text : `${date(instant)}, ${text}` }
  }
}
