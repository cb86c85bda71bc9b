import type { OutageLog } from '../redis/outage-log.js'
import type { CacheEvents } from './observe/cache-events.js'
import { type Store, StoreFailure } from './store.js'

interface StoreAccessDeps {
  /** Undefined in a memory-only cache. */
  readonly store: Store | undefined
  readonly outageLog: OutageLog
  readonly events: CacheEvents
}

/** Access to the shared store. A failure is counted and logged here, and becomes `undefined` for the caller. */
export class StoreAccess {
  readonly store: Store | undefined
  readonly #outageLog: OutageLog
  readonly #events: CacheEvents

  constructor({ store, outageLog, events }: StoreAccessDeps) {
    this.store = store
    this.#outageLog = outageLog
    this.#events = events
  }

  /** The store, unless there is none or the circuit breaker of the key's server is open. */
  storeFor(key: string): Store | undefined {
    return this.store?.isCircuitOpen(key) === true ? undefined : this.store
  }

  /** Runs the operation; `undefined` when it fails. */
  async attempt<T>(key: string, operation: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await operation()
      this.succeeded()
      return result
    } catch (error) {
      this.failed(key, error)
      return undefined
    }
  }

  /** Reports a success. `attempt` does so itself; a read on the hot path calls this and `failed` to save two promises. */
  succeeded(): void {
    this.#outageLog.succeeded()
  }

  /** An entry does not match the schema of the read, which counts as a miss. */
  schemaMismatch(key: string): void {
    this.#events.storeFailed('other-schema')
    const message = 'cache: an entry that does not match the schema of the read counts as a miss'
    this.#outageLog.report({ kind: 'other-schema', key, message })
  }

  /** Counts and logs a failure. */
  failed(key: string, error: unknown): void {
    if (!(error instanceof StoreFailure)) {
      this.#events.storeFailed('bug')
      this.#outageLog.report({
        kind: 'bug',
        error,
        key,
        message: 'cache: the store failed unexpectedly; this is a bug',
      })
      return
    }
    const { kind, isOutage } = error
    this.#events.storeFailed(kind)
    if (kind === 'circuit-open') this.#outageLog.skipped()
    else if (isOutage) this.#outageLog.failed({ kind, error, key, message: outageMessage })
    else
      this.#outageLog.report({ kind, error, key, message: messages[kind] ?? 'cache: the stored entry is not readable' })
  }
}

const outageMessage = 'redis unavailable, serving from memory'

/** Messages for failures that are no outage and do not concern one entry. */
const messages: Readonly<Record<string, string>> = {
  full: 'cache: redis is out of memory and refuses writes; reads continue',
  readonly: 'cache: redis is read-only; reads continue',
  denied: 'cache: redis denies a command that the cache needs; continuing without it',
  'error-reply': 'cache: redis rejected a command; continuing without it',
}
