import { createHistogram } from 'node:perf_hooks'

const maxMicroseconds = 60_000_000
const newHistogram = () => createHistogram({ lowest: 1, highest: maxMicroseconds, figures: 3 })

/** How many there were, and the milliseconds within which half, and 99 in 100, were answered. */
export interface LatencySummary {
  readonly count: number
  /** `undefined` where there were none. */
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
}

/**
 * How long answers took in the present second, and over a window that slides in slices. Recording costs a tenth of a
 * microsecond and allocates nothing.
 */
export class Latencies {
  readonly #second = newHistogram()
  readonly #slices = [newHistogram()]
  readonly #most: number

  /** `most`: slices that make up the window. */
  constructor(most: number) {
    this.#most = most
  }

  record(ms: number): void {
    this.#second.record(Math.min(Math.max(Math.round(ms * 1_000), 1), maxMicroseconds))
  }

  /** Of the second that ends now. */
  take(): LatencySummary {
    const taken = summaryOf(this.#second)
    this.#slices.at(-1)?.add(this.#second)
    this.#second.reset()
    return taken
  }

  /** Begins a slice, and forgets the oldest. */
  slide(): void {
    const oldest = this.#slices.length < this.#most ? newHistogram() : this.#slices.shift()
    if (oldest === undefined) return
    oldest.reset()
    this.#slices.push(oldest)
  }

  /** Of the whole window. */
  get lately(): LatencySummary {
    const sum = newHistogram()
    for (const slice of this.#slices) sum.add(slice)
    return summaryOf(sum)
  }
}

function summaryOf(histogram: ReturnType<typeof newHistogram>): LatencySummary {
  const { count } = histogram
  if (count === 0) return { count, p50Ms: undefined, p99Ms: undefined }
  return { count, p50Ms: histogram.percentile(50) / 1_000, p99Ms: histogram.percentile(99) / 1_000 }
}
