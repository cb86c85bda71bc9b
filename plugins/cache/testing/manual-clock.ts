/** A clock that stands still until it is moved: `app.register(cache, { now: clock.now })`. */
export interface ManualClock {
  /** Milliseconds since the epoch; needs no `this`. */
  readonly now: () => number
  /** Moves time on by so many seconds, to the nearest millisecond. */
  step(seconds: number): void
  /** Sets the clock to an instant: milliseconds since the epoch, or an ISO date and time. Throws a `RangeError` for anything else. */
  set(instant: number | string): void
}

/** A clock that stands at `start`, which is this very moment unless it is said otherwise. */
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
  if (Number.isNaN(milliseconds)) throw new RangeError(`'${instant}' is no instant`)
  return milliseconds
}
