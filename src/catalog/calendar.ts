const minuteMs = 60_000
/** Larger than the offset of any zone. */
const maxOffsetMs = 16 * 60 * minuteMs
const maxCachedDays = 2_000

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
  /** The instant of an upstream date; of a date without a time, the start of that day. `undefined` for an invalid date. */
  instantOf(startDate: string | null): number | undefined
}

/** Throws a `RangeError` for an unknown IANA time zone. */
export function createCalendar(timeZone: string): Calendar {
  const formatter = new Intl.DateTimeFormat('en', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  })
  const clock = new Intl.DateTimeFormat('en', {
    timeZone,
    numberingSystem: 'latn',
    hourCycle: 'h23',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  const cachedStarts = new Map<string, number>()
  let lastDay: Day = { date: '', startsAt: 0, endsAt: 0 }

  function dateAt(instant: number): string {
    const parts = partsOf(formatter, instant)
    return `${parts.get('year')?.padStart(4, '0')}-${parts.get('month')}-${parts.get('day')}`
  }

  /** Offset from UTC in milliseconds. */
  function offsetAt(instant: number): number {
    const parts = partsOf(clock, instant)
    const time = `${parts.get('hour')}:${parts.get('minute')}:${parts.get('second')}`
    return Date.parse(`${dateAt(instant)}T${time}Z`) - Math.floor(instant / 1_000) * 1_000
  }

  /** The instant of a local time: the first of two at a clock change back, the one after the gap at a change forward. */
  function instantOfWallClock(wallClock: number): number {
    const instants = [offsetAt(wallClock - maxOffsetMs), offsetAt(wallClock + maxOffsetMs)].map(
      (offset) => wallClock - offset,
    )
    const matches = instants.filter((instant) => instant + offsetAt(instant) === wallClock)
    return matches.length > 0 ? Math.min(...matches) : Math.max(...instants)
  }

  /** The first instant of the date, to the minute, by bisection: dates never decrease. */
  function startOfDate(date: string): number {
    const known = cachedStarts.get(date)
    if (known !== undefined) return known
    const midnightUtc = Date.parse(`${date}T00:00:00Z`)
    let before = midnightUtc - maxOffsetMs
    let from = midnightUtc + maxOffsetMs
    while (from - before > minuteMs) {
      const middle = before + Math.floor((from - before) / 2 / minuteMs) * minuteMs
      if (dateAt(middle) >= date) from = middle
      else before = middle
    }
    if (cachedStarts.size >= maxCachedDays) cachedStarts.clear()
    cachedStarts.set(date, from)
    return from
  }

  return {
    timeZone,
    dayAt(instant) {
      if (lastDay.startsAt <= instant && instant < lastDay.endsAt) return lastDay
      const date = dateAt(instant)
      lastDay = { date, startsAt: startOfDate(date), endsAt: startOfDate(dayAfter(date)) }
      return lastDay
    },
    instantOf(startDate) {
      const [, date, time, offset] = isoDate.exec(startDate ?? '') ?? []
      if (date === undefined || !isRealDate(date)) return undefined
      if (time === undefined) return startOfDate(date)
      if (offset !== undefined) return finite(Date.parse(`${date}T${time}${withColon(offset)}`))
      const wallClock = finite(Date.parse(`${date}T${time}Z`)) // local time, without an offset
      return wallClock === undefined ? undefined : instantOfWallClock(wallClock)
    },
  }
}

function partsOf(format: Intl.DateTimeFormat, instant: number): Map<string, string> {
  return new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]))
}

const isoDate = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d(?::?\d\d)?)?)?$/i

function withColon(offset: string): string {
  if (offset.length === 1) return 'Z'
  const [sign, digits] = [offset.slice(0, 1), offset.slice(1).replace(':', '').padEnd(4, '0')]
  return `${sign}${digits.slice(0, 2)}:${digits.slice(2)}`
}

/** False for June 31, which `Date` reads as July 1. */
function isRealDate(date: string): boolean {
  const instant = Date.parse(`${date}T00:00:00Z`)
  return Number.isFinite(instant) && new Date(instant).toISOString().startsWith(date)
}

function dayAfter(date: string): string {
  return new Date(Date.parse(`${date}T12:00:00Z`) + 24 * 60 * minuteMs).toISOString().slice(0, 10)
}

function finite(instant: number): number | undefined {
  return Number.isFinite(instant) ? instant : undefined
}
