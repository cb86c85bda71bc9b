import type { CacheClock } from '../clock.js'
import { SingleFlight } from '../load/single-flight.js'
import type { Store } from '../store.js'
import { everything, PurgeLog, type PurgesPosition, type PurgeVerdict, purgeMember } from './purge-log.js'
import { type KeyPurge, PurgeQueue } from './purge-queue.js'

/** What of a purge waits for the shared store to come back. */
export interface QueuedPurge {
  readonly tags: readonly string[]
  readonly keys: readonly string[]
  readonly all: boolean
}

export interface PurgeOrder {
  readonly tags: readonly string[]
  readonly keys: readonly string[]
  readonly all: boolean
  readonly isHard: boolean
}

export interface PurgesParts {
  readonly store: Store | undefined
  readonly clock: CacheClock
  /** Milliseconds for which a key is fenced against late writes after it was purged, at least. */
  readonly fenceMs: number
  /** Runs a command of the store; `undefined` when it fails, which has been reported. */
  readonly attempt: <T>(key: string, operation: () => Promise<T>) => Promise<T | undefined>
  /** Verdicts may be others than before. */
  readonly onNews: () => void
  /** There is something to read or to send that could not be now: try again later. */
  readonly onPending: () => void
  /** Nothing waits to be sent any more. */
  readonly onSent: () => void
}

/** Purges of keys that are sent at a time. */
const purgesAtOnce = 16
/** What the log is called where something is said of it. */
const logName = '~purges'

/**
 * The purges that all processes share: known by heart here, read on from the shared store, sent to it, queued while it is away,
 * and put back into it when it has lost them.
 */
export class Purges {
  readonly #parts: PurgesParts
  readonly #log = new PurgeLog()
  readonly #queue = new PurgeQueue()
  readonly #reads = new SingleFlight<void>()
  readonly #replays = new SingleFlight<void>()
  /**
   * How far the shared store's log has been read; only reading moves it, for what we add may come after what others
   * have added.
   */
  #position: PurgesPosition | undefined
  /** Times that the position was given up: what a read from before that brings is no position. */
  #rewinds = 0
  #hasRead = false
  /** Whether there is nothing that we know of and have not read. */
  #isKnown = false
  /** Notices of purges so far: one that comes while purges are read may be of one that was not. */
  #notices = 0

  constructor(parts: PurgesParts) {
    this.#parts = parts
  }

  /** Whether the shared store's purges have been read at all. Until then nobody knows what they say of its entries. */
  get isRead(): boolean {
    return this.#parts.store === undefined || this.#hasRead
  }

  /** What the purges say of an entry with this stamp and these tags. */
  verdict(stamp: number, tags: readonly string[]): PurgeVerdict {
    return this.#log.verdict(stamp, tags)
  }

  /** The purge of this key that the shared store has not heard of. */
  queuedOf(key: string): KeyPurge | undefined {
    return this.#queue.keys.get(key)
  }

  /** How many wait for the shared store. */
  get queued(): number {
    return this.#queue.size
  }

  /** How many are remembered. */
  get remembered(): number {
    return this.#log.size
  }

  /** Whether all purges are known that can be, as far as has been heard. */
  get isKnown(): boolean {
    return this.#isKnown
  }

  /** There may be purges that have not been read. */
  doubt(): void {
    this.#notices += 1
    this.#isKnown = false
  }

  /** Stamps given so far are wrong by so many microseconds. */
  shift(byMicroseconds: number): void {
    this.#queue.shift(byMicroseconds)
    this.#log.clear()
    this.#log.note(this.#queue.members)
    this.#rewind()
    this.#parts.onNews()
  }

  /** Makes purges of tags, or of everything, known here and in the shared store; false when that has to wait. */
  async add({ tags, all, isHard }: PurgeOrder, stamp: number): Promise<boolean> {
    const labels = all ? [everything, ...tags] : tags
    if (labels.length === 0) return true
    const members = labels.map((tag) => purgeMember(tag, isHard))
    this.#note(members.map((member) => [member, stamp]))
    return this.#parts.store === undefined || this.#send(members, stamp)
  }

