import type { CacheClock } from '../clock.js'
import { SingleFlight } from '../single-flight.js'
import type { Store } from '../store.js'
import type { StoreAccess } from '../store-access.js'
import { allEntries, PurgeLog, type PurgeLogPosition, type PurgeVerdict, purgeMember } from './purge-log.js'
import { type KeyPurge, PurgeQueue } from './purge-queue.js'

/** The part of a purge that is queued until the shared store is available again. */
export interface QueuedPurge {
  readonly tags: readonly string[]
  readonly keys: readonly string[]
  readonly all: boolean
}

/** The result of a purge. In this process every purge applies at once. */
export interface PurgeResult {
  /** Whether the purge has reached the shared store, or there is none. */
  readonly isDone: boolean
  /** Queued until Redis is available again; lost when this process ends before that. */
  readonly queued: QueuedPurge
}

export interface PurgeRequest {
  readonly tags: readonly string[]
  readonly keys: readonly string[]
  readonly all: boolean
  readonly isHard: boolean
}

interface PurgesDeps {
  readonly access: StoreAccess
  readonly clock: CacheClock
  /** Minimum time for which a purged key refuses writes that started before the purge. */
  readonly fenceMs: number
  /** There are new purges: verdicts may differ. */
  readonly onChanged: () => void
  /** Something could not be read or sent, and must be retried later. */
  readonly onPending: () => void
  /** All queued purges have been sent. */
  readonly onDrained: () => void
}

/** Key purges in flight at a time. */
const keyConcurrency = 16
/** Stands for the purge log's key in log lines. */
const logName = '~purges'

/**
 * The purges that all processes share: held in memory here, read from the shared store as they are added, sent to it,
 * queued while it is unavailable, and restored when it has lost them.
 */
export class Purges {
  readonly #deps: PurgesDeps
  readonly #log = new PurgeLog()
  readonly #queue = new PurgeQueue()
  readonly #reads = new SingleFlight<void>()
  readonly #replays = new SingleFlight<void>()
  /** Only reading moves it: a purge that this process adds may come after unread ones of other processes. */
  #position: PurgeLogPosition | undefined
  /** How often the position was discarded: a read that started before that must not set it. */
  #rewinds = 0
  #hasRead = false
  #isUpToDate = false
  /** Invalidations of the purge log so far. One that arrives during a read may concern a purge that the read missed. */
  #invalidations = 0

  constructor(deps: PurgesDeps) {
    this.#deps = deps
  }

  /** Whether the shared store's purges have been read at all: until then its entries cannot be judged. */
  get hasBeenRead(): boolean {
    return this.#deps.access.store === undefined || this.#hasRead
  }

  verdict(stamp: number, tags: readonly string[]): PurgeVerdict {
    return this.#log.verdict(stamp, tags)
  }

  /** A purge of this key that has not reached the shared store. */
  queuedOf(key: string): KeyPurge | undefined {
    return this.#queue.keys.get(key)
  }

  get queued(): number {
    return this.#queue.size
  }

  /** The size of the purge log in memory. */
  get remembered(): number {
    return this.#log.size
  }

  /** Whether every purge that was announced has been read. */
  get isUpToDate(): boolean {
    return this.#isUpToDate
  }

  /** There may be purges that have not been read. */
  markOutdated(): void {
    this.#invalidations += 1
    this.#isUpToDate = false
  }

  /** Moves the stamps that this process issued; the log must be read again. */
  adjustClock(byMicroseconds: number): void {
    this.#queue.adjustClock(byMicroseconds)
    this.#log.clear()
    this.#log.record(this.#queue.members)
    this.#rewind()
    this.#deps.onChanged()
  }

  /** Applies purges of tags, or of all entries, here and in the shared store; false when they are queued. */
  async add({ tags, all, isHard }: PurgeRequest, stamp: number): Promise<boolean> {
    const purged = all ? [allEntries, ...tags] : tags
    if (purged.length === 0) return true
    const members = purged.map((tag) => purgeMember(tag, isHard))
    this.#record(members.map((member) => [member, stamp]))
    return this.#deps.access.store === undefined || this.#send(members, stamp)
  }

