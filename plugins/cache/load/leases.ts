import { randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { raceTimeout } from '../../timeout.js'
import type { LeaseAnswer, Store } from '../store.js'

/** Somebody's turn to load a key: `unavailable` when there is nobody to take turns with. */
export type Turn = Lease | 'held-elsewhere' | 'unavailable'

/** The right to load a key for all processes, renewed until it is ended. */
export interface Lease {
  /** `passing`: there is nothing to give to those who wait, and they had better not wait for one another. */
  end(how: 'stored' | 'empty'): Promise<void>
}

export interface LeasesParts {
  readonly store: Store | undefined
  readonly leaseMs: number
  /** Runs a command; `undefined` when the store fails, which has been reported. */
  readonly attempt: <T>(key: string, operation: () => Promise<T>) => Promise<T | undefined>
}

/** Milliseconds after which those who wait look again by themselves while notices arrive, as a share of the lease. */
const pollShare = 0.5
/** And while they are not known to. */
const quickPollMs = 100
/** Milliseconds for which somebody else's turn is taken for granted by those who would not wait for it. */
const theirsMs = 250
const maxTheirs = 10_000

/**
 * One load for all processes: who wants to load a key asks the shared store for its turn. A lease saves work and guards
 * nothing: with the store slow or away everybody loads alone, and what is kept is decided by stamps.
 */
export class Leases {
  readonly #parts: LeasesParts
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #held = new Set<Lease>()
  /** Keys that another process loads, and until when that is taken for granted. */
  readonly #theirs = new LRUCache<string, number>({ max: maxTheirs })

  constructor(parts: LeasesParts) {
    this.#parts = parts
  }

  /** Whether another process was loading the key a moment ago, and has not been heard to end. */
  areTheirs(key: string): boolean {
    return performance.now() < (this.#theirs.get(key) ?? 0)
  }

  /** Asks for the turn; after the time that a request may still spend on the store it is `unavailable`. */
  async take(key: string, withinMs: number): Promise<Turn> {
    const { store, attempt } = this.#parts
    if (store === undefined || store.isCircuitOpen(key) || withinMs <= 0) return 'unavailable'
    const token = randomBytes(16).toString('hex')
    const asking = attempt<LeaseAnswer>(key, () => store.acquireLease(key, token))
    const answer = await raceTimeout(asking, withinMs)
    if (answer === undefined) {
      void asking.then((late) => (late === 'acquired' ? this.#hold(store, key, token, false).end('stored') : undefined))
      return 'unavailable'
    }
    if (answer.value === 'held-elsewhere') this.#theirs.set(key, performance.now() + theirsMs)
    if (answer.value === 'held-elsewhere') return 'held-elsewhere'
    if (answer.value === 'released') return 'unavailable'
    // Without an answer it may be ours all the same: ending it is harmless if it is not.
    return this.#hold(store, key, token, answer.value === 'acquired')
  }

  /** Begins to listen; `changed` settles with the next sign that the load under way elsewhere has ended, or at the next look. */
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
        const { store, leaseMs } = this.#parts
        const pollMs = store?.isTracking === true ? leaseMs * pollShare : quickPollMs
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

  /** Wakes those who wait for the key. */
  wake(key: string): void {
    this.#theirs.delete(key)
    for (const listener of this.#waiting.get(key) ?? []) listener()
  }

  /** Wakes all: what they wait for may never be told. */
  wakeAll(): void {
    this.#theirs.clear()
    for (const key of [...this.#waiting.keys()]) this.wake(key)
  }

  /** Ends what is held, so that others need not wait until it runs out. */
  async close(): Promise<void> {
    this.wakeAll()
    await Promise.all([...this.#held].map((lease) => lease.end('stored')))
  }

  #hold(store: Store, key: string, token: string, isSure: boolean): Lease {
    const { leaseMs, attempt } = this.#parts
    const timer = setInterval(() => {
      if (store.isCircuitOpen(key)) return
      void attempt(key, () => store.renewLease(key, token)).then((isOurs) => {
        if (isOurs === false) clearInterval(timer)
      })
    }, leaseMs / 3)
    timer.unref()
    if (!isSure) clearInterval(timer)
    let hasEnded = false
    const lease: Lease = {
      end: async (how) => {
        clearInterval(timer)
        this.#held.delete(lease)
        if (hasEnded || store.isCircuitOpen(key)) return
        hasEnded = true
        await attempt(key, () => store.releaseLease(key, token, how))
      },
    }
    this.#held.add(lease)
    return lease
  }
}
