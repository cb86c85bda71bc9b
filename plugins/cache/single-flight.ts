/** The shared promise, and whether another caller had started it. */
export interface Flight<T> {
  readonly promise: Promise<T>
  readonly isCollapsed: boolean
}

/** One run at a time for each key. Its promise is shared, failures included: callers do not retry one after another. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>()

  /** Joins the run in flight for the key, or starts one. */
  run(key: string, start: () => Promise<T>): Flight<T> {
    const inFlight = this.#flights.get(key)
    if (inFlight !== undefined) return { promise: inFlight, isCollapsed: true }
    const promise = start().finally(() => {
      if (this.#flights.get(key) === promise) this.#flights.delete(key)
    })
    this.#flights.set(key, promise)
    return { promise, isCollapsed: false }
  }

  /** The run in flight ends for the callers that have joined it; the next call starts a new one. */
  detach(key: string): void {
    this.#flights.delete(key)
  }
}
