import type { Entry } from '../entry/codec.js'

/** The `verifiedVersion` of an entry that is known to differ, or may differ, from the shared store's. */
export const unverified = -1

/** A copy of an entry in memory; later changes do not affect it. */
export interface MemoryEntry extends Omit<Entry, 'loadMs' | 'purgedAt'> {
  /** When hits start a background refresh; never after `freshUntil`. */
  readonly refreshAt: number
  /** The `Coherence` version in which the entry last matched the shared store and no purge, or `unverified`. */
  readonly verifiedVersion: number
  /** Whether the shared store is known to have the entry. */
  readonly isPersisted: boolean
  /** Whether its freshness has ended early: it is served only when its load fails. */
  readonly isInvalidated: boolean
}
