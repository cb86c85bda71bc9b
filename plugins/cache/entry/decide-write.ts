import type { WriteOutcome } from '../store.js'

export interface WriteDecisionInput {
  /** Of the new entry. */
  readonly stamp: number
  /** Of the entry in memory. */
  readonly memoryStamp: number | undefined
  /** Whether the shared store is to be written, and its circuit breaker is closed. */
  readonly canPersist: boolean
}

/** Where a new entry is written: nowhere if memory has a newer one. */
export function decideWrite({ stamp, memoryStamp, canPersist }: WriteDecisionInput): 'none' | 'memory' | 'both' {
  if (memoryStamp !== undefined && memoryStamp > stamp) return 'none'
  return canPersist ? 'both' : 'memory'
}

/**
 * What the outcome of a write to the shared store means for memory: no echo of the write will come, the entry is
 * persisted, or the key has changed elsewhere. `undefined` is the outcome of a failed write.
 */
export function decideAfterWrite(
  outcome: WriteOutcome | undefined,
  isInMemory: boolean,
): 'no-echo' | 'persisted' | 'changed' | 'nothing' {
  if (outcome === 'newer' || outcome === 'purged') return 'changed'
  if (!isInMemory || outcome === 'other-schema') return 'nothing'
  return outcome === 'stored' ? 'persisted' : 'no-echo'
}

/** Whether the next read returns the written value, in this process at least. */
export function isStored(outcome: WriteOutcome | 'memory-only' | undefined): boolean {
  return outcome !== 'newer' && outcome !== 'purged'
}
