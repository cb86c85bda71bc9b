import { hasMethods } from '../redis/client-shape.js'
import type { Entry, Tombstone } from './entry/codec.js'
import type { PurgeLogPosition, PurgeLogRead } from './purge/purge-log.js'

/** An entry in a store, with its size there. */
export interface FoundEntry {
  readonly entry: Entry
  readonly bytes: number
}

/**
 * The result of a write: `stored`; refused because the stored entry started later (`newer`), because the key was
 * `purged` or deleted after this one started, or because the stored entry is fresh and has another schema
 * (`other-schema`).
 */
export type WriteOutcome = 'stored' | 'newer' | 'purged' | 'other-schema'

/** `released`: the last holder stored nothing, so load without a lease instead of waiting. */
export type LeaseAnswer = 'acquired' | 'held-elsewhere' | 'released'

export interface KeyPurgeRequest {
  readonly stamp: number
  readonly isHard: boolean
  readonly fenceMs: number
}

/** Receives what happens in the store, whichever client did it. */
export interface StoreWatcher {
  /** The entries of these keys have changed. */
  changed(keys: readonly string[]): void
  /** A hard purge of the key: entries with this stamp or an earlier one must not be served. */
  removed(key: string, stamp: number): void
  /** The lease of the key was acquired, renewed, released or has expired. */
  leaseChanged(key: string): void
  /** The purge log has changed. */
  purged(): void
  /** All entries were removed. */
  flushed(): void
  /** Whether `changed` is known to be called for every change. */
  trackingChanged(isTracking: boolean): void
  /** The circuit breaker of a server has opened or closed. */
  circuitChanged(isOpen: boolean): void
  /** The stamps of this process must be moved: the server's clock differs from what was assumed. */
  clockAdjusted(byMicroseconds: number): void
}

/**
 * The tier that processes share. The cache decides whether an entry may be used; the store may drop any entry at any
 * time. A failing call rejects with a `StoreFailure` within a timeout of the store's own.
 */
export interface Store {
  /** Whether the circuit breaker of this key's server is open: every call would be rejected at once. */
  isCircuitOpen(key: string): boolean
  /** Whether the circuit breaker of any server is open. */
  readonly hasOpenCircuit: boolean
  /** Whether `StoreWatcher.changed` is known to be called for every change. */
  readonly isTracking: boolean
  /** `undefined` when there is neither an entry nor a tombstone. */
  get(key: string): Promise<FoundEntry | Tombstone | undefined>
  /** The stamp of the entry, without reading its value. */
  stampOf(key: string): Promise<number | undefined>
  /** Stores the entry until `staleUntil`. `valueText` is the JSON of the value. */
  set(key: string, entry: Entry, valueText: string): Promise<WriteOutcome>
  /**
   * Purges an entry that started before `stamp`: a hard purge removes it, a soft one leaves it for stale-if-error.
   * Refuses writes that started before `stamp` for at least `fenceMs`. Returns whether there was an entry.
   */
  purgeKey(key: string, purge: KeyPurgeRequest): Promise<boolean>
  /** The purges of tags after the position; all without a position, or when the log is another one. */
  readPurges(after: PurgeLogPosition | undefined): Promise<PurgeLogRead>
  /** Adds purges of tags; returns their stamp, which is `stamp` or later. */
  addPurges(members: readonly string[], stamp: number): Promise<number>
  /** Restores purges that the store has lost; if it lacked any, the log counts as another one from then on. */
  restorePurges(purges: ReadonlyMap<string, number>): Promise<void>
  acquireLease(key: string, token: string): Promise<LeaseAnswer>
  /** False when this token no longer holds the lease. */
  renewLease(key: string, token: string): Promise<boolean>
  /** Releases the lease if this token holds it. `empty`: for a moment `acquireLease` answers `released`. */
  releaseLease(key: string, token: string, how: 'stored' | 'empty'): Promise<void>
  /** Called once. Calls to the watcher may start at once. */
  watch(watcher: StoreWatcher): void
  close(): Promise<void>
}

export function isTombstone(found: FoundEntry | Tombstone): found is Tombstone {
  return 'purgedAt' in found
}

export interface StoreFailureOptions {
  readonly isOutage: boolean
  readonly message: string
  readonly cause?: unknown
}

/** A failed call of a store. `kind` is one word for logs; `isOutage` is false when only this key or command failed. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure'
  readonly kind: string
  readonly isOutage: boolean

  constructor(kind: string, { isOutage, message, cause }: StoreFailureOptions) {
    super(message, { cause })
    this.kind = kind
    this.isOutage = isOutage
  }
}

const storeMethods: Readonly<Record<Exclude<keyof Store, 'hasOpenCircuit' | 'isTracking'>, true>> = {
  isCircuitOpen: true,
  get: true,
  stampOf: true,
  set: true,
  purgeKey: true,
  readPurges: true,
  addPurges: true,
  restorePurges: true,
  acquireLease: true,
  renewLease: true,
  releaseLease: true,
  watch: true,
  close: true,
}

/** The methods of `Store` that the value lacks. */
export function missingStoreMethods(value: unknown): string[] {
  return Object.keys(storeMethods).filter((name) => !hasMethods(value, [name]))
}
