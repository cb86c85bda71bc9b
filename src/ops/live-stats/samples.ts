/** What was counted and measured in one second. */
export interface Sample {
  /** Requests answered, those of operators and monitors aside. */
  readonly requests: number
  /** Answers that the data cache, or the upstream, was needed for or would have been: panels and lists. */
  readonly answers: number
  /** Requests to routes that the edge keeps, and those answered without their handler. */
  readonly edgeRequests: number
  readonly edgeAnswers: number
  /** Reads of the data cache, and those answered from memory and from Redis. */
  readonly reads: number
  readonly memoryHits: number
  readonly redisHits: number
  /** Loads that ended, which is when the upstream was asked. */
  readonly loads: number
  /** Milliseconds within which half, and 99 in 100, of the requests were answered; `undefined` where there were none. */
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
}

/** The samples of the last minutes, oldest first. */
export class Samples {
  readonly #kept: Sample[] = []
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  add(sample: Sample): void {
    this.#kept.push(sample)
    if (this.#kept.length > this.#most) this.#kept.shift()
  }

  get all(): readonly Sample[] {
    return this.#kept
  }

  /** The sum over the last so many samples. */
  sum(last: number, of: (sample: Sample) => number): number {
    return this.#kept.slice(-last).reduce((sum, sample) => sum + of(sample), 0)
  }
}
