export interface InvalidDatesOptions {
  readonly warn: (fields: InvalidDatesFields, message: string) => void
  /** Milliseconds of a monotonic clock. */
  readonly monotonicNow: () => number
}

/** `count` are the dates since the last line. */
export interface InvalidDatesFields {
  readonly subject: 'upstream'
  readonly kind: 'invalid-date'
  readonly count: number
  readonly example: string
}

/** Counts and logs start dates of the upstream that are not ISO 8601. Their catalogs are not upcoming. */
export interface InvalidDates {
  /** Dates reported since the start. */
  readonly total: number
  /** Call it once for each loaded list. */
  report(dates: readonly string[]): void
}

/** Between two lines while lists have invalid dates. */
export const summaryMs = 600_000
/** After so long without an invalid date the next one is a new state. Longer than lists usually stay fresh. */
export const quietMs = 3_600_000
const maxExampleLength = 40

export function createInvalidDates({ warn, monotonicNow }: InvalidDatesOptions): InvalidDates {
  let total = 0
  let lastTotal = 0 // in the log
  let loggedAt = Number.NEGATIVE_INFINITY
  let seenAt = Number.NEGATIVE_INFINITY

  return {
    get total() {
      return total
    },
    report(dates) {
      const [first] = dates
      if (first === undefined) return
      const now = monotonicNow()
      const isNew = now - seenAt >= quietMs
      total += dates.length
      seenAt = now
      if (!isNew && now - loggedAt < summaryMs) return
      const message = isNew
        ? 'upstream sent invalid start dates, their catalogs are not listed'
        : 'upstream is sending invalid start dates'
      warn({ subject: 'upstream', kind: 'invalid-date', count: total - lastTotal, example: quote(first) }, message)
      loggedAt = now
      lastTotal = total
    },
  }
}

/** Short, and printable ASCII only. */
function quote(text: string): string {
  const escaped = JSON.stringify(text.slice(0, maxExampleLength)).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return text.length > maxExampleLength ? `${escaped}…` : escaped
}
