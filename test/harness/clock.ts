/** A clock that stands still until it is stepped. */
export interface Clock {
  readonly now: () => number
  /** Moves time on by so many seconds. */
  step(seconds: number): void
  /** Sets the clock to an instant: milliseconds, or an ISO date and time. */
  set(instant: number | string): void
}

export function createClock(start: number | string = '2026-03-10T12:00:00Z'): Clock {
  let instant = new Date(start).getTime()
  return {
    now: () => instant,
    step(seconds) {
      instant += seconds * 1_000
    },
    set(next) {
      instant = new Date(next).getTime()
    },
  }
}
