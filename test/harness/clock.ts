import type { Test } from 'tap'

/** A clock that stands still until it is stepped. */
export interface Clock {
  readonly now: () => number
  /** Advances time by seconds. */
  step(seconds: number): void
  /** Sets the time in milliseconds since the epoch or as an ISO date and time. */
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

/** Controls the monotonic clock of this process. */
export interface MonotonicClock {
  /** Advances time by milliseconds. */
  step(milliseconds: number): void
  /** Lets time pass again. */
  release(): void
}

/**
 * Stops `performance.now()` until the test ends or releases it. Timers still run. `until()` has no deadline while the clock
 * is stopped.
 */
export function stopMonotonicClock(t: Test): MonotonicClock {
  const now = performance.now.bind(performance)
  let offsetMs = 0
  let stoppedAt: number | undefined = Math.ceil(now()) // so that steps are exact
  performance.now = () => offsetMs + (stoppedAt ?? now())
  const release = () => {
    if (stoppedAt !== undefined) offsetMs -= now() - stoppedAt
    stoppedAt = undefined
  }
  t.teardown(release)
  return {
    step(milliseconds) {
      offsetMs += milliseconds
    },
    release,
  }
}
