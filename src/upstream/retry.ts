import { UpstreamStatus, UpstreamTimeout, UpstreamUnreachable } from './errors.js'

/** Retries after the first attempt. */
export const defaultMaxRetries = 2
/** Upper bound of the first delay. It doubles with each retry. */
const baseDelayMs = 50
/** Retries that are available before calls have to earn them. */
const defaultBurst = 20
/** Calls that earn one retry. */
const defaultCallsPerRetry = 5

/**
 * Statuses that a retry may change. 500 is one of them: we send GETs only, and behind many load balancers a process that
 * shuts down answers 500.
 */
const transientStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/** Whether a retry may succeed. A malformed or oversized response would be so again. */
export function isTransient(error: unknown): boolean {
  if (error instanceof UpstreamStatus) return transientStatuses.has(error.upstreamStatus)
  return error instanceof UpstreamTimeout || error instanceof UpstreamUnreachable
}

/**
 * Delay before the next attempt: exponential with full jitter, so that calls that failed together do not retry together, plus
 * what the upstream asked for. `attempts` counts those made; `random` returns 0 to 1.
 */
export function retryDelayMs(error: unknown, attempts: number, random: () => number): number {
  const retryAfterMs = error instanceof UpstreamStatus ? error.retryAfterMs : 0
  return retryAfterMs + random() * baseDelayMs * 2 ** (attempts - 1)
}

export interface RetryBudget {
  /** Counts a call, which earns part of a retry. */
  earn(): void
  /** Takes one retry; false when none is left. */
  spend(): boolean
}

/** Bounds retries to a small share of all calls once a burst is used up, so that they do not multiply the load on a failing upstream. */
export function createRetryBudget({ burst = defaultBurst, callsPerRetry = defaultCallsPerRetry } = {}): RetryBudget {
  const maxCredit = burst * callsPerRetry
  let credit = maxCredit
  return {
    earn() {
      credit = Math.min(maxCredit, credit + 1)
    },
    spend() {
      if (credit < callsPerRetry) return false
      credit -= callsPerRetry
      return true
    },
  }
}
