import { LRUCache } from 'lru-cache'
import type { StoredResponse } from './stored-response.js'

/** The responses that are kept for one URI, the most recent first: one for each combination of the request fields it varies by. */
export interface Resource {
  readonly path: string
  readonly variants: readonly StoredResponse[]
}

/** How a response takes its place. */
export interface PutOptions {
  readonly maxVariants: number
  /** When it was asked for, in milliseconds since the epoch. */
  readonly requestedAt: number
}

/** Bytes of a key and its place. */
const overheadBytes = 256

/** What is kept in this process's memory, the least recently used given up first. */
export class ResponseStore {
  readonly #byKey: LRUCache<string, Resource>
  /** Keys by path, so that all that lies there can be found. */
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

  /** Puts the response before those of the same resource, in the place of the one for the same request fields. */
  put(key: string, path: string, response: StoredResponse, { maxVariants, requestedAt }: PutOptions): void {
    const others = this.#byKey.peek(key)?.variants ?? []
    // One that was asked for later may have come earlier: the most recent one counts. RFC 9111 §4.
    const isLate = (other: StoredResponse) => other.receivedAt > requestedAt && other.bornAt > response.bornAt
    if (others.some((other) => isSameVariant(other, response) && isLate(other))) return
    const variants = [response, ...others.filter((other) => !isSameVariant(other, response))].slice(0, maxVariants)
    this.#byKey.set(key, { path, variants: variants.sort((a, b) => b.originDate - a.originDate) })
    if (!this.#byKey.has(key)) return // larger than all of memory
    const keys = this.#byPath.get(path)
    if (keys === undefined) this.#byPath.set(path, new Set([key]))
    else keys.add(key)
  }

  /** Counts the bytes of a response anew. */
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

  /** Removes everything under the key; whether there was something. */
  delete(key: string): boolean {
    return this.#byKey.delete(key)
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

function isSameVariant(one: StoredResponse, other: StoredResponse): boolean {
  return (
    one.varyNames.join() === other.varyNames.join() &&
    one.varyValues.every((value, index) => value === other.varyValues[index])
  )
}
