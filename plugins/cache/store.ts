import type { Entry } from './entry.js'

/** Where an answer came from: one of the stores, or the load itself. */
export type StoreTier = 'memory' | 'redis'

/**
 * Keeps entries. A store decides nothing: whether an entry may be used is the cache's business, and it may drop any
 * entry at any time. What it cannot do it says by rejecting with a `StoreFailure`, within its own time budget.
 */
export interface Store {
  readonly tier: StoreTier
  /** The entry, or `undefined` when there is none. */
  get(key: string): Promise<Entry | undefined>
  /** Keeps the entry at least until `staleUntil` where there is room. `valueText` is the value's JSON. */
  set(key: string, entry: Entry, valueText: string): Promise<void>
  /** Whether there was something to remove. */
  delete(key: string): Promise<boolean>
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
