import type { Load, Loader } from '../load/loader.js'

/** A loader whose calls are counted. */
export interface CountedLoads<T, Stale = unknown> {
  /** To be passed to `fetch` or `read` instead of the loader; needs no `this`. */
  readonly load: (load: Load<Stale>) => Promise<T> | T
  /** Calls so far. */
  readonly count: number
  /** Calls that have not ended. */
  readonly inFlight: number
}

/** Counts the calls of a loader, including failed ones. */
export function countLoads<T, Stale = unknown>(loader: Loader<T, Stale>): CountedLoads<T, Stale> {
  let count = 0
  let inFlight = 0
  return {
    async load(load) {
      count += 1
      inFlight += 1
      try {
        return await loader(load)
      } finally {
        inFlight -= 1
      }
    },
    get count() {
      return count
    },
    get inFlight() {
      return inFlight
    },
  }
}
