import type { CacheClock } from '../clock.js'
import type { CacheView } from '../dependencies.js'
import type { SchemaCheck } from '../entry/schema-check.js'
import type { MemoryEntry } from '../memory/memory-entry.js'
import type { MemoryTier } from '../memory/memory-tier.js'
import type { CacheEvents } from '../observe/cache-events.js'
import type { PurgeRequest, Purges, QueuedPurge } from '../purge/purges.js'
import type { CacheSignals } from '../signals.js'
import type { StoreAccess } from '../store-access.js'
import { Coherence } from './coherence.js'
import type { EntryState } from './entry-state.js'
import { type LookupHit, TierLookup } from './tier-lookup.js'
import { type EntryWrite, TierWriter, type WriteOptions, type WriteResult } from './tier-writer.js'
import { VerifiedMemory } from './verified-memory.js'

interface TiersDeps {
  readonly memory: MemoryTier
  readonly access: StoreAccess
  readonly clock: CacheClock
  readonly events: CacheEvents
  readonly signals: CacheSignals
  /** Minimum time for which a purged key refuses writes that started before the purge. */
  readonly fenceMs: number
  readonly staleWhileRevalidateMs: number
}

/** Memory in front of the shared store: look-ups, writes, removals and purges that concern both. */
export class Tiers {
  readonly memory: MemoryTier
  readonly coherence: Coherence
  readonly purges: Purges
  readonly #deps: TiersDeps
  readonly #verifiedMemory: VerifiedMemory
  readonly #lookup: TierLookup
  readonly #writer: TierWriter

  constructor(deps: TiersDeps) {
    this.#deps = deps
    this.memory = deps.memory
    this.coherence = new Coherence(deps)
    this.purges = this.coherence.purges
    this.#verifiedMemory = new VerifiedMemory({ ...deps, coherence: this.coherence })
    const shared = { ...deps, coherence: this.coherence, verifiedMemory: this.#verifiedMemory }
    this.#lookup = new TierLookup(shared)
    this.#writer = new TierWriter(shared)
  }

  stateOf(key: string, entry: MemoryEntry, now: number): EntryState {
    return this.#verifiedMemory.stateOf(key, entry, now)
  }

  /** Whether a read may return the entry stale before its load fails: it was neither purged nor changed elsewhere. */
  isStale(key: string, entry: MemoryEntry, now: number): boolean {
    const state = this.stateOf(key, entry, now)
    return state === 'stale-while-revalidate' || state === 'stale-if-error'
  }

  /** For the dependencies of a call whose tracking started at the stamp. */
  viewSince(stamp: number): CacheView {
    const { memory, coherence, purges } = this
    const { clock } = this.#deps
    return {
      isCurrent: (key, read) => {
        const now = clock.now()
        if (!read.isStale && memory.isFresh(key, read.value, coherence.version, now)) return true
        const entry = memory.peek(key)
        if (entry === undefined || !read.isOf(entry)) return false
        return read.isStale ? this.isStale(key, entry, now) : this.#verifiedMemory.isCurrent(key, entry, now)
      },
      now: () => clock.now(),
      version: () => coherence.version,
      verdict: (tags) => purges.verdict(stamp, tags),
    }
  }

  lookUp(key: string, check: SchemaCheck | undefined): LookupHit | undefined | Promise<LookupHit | undefined> {
    return this.#lookup.lookUp(key, check)
  }

  reread(key: string, check: SchemaCheck | undefined): LookupHit | undefined | Promise<LookupHit | undefined> {
    return this.#lookup.reread(key, check)
  }

  write(write: EntryWrite, options?: WriteOptions): WriteResult {
    return this.#writer.write(write, options)
  }

  /** Removes the entry from both tiers; returns whether there was one. */
  async remove(key: string): Promise<boolean> {
    const stamp = this.#deps.clock.purgeStamp()
    this.memory.markChanged(key)
    const wasInMemory = this.memory.delete(key)
    const wasInStore = await this.purges.addKey(key, { stamp, isHard: true })
    return wasInMemory || wasInStore === true
  }

  /** Purges in this process at once, and in the shared store; returns what is queued because the store is unavailable. */
  async purge(request: PurgeRequest): Promise<QueuedPurge> {
    const { tags, keys, all, isHard } = request
    const stamp = this.#deps.clock.purgeStamp()
    for (const key of keys) {
      this.memory.markChanged(key)
      if (isHard) this.memory.delete(key)
      else this.memory.invalidate(key)
      this.#deps.signals.keyInvalidated(key)
    }
    const [isSent, queuedKeys] = await Promise.all([
      this.purges.add(request, stamp),
      this.purges.addKeys(keys, { stamp, isHard }),
    ])
    return { tags: isSent ? [] : tags, keys: queuedKeys, all: all && !isSent }
  }
}
