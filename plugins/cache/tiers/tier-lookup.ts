import type { CacheClock } from '../clock.js'
import type { Entry, Tombstone } from '../entry/codec.js'
import type { SchemaCheck } from '../entry/schema-check.js'
import type { ChangeWatch } from '../memory/change-watches.js'
import type { MemoryEntry } from '../memory/memory-entry.js'
import type { MemoryTier } from '../memory/memory-tier.js'
import type { KeyPurge } from '../purge/purge-queue.js'
import { type FoundEntry, isTombstone, type Store } from '../store.js'
import type { StoreAccess } from '../store-access.js'
import type { Coherence } from './coherence.js'
import { type ReconcileEffect, reconcile } from './reconcile.js'
import type { VerifiedMemory } from './verified-memory.js'

/** An entry and the tier that it was found in. */
export interface LookupHit {
  readonly entry: MemoryEntry
  readonly tier: 'memory' | 'redis'
}

type LookupResult = LookupHit | undefined

/** A read of the shared store in flight. */
interface SharedLookup {
  readonly check: SchemaCheck | undefined
  readonly watch: ChangeWatch
  /** Stamp of the memory entry when the read started. */
  readonly stamp: number | undefined
  promise: Promise<LookupResult> | undefined
}

interface TierLookupDeps {
  readonly memory: MemoryTier
  readonly verifiedMemory: VerifiedMemory
  readonly coherence: Coherence
  readonly access: StoreAccess
  readonly clock: CacheClock
  readonly staleWhileRevalidateMs: number
}

/** Finds entries: in memory where that is trusted, else in the shared store. */
export class TierLookup {
  readonly #deps: TierLookupDeps
  readonly #lookups = new Map<string, SharedLookup>()

  constructor(deps: TierLookupDeps) {
    this.#deps = deps
  }

  /** Synchronous when memory answers. An entry that does not match the schema counts as missing. */
  lookUp(key: string, check: SchemaCheck | undefined): LookupResult | Promise<LookupResult> {
    const { memory, coherence, access } = this.#deps
    const entry = memory.get(key)
    const store = access.storeFor(key)
    if (store === undefined || (entry !== undefined && coherence.isTrusted(key, entry))) {
      return this.#matchSchema(key, entry, check)
    }
    const inFlight = this.#lookups.get(key)
    // A result that was checked against another schema cannot be shared.
    const isJoinable = inFlight?.check === check && inFlight?.watch.isCurrent === true
    if (inFlight?.promise !== undefined && isJoinable) return inFlight.promise
    const lookup = this.#start(key, check)
    this.#lookups.set(key, lookup)
    lookup.promise = this.#lookUpShared(store, key, lookup)
    return lookup.promise
  }

  /** Asks the shared store even where memory is trusted, with a read that starts now. */
  reread(key: string, check: SchemaCheck | undefined): LookupResult | Promise<LookupResult> {
    const store = this.#deps.access.storeFor(key)
    if (store !== undefined) return this.#lookUpShared(store, key, this.#start(key, check))
    return this.#matchSchema(key, this.#deps.memory.get(key), check)
  }

