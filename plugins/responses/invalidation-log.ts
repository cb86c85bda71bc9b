import { DigestMap } from './digest-map.js'

const maxKeys = 10_000

/** When keys were invalidated, as a count: a response that was requested before is not stored after. */
export class InvalidationLog {
  readonly #lastOf = new DigestMap<number>(maxKeys)
  #count = 0

  /** Number of invalidations so far. */
  get count(): number {
    return this.#count
  }

  add(key: string): void {
    this.#count += 1
    this.#lastOf.set(key, this.#count)
  }

  /** Whether one of the keys was invalidated after the given count. */
  isAfter(count: number, ...keys: readonly string[]): boolean {
    return keys.some((key) => (this.#lastOf.get(key) ?? 0) > count)
  }
}
