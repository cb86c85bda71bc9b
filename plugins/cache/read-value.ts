import type { MemoryEntry } from './memory/memory-entry.js'

/** A longer string is identified by the stamp of its entry. */
const maxStringLength = 64

/**
 * Identifies a value that was read, without keeping it in memory: what depends on it may live much longer. An equal value of a refresh is
 * the same value, because memory keeps the object then.
 */
export class ReadValue {
  /** Whether the read returned it stale. */
  readonly isStale: boolean
  readonly #stamp: number
  readonly #reference: WeakRef<object> | undefined
  readonly #primitive: unknown

  constructor({ value, stamp }: Pick<MemoryEntry, 'value' | 'stamp'>, isStale: boolean) {
    this.isStale = isStale
    this.#stamp = stamp
    this.#reference = typeof value === 'object' && value !== null ? new WeakRef(value) : undefined
    this.#primitive = typeof value === 'string' && value.length > maxStringLength ? undefined : value
    if (this.#reference !== undefined) this.#primitive = undefined
  }

  /** The value, if it is still in memory and can be compared by itself. */
  get value(): unknown {
    return this.#reference === undefined ? this.#primitive : this.#reference.deref()
  }

  isOf({ value, stamp }: Pick<MemoryEntry, 'value' | 'stamp'>): boolean {
    const known = this.value
    return known === undefined ? this.#reference === undefined && stamp === this.#stamp : known === value
  }
}
