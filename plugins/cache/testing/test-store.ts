import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { type Store, StoreFailure, type StoreWatcher } from '../store.js'
import { Contents } from './contents.js'
import type { ManualClock } from './manual-clock.js'

/** What a test store does to those who call it. */
export type TestStoreMode = 'up' | 'down' | 'hung' | 'slow' | 'flaky' | 'corrupt'

export interface TestStoreOptions {
  /**
   * The clock that the caches on this store have, if that is a manual one. Each change in the store then moves it on by a millisecond, so
   * that what comes after a change is also later; on real time a change takes two milliseconds instead.
   */
  readonly clock?: ManualClock
  /** Milliseconds after which a call that gets no answer is given up. Default 50. */
  readonly timeoutMs?: number
  /** Milliseconds after which a lease that nobody renews is anybody's. Default 3,000, as in the cache. */
  readonly leaseMs?: number
}

/**
 * A shared store in this process's memory, in the place of Redis, that fails on demand: `app.register(cache, { store: redis.store })`.
 *
 * The modes are switched at any time and hold for every cache on the store. What lies in it stays through all of them.
 */
export interface TestStore {
  /** The connection for a cache. One cache has it: every other one gets its own by `connect`. */
  readonly store: Store
  /** A connection for one more cache on the same contents, as another process would have. */
  connect(): Store
  readonly mode: TestStoreMode
  /** Answers again, and tells every cache that it is back. */
  up(): void
  /** The connection is lost: every cache is told at once, and leaves the store alone until `up`. */
  down(): void
  /** No call is answered: each is given up after `timeoutMs`, with the kind `timeout`. Nor are changes told. */
  hang(): void
  /** Answers after so many milliseconds; a call that would take longer than `timeoutMs` is given up. */
  slow(delayMs: number): void
  /** Refuses each `every`th call at once, with the kind `closed`; 1 refuses all without being away. */
  flaky(every: number): void
  /** What is read is rubbish: the kind `corrupt`, which is no outage. Writes go on. */
  corrupt(): void
  /** Loses everything, as after FLUSHALL, and tells so. */
  flush(): void
}

type Fault =
  | { readonly mode: Exclude<TestStoreMode, 'slow' | 'flaky'> }
  | { readonly mode: 'slow'; readonly delayMs: number }
  | { readonly mode: 'flaky'; readonly every: number }

/** Longer than a timer may be early, and than two stamps may be alike. */
const changeMs = 2

/** A test store, up and empty. */
export function createTestStore(options: TestStoreOptions = {}): TestStore {
  const { clock, timeoutMs = 50, leaseMs = 3_000 } = options
  const contents = new Contents({ now: clock?.now ?? Date.now, leaseMs })
  const connections = new Set<Connection>()
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
    tell(notice) {
      for (const connection of connections) connection.hear(notice)
    },
    forget: (connection) => connections.delete(connection),
    async passTime() {
      if (clock === undefined) await sleep(changeMs)
      else clock.step(0.001)
    },
  }

  function connect(): Connection {
    const connection = new Connection(shared)
    connections.add(connection)
    return connection
  }

  function turn(next: Fault): void {
    const before = fault
    fault = next
    calls = 0
    if (before.mode === next.mode) return
    for (const connection of connections) connection.turn(before.mode, next.mode)
  }

  return {
    store: connect(),
    connect,
    get mode() {
      return fault.mode
    },
    up: () => turn({ mode: 'up' }),
    down: () => turn({ mode: 'down' }),
    hang: () => turn({ mode: 'hung' }),
    slow: (delayMs) => turn({ mode: 'slow', delayMs }),
    flaky: (every) => turn({ mode: 'flaky', every }),
    corrupt: () => turn({ mode: 'corrupt' }),
    flush() {
      contents.clear()
      shared.tell((watcher) => watcher.flushed())
    },
  }
}

type Notice = (watcher: StoreWatcher) => void

interface Shared {
  readonly contents: Contents
  readonly timeoutMs: number
  readonly fault: Fault
  /** How many calls there have been since the mode was switched, this one included. */
  countCall(): number
  /** Tells all caches, the one that made the change too: Redis does the same. */
  tell(notice: Notice): void
  forget(connection: Connection): void
  passTime(): Promise<void>
}

/** What one cache has of the store. */
class Connection implements Store {
  readonly #shared: Shared
  #watcher: StoreWatcher | undefined
  /** Whether a call has been refused since the store went down: the first tells why, the others are not even sent. */
  #isKnownDown = false
  #isClosed = false

  constructor(shared: Shared) {
    this.#shared = shared
  }

  isCircuitOpen(): boolean {
    return this.#shared.fault.mode === 'down'
  }

