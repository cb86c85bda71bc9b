import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../store.js'
import { Contents } from './contents.js'
import type { ManualClock } from './manual-clock.js'
import { type Fault, type Shared, TestConnection, type TestStoreMode } from './test-connection.js'

export type { TestStoreMode } from './test-connection.js'

export interface TestStoreOptions {
  /**
   * The manual clock of the caches on this store, if they have one. Each change of the store advances it by a
   * millisecond, so that what follows a change has a later stamp. Without it a change takes two milliseconds.
   */
  readonly clock?: ManualClock
  /** Default 50. */
  readonly timeoutMs?: number
  /** Lifetime of a lease that is not renewed. Default 3,000, as in the cache. */
  readonly leaseMs?: number
}

/**
 * A shared store in memory that replaces Redis in tests and fails on demand:
 * `app.register(cache, { store: redis.store })`.
 *
 * A mode applies to every cache on the store and can change at any time. Entries survive all modes.
 */
export interface TestStore {
  /** The connection of one cache; other caches need their own, from `connect`. */
  readonly store: Store
  /** A connection for another cache on the same entries, as another process would have. */
  connect(): Store
  readonly mode: TestStoreMode
  /** Works again, and notifies every cache. */
  up(): void
  /** The connection is lost: every cache is notified, and its circuit breaker is open until `up`. */
  down(): void
  /** Calls fail after `timeoutMs` with the kind `timeout`, and invalidations stop. */
  hang(): void
  /** Calls take `delayMs`, or fail after `timeoutMs` if that is less. */
  slow(delayMs: number): void
  /** Each `every`th call fails with the kind `closed`, while the circuit breaker stays closed. */
  flaky(every: number): void
  /** Reads fail with the kind `corrupt`, which is not an outage; writes work. */
  corrupt(): void
  /** Removes all entries, as FLUSHALL does, and notifies every cache. */
  flush(): void
}

/** Longer than the inaccuracy of a timer, so that stamps before and after differ. */
const changeMs = 2

/** An empty store in the mode `up`. */
export function createTestStore(options: TestStoreOptions = {}): TestStore {
  const { clock, timeoutMs = 50, leaseMs = 3_000 } = options
  const contents = new Contents({ now: clock?.now ?? Date.now, leaseMs })
  const connections = new Set<TestConnection>()
  let fault: Fault = { mode: 'up' }
  let calls = 0
  const shared: Shared = {
    contents,
    timeoutMs,
    get fault() {
      return fault
    },
    countCall: () => {
      calls += 1
      return calls
    },
    notify(notification) {
      for (const connection of connections) connection.notify(notification)
    },
    disconnect: (connection) => connections.delete(connection),
    async passTime() {
      if (clock === undefined) await sleep(changeMs)
      else clock.step(0.001)
    },
  }

  function connect(): TestConnection {
    const connection = new TestConnection(shared)
    connections.add(connection)
    return connection
  }

  function setFault(next: Fault): void {
    const previous = fault
    fault = next
    calls = 0
    if (previous.mode === next.mode) return
    for (const connection of connections) connection.modeChanged(previous.mode, next.mode)
  }

  return {
    store: connect(),
    connect,
    get mode() {
      return fault.mode
    },
    up: () => setFault({ mode: 'up' }),
    down: () => setFault({ mode: 'down' }),
    hang: () => setFault({ mode: 'hung' }),
    slow: (delayMs) => setFault({ mode: 'slow', delayMs }),
    flaky: (every) => setFault({ mode: 'flaky', every }),
    corrupt: () => setFault({ mode: 'corrupt' }),
    flush() {
      contents.clear()
      shared.notify((watcher) => watcher.flushed())
    },
  }
}
