import type { Entry, Tombstone } from './entry/codec.js'
import type { PurgesPosition, PurgesRead } from './purge/purge-log.js'

/** An entry as it came from a store, with the bytes that it takes there. */
export interface FoundEntry {
  readonly entry: Entry
  readonly bytes: number
}

/**
 * What came of a write: `kept`; refused because what lies there began `newer`, or was `purged`, by a stranger's hand too,
 * after this one began; or left alone because it is fresh and of an `other-schema`.
 */
export type WriteOutcome = 'stored' | 'newer' | 'purged' | 'other-schema'

/** `mine`: load it; `theirs`: somebody does; `passed`: whoever did has nothing to give, so that waiting is no use. */
export type LeaseAnswer = 'acquired' | 'held-elsewhere' | 'released'

/** Is told what happens to the store, by whomever. */
export interface StoreWatcher {
  /** Whatever lay under these keys is not what it was. */
  changed(keys: readonly string[]): void
  /** The key was purged hard: what is kept of it from this stamp or before is not to be served, whatever lies there by now. */
  removed(key: string, stamp: number): void
  /** The lease for the key was taken, renewed, ended or ran out. */
  leaseChanged(key: string): void
  /** There are purges that we have not read. */
  purged(): void
  /** Everything is gone. */
  flushed(): void
  /** Whether notices of change are known to arrive. */
  trackingChanged(isProven: boolean): void
  /** Whether a server of the store is left alone from now on, or used again. */
  circuitChanged(isAway: boolean): void
  /** Stamps given so far are wrong by so many microseconds. */
  clockAdjusted(byMicroseconds: number): void
}

/**
 * The tier that processes share. A store decides nothing: whether an entry may be used is the cache's business, and it may
 * drop any entry at any time. What it cannot do it says by rejecting with a `StoreFailure`, within its own time budget.
 */
export interface Store {
  /** Whether the server of this key is left alone for now: every call would be refused at once. */
  isCircuitOpen(key: string): boolean
  /** Whether any server is left alone for now. */
  readonly hasOpenCircuit: boolean
  /** Whether notices of change are known to arrive. */
  readonly isTracking: boolean
  /** What lies under the key, `undefined` when there is nothing. */
  get(key: string): Promise<FoundEntry | Tombstone | undefined>
  /** Stamp of the entry under the key, without fetching it. */
  stampOf(key: string): Promise<number | undefined>
  /** Keeps the entry until `staleUntil` where there is room. `valueText` is the value's JSON. */
  set(key: string, entry: Entry, valueText: string): Promise<WriteOutcome>
  /**
   * Ends what lies under the key and began before `stamp`: hard, it is gone; soft, it stays for stale-if-error. Fences the key
   * against writes from before for `fenceMs` at least. Whether there was something.
   */
  purgeKey(key: string, purge: { stamp: number; isHard: boolean; fenceMs: number }): Promise<boolean>
  /** The purges of tags: those after the position, or all where there is none, or where the log is another one by now. */
  readPurges(after: PurgesPosition | undefined): Promise<PurgesRead>
  /** Adds purges of tags; gives the stamp that they got, which is `stamp` or later. */
  addPurges(members: readonly string[], stamp: number): Promise<number>
  /** Puts back purges that the store has lost; where that is news to it, the log counts as another one. */
  restorePurges(purges: ReadonlyMap<string, number>): Promise<void>
  acquireLease(key: string, token: string): Promise<LeaseAnswer>
  /** False when it is somebody else's by now, or nobody's. */
  renewLease(key: string, token: string): Promise<boolean>
  /** Ends the lease if it is still ours; `passing` tells those who wait not to wait for one another. */
  releaseLease(key: string, token: string, how: 'stored' | 'empty'): Promise<void>
  /** Begins to tell what happens; once. */
  watch(watcher: StoreWatcher): void
  close(): Promise<void>
}

export function isTombstone(found: FoundEntry | Tombstone): found is Tombstone {
  return 'purgedAt' in found
}

/** A store could not do what it was asked; `kind` is one word for logs, `isOutage` tells a dead store from a bad key. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure'
  readonly kind: string
  readonly isOutage: boolean

  constructor(kind: string, { isOutage, message, cause }: { isOutage: boolean; message: string; cause?: unknown }) {
    super(message, { cause })
    this.kind = kind
    this.isOutage = isOutage
  }
}
