import { LRUCache } from 'lru-cache'
import { backoffMs, jitterOf } from '../../backoff.js'
import type { LoadStart } from '../purge/purge-log.js'

const delays = { firstMs: 500, maxMs: 5_000 }
/** Share of the delay that jitter may subtract. */
const jitterShare = 0.2
/** How long a failure counts as the last known state of the source after its delay has passed. */
const rememberedMs = 60_000
/** Beyond this the failures of the least recently used keys are dropped, and those keys are retried sooner. */
const maxKeys = 10_000

interface Failures {
  readonly count: number
  /** End of the delay. */
  readonly until: number
  /** The load that failed last. */
  readonly load: LoadStart
}

/**
 * Delays the next refresh of a key after failed ones; meanwhile its stale value is served at once. A purge that covers
 * the failed load ends the delay.
 */
export class RefreshBackoff {
  readonly #failures = new LRUCache<string, Failures>({ max: maxKeys })
  readonly #isPurged: (load: LoadStart) => boolean

  constructor(isPurged: (load: LoadStart) => boolean) {
    this.#isPurged = isPurged
  }

  failed(key: string, load: LoadStart, now: number): void {
    const count = (this.#current(key)?.count ?? 0) + 1
    const delayMs = backoffMs(count, delays) * (1 - jitterOf(key) * jitterShare)
    this.#failures.set(key, { count, until: now + delayMs, load })
  }

  /** A load has succeeded, or there is another value. */
  clear(key: string): void {
    this.#failures.delete(key)
  }

  isBackingOff(key: string, now: number): boolean {
    const failures = this.#current(key)
    return failures !== undefined && now < failures.until
  }

  /** Whether the last load failed, and not too long ago. */
  hasFailed(key: string, now: number): boolean {
    const failures = this.#current(key)
    return failures !== undefined && now < failures.until + rememberedMs
  }

  #current(key: string): Failures | undefined {
    const failures = this.#failures.get(key)
    return failures === undefined || this.#isPurged(failures.load) ? undefined : failures
  }
}
