import type { Test } from 'tap'

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

/** The monotonic clock of this process, for what the product times with it. */
export interface MonotonicClock {
  /** Moves time on by so many milliseconds. */
  step(milliseconds: number): void
  /** Lets time pass again, from where it is. */
  release(): void
}

/**
 * Stops `performance.now()` until the test ends or releases it. Timers go on; `until()` has no deadline meanwhile, nor has anything
 * else that measures time.
 */
export function stopMonotonicClock(t: Test): MonotonicClock {
  const now = performance.now.bind(performance)
  let aheadMs = 0
  let stoppedAt: number | undefined = now()
  performance.now = () => aheadMs + (stoppedAt ?? now())
  const release = () => {
    if (stoppedAt !== undefined) aheadMs -= now() - stoppedAt
    stoppedAt = undefined
  }
  t.teardown(release)
  return {
    step(milliseconds) {
      aheadMs += milliseconds
    },
    release,
  }
}
