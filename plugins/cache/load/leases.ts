import { randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { raceTimeout } from '../../timeout.js'
import type { CacheClock } from '../clock.js'
import type { CacheSignals } from '../signals.js'
import type { LeaseAnswer, Store } from '../store.js'
import type { StoreAccess } from '../store-access.js'

/** `unavailable`: load without a lease, because the store is unavailable or the last load had nothing to store. */
export type LeaseOutcome = Lease | 'held-elsewhere' | 'unavailable'

/** The right to load a key for all processes, renewed until it is released. */
export interface Lease {
  /** `empty`: nothing was stored, so waiting processes should load at once instead of one after another. */
  release(how: 'stored' | 'empty'): Promise<void>
}

interface LeasesDeps {
  readonly access: StoreAccess
  readonly leaseMs: number
  readonly clock: Pick<CacheClock, 'monotonicNow'>
  readonly signals: CacheSignals
}

/** Interval at which waiting callers check by themselves while invalidations arrive, as a share of the lease. */
const pollShare = 0.5
/** Interval while invalidations are not known to arrive. */
const fastPollMs = 100
/** How long a lease is assumed to be still held elsewhere, for callers that would not wait for it. */
const heldElsewhereMs = 250
const maxHeldElsewhere = 10_000

/**
 * One load for all processes. Leases only save work: without one, processes load concurrently, and stamps decide which
 * result is stored.
 */
export class Leases {
  readonly #deps: LeasesDeps
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #held = new Set<Lease>()
  /** Until when a key's lease is assumed to be held by another process. */
  readonly #heldElsewhere = new LRUCache<string, number>({ max: maxHeldElsewhere })

  constructor(deps: LeasesDeps) {
    this.#deps = deps
    deps.signals.subscribe({
      leaseChanged: (key) => this.wake(key),
      storeChanged: () => this.#wakeAll(),
    })
  }

  /** Whether another process held the lease a moment ago and is not known to have released it. */
  isHeldElsewhere(key: string): boolean {
    return this.#deps.clock.monotonicNow() < (this.#heldElsewhere.get(key) ?? 0)
  }

  /** Requests the lease; `unavailable` when the store does not answer in time. */
  async acquire(key: string, timeoutMs: number): Promise<LeaseOutcome> {
    const { access } = this.#deps
    const store = access.storeFor(key)
    if (store === undefined || timeoutMs <= 0) return 'unavailable'
    const token = randomBytes(16).toString('hex')
    const pending = access.attempt<LeaseAnswer>(key, () => store.acquireLease(key, token))
    const answer = await raceTimeout(pending, timeoutMs)
    if (answer === undefined) {
      void pending.then((late) =>
        late === 'acquired' ? this.#hold(store, key, token, false).release('stored') : undefined,
      )
      return 'unavailable'
    }
    if (answer.value === 'held-elsewhere') {
      this.#heldElsewhere.set(key, this.#deps.clock.monotonicNow() + heldElsewhereMs)
      return 'held-elsewhere'
    }
    if (answer.value === 'released') return 'unavailable'
    // A failed command may still have acquired it. Releasing is harmless otherwise.
    return this.#hold(store, key, token, answer.value === 'acquired')
  }

  /** `changed` resolves when the lease may have been released, at the latest after the poll interval. */
  listen(key: string): { changed(): Promise<void>; stop(): void } {
    let wake: (() => void) | undefined
    let hasChanged = false
    const listener = () => {
      hasChanged = true
      wake?.()
    }
    const listeners = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, listeners.add(listener))
    return {
      changed: async () => {
        const { access, leaseMs } = this.#deps
        const pollMs = access.store?.isTracking === true ? leaseMs * pollShare : fastPollMs
        let timer: NodeJS.Timeout | undefined
        await new Promise<void>((resolve) => {
          wake = resolve
          timer = setTimeout(resolve, pollMs)
          if (hasChanged) resolve()
        })
        clearTimeout(timer)
        hasChanged = false
      },
      stop: () => {
        listeners.delete(listener)
        if (listeners.size === 0) this.#waiting.delete(key)
      },
    }
  }

  /** Wakes the callers that wait for the key. */
  wake(key: string): void {
    this.#heldElsewhere.delete(key)
    for (const listener of this.#waiting.get(key) ?? []) listener()
  }

  /** Releases all leases, so that other processes need not wait until they expire. */
  async close(): Promise<void> {
    this.#wakeAll()
    await Promise.all([...this.#held].map((lease) => lease.release('stored')))
  }

  #wakeAll(): void {
    this.#heldElsewhere.clear()
    for (const key of [...this.#waiting.keys()]) this.wake(key)
  }

  #hold(store: Store, key: string, token: string, isRenewed: boolean): Lease {
    const { access } = this.#deps
    const timer = isRenewed ? this.#renew(store, key, token) : undefined
    let isReleased = false
    const lease: Lease = {
      release: async (how) => {
        clearInterval(timer)
        this.#held.delete(lease)
        if (isReleased || store.isCircuitOpen(key)) return
        isReleased = true
        await access.attempt(key, () => store.releaseLease(key, token, how))
      },
    }
    this.#held.add(lease)
    return lease
  }

  #renew(store: Store, key: string, token: string): NodeJS.Timeout {
    const { access, leaseMs } = this.#deps
    const timer = setInterval(() => {
      if (store.isCircuitOpen(key)) return
      void access
        .attempt(key, () => store.renewLease(key, token))
        .then((isHeld) => {
          if (isHeld === false) clearInterval(timer)
        })
    }, leaseMs / 3)
    return timer.unref()
  }
}
