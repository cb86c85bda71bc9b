/** A date of ISO 8601, with or without a time. */
export interface IsoDate {
  /** Midnight of the day in UTC, in milliseconds since the epoch. */
  readonly midnightMs: number
  /** Milliseconds since the midnight of that day; `undefined` for a date without a time. `24:00` is a complete day. */
  readonly timeMs: number | undefined
  /** Offset from UTC in milliseconds; `undefined` for a local time. */
  readonly offsetMs: number | undefined
}

const hourMs = 3_600_000
const minuteMs = 60_000
const secondMs = 1_000
const dayMs = 24 * hourMs
/** Longer than any date; bounds the work on what an upstream sends. */
const maxLength = 64

const calendarDate = String.raw`(?<year>\d{4})(?:-(?<month>\d\d)-(?<day>\d\d)|(?<month2>\d\d)(?<day2>\d\d))`
const weekDate = String.raw`(?<weekYear>\d{4})(?:-W(?<week>\d\d)-(?<weekday>[1-7])|W(?<week2>\d\d)(?<weekday2>[1-7]))`
const ordinalDate = String.raw`(?<ordinalYear>\d{4})-?(?<ordinal>\d{3})`
const time = String.raw`(?<hour>\d\d)(?::?(?<minute>\d\d)(?::?(?<second>\d\d))?)?(?:[.,](?<fraction>\d+))?`
const offset = String.raw`(?<utc>Z)|(?<sign>[-+\u2212])(?<offsetHour>\d\d)(?::?(?<offsetMinute>\d\d))?`
const isoDate = new RegExp(`^(?:${calendarDate}|${weekDate}|${ordinalDate})(?:[T ]${time}(?:${offset})?)?$`, 'i')

type Fields = Readonly<Record<string, string | undefined>>

/**
 * Parses a date or date-time of ISO 8601, in its basic or extended form: calendar, week and ordinal dates; a time with hours only
 * and with a fraction of its last part; RFC 3339 adds the space and the lower case. Years have four digits. A month or a
 * week without a day is not a date.
 */
export function parseIsoDate(text: string): IsoDate | undefined {
  const fields = text.length > maxLength ? undefined : isoDate.exec(text)?.groups
  if (fields === undefined) return undefined
  const midnightMs = dayOf(fields)
  const offsetMs = offsetOf(fields)
  if (midnightMs === undefined || Number.isNaN(offsetMs)) return undefined
  if (fields.hour === undefined) return { midnightMs, timeMs: undefined, offsetMs: undefined }
  const timeMs = timeOf(fields, offsetMs)
  return timeMs === undefined ? undefined : { midnightMs, timeMs, offsetMs }
}

/** Midnight in UTC; `undefined` for a day that does not exist. */
function dayOf(fields: Fields): number | undefined {
  const { year, weekYear, ordinalYear } = fields
  if (year !== undefined) {
    const [month, day] = [Number(fields.month ?? fields.month2), Number(fields.day ?? fields.day2)]
    const midnight = utc(Number(year), month, day)
    // June 31 would be July 1.
    return new Date(midnight).getUTCMonth() === month - 1 && day > 0 ? midnight : undefined
  }
  if (weekYear !== undefined) {
    const [week, weekday] = [Number(fields.week ?? fields.week2), Number(fields.weekday ?? fields.weekday2)]
    const first = firstMonday(Number(weekYear))
    const midnight = first + ((week - 1) * 7 + weekday - 1) * dayMs
    return week > 0 && midnight < firstMonday(Number(weekYear) + 1) ? midnight : undefined
  }
  const ordinal = Number(fields.ordinal)
  const midnight = utc(Number(ordinalYear), 1, ordinal)
  return ordinal > 0 && midnight < utc(Number(ordinalYear) + 1, 1, 1) ? midnight : undefined
}

/** The Monday of week 1, which is the week of January 4. */
function firstMonday(year: number): number {
  const january4 = utc(year, 1, 4)
  return january4 - ((new Date(january4).getUTCDay() + 6) % 7) * dayMs
}

/** `Date.UTC` takes years below 100 as those of the 20th century. */
function utc(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month - 1, day)
}

function timeOf({ hour, minute, second, fraction }: Fields, offsetMs: number | undefined): number | undefined {
  const unitMs = minute === undefined ? hourMs : second === undefined ? minuteMs : secondMs
  const [hours, minutes, seconds] = [Number(hour), Number(minute ?? 0), Number(second ?? 0)]
  const timeMs =
    hours * hourMs + minutes * minuteMs + seconds * secondMs + Math.floor(Number(`0.${fraction ?? 0}`) * unitMs)
  if (hours > 24 || minutes > 59 || timeMs > dayMs + secondMs) return undefined
  if (seconds === 60) return isLeapSecond(timeMs, offsetMs) ? timeMs : undefined
  return seconds < 60 && timeMs <= dayMs ? timeMs : undefined
}

/** A leap second is the last one of a day of UTC. Offsets are multiples of a quarter of an hour. */
function isLeapSecond(timeMs: number, offsetMs: number | undefined): boolean {
  const quarterMs = 15 * minuteMs
  const wholeMs = timeMs - (timeMs % secondMs)
  return offsetMs === undefined ? wholeMs % quarterMs === 0 : (wholeMs - offsetMs) % dayMs === 0
}

/** `NaN` for an offset that does not exist. */
function offsetOf({ utc, sign, offsetHour, offsetMinute = '0' }: Fields): number | undefined {
  if (utc !== undefined) return 0
  if (sign === undefined) return undefined
  const [hours, minutes] = [Number(offsetHour), Number(offsetMinute)]
  if (hours > 23 || minutes > 59) return Number.NaN
  return (sign === '+' ? 1 : -1) * (hours * hourMs + minutes * minuteMs)
}
