import type { Load, Loader } from '../load/loader.js'

/** A loader that is counted; asserts nothing by itself. */
export interface CountedLoads<T, Stale = unknown> {
  /** To be handed to `fetch` or `read` in place of the loader; needs no `this`. */
  readonly load: (load: Load<Stale>) => Promise<T> | T
  /** How often it was called. */
  readonly count: number
  /** How many of these calls have not ended yet. */
  readonly inFlight: number
}

/** Counts how often the cache calls a loader, whatever comes of the calls. */
export function countLoads<T, Stale = unknown>(loader: Loader<T, Stale>): CountedLoads<T, Stale> {
  let count = 0
  let underWay = 0
  return {
    async load(load) {
      count += 1
      underWay += 1
      try {
        return await loader(load)
      } finally {
        underWay -= 1
      }
    },
    get count() {
      return count
    },
    get inFlight() {
      return underWay
    },
  }
}
