import { UpstreamStatus, UpstreamTimeout, UpstreamUnreachable } from './errors.js'

/** Milliseconds below which the first pause lies; each further one may be twice as long. */
const basePauseMs = 50

/**
 * Statuses that a second try may change. 500 is one of them: only GETs are sent here, and behind many balancers it is
 * what a process answers that is just going down.
 */
const transientStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/** Whether the same GET may well succeed a moment later. What is malformed or too large now will be so then. */
export function isTransient(error: unknown): boolean {
  if (error instanceof UpstreamStatus) return transientStatuses.has(error.upstreamStatus)
  return error instanceof UpstreamTimeout || error instanceof UpstreamUnreachable
}

/**
 * Milliseconds to wait before the next try: exponential with full jitter, so that callers who failed together do not
 * come back together, and no less than the upstream asked for. `tries` counts those made, `random` gives 0 to 1.
 */
export function pauseBeforeRetry(error: unknown, tries: number, random: () => number): number {
  const askedMs = error instanceof UpstreamStatus ? error.retryAfterMs : 0
  return askedMs + random() * basePauseMs * 2 ** (tries - 1)
}

/** How many retries there may still be. */
export interface RetryBudget {
  /** Counts a call, which pays for part of a retry. */
  earn(): void
  /** Takes one retry; false when there is none left. */
  spend(): boolean
}

/**
 * Keeps retries a small share of all calls once a burst is used up: without it, an upstream in trouble is asked three
 * times as much as a healthy one, by every walk at once.
 */
export function createRetryBudget({ burst = 20, callsPerRetry = 5 } = {}): RetryBudget {
  const most = burst * callsPerRetry
  let calls = most
  return {
    earn() {
      calls = Math.min(most, calls + 1)
    },
    spend() {
      if (calls < callsPerRetry) return false
      calls -= callsPerRetry
      return true
    },
  }
}
