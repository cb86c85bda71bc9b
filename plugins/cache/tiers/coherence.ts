import { jitterOf } from '../../backoff.js'
import type { CacheClock } from '../clock.js'
import { type MemoryEntry, unverified } from '../memory/memory-entry.js'
import type { MemoryTier } from '../memory/memory-tier.js'
import type { CacheEvents } from '../observe/cache-events.js'
import { Purges } from '../purge/purges.js'
import type { CacheSignals } from '../signals.js'
import type { StoreAccess } from '../store-access.js'

/**
 * How memory follows the shared store: `tracking`, invalidations arrive; `polling`, they are not known to arrive, and
 * memory is trusted for a second; `disconnected`, a circuit breaker is open; `memory-only`, there is no shared store.
 */
export type CoherenceState = 'memory-only' | 'tracking' | 'polling' | 'disconnected'

interface CoherenceDeps {
  readonly memory: MemoryTier
  readonly access: StoreAccess
  readonly clock: CacheClock
  readonly events: CacheEvents
  readonly signals: CacheSignals
  /** Minimum time for which a purged key refuses writes that started before the purge. */
  readonly fenceMs: number
}

/** How long memory is trusted while invalidations are not known to arrive; also the interval of retries. */
const pollMs = 1_000
/** After a reconnect entries are verified over this time, so that not all are read from the store at once. */
const spreadMs = 1_500

/**
 * Knows which memory entries may be served without asking the shared store.
 *
 * An entry is trusted as long as it is known to match the shared store. That ends with an invalidation, with an epoch
 * (one starts whenever invalidations may have been missed) or, while they are not known to arrive, after a second; then
 * the shared store is asked. While the store is disconnected memory keeps its own lifetimes.
 */
export class Coherence {
  readonly purges: Purges
  readonly #deps: CoherenceDeps
  #version = 0
  #epochVersion = 0
  #purgesVersion = 0
  /** Entries last verified before this version were lost when the store was flushed. */
  #flushVersion = 0
  /** Monotonic. */
  #reconnectedAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(deps: CoherenceDeps) {
    this.#deps = deps
    this.purges = new Purges({
      ...deps,
      onChanged: () => {
        this.#version += 1
        this.#purgesVersion = this.#version
        deps.signals.purgesChanged()
      },
      onPending: () => this.#schedule(),
      onDrained: () => deps.events.stateChanged('purges-sent'),
    })
  }

  /** Starts to watch the shared store, which may report changes at once. */
  start(): void {
    const { memory, access, clock, events, signals } = this.#deps
    access.store?.watch({
      changed: (keys) => {
        for (const key of keys) signals.keyChanged(key)
      },
      removed: (key, stamp) => {
        clock.observe(stamp)
        if ((memory.peek(key)?.stamp ?? Number.POSITIVE_INFINITY) <= stamp) memory.delete(key)
      },
      leaseChanged: (key) => signals.leaseChanged(key),
      purged: () => {
        this.purges.markOutdated()
        this.#catchUp()
      },
      flushed: () => {
        memory.watches.allChanged()
        this.#startEpochAfterGap()
        this.#flushVersion = this.#version
        events.stateChanged('flushed')
        signals.storeChanged()
      },
      trackingChanged: (isTracking) => {
        events.stateChanged(isTracking ? 'tracking' : 'polling')
        if (isTracking) this.#startEpochAfterGap()
        if (isTracking) this.#schedule()
        else this.#catchUp()
        signals.storeChanged()
      },
      circuitChanged: (isOpen) => {
        events.stateChanged(isOpen ? 'disconnected' : 'reconnected')
        if (!isOpen) this.#reconnected()
        signals.storeChanged()
      },
      clockAdjusted: (byMicroseconds) => {
        memory.adjustClock(byMicroseconds)
        this.purges.adjustClock(byMicroseconds)
        this.#catchUp()
      },
    })
    this.#schedule()
  }

  /** Changes with each epoch and each new purge: an entry verified in the present version needs no other check. */
  get version(): number {
    return this.#version
  }

  get state(): CoherenceState {
    const { store } = this.#deps.access
    if (store === undefined) return 'memory-only'
    if (store.hasOpenCircuit) return 'disconnected'
    return store.isTracking ? 'tracking' : 'polling'
  }

  /** Whether memory may answer with the entry without asking the shared store. */
  isTrusted(key: string, entry: MemoryEntry): boolean {
    if (this.isInCurrentEpoch(entry)) return true
    if (!this.isReliable(entry)) return false
    const isOpen = this.#deps.access.store?.isCircuitOpen(key) === true
    return isOpen || this.#deps.clock.monotonicNow() < this.#reconnectedAt + jitterOf(key) * spreadMs
  }

  /** Whether the entry matched the shared store when that last reported anything about it. */
  isReliable({ verifiedVersion }: MemoryEntry): boolean {
    return verifiedVersion !== unverified && verifiedVersion >= this.#flushVersion
  }

  isInCurrentEpoch({ verifiedVersion }: MemoryEntry): boolean {
    return verifiedVersion >= this.#epochVersion
  }

  /** Whether there has been no new purge since the entry was verified. */
  isCheckedAgainstPurges({ verifiedVersion }: MemoryEntry): boolean {
    return verifiedVersion >= this.#purgesVersion
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #reconnected(): void {
    this.#startEpochAfterGap()
    this.#reconnectedAt = this.#deps.clock.monotonicNow()
    void this.purges.replay()
    this.#schedule()
  }

  /** Invalidations and purges may have been missed. */
  #startEpochAfterGap(): void {
    this.#deps.memory.watches.allMayHaveChanged()
    this.#startEpoch()
    void this.purges.readAll()
  }

  /** Every memory entry must be compared with the shared store once. */
  #startEpoch(): void {
    this.#version += 1
    this.#epochVersion = this.#version
    this.purges.markOutdated()
  }

  #catchUp(): void {
    const isActive = this.#deps.access.store !== undefined && !this.#isClosed
    if (isActive && !this.purges.isUpToDate) void this.purges.read()
    this.#schedule()
  }

  /** Polls every second while invalidations are not known to arrive, or purges are to be read or sent. */
  #schedule(): void {
    const { store } = this.#deps.access
    clearTimeout(this.#timer)
    if (store === undefined || this.#isClosed) return
    if (store.isTracking && this.purges.isUpToDate && this.purges.queued === 0) return
    this.#timer = setTimeout(() => {
      if (!store.isTracking && !store.hasOpenCircuit) this.#startEpoch()
      if (this.purges.queued > 0) void this.purges.replay()
      this.#catchUp()
    }, pollMs)
    this.#timer.unref()
  }
}
