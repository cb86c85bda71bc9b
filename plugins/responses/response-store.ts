import { LRUCache } from 'lru-cache'
import type { PurgeMatch } from './response-purge.js'
import type { StoredResponse } from './stored-response.js'

/** The stored responses of one key, the most recent first: one for each variant. */
export interface Resource {
  readonly path: string
  readonly variants: readonly StoredResponse[]
}

export interface PutOptions {
  readonly maxVariants: number
  /** Milliseconds since the epoch. */
  readonly requestedAt: number
}

/** Approximate size of a key and its map entries. */
const overheadBytes = 256

/** The responses in memory, with eviction of the least recently used. */
export class ResponseStore {
  readonly #byKey: LRUCache<string, Resource>
  /** Keys by path, for invalidation. */
  readonly #byPath = new Map<string, Set<string>>()

  constructor(maxBytes: number) {
    this.#byKey = new LRUCache<string, Resource>({
      maxSize: maxBytes,
      sizeCalculation: sizeOf,
      dispose: ({ path }, key) => this.#forget(path, key),
      noDisposeOnSet: true,
    })
  }

  get size(): { readonly bytes: number; readonly resources: number } {
    return { bytes: this.#byKey.calculatedSize, resources: this.#byKey.size }
  }

  get(key: string): Resource | undefined {
    return this.#byKey.get(key)
  }

  /** Stores the response, in the place of the same variant. */
  put(key: string, path: string, response: StoredResponse, { maxVariants, requestedAt }: PutOptions): void {
    const others = this.#byKey.peek(key)?.variants ?? []
    // Responses may arrive in another order than their requests: the most recent one counts. RFC 9111 §4.
    const isLate = (other: StoredResponse) => other.receivedAt > requestedAt && other.begunAt > response.begunAt
    const replaced = others.find((other) => isSameVariant(other, response))
    if (replaced !== undefined && isLate(replaced)) return
    response.uses += replaced?.uses ?? 0
    const rest = evictLeastUsed(
      others.filter((other) => other !== replaced),
      maxVariants - 1,
    )
    this.#byKey.set(key, { path, variants: [response, ...rest].sort((a, b) => b.originDate - a.originDate) })
    if (!this.#byKey.has(key)) return // too large to be stored
    const keys = this.#byPath.get(path)
    if (keys === undefined) this.#byPath.set(path, new Set([key]))
    else keys.add(key)
  }

  /** Counts the bytes of the key's responses again. */
  recomputeSize(key: string): void {
    const resource = this.#byKey.peek(key)
    if (resource !== undefined) this.#byKey.set(key, { ...resource })
  }

  /** Removes one response. */
  remove(key: string, response: StoredResponse): void {
    const resource = this.#byKey.peek(key)
    if (resource === undefined) return
    const variants = resource.variants.filter((variant) => variant !== response)
    if (variants.length === 0) this.#byKey.delete(key)
    else this.#byKey.set(key, { ...resource, variants })
  }

  /** Removes all responses of the key; gives whether there were any. */
  delete(key: string): boolean {
    return this.#byKey.delete(key)
  }

  /** Removes the responses that match; gives their number. */
  removeMatching(matches: PurgeMatch): number {
    let removed = 0
    for (const [key, { path, variants }] of [...this.#byKey.entries()]) {
      for (const variant of variants) {
        if (!matches({ path, tags: variant.tags })) continue
        this.remove(key, variant)
        removed += 1
      }
    }
    return removed
  }

  keysAt(path: string): readonly string[] {
    return [...(this.#byPath.get(path) ?? [])]
  }

  #forget(path: string, key: string): void {
    const keys = this.#byPath.get(path)
    keys?.delete(key)
    if (keys?.size === 0) this.#byPath.delete(path)
  }
}

function sizeOf({ path, variants }: Resource, key: string): number {
  return variants.reduce((sum, { bytes }) => sum + bytes, overheadBytes + 2 * (key.length + path.length))
}

/**
 * The variants without the least used ones, of equal use without the oldest. Clients choose variants: many that are requested once must
 * not evict one that all others use. Each eviction halves the weight of earlier uses, so that one that was popular long ago goes, too.
 */
function evictLeastUsed(variants: readonly StoredResponse[], max: number): readonly StoredResponse[] {
  let rest = variants
  while (rest.length > max) {
    const evicted = rest.reduce((lowest, variant) => (variant.uses <= lowest.uses ? variant : lowest))
    rest = rest.filter((variant) => variant !== evicted)
    for (const variant of rest) variant.uses /= 2
  }
  return rest
}

function isSameVariant(one: StoredResponse, other: StoredResponse): boolean {
  return (
    one.varyNames.join() === other.varyNames.join() &&
    one.varyValues.every((value, index) => value === other.varyValues[index])
  )
}
