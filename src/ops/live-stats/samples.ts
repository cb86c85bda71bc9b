/** Counts and response times of one second. */
export interface Sample {
  /** Responses, without those to operators and monitors. */
  readonly requests: number
  /** Responses of panels and lists, which are rendered from the data cache. */
  readonly catalogResponses: number
  /** Requests to cached routes, and those that needed no handler. */
  readonly edgeRequests: number
  readonly edgeHits: number
  /** Reads of the data cache, and its hits in memory and in Redis. */
  readonly reads: number
  readonly memoryHits: number
  readonly redisHits: number
  /** Loads that ended. */
  readonly loads: number
  /** Response times; `undefined` without responses. */
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
}

/** The most recent samples, oldest first. */
export class Samples {
  readonly #samples: Sample[] = []
  readonly #maxSamples: number

  constructor(maxSamples: number) {
    this.#maxSamples = maxSamples
  }

  add(sample: Sample): void {
    this.#samples.push(sample)
    if (this.#samples.length > this.#maxSamples) this.#samples.shift()
  }

  get all(): readonly Sample[] {
    return this.#samples
  }

  /** Sum over the last `count` samples. */
  sum(count: number, select: (sample: Sample) => number): number {
    return this.#samples.slice(-count).reduce((sum, sample) => sum + select(sample), 0)
  }
}
