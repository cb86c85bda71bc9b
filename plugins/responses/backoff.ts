import { ByDigest } from './by-digest.js'

const firstPauseMs = 500
const maxPauseMs = 5_000
const maxPaused = 10_000

/** Pauses after failures, each longer than the one before, in which nothing is tried again. */
export class Pauses {
  readonly #paused = new ByDigest<{ readonly until: number; readonly ms: number }>(maxPaused)
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  isPaused(key: string): boolean {
    return this.#now() < (this.#paused.get(key)?.until ?? 0)
  }

  /** It has failed again. */
  begin(key: string): void {
    const ms = Math.min(2 * (this.#paused.get(key)?.ms ?? firstPauseMs / 2), maxPauseMs)
    this.#paused.set(key, { until: this.#now() + ms, ms })
  }

  /** It has gone well. */
  end(key: string): void {
    this.#paused.delete(key)
  }
}
