import type { Catalog } from '../schemas/catalog.js'
import type { DateWords, DayWords, TimeWords } from './date-words.js'

/** The events of a month, by day. */
export interface EventMonth {
  readonly name: string
  readonly days: readonly EventDay[]
}

export interface EventDay extends DayWords {
  readonly events: readonly EventRow[]
}

export interface EventRow extends Catalog {
  /** `undefined` for a sale of which only the day is known. */
  readonly time: TimeWords | undefined
}

export interface EventMonthsParts {
  /** Soonest first. */
  readonly catalogs: readonly Catalog[]
  readonly instantOf: (startDate: string | null) => number | undefined
  readonly words: DateWords
  readonly now: number
}

/** Groups events by the months and days of the catalog's time zone. */
export function groupByMonth({ catalogs, instantOf, words, now }: EventMonthsParts): EventMonth[] {
  const dated = catalogs.flatMap((catalog) => {
    const instant = instantOf(catalog.start_date)
    if (instant === undefined) return [] // without a date it is not coming, so no list has it
    const time = hasTime(catalog.start_date) ? words.timeOf(instant) : undefined
    return [{ day: words.dayOf(instant, now), event: { ...catalog, time } }]
  })
  const days = runsOf(dated, ({ day }) => day.machine).map(([first, ...others]) => ({
    ...first.day,
    events: [first, ...others].map(({ event }) => event),
  }))
  return runsOf(days, ({ month }) => month).map(([first, ...others]) => ({
    name: first.month,
    days: [first, ...others],
  }))
}

/** Neighbours that have the same key, together. */
function runsOf<T>(items: readonly T[], keyOf: (item: T) => string): [T, ...T[]][] {
  const runs: [T, ...T[]][] = []
  for (const item of items) {
    const run = runs.at(-1)
    if (run !== undefined && keyOf(run[0]) === keyOf(item)) run.push(item)
    else runs.push([item])
  }
  return runs
}

function hasTime(startDate: string | null): boolean {
  return startDate !== null && startDate.length > 'YYYY-MM-DD'.length
}