  /** Sends purges of keys; returns the keys whose purges are queued. */
  async addKeys(keys: readonly string[], purge: KeyPurge): Promise<string[]> {
    const queued: string[] = []
    for (let at = 0; at < keys.length; at += keyConcurrency) {
      const batch = keys.slice(at, at + keyConcurrency)
      const sent = await Promise.all(batch.map((key) => this.addKey(key, purge)))
      queued.push(...batch.filter((_key, index) => sent[index] === undefined))
    }
    return queued
  }

  /** Sends the purge of a key; returns whether the store had an entry, `undefined` when the purge is queued. */
  async addKey(key: string, purge: KeyPurge): Promise<boolean | undefined> {
    const { access, fenceMs, onPending } = this.#deps
    const { store } = access
    if (store === undefined) return false
    const hadEntry = await access.attempt(key, () => store.purgeKey(key, { ...purge, fenceMs }))
    if (hadEntry !== undefined) return hadEntry
    // A full queue becomes a purge of all entries, which must apply here too: reads may still work.
    if (this.#queue.addKey(key, purge)) this.#record(this.#queue.members)
    onPending()
    return undefined
  }

  /** Reads the purges after the position; of a new log all, and restores there what it lacks. */
  async read(): Promise<void> {
    const { store } = this.#deps.access
    if (store === undefined) return
    await this.#reads.run('', async () => {
      const rewinds = this.#rewinds
      for (let before = -1; before !== this.#invalidations && rewinds === this.#rewinds; ) {
        before = this.#invalidations
        if (!(await this.#readOnce(store, rewinds))) return
        if (before === this.#invalidations) this.#isUpToDate = true
      }
    }).promise
  }

  /** Returns whether the store answered. */
  async #readOnce(store: Store, rewinds: number): Promise<boolean> {
    const { access, clock } = this.#deps
    const read = await access.attempt(logName, () => store.readPurges(this.#position))
    if (read === undefined) return false
    const missing = read.isComplete ? this.#log.missingFrom(read.stamps) : new Map<string, number>()
    for (const member of this.#queue.members.keys()) missing.delete(member) // sent by `replay`
    this.#record(read.stamps)
    for (const stamp of read.stamps.values()) clock.observe(stamp)
    this.#hasRead = true
    if (rewinds !== this.#rewinds) return true
    this.#position = read.position
    if (missing.size > 0) await this.#restore(store, missing)
    return true
  }

  /** Reads the complete log: the shared store may be another server, or have lost writes. */
  async readAll(): Promise<void> {
    this.#rewind()
    this.#reads.detach('') // a read in flight starts at the old position
    await this.read()
  }

  /** Sends the queued purges. */
  async replay(): Promise<void> {
    await this.#replays.run('', async () => {
      const { members, keys } = this.#queue
      if (this.queued === 0) return
      for (const [member, stamp] of members) {
        if (!(await this.#send([member], stamp))) return
        if (members.get(member) === stamp) members.delete(member)
      }
      for (const [key, purge] of keys) {
        if ((await this.addKey(key, purge)) === undefined) return
        if (keys.get(key)?.stamp === purge.stamp) keys.delete(key)
      }
      if (this.queued === 0) this.#deps.onDrained()
    }).promise
  }

  async #send(members: readonly string[], stamp: number): Promise<boolean> {
    const { access, clock, onPending } = this.#deps
    const assigned = await access.attempt(logName, async () => access.store?.addPurges(members, stamp))
    if (assigned === undefined) {
      if (this.#queue.addMembers(members, stamp)) this.#record(this.#queue.members)
      onPending()
      return false
    }
    clock.observe(assigned)
    this.#record(members.map((member) => [member, assigned]))
    return true
  }

  async #restore(store: Store, missing: ReadonlyMap<string, number>): Promise<void> {
    const isDone = await this.#deps.access.attempt(logName, async () => {
      await store.restorePurges(missing)
      return true
    })
    if (isDone === true) return
    this.#rewind() // the next read finds again what is missing
    this.#deps.onPending()
  }

  #rewind(): void {
    this.#position = undefined
    this.#rewinds += 1
    this.markOutdated()
  }

  #record(stamps: Iterable<readonly [string, number]>): void {
    if (this.#log.record(stamps)) this.#deps.onChanged()
  }
}
