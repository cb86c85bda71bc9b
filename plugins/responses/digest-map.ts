import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/** A short key for a text of any length. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 32)
}

/**
 * Values by name, with eviction of the least recently used. Names contain what clients send, of any length: the digest bounds the
 * memory.
 */
export class DigestMap<Value extends object | number> {
  readonly #values: LRUCache<string, Value>

  constructor(max: number) {
    this.#values = new LRUCache({ max })
  }

  get(name: string): Value | undefined {
    return this.#values.size === 0 ? undefined : this.#values.get(digest(name)) // mostly empty: saves the digest
  }

  /** The value; does not count as a use of it. */
  peek(name: string): Value | undefined {
    return this.#values.size === 0 ? undefined : this.#values.peek(digest(name))
  }

  set(name: string, value: Value): void {
    this.#values.set(digest(name), value)
  }

  delete(name: string): void {
    if (this.#values.size > 0) this.#values.delete(digest(name))
  }
}
