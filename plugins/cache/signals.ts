/** A listener implements the methods that it needs. */
export interface CacheSignalListener {
  /** The shared store reports a change of the key. */
  keyChanged?(key: string): void
  /** The entry is no longer usable as before: loads of the key that have started are outdated. */
  keyInvalidated?(key: string): void
  /** There are new purges: loads in flight may be outdated. */
  purgesChanged?(): void
  /** The lease of the key was acquired, released or has expired. */
  leaseChanged?(key: string): void
  /** The connection to the shared store or its contents changed: callers that wait for the store should check again. */
  storeChanged?(): void
}

/** Signals from the tiers to loads and leases. The cache owns it; every part emits to it or subscribes. */
export class CacheSignals {
  readonly #listeners: CacheSignalListener[] = []

  subscribe(listener: CacheSignalListener): void {
    this.#listeners.push(listener)
  }

  keyChanged(key: string): void {
    for (const listener of this.#listeners) listener.keyChanged?.(key)
  }

  keyInvalidated(key: string): void {
    for (const listener of this.#listeners) listener.keyInvalidated?.(key)
  }

  purgesChanged(): void {
    for (const listener of this.#listeners) listener.purgesChanged?.()
  }

  leaseChanged(key: string): void {
    for (const listener of this.#listeners) listener.leaseChanged?.(key)
  }

  storeChanged(): void {
    for (const listener of this.#listeners) listener.storeChanged?.()
  }
}
