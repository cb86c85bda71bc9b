import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/** What stands for a text that may be long, wherever it comes from. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 32)
}

/**
 * Values by name, the least recently used given up first. Names have in them what clients send, as long as they like:
 * what is held is as short as any.
 */
export class ByDigest<Value extends object | number> {
  readonly #values: LRUCache<string, Value>

  constructor(max: number) {
    this.#values = new LRUCache({ max })
  }

  get(name: string): Value | undefined {
    return this.#values.size === 0 ? undefined : this.#values.get(digest(name)) // mostly there is nothing to look for
  }

  set(name: string, value: Value): void {
    this.#values.set(digest(name), value)
  }

  delete(name: string): void {
    if (this.#values.size > 0) this.#values.delete(digest(name))
  }
}
