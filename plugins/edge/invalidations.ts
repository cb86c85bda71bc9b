import { ByDigest } from '../responses/by-digest.js'

const maxRemembered = 10_000

/** Which resources were invalidated after what: a response asked for before is not kept after. */
export class Invalidations {
  readonly #lastOf = new ByDigest<number>(maxRemembered)
  #count = 0

  /** How many there have been. */
  get count(): number {
    return this.#count
  }

  add(key: string): void {
    this.#count += 1
    this.#lastOf.set(key, this.#count)
  }

  /** Whether one of the keys was invalidated after so many. */
  isAfter(count: number, ...keys: readonly string[]): boolean {
    return keys.some((key) => (this.#lastOf.get(key) ?? 0) > count)
  }
}
