import { DigestMap } from './digest-map.js'
import type { PurgeMatch } from './response-purge.js'

const maxKeys = 10_000
const maxPurges = 100

/** A response that is being generated. */
export interface ResponsePlace {
  readonly key: string
  readonly path: string
  readonly tags: readonly string[]
}

/** When responses were invalidated, as a count: one that was requested before is not stored after. */
export class InvalidationLog {
  readonly #lastOf = new DigestMap<number>(maxKeys)
  readonly #purges: { readonly count: number; readonly matches: PurgeMatch }[] = []
  #count = 0
  /** Up to this count not all invalidations are remembered: any response may be meant. */
  #floor = 0

  /** Number of invalidations so far. */
  get count(): number {
    return this.#count
  }

  /** A key or a path. */
  add(key: string): void {
    this.#count += 1
    this.#lastOf.set(key, this.#count)
    this.#floor = Math.max(this.#floor, this.#count - maxKeys)
  }

  addPurge(matches: PurgeMatch): void {
    this.#count += 1
    this.#purges.push({ count: this.#count, matches })
    if (this.#purges.length > maxPurges) this.#floor = Math.max(this.#floor, this.#purges.shift()?.count ?? 0)
  }

  /** Whether the response was invalidated after the given count. */
  isAfter(count: number, { key, path, tags }: ResponsePlace): boolean {
    if (count === this.#count) return false
    if (count < this.#floor || [key, path].some((place) => (this.#lastOf.peek(place) ?? 0) > count)) return true
    return this.#purges.some((purge) => purge.count > count && purge.matches({ path, tags }))
  }
}
