import type { Reading } from '../reading.js'
import type { EntryState } from '../tiers/entry-state.js'

export interface ReadDecisionInput {
  /** `expired` also when there is no entry. */
  readonly state: EntryState
  /** Whether a fresh entry is due for an early refresh. */
  readonly isRefreshDue: boolean
  /** Whether refreshes of the key are delayed after failures. */
  readonly isBackingOff: boolean
  /** Whether the last load of the key failed recently. */
  readonly hasFailed: boolean
  /** How long callers wait for a load when there is a stale value. */
  readonly softTimeoutMs: number
}

export type ReadDecision =
  /** There is nothing to serve: wait for a load and pass on its error. */
  | { readonly action: 'load' }
  /** Serve the entry, and start a background refresh where `isRefreshed`. */
  | {
      readonly action: 'serve'
      readonly state: Reading<unknown>['state']
      readonly reason: 'hit' | 'stale' | 'stale-if-error'
      readonly isRefreshed: boolean
    }
  /** Wait for a load; serve the entry if it fails or takes longer than `maxWaitMs`. */
  | { readonly action: 'wait'; readonly maxWaitMs: number }

/** Decides how a read is answered with the entry that was found. */
export function decideRead(input: ReadDecisionInput): ReadDecision {
  const { state, isRefreshDue, isBackingOff, hasFailed, softTimeoutMs } = input
  if (state === 'expired') return { action: 'load' }
  if (state === 'fresh') return { action: 'serve', state: 'fresh', reason: 'hit', isRefreshed: isRefreshDue }
  if (isBackingOff) return { action: 'serve', state: 'stale', reason: 'stale-if-error', isRefreshed: false }
  if (state === 'stale-while-revalidate') {
    return { action: 'serve', state: 'stale', reason: staleReason(hasFailed), isRefreshed: true }
  }
  // A purged entry is served only when its load fails; after that failure callers wait no longer than for a stale one.
  const maxWaitMs = state === 'purged' && !hasFailed ? Number.POSITIVE_INFINITY : softTimeoutMs
  return { action: 'wait', maxWaitMs }
}

/** A retry in flight does not change the reason: it stays `stale-if-error` until a load succeeds. */
export function staleReason(hasFailed: boolean): 'stale' | 'stale-if-error' {
  return hasFailed ? 'stale-if-error' : 'stale'
}