  #start(key: string, check: SchemaCheck | undefined): SharedLookup {
    const { memory } = this.#deps
    return { check, watch: memory.watches.start(key), stamp: memory.peek(key)?.stamp, promise: undefined }
  }

  async #lookUpShared(store: Store, key: string, lookup: SharedLookup): Promise<LookupResult> {
    const { memory, access } = this.#deps
    try {
      const hit = await this.#read(store, key, lookup)
      access.succeeded()
      return hit
    } catch (error) {
      access.failed(key, error)
      return this.#matchSchema(key, memory.peek(key), lookup.check)
    } finally {
      memory.watches.stop(key, lookup.watch)
      if (this.#lookups.get(key) === lookup) this.#lookups.delete(key)
      // A table that the map has outgrown may stay reachable for a while, with everything it refers to.
      lookup.promise = undefined
    }
  }

  async #read(store: Store, key: string, { check, watch, stamp }: SharedLookup): Promise<LookupResult> {
    const { memory, coherence, clock } = this.#deps
    const purgesRead = coherence.purges.isUpToDate ? undefined : coherence.purges.read()
    const found = await store.get(key)
    if (purgesRead !== undefined) await purgesRead
    if (found !== undefined) clock.observe(isTombstone(found) ? found.purgedAt : found.entry.stamp)
    const entry = memory.peek(key)
    // An entry that was stored during the read is newer than its result.
    if (entry !== undefined && entry.stamp !== stamp) return this.#matchSchema(key, entry, check)
    return watch.isCurrent ? this.#reconcile(key, found, check) : this.#answerWithoutStoring(key, found, check)
  }

  #reconcile(key: string, shared: FoundEntry | Tombstone | undefined, check: SchemaCheck | undefined): LookupResult {
    const { memory, verifiedMemory, coherence } = this.#deps
    const entry = memory.peek(key)
    const found = shared === undefined || isTombstone(shared) ? undefined : shared
    const { answer, effects } = reconcile({
      memory: entry,
      isReliable: entry !== undefined && coherence.isReliable(entry),
      shared,
      queuedPurge: found && this.#queuedPurge(key, found.entry),
      isSchemaMatch: found === undefined || isAccepted(found.entry, check),
    })
    for (const effect of effects) this.#apply(key, effect)
    if (answer === 'memory') return this.#matchSchema(key, verifiedMemory.confirm(key), check)
    if (answer === 'none' || found === undefined) return undefined
    const placed = verifiedMemory.place(key, found.entry, { bytes: found.bytes, isPersisted: true })
    return placed && { entry: placed, tier: 'redis' }
  }

  #apply(key: string, effect: ReconcileEffect): void {
    const { memory, access, clock, staleWhileRevalidateMs } = this.#deps
    if (effect === 'invalidate') memory.invalidate(key)
    else if (effect === 'delete') memory.delete(key)
    else if (effect === 'mark-persisted') memory.markPersisted(key, true)
    else if (effect === 'report-schema-mismatch') access.schemaMismatch(key)
    else {
      // Most likely the store has lost everything: serve it while one refresh runs, so that not all keys load at once.
      const now = clock.now()
      memory.markPersisted(key, false)
      memory.shortenFreshness(key, { freshUntil: now, revalidateUntil: now + staleWhileRevalidateMs })
    }
  }

  /** The key changed during the read: the result answers this read, and is not stored. */
  #answerWithoutStoring(
    key: string,
    found: FoundEntry | Tombstone | undefined,
    check: SchemaCheck | undefined,
  ): LookupResult {
    const { memory, verifiedMemory, access } = this.#deps
    if (found !== undefined && isTombstone(found)) verifiedMemory.applyTombstone(key, found)
    if (found === undefined || isTombstone(found) || this.#queuedPurge(key, found.entry) !== undefined) {
      return this.#matchSchema(key, memory.peek(key), check)
    }
    const entry = verifiedMemory.answerOnce(found.entry)
    if (entry === undefined) return undefined
    if (isAccepted(found.entry, check)) return { entry, tier: 'redis' }
    access.schemaMismatch(key)
    return undefined
  }

  /** A purge of the key that covers the entry and has not reached the shared store yet. */
  #queuedPurge(key: string, { stamp }: Entry): KeyPurge | undefined {
    const queued = this.#deps.coherence.purges.queuedOf(key)
    return queued !== undefined && stamp <= queued.stamp ? queued : undefined
  }

  #matchSchema(key: string, entry: MemoryEntry | undefined, check: SchemaCheck | undefined): LookupResult {
    if (entry === undefined) return undefined
    if (check === undefined || entry.fingerprint === check.fingerprint) return { entry, tier: 'memory' }
    this.#deps.access.schemaMismatch(key)
    return undefined
  }
}

function isAccepted(entry: Entry, check: SchemaCheck | undefined): boolean {
  return check === undefined || (entry.fingerprint === check.fingerprint && check.accepts(entry.value))
}
