import { createHistogram } from 'node:perf_hooks'

const maxMicroseconds = 60_000_000

/** How long answers took since it was last asked. Recording costs a tenth of a microsecond and allocates nothing. */
export class Latencies {
  readonly #histogram = createHistogram({ lowest: 1, highest: maxMicroseconds, figures: 3 })

  record(ms: number): void {
    this.#histogram.record(Math.min(Math.max(Math.round(ms * 1_000), 1), maxMicroseconds))
  }

  /** The number of answers and the milliseconds of the slower ones among them; begins anew. */
  take(): { count: number; p50Ms: number | undefined; p99Ms: number | undefined } {
    const { count } = this.#histogram
    const [p50Ms, p99Ms] = [50, 99].map((rank) => this.#histogram.percentile(rank) / 1_000)
    this.#histogram.reset()
    return count === 0 ? { count, p50Ms: undefined, p99Ms: undefined } : { count, p50Ms, p99Ms }
  }
}
