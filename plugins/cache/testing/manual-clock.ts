/** A clock that only moves when `step` or `set` is called: `app.register(cache, { now: clock.now })`. */
export interface ManualClock {
  /** Milliseconds since the epoch; needs no `this`. */
  readonly now: () => number
  /** Advances the clock, to the nearest millisecond. */
  step(seconds: number): void
  /** Milliseconds since the epoch, or an ISO date and time; anything else throws a `RangeError`. */
  set(instant: number | string): void
}

export function createManualClock(start: number | string = Date.now()): ManualClock {
  let instant = resolveInstant(start)
  return {
    now: () => instant,
    step(seconds) {
      instant = resolveInstant(instant + Math.round(seconds * 1_000))
    },
    set(next) {
      instant = resolveInstant(next)
    },
  }
}

function resolveInstant(instant: number | string): number {
  const milliseconds = new Date(instant).getTime()
  if (Number.isNaN(milliseconds))
    throw new RangeError(`'${instant}' is neither a number of milliseconds nor an ISO date and time`)
  return milliseconds
}
