const minuteMs = 60_000
/** No zone is further from UTC than this. */
const maxOffsetMs = 16 * 60 * minuteMs
const maxRememberedDays = 2_000

/** One day of the calendar, `YYYY-MM-DD`, with the instants at which it begins and ends, in milliseconds. */
export interface Day {
  readonly date: string
  readonly startsAt: number
  readonly endsAt: number
}

/** The days of one time zone: 23 or 25 hours long where clocks change, and not always beginning at midnight. */
export interface Calendar {
  readonly timeZone: string
  /** The day that an instant falls on. */
  dayAt(instant: number): Day
  /** The instant that an upstream date means: a bare date is the start of that day. `undefined`: not a date. */
  instantOf(startDate: string | null): number | undefined
}

/** A calendar for an IANA time zone; throws a `RangeError` for one that does not exist. */
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
  const startOf = new Map<string, number>()
  let lastDay: Day = { date: '', startsAt: 0, endsAt: 0 }

  function dateAt(instant: number): string {
    const parts = partsOf(formatter, instant)
    return `${parts.get('year')?.padStart(4, '0')}-${parts.get('month')}-${parts.get('day')}`
  }

  /** Milliseconds by which the zone's clocks are ahead of UTC at an instant. */
  function offsetAt(instant: number): number {
    const parts = partsOf(clock, instant)
    const time = `${parts.get('hour')}:${parts.get('minute')}:${parts.get('second')}`
    return Date.parse(`${dateAt(instant)}T${time}Z`) - Math.floor(instant / 1_000) * 1_000
  }

  /** The instant at which the zone's clocks show this; of two such instants the first, of none the one just after. */
  function instantOfWallClock(wallClock: number): number {
    const instants = [offsetAt(wallClock - maxOffsetMs), offsetAt(wallClock + maxOffsetMs)].map(
      (offset) => wallClock - offset,
    )
    const shown = instants.filter((instant) => instant + offsetAt(instant) === wallClock)
    return shown.length > 0 ? Math.min(...shown) : Math.max(...instants)
  }

  /** The first instant of the date, to the minute: the dates of a zone only ever go up, so it is found by halving. */
  function startOfDate(date: string): number {
    const known = startOf.get(date)
    if (known !== undefined) return known
    const midnightUtc = Date.parse(`${date}T00:00:00Z`)
    let before = midnightUtc - maxOffsetMs
    let from = midnightUtc + maxOffsetMs
    while (from - before > minuteMs) {
      const middle = before + Math.floor((from - before) / 2 / minuteMs) * minuteMs
      if (dateAt(middle) >= date) from = middle
      else before = middle
    }
    if (startOf.size >= maxRememberedDays) startOf.clear()
    startOf.set(date, from)
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
      const wallClock = finite(Date.parse(`${date}T${time}Z`)) // without an offset the time is the zone's own
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

/** False for the 31st of June, which `Date` would take for the 1st of July. */
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
