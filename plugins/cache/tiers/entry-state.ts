import type { MemoryEntry } from '../memory/memory-entry.js'
import type { PurgeVerdict } from '../purge/purge-log.js'

/**
 * How an entry may be used.
 * - `fresh`: answers reads.
 * - `stale-while-revalidate`: answers reads while one refresh runs in the background.
 * - `stale-if-error`: answers when the load is slow or fails.
 * - `purged`: purged, or changed in the shared store; answers only when the load fails.
 * - `expired`: must not be used.
 */
export type EntryState = 'fresh' | 'stale-while-revalidate' | 'stale-if-error' | 'purged' | 'expired'

export interface EntryStateContext {
  readonly purgeVerdict: PurgeVerdict
  /** Whether the entry matched the shared store when that last reported anything about it. */
  readonly isReliable: boolean
  readonly now: number
}

type StateFields = Pick<MemoryEntry, 'freshUntil' | 'revalidateUntil' | 'staleUntil' | 'isInvalidated'>

export function entryState(entry: StateFields, { purgeVerdict, isReliable, now }: EntryStateContext): EntryState {
  if (purgeVerdict === 'hard' || now >= entry.staleUntil) return 'expired'
  if (purgeVerdict === 'soft' || entry.isInvalidated || !isReliable) return 'purged'
  if (now < entry.freshUntil) return 'fresh'
  return now < entry.revalidateUntil ? 'stale-while-revalidate' : 'stale-if-error'
}
