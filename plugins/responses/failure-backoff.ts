import { backoffMs } from '../backoff.js'
import { DigestMap } from './digest-map.js'

const delays = { firstMs: 500, maxMs: 5_000 }
const maxKeys = 10_000

/** Delays after failures in a row, by key: each is longer than the one before, and nothing is retried in it. */
export class FailureBackoff {
  readonly #failures = new DigestMap<{ readonly count: number; readonly until: number }>(maxKeys)
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  isWaiting(key: string): boolean {
    return this.#now() < (this.#failures.get(key)?.until ?? 0)
  }

  failed(key: string): void {
    const count = (this.#failures.get(key)?.count ?? 0) + 1
    this.#failures.set(key, { count, until: this.#now() + backoffMs(count, delays) })
  }

  succeeded(key: string): void {
    this.#failures.delete(key)
  }
}