  /** Sends purges of keys; those that have to wait. */
  async addKeys(keys: readonly string[], purge: KeyPurge): Promise<string[]> {
    const waiting: string[] = []
    for (let at = 0; at < keys.length; at += purgesAtOnce) {
      const some = keys.slice(at, at + purgesAtOnce)
      const sent = await Promise.all(some.map((key) => this.addKey(key, purge)))
      waiting.push(...some.filter((_key, index) => sent[index] === undefined))
    }
    return waiting
  }

  /** Sends the purge of a key: whether there was something; `undefined` when it has to wait. */
  async addKey(key: string, purge: KeyPurge): Promise<boolean | undefined> {
    const { store, fenceMs, attempt, onPending } = this.#parts
    if (store === undefined) return false
    const had = await attempt(key, () => store.purgeKey(key, { ...purge, fenceMs }))
    if (had !== undefined) return had
    // What stands for the keys that are forgotten here has to hold here as well: reads may work all the while.
    if (this.#queue.addKey(key, purge)) this.#note(this.#queue.members)
    onPending()
    return undefined
  }

  /** Reads on from where we were; where the shared store has another log by now, all of it, and puts back what that lacks. */
  async read(): Promise<void> {
    const { store } = this.#parts
    if (store === undefined) return
    await this.#reads.run('', async () => {
      const rewinds = this.#rewinds
      // A notice that comes while purges are read may be of one that was not.
      for (let notices = -1; notices !== this.#notices && rewinds === this.#rewinds; ) {
        notices = this.#notices
        if (!(await this.#readOnce(store, rewinds))) return
        if (notices === this.#notices) this.#isKnown = true
      }
    }).promise
  }

  /** Whether it has been answered. */
  async #readOnce(store: Store, rewinds: number): Promise<boolean> {
    const { attempt, clock } = this.#parts
    const read = await attempt(logName, () => store.readPurges(this.#position))
    if (read === undefined) return false
    const missing = read.isWhole ? this.#log.missingFrom(read.stamps) : new Map<string, number>()
    for (const member of this.#queue.members.keys()) missing.delete(member) // sent with the queue
    this.#note(read.stamps)
    for (const stamp of read.stamps.values()) clock.observe(stamp)
    this.#hasRead = true
    if (rewinds !== this.#rewinds) return true
    this.#position = read.position
    if (missing.size > 0) await this.#restore(store, missing)
    return true
  }

  /** Reads all purges again: the shared store may be another one, or the same with older data. */
  async readAll(): Promise<void> {
    this.#rewind()
    this.#reads.forget('') // one that is under way does not read all
    await this.read()
  }

  /** Sends what waits. */
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
      if (this.queued === 0) this.#parts.onSent()
    }).promise
  }

  async #send(members: readonly string[], stamp: number): Promise<boolean> {
    const { store, attempt, clock, onPending } = this.#parts
    const given = await attempt(logName, async () => store?.addPurges(members, stamp))
    if (given === undefined) {
      if (this.#queue.addMembers(members, stamp)) this.#note(this.#queue.members)
      onPending()
      return false
    }
    clock.observe(given)
    this.#note(members.map((member) => [member, given]))
    return true
  }

  async #restore(store: Store, missing: ReadonlyMap<string, number>): Promise<void> {
    const isDone = await this.#parts.attempt(logName, async () => {
      await store.restorePurges(missing)
      return true
    })
    if (isDone === true) return
    this.#rewind() // to find again what is missing
    this.#parts.onPending()
  }

  #rewind(): void {
    this.#position = undefined
    this.#rewinds += 1
    this.doubt()
  }

  #note(stamps: Iterable<readonly [string, number]>): void {
    if (this.#log.note(stamps)) this.#parts.onNews()
  }
}