  get hasOpenCircuit(): boolean {
    return this.#shared.fault.mode === 'down'
  }

  get isTracking(): boolean {
    return this.#shared.fault.mode !== 'hung'
  }

  get: Store['get'] = (key) =>
    this.#call(({ contents, fault }) => {
      if (fault.mode === 'corrupt') throw failure('corrupt', 'what lies in the store is no entry')
      return contents.get(key)
    })

  stampOf: Store['stampOf'] = (key) => this.#call(({ contents }) => contents.stampOf(key))

  set: Store['set'] = (key, entry, valueText) =>
    this.#change(({ contents, tell }) => {
      const outcome = contents.set(key, entry, valueText)
      if (outcome === 'stored') tell((watcher) => watcher.changed([key]))
      return outcome
    })

  purgeKey: Store['purgeKey'] = (key, purge) =>
    this.#change(({ contents, tell }) => {
      const had = contents.purgeKey(key, purge)
      tell((watcher) => watcher.changed([key]))
      if (purge.isHard) tell((watcher) => watcher.removed(key, purge.stamp))
      return had
    })

  readPurges: Store['readPurges'] = (after) => this.#call(({ contents }) => contents.readPurges(after))

  addPurges: Store['addPurges'] = (members, stamp) =>
    this.#change(({ contents, tell }) => {
      const given = contents.addPurges(members, stamp)
      tell((watcher) => watcher.purged())
      return given
    })

  restorePurges: Store['restorePurges'] = (purges) =>
    this.#change(({ contents, tell }) => {
      contents.restorePurges(purges)
      tell((watcher) => watcher.purged())
    })

  acquireLease: Store['acquireLease'] = (key, token) =>
    this.#call(({ contents, tell }) => {
      const answer = contents.acquireLease(key, token)
      if (answer === 'acquired') tell((watcher) => watcher.leaseChanged(key))
      return answer
    })

  renewLease: Store['renewLease'] = (key, token) => this.#call(({ contents }) => contents.renewLease(key, token))

  releaseLease: Store['releaseLease'] = (key, token, how) =>
    this.#call(({ contents, tell }) => {
      contents.endLease(key, token, how)
      tell((watcher) => watcher.leaseChanged(key))
    })

  watch(watcher: StoreWatcher): void {
    // Not before the cache, which is about to be made, is there to be told.
    queueMicrotask(() => {
      if (this.#isClosed) return
      this.#watcher = watcher
      const { mode } = this.#shared.fault
      if (mode !== 'hung') watcher.trackingChanged(true)
      this.turn('up', mode)
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#watcher = undefined
    this.#shared.forget(this)
  }

  hear(notice: Notice): void {
    if (this.#watcher !== undefined) notice(this.#watcher)
  }

  /** Tells the cache what a new mode means to it. */
  turn(before: TestStoreMode, next: TestStoreMode): void {
    const watcher = this.#watcher
    if (watcher === undefined) return
    if (before === 'down') watcher.circuitChanged(false)
    if (before === 'hung') watcher.trackingChanged(true)
    if (next === 'hung') watcher.trackingChanged(false)
    if (next !== 'down') return
    this.#isKnownDown = false
    watcher.circuitChanged(true)
    watcher.purged() // makes the cache ask, so that it says in its log that there is no answer
  }

  async #change<T>(operation: (shared: Shared) => T): Promise<T> {
    return this.#call(operation, true)
  }

  /**
   * Does what is asked at once and answers in a later turn of the event loop, as a network would. By then every cache
   * has heard of the change and has read what it needs to: whoever waits for a purge may rely on it everywhere.
   */
  async #call<T>(operation: (shared: Shared) => T, isChange = false): Promise<T> {
    const shared = this.#shared
    const { fault, timeoutMs } = shared
    if (fault.mode === 'down') throw this.#refusal()
    if (fault.mode === 'flaky' && shared.countCall() % fault.every === 0) throw failure('closed', 'it was refused')
    if (fault.mode === 'hung' || (fault.mode === 'slow' && fault.delayMs > timeoutMs)) {
      await sleep(timeoutMs)
      throw failure('timeout', `there was no answer within ${timeoutMs} ms`)
    }
    if (fault.mode === 'slow') await sleep(fault.delayMs)
    const result = operation(shared)
    if (isChange) await shared.passTime()
    await nextTurn()
    return result
  }

  #refusal(): StoreFailure {
    const kind = this.#isKnownDown ? 'circuit-open' : 'closed'
    this.#isKnownDown = true
    return failure(kind, 'the store is down')
  }
}

function failure(kind: 'circuit-open' | 'closed' | 'timeout' | 'corrupt', message: string): StoreFailure {
  return new StoreFailure(kind, { isOutage: kind !== 'corrupt', message: `test store: ${message}` })
}
