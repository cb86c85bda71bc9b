import { parseIsoDate } from './iso-date.js'

const secondMs = 1_000
const minuteMs = 60 * secondMs
const dayMs = 24 * 60 * minuteMs
/** Larger than the offset of any zone. */
const maxOffsetMs = 16 * 60 * minuteMs
const maxCached = 2_000

/** A calendar day, `YYYY-MM-DD`, with its start and end in milliseconds since the epoch. */
export interface Day {
  readonly date: string
  readonly startsAt: number
  readonly endsAt: number
}

/** Days of a time zone. At clock changes a day has 23 or 25 hours, and may not start at midnight. */
export interface Calendar {
  readonly timeZone: string
  dayAt(instant: number): Day
  /**
   * The instant of an ISO 8601 date; of one without a time, the start of that day. A time without an offset is that of the
   * zone. `undefined` for an invalid date.
   */
  instantOf(startDate: string | null): number | undefined
}

/** Throws a `RangeError` for an unknown IANA time zone. */
export function createCalendar(timeZone: string): Calendar {
  const formatter = new Intl.DateTimeFormat('en', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  let lastDay: Day = { date: '', startsAt: 0, endsAt: 0 }

  /** The local time to the second, as if it were UTC. */
  function localTimeAt(instant: number): number {
    const parts = new Map(formatter.formatToParts(instant).map(({ type, value }) => [type, value]))
    const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type))
    const year = parts.get('era') === 'BC' ? 1 - part('year') : part('year')
    // `Date.UTC` takes years below 100 as those of the 20th century.
    const midnight = new Date(0).setUTCFullYear(year, part('month') - 1, part('day'))
    return midnight + (part('hour') * 60 + part('minute')) * minuteMs + part('second') * secondMs
  }

  /** Offset from UTC in milliseconds. */
  function offsetAt(instant: number): number {
    return localTimeAt(instant) - Math.floor(instant / secondMs) * secondMs
  }

  /** The instant of a local time: the first of two at a clock change back, the one after the gap at a change forward. */
  const instantOfWallClock = cached((wallClock) => {
    const instants = [offsetAt(wallClock - maxOffsetMs), offsetAt(wallClock + maxOffsetMs)].map(
      (offset) => wallClock - offset,
    )
    const matches = instants.filter((instant) => instant + offsetAt(instant) === wallClock)
    return matches.length > 0 ? Math.min(...matches) : Math.max(...instants)
  })

  /** The first instant of a day, to the minute, by bisection: dates never decrease. */
  const startOfDay = cached((midnightUtc) => {
    let before = midnightUtc - maxOffsetMs
    let from = midnightUtc + maxOffsetMs
    while (from - before > minuteMs) {
      const middle = before + Math.floor((from - before) / 2 / minuteMs) * minuteMs
      if (localTimeAt(middle) >= midnightUtc) from = middle
      else before = middle
    }
    return from
  })

  return {
    timeZone,
    dayAt(instant) {
      if (lastDay.startsAt <= instant && instant < lastDay.endsAt) return lastDay
      const midnightUtc = Math.floor(localTimeAt(instant) / dayMs) * dayMs
      const date = new Date(midnightUtc).toISOString().slice(0, -'T00:00:00.000Z'.length)
      lastDay = { date, startsAt: startOfDay(midnightUtc), endsAt: startOfDay(midnightUtc + dayMs) }
      return lastDay
    },
    instantOf(startDate) {
      const parsed = startDate === null ? undefined : parseIsoDate(startDate)
      if (parsed === undefined) return undefined
      const { midnightMs, timeMs, offsetMs } = parsed
      if (timeMs === undefined) return startOfDay(midnightMs)
      return offsetMs === undefined ? instantOfWallClock(midnightMs + timeMs) : midnightMs + timeMs - offsetMs
    },
  }
}

/** Remembers results: lists are read often, and `Intl` takes microseconds. */
function cached(compute: (key: number) => number): (key: number) => number {
  const results = new Map<number, number>()
  return (key) => {
    const known = results.get(key)
    if (known !== undefined) return known
    const result = compute(key)
    if (results.size >= maxCached) results.clear()
    results.set(key, result)
    return result
  }
}
