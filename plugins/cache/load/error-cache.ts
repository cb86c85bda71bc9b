import { LRUCache } from 'lru-cache'
import { backoffMs } from '../../backoff.js'
import type { LoadStart } from '../purge/purge-log.js'

const lifetimes = { firstMs: 125, maxMs: 1_000 }
const maxKeys = 10_000

interface CachedError {
  readonly error: unknown
  /** Consecutive failures. */
  readonly failures: number
  readonly until: number
  readonly load: LoadStart
}

/**
 * Errors of loads without a stale value, answered for a short time so that callers do not queue behind a source that
 * fails slowly. The first error is not cached, the second for 125 ms, doubling to a second. A purge that covers the
 * failed load removes its error.
 */
export class ErrorCache {
  readonly #errors = new LRUCache<string, CachedError>({ max: maxKeys })
  readonly #isPurged: (load: LoadStart) => boolean

  constructor(isPurged: (load: LoadStart) => boolean) {
    this.#isPurged = isPurged
  }

  failed(key: string, error: unknown, load: LoadStart, now: number): void {
    const failures = (this.#current(key)?.failures ?? 0) + 1
    const until = failures === 1 ? now : now + backoffMs(failures - 1, lifetimes)
    this.#errors.set(key, { error, failures, until, load })
  }

  clear(key: string): void {
    this.#errors.delete(key)
  }

  /** The error to answer with instead of loading. */
  get(key: string, now: number): { readonly error: unknown } | undefined {
    const cached = this.#current(key)
    return cached !== undefined && now < cached.until ? cached : undefined
  }

  #current(key: string): CachedError | undefined {
    const cached = this.#errors.get(key)
    return cached === undefined || this.#isPurged(cached.load) ? undefined : cached
  }
}
