import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { type Store, StoreFailure, type StoreWatcher } from '../store.js'
import type { Contents } from './contents.js'

/** How a test store behaves. */
export type TestStoreMode = 'up' | 'down' | 'hung' | 'slow' | 'flaky' | 'corrupt'

export type Fault =
  | { readonly mode: Exclude<TestStoreMode, 'slow' | 'flaky'> }
  | { readonly mode: 'slow'; readonly delayMs: number }
  | { readonly mode: 'flaky'; readonly every: number }

type Notification = (watcher: StoreWatcher) => void

/** What the connections of one test store share. */
export interface Shared {
  readonly contents: Contents
  readonly timeoutMs: number
  readonly fault: Fault
  /** Returns the number of calls since the last change of mode. */
  countCall(): number
  /** Notifies all caches, including the one that made the change, as Redis does. */
  notify(notification: Notification): void
  disconnect(connection: TestConnection): void
  passTime(): Promise<void>
}

/** The connection of one cache. */
export class TestConnection implements Store {
  readonly #shared: Shared
  #watcher: StoreWatcher | undefined
  /** Whether a call has failed since the mode `down` began: only the first one fails with the cause. */
  #hasReportedDown = false
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
      if (fault.mode === 'corrupt') throw failure('corrupt', 'the stored entry is corrupt')
      return contents.get(key)
    })

  stampOf: Store['stampOf'] = (key) => this.#call(({ contents }) => contents.stampOf(key))

  set: Store['set'] = (key, entry, valueText) =>
    this.#change(({ contents, notify }) => {
      const outcome = contents.set(key, entry, valueText)
      if (outcome === 'stored') notify((watcher) => watcher.changed([key]))
      return outcome
    })

  purgeKey: Store['purgeKey'] = (key, purge) =>
    this.#change(({ contents, notify }) => {
      const had = contents.purgeKey(key, purge)
      notify((watcher) => watcher.changed([key]))
      if (purge.isHard) notify((watcher) => watcher.removed(key, purge.stamp))
      return had
    })

  readPurges: Store['readPurges'] = (after) => this.#call(({ contents }) => contents.readPurges(after))

  addPurges: Store['addPurges'] = (members, stamp) =>
    this.#change(({ contents, notify }) => {
      const assigned = contents.addPurges(members, stamp)
      notify((watcher) => watcher.purged())
      return assigned
    })

  restorePurges: Store['restorePurges'] = (purges) =>
    this.#change(({ contents, notify }) => {
      contents.restorePurges(purges)
      notify((watcher) => watcher.purged())
    })

  acquireLease: Store['acquireLease'] = (key, token) =>
    this.#call(({ contents, notify }) => {
      const answer = contents.acquireLease(key, token)
      if (answer === 'acquired') notify((watcher) => watcher.leaseChanged(key))
      return answer
    })

  renewLease: Store['renewLease'] = (key, token) => this.#call(({ contents }) => contents.renewLease(key, token))

  releaseLease: Store['releaseLease'] = (key, token, how) =>
    this.#call(({ contents, notify }) => {
      contents.releaseLease(key, token, how)
      notify((watcher) => watcher.leaseChanged(key))
    })

  watch(watcher: StoreWatcher): void {
    // The cache is still being constructed.
    queueMicrotask(() => {
      if (this.#isClosed) return
      this.#watcher = watcher
      const { mode } = this.#shared.fault
      if (mode !== 'hung') watcher.trackingChanged(true)
      this.modeChanged('up', mode)
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#watcher = undefined
    this.#shared.disconnect(this)
  }

  notify(notification: Notification): void {
    if (this.#watcher !== undefined) notification(this.#watcher)
  }

  modeChanged(previous: TestStoreMode, next: TestStoreMode): void {
    const watcher = this.#watcher
    if (watcher === undefined) return
    if (previous === 'down') watcher.circuitChanged(false)
    if (previous === 'hung') watcher.trackingChanged(true)
    if (next === 'hung') watcher.trackingChanged(false)
    if (next !== 'down') return
    this.#hasReportedDown = false
    watcher.circuitChanged(true)
    watcher.purged() // the cache reads the purge log, fails, and logs the outage
  }

  async #change<T>(operation: (shared: Shared) => T): Promise<T> {
    return this.#call(operation, true)
  }

  /**
   * Runs the operation at once and resolves in a later turn of the event loop, as over a network. By then every cache
   * was notified and has read the purge log: a test that awaits a purge can rely on it in all of them.
   */
  async #call<T>(operation: (shared: Shared) => T, isChange = false): Promise<T> {
    const shared = this.#shared
    const { fault, timeoutMs } = shared
    if (fault.mode === 'down') throw this.#downFailure()
    if (fault.mode === 'flaky' && shared.countCall() % fault.every === 0)
      throw failure('closed', 'the call was refused')
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

  #downFailure(): StoreFailure {
    const kind = this.#hasReportedDown ? 'circuit-open' : 'closed'
    this.#hasReportedDown = true
    return failure(kind, 'the store is down')
  }
}

function failure(kind: 'circuit-open' | 'closed' | 'timeout' | 'corrupt', message: string): StoreFailure {
  return new StoreFailure(kind, { isOutage: kind !== 'corrupt', message: `test store: ${message}` })
}
