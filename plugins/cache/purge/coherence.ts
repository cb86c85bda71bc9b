import type { CacheClock } from '../clock.js'
import { jitterOf } from '../jitter.js'
import { doubted, type MemoryEntry, type MemoryTier } from '../memory/memory-tier.js'
import type { CacheEvents } from '../observe/cache-events.js'
import type { Store } from '../store.js'
import { Purges } from './purges.js'

/** Whether the shared store's notices of change can be relied on; `alone`: there is no shared store. */
export type CoherenceState = 'memory-only' | 'tracking' | 'polling' | 'disconnected'

export interface CoherenceParts {
  readonly memory: MemoryTier
  readonly store: Store | undefined
  readonly clock: CacheClock
  readonly telling: CacheEvents
  /** Milliseconds for which a key is fenced against late writes after it was purged, at least. */
  readonly fenceMs: number
  readonly attempt: <T>(key: string, operation: () => Promise<T>) => Promise<T | undefined>
  /** Something has happened to the key in the shared store. */
  readonly onChanged: (key: string) => void
  /** There is news of purges: what is being loaded may be of before. */
  readonly onPurged: () => void
  readonly onLeaseChanged: (key: string) => void
  /** Whoever waits for the store had better look again. */
  readonly onDisturbed: () => void
}

/** Milliseconds for which memory is trusted while nothing proves that notices arrive. */
const shortTrustMs = 1_000
/** Milliseconds over which entries are checked again when the store is back, so that they are not all asked for at once. */
const spreadMs = 1_500

/**
 * What of memory can be relied on.
 *
 * Memory answers for as long as its entry is known to be what the shared store has. That knowledge ends with a notice
 * of change, with an epoch (one begins whenever notices may have been missed), or, while they are not proven to arrive,
 * within a second; then the shared store is asked. While that is away memory keeps its own lifetimes.
 */
export class Coherence {
  readonly purges: Purges
  readonly #parts: CoherenceParts
  #version = 0
  #epochBegan = 0
  #purgesChanged = 0
  /** Entries last seen before this were lost with everything else in the store. */
  #flushed = 0
  /** On the monotonic clock. */
  #returnedAt = Number.NEGATIVE_INFINITY
  #ticker: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(parts: CoherenceParts) {
    this.#parts = parts
    this.purges = new Purges({
      ...parts,
      onNews: () => {
        this.#version += 1
        this.#purgesChanged = this.#version
        parts.onPurged()
      },
      onPending: () => this.#tick(false),
      onSent: () => parts.telling.stateChanged('purges-sent'),
    })
  }

  /** Begins to listen to the shared store, which may tell things at once. */
  start(): void {
    const { memory, store, clock, telling, onChanged, onLeaseChanged, onDisturbed } = this.#parts
    store?.watch({
      changed: (keys) => {
        for (const key of keys) onChanged(key)
      },
      removed: (key, stamp) => {
        clock.observe(stamp)
        if ((memory.peek(key)?.stamp ?? Number.POSITIVE_INFINITY) <= stamp) memory.delete(key)
      },
      leaseChanged: (key) => onLeaseChanged(key),
      purged: () => {
        this.purges.doubt()
        this.#tick(true)
      },
      flushed: () => {
        memory.changeAll()
        this.#beginEpochAfterGap()
        this.#flushed = this.#version
        telling.stateChanged('flushed')
        onDisturbed()
      },
      trackingChanged: (isProven) => {
        telling.stateChanged(isProven ? 'tracking' : 'polling')
        if (isProven) this.#beginEpochAfterGap()
        this.#tick(!isProven)
        onDisturbed()
      },
      circuitChanged: (isAway) => {
        telling.stateChanged(isAway ? 'disconnected' : 'reconnected')
        if (!isAway) this.#return()
        onDisturbed()
      },
      clockAdjusted: (by) => {
        memory.shift(by)
        this.purges.shift(by)
        this.#tick(true)
      },
    })
    this.#tick(false)
  }

  /** Counts epochs and news of purges: an entry seen in this very version needs no second look. */
  get version(): number {
    return this.#version
  }

  get state(): CoherenceState {
    const { store } = this.#parts
    if (store === undefined) return 'memory-only'
    if (store.hasOpenCircuit) return 'disconnected'
    return store.isTracking ? 'tracking' : 'polling'
  }

  /** Whether memory may answer with the entry without asking the shared store. */
  isTrusted(key: string, held: MemoryEntry): boolean {
    if (this.isOfThisEpoch(held)) return true
    if (!this.isRelied(held)) return false
    const isAway = this.#parts.store?.isCircuitOpen(key) === true
    return isAway || performance.now() < this.#returnedAt + jitterOf(key) * spreadMs
  }

  /** Whether the entry was what the shared store had when that was last heard of. */
  isRelied({ seen }: MemoryEntry): boolean {
    return seen !== doubted && seen >= this.#flushed
  }

  isOfThisEpoch({ seen }: MemoryEntry): boolean {
    return seen >= this.#epochBegan
  }

  /** Whether the purges say the same of the entry as when it was last seen. */
  isHeldAgainstPurges({ seen }: MemoryEntry): boolean {
    return seen >= this.#purgesChanged
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#ticker)
  }

  #return(): void {
    this.#beginEpochAfterGap()
    this.#returnedAt = performance.now()
    void this.purges.replay()
    this.#tick(false)
  }

  /** Notices may have been missed: what is on its way may be of before, and purges may have been lost. */
  #beginEpochAfterGap(): void {
    this.#parts.memory.doubtAll()
    this.#beginEpoch()
    void this.purges.readAll()
  }

  /** From now on everything in memory has to be held against the shared store once. */
  #beginEpoch(): void {
    this.#version += 1
    this.#epochBegan = this.#version
    this.purges.doubt()
  }

  /** While notices are not proven, or purges wait to be read or sent, looks again every second. */
  #tick(isNow: boolean): void {
    const { store } = this.#parts
    clearTimeout(this.#ticker)
    if (store === undefined || this.#isClosed) return
    if (isNow && !this.purges.isKnown) void this.purges.read()
    if (store.isTracking && this.purges.isKnown && this.purges.queued === 0) return
    this.#ticker = setTimeout(() => {
      if (!store.isTracking && !store.hasOpenCircuit) this.#beginEpoch()
      if (this.purges.queued > 0) void this.purges.replay()
      this.#tick(true)
    }, shortTrustMs)
    this.#ticker.unref()
  }
}
