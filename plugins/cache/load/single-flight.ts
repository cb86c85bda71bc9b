/** What a caller gets: the shared promise, and whether somebody else had started it. */
export interface Flight<T> {
  readonly promise: Promise<T>
  readonly isCollapsed: boolean
}

/**
 * One run for all who ask for the same key at the same time. The promise is shared as it is, failure included, so that
 * a failing run is not tried again by each waiter in turn.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>()

  /** Joins the flight under way for the key, or starts one. */
  run(key: string, start: () => Promise<T>): Flight<T> {
    const underWay = this.#flights.get(key)
    if (underWay !== undefined) return { promise: underWay, isCollapsed: true }
    const promise = start().finally(() => {
      if (this.#flights.get(key) === promise) this.#flights.delete(key)
    })
    this.#flights.set(key, promise)
    return { promise, isCollapsed: false }
  }

  /** Lets the flight under way end for those who wait for it; whoever asks from now on starts a new one. */
  forget(key: string): void {
    this.#flights.delete(key)
  }
}
