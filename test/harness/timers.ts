/** Timers that run only when time is stepped. */
export interface SteppedTimers {
  /** Starts a timer and returns a function that cancels it. */
  readonly start: (run: () => void, afterMs: number) => () => void
  /** The number of pending timers. */
  readonly count: number
  /** Advances time and runs due timers. */
  step(ms: number): void
}

export function createTimers(): SteppedTimers {
  let now = 0
  const timers = new Set<{ readonly run: () => void; readonly dueAt: number }>()
  return {
    start(run, afterMs) {
      const timer = { run, dueAt: now + afterMs }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    get count() {
      return timers.size
    },
    step(ms) {
      now += ms
      for (const timer of [...timers]) {
        if (timer.dueAt > now || !timers.delete(timer)) continue
        timer.run()
      }
    },
  }
}
