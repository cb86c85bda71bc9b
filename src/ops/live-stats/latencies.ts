import { createHistogram } from 'node:perf_hooks'

const maxMicroseconds = 60_000_000
const newHistogram = () => createHistogram({ lowest: 1, highest: maxMicroseconds, figures: 3 })

export interface LatencySummary {
  readonly count: number
  /** `undefined` without responses. */
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
}

/**
 * Response times of the current second, and of a sliding window made of slices. `record` takes a tenth of a microsecond and
 * allocates nothing.
 */
export class Latencies {
  readonly #second = newHistogram()
  readonly #slices = [newHistogram()]
  readonly #maxSlices: number

  constructor(maxSlices: number) {
    this.#maxSlices = maxSlices
  }

  record(ms: number): void {
    this.#second.record(Math.min(Math.max(Math.round(ms * 1_000), 1), maxMicroseconds))
  }

  /** Summary of the current second; starts the next one. */
  flush(): LatencySummary {
    const summary = summaryOf(this.#second)
    this.#slices.at(-1)?.add(this.#second)
    this.#second.reset()
    return summary
  }

  /** Starts a slice and drops the oldest. */
  rotate(): void {
    const oldest = this.#slices.length < this.#maxSlices ? newHistogram() : this.#slices.shift()
    if (oldest === undefined) return
    oldest.reset()
    this.#slices.push(oldest)
  }

  /** Summary of the window. */
  get summary(): LatencySummary {
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
