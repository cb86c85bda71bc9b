import { parseIsoDate } from '../catalog/iso-date.js'
import type { Catalog } from '../schemas/catalog.js'
import type { DateFormatter, FormattedDay, FormattedTime } from './date-formatter.js'

/** The events of a month, by day. */
export interface EventMonth {
  readonly name: string
  readonly days: readonly EventDay[]
}

export interface EventDay extends FormattedDay {
  readonly events: readonly EventRow[]
}

export interface EventRow extends Catalog {
  /** `undefined` when only the day is known. */
  readonly time: FormattedTime | undefined
}

export interface EventMonthsOptions {
  /** Soonest first. */
  readonly catalogs: readonly Catalog[]
  readonly instantOf: (startDate: string | null) => number | undefined
  readonly dates: DateFormatter
  readonly now: number
}

/** Groups events by month and day in the catalog's time zone. */
export function groupByMonth({ catalogs, instantOf, dates, now }: EventMonthsOptions): EventMonth[] {
  const dated = catalogs.flatMap((catalog) => {
    const instant = instantOf(catalog.start_date)
    if (instant === undefined) return [] // upcoming lists have no events without a date
    const time = hasTime(catalog.start_date) ? dates.formatTime(instant) : undefined
    return [{ day: dates.formatDay(instant, now), event: { ...catalog, time } }]
  })
  const days = groupAdjacent(dated, ({ day }) => day.iso).map(([first, ...others]) => ({
    ...first.day,
    events: [first, ...others].map(({ event }) => event),
  }))
  return groupAdjacent(days, ({ month }) => month).map(([first, ...others]) => ({
    name: first.month,
    days: [first, ...others],
  }))
}

function groupAdjacent<T>(items: readonly T[], keyOf: (item: T) => string): [T, ...T[]][] {
  const groups: [T, ...T[]][] = []
  for (const item of items) {
    const group = groups.at(-1)
    if (group !== undefined && keyOf(group[0]) === keyOf(item)) group.push(item)
    else groups.push([item])
  }
  return groups
}

function hasTime(startDate: string | null): boolean {
  return startDate !== null && parseIsoDate(startDate)?.timeMs !== undefined
}
