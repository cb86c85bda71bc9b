import { isDeepStrictEqual } from 'node:util'
import type { Governor } from '../governor.js'
import type { CacheClock } from './cache-clock.js'
import type { Entry } from './entry.js'
import { jitterOf } from './jitter.js'
import { doubted, type Held, type Mark, type MemoryTier } from './memory-tier.js'
import { everything, PurgeLog, purgeMember } from './purge-log.js'
import { PurgeQueue } from './purge-queue.js'
import type { SchemaCheck } from './schema-check.js'
import { SingleFlight } from './single-flight.js'
import { type Found, isTombstone, type Store, StoreFailure, type WriteOutcome } from './store.js'
import type { Telling } from './telling.js'

/**
 * How an entry may be used: `fresh`; `revalidating`, at once while a refresh runs behind; `stale`, where the load takes too
 * long or fails; `fallback`, where the load fails: it was purged, or is not what the shared store has; `gone`.
 */
export type Standing = 'fresh' | 'revalidating' | 'stale' | 'fallback' | 'gone'

/** Whether the shared store's notices of change can be relied on; `alone`: there is no shared store. */
export type CoherenceState = 'alone' | 'proven' | 'unproven' | 'away'

/** An entry in memory, and the tier that it was found in. */
export interface LookUp {
  readonly held: Held
  readonly tier: 'memory' | 'redis'
}

export interface PurgeOrder {
  readonly tags: readonly string[]
  readonly keys: readonly string[]
  readonly all: boolean
  readonly isHard: boolean
}

/** What of a purge waits for the shared store to come back. */
export interface QueuedPurge {
  readonly tags: readonly string[]
  readonly keys: readonly string[]
  readonly all: boolean
}

export interface TiersParts {
  readonly memory: MemoryTier
  readonly store: Store | undefined
  readonly clock: CacheClock
  readonly governor: Governor
  readonly telling: Telling
  /** Milliseconds for which a key is fenced against late writes after it was purged, at least. */
  readonly fenceMs: number
  readonly staleWhileRevalidateMs: number
  /** The key is not what it was, or what is here of it may not be used as before: nothing begun earlier is to be joined. */
  readonly onEnded: (key: string) => void
  readonly onLeaseChanged: (key: string) => void
  /** Whoever waits for the store had better look again. */
  readonly onDisturbed: () => void
}

/** Milliseconds for which memory is trusted while nothing proves that notices arrive. */
const shortTrustMs = 1_000
/** Milliseconds over which entries are checked again when the store is back, so that they are not all asked for at once. */
const spreadMs = 1_500
/** Purges of keys that are sent at a time. */
const purgesAtOnce = 16

/**
 * Memory before the shared store: what is where, and what of it can be relied on.
 *
 * Memory answers for as long as its entry is known to be what the shared store has. That knowledge ends with a notice of change, with an
 * epoch (one begins whenever notices may have been missed), or, while they are not proven to arrive, within a second; then
 * the shared store is asked. While that is away memory keeps its own lifetimes.
 */
export class Tiers {
  readonly memory: MemoryTier
  readonly purges = new PurgeLog()
  /** Changes whenever entries in memory have to be checked again. */
  epoch = 0
  readonly #parts: TiersParts
  readonly #queue = new PurgeQueue()
  readonly #consultations = new SingleFlight<LookUp | undefined>()
  /** Entries last confirmed before this epoch were lost with everything else in the store. */
  #flushedIn = 0
  #returnedAt = Number.NEGATIVE_INFINITY
  /** The epoch in which the purges were last read; `undefined` while there are some that we have not. */
  #purgesReadIn: number | undefined
  #hasAllPurges = false
  /** Notices of purges so far: one that comes while purges are read may be of one that was not. */
  #purgeNotices = 0
  readonly #purgeReads = new SingleFlight<void>()
  readonly #replays = new SingleFlight<void>()
  readonly #awayServers = { count: 0 }
  #ticker: NodeJS.Timeout | undefined

  constructor(parts: TiersParts) {
    this.#parts = parts
    this.memory = parts.memory
    parts.store?.watch({
      changed: (keys) => {
        for (const key of keys) this.#change(key)
      },
      leaseChanged: (key) => parts.onLeaseChanged(key),
      purged: () => {
        this.#purgeNotices += 1
        this.#purgesReadIn = undefined
        this.#tick(true)
      },
      flushed: () => {
        this.memory.changeAll()
        this.epoch += 1
        this.#flushedIn = this.epoch
        parts.telling.stateChanged('flushed')
        void this.#restorePurges()
        parts.onDisturbed()
      },
      proven: (isProven) => this.#prove(isProven),
      away: (isAway) => (isAway ? this.#leave() : this.#return()),
      clockMoved: (by) => {
        this.memory.shift(by)
        this.#queue.shift(by)
        this.purges.clear()
        this.#hasAllPurges = false
        this.#purgesReadIn = undefined
      },
    })
    if (parts.store !== undefined) this.#tick(false)
  }

  get coherence(): CoherenceState {
    const { store } = this.#parts
    if (store === undefined) return 'alone'
    if (this.#awayServers.count > 0) return 'away'
    return store.isProven ? 'proven' : 'unproven'
  }

  /** Purges that the shared store has not heard of. */
  get queuedPurges(): number {
    return this.#queue.size
  }

  /** What may be done with an entry in memory at the instant `now`. */
  standingOf(key: string, held: Held, now: number): Standing {
    if (held.purges !== this.purges.version) this.#holdAgainstPurges(key, held)
    const age = now - this.memory.base
    if (age >= held.stale) return 'gone'
    if (held.isEnded || !this.#isRelied(held)) return 'fallback'
    if (age < held.fresh) return 'fresh'
    return age < held.revalidate ? 'revalidating' : 'stale'
  }

  /**
   * The entry under the key, from memory where that can be relied on. An entry of another schema than the one asked for is
   * none.
   */
  async lookUp(
    key: string,
    check: SchemaCheck | undefined,
    { isForced = false }: { isForced?: boolean } = {},
  ): Promise<LookUp | undefined> {
    const { store } = this.#parts
    const held = this.memory.get(key)
    const isEnough =
      store === undefined || store.isAway(key) || (!isForced && held !== undefined && this.#isTrusted(key, held))
    if (isEnough) return this.#fitting(key, held, check)
    // By fingerprint: two versions of a schema in one process do not get each other's answer.
    const flight = this.#consultations.run(`${check?.fingerprint ?? ''} ${key}`, () => this.#consult(store, key, check))
    return flight.promise
  }

  /** Keeps what was loaded: here at once, in the shared store by and by, when `written` settles. */
  keep(key: string, entry: Entry, text: string, mark: Mark): Promise<WriteOutcome | undefined> {
    const { store, telling } = this.#parts
    const held = this.#place(key, entry, text.length, mark.isCurrent, false)
    if (store === undefined) return Promise.resolve('kept')
    if (store.isAway(key)) return Promise.resolve(undefined)
    held.awaitsEcho = true
    const write = async () => {
      const outcome = await this.attempt(key, () => store.set(key, entry, text))
      telling.wrote(key, outcome)
      if (outcome === undefined) held.awaitsEcho = false
      if (outcome === 'kept') held.isShared = true
      else if (outcome === 'newer' || outcome === 'purged') this.#change(key)
      return outcome
    }
    return write()
  }

  /** Removes what is under the key, everywhere; whether there was something. */
  async remove(key: string): Promise<boolean> {
    const { clock, store } = this.#parts
    const wasHere = this.memory.delete(key)
    this.memory.change(key)
    if (store === undefined) return wasHere
    const stamp = clock.purgeStamp()
    const wasThere = await this.#purgeKey(key, { stamp, isHard: true })
    return wasHere || wasThere === true
  }

  /** Purges here at once, and in the shared store; tells what has to wait for that. */
  async purge({ tags, keys, all, isHard }: PurgeOrder): Promise<QueuedPurge> {
    const { clock, store } = this.#parts
    const stamp = clock.purgeStamp()
    const labels = all ? [everything, ...tags] : tags
    const members = labels.map((tag) => purgeMember(tag, isHard))
    this.purges.note(members.map((member) => [member, stamp]))
    for (const key of keys) {
      const held = this.memory.change(key)
      if (isHard) this.memory.delete(key)
      else held?.end()
      this.#parts.onEnded(key)
    }
    if (store === undefined) return { tags: [], keys: [], all: false }
    const tagsDone = members.length === 0 || (await this.#addPurges(members, stamp))
    const queuedKeys: string[] = []
    for (let at = 0; at < keys.length; at += purgesAtOnce) {
      const some = keys.slice(at, at + purgesAtOnce)
      const done = await Promise.all(some.map((key) => this.#purgeKey(key, { stamp, isHard })))
      queuedKeys.push(...some.filter((_key, index) => done[index] === undefined))
    }
    return { tags: tagsDone ? [] : tags, keys: queuedKeys, all: all && !tagsDone }
  }

  /** The one door to the store: a failure is reported here and becomes `undefined`. */
  async attempt<T>(key: string, operation: () => Promise<T>): Promise<T | undefined> {
    const { governor, telling } = this.#parts
    try {
      const result = await operation()
      governor.succeeded()
      return result
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error
      telling.storeFailed(error.kind)
      if (error.kind === 'open') {
        governor.skipped()
        return undefined
      }
      const trouble = { kind: error.kind, error, key }
      if (error.isOutage) {
        governor.failed({ ...trouble, message: 'redis does not answer; the cache goes on without it' })
      } else {
        const message = 'cache: redis refused, or holds something else; counted as a miss'
        governor.incident({ ...trouble, message })
      }
      return undefined
    }
  }

  close(): void {
    clearTimeout(this.#ticker)
  }

  /** Asks the shared store, and lets what it says stand in memory. */
  async #consult(store: Store, key: string, check: SchemaCheck | undefined): Promise<LookUp | undefined> {
    const mark = this.memory.mark(key)
    try {
      const reading = this.#knowsPurges(store) ? undefined : this.#readPurges()
      const answer = await this.attempt(key, async () => ({ found: await store.get(key) }))
      if (reading !== undefined) await reading
      const held = this.memory.peek(key)
      if (answer === undefined) return this.#fitting(key, held, check) // the store has failed: what is here has to do
      return this.#reconcile(key, answer.found, mark, check)
    } finally {
      this.memory.unmark(key, mark)
    }
  }

  /** Holds what is here against what the shared store has. */
  #reconcile(
    key: string,
    found: Found | { readonly purgedAt: number } | undefined,
    mark: Mark,
    check: SchemaCheck | undefined,
  ): LookUp | undefined {
    const held = this.memory.peek(key)
    if (found === undefined) {
      if (held === undefined) return undefined
      this.#miss(held)
      return this.#confirmed(key, held, mark, check)
    }
    if (isTombstone(found)) {
      this.#parts.clock.observe(found.purgedAt)
      if (held === undefined) return undefined
      if (held.stamp > found.purgedAt) return this.#confirmed(key, held, mark, check)
      this.memory.delete(key)
      return undefined
    }
    const { entry, bytes } = found
    this.#parts.clock.observe(entry.stamp)
    const queued = this.#queue.keys.get(key)
    if (queued !== undefined && entry.stamp <= queued.stamp) {
      // Redis has not heard of our purge yet: what lies there is what was purged.
      if (held === undefined || queued.isHard) {
        this.memory.delete(key)
        return undefined
      }
      return this.#confirmed(key, held, mark, check)
    }
    if (check !== undefined && !this.#accepts(key, entry, check)) {
      if (held === undefined) return undefined
      if (held.epoch === doubted && entry.stamp > held.stamp) held.end()
      return this.#confirmed(key, held, mark, check)
    }
    if (held !== undefined && held.fingerprint === entry.fingerprint) {
      if (held.stamp === entry.stamp) {
        held.isShared = true
        if (entry.purgedAt >= held.stamp && !held.isEnded) held.end()
        return this.#confirmed(key, held, mark, check)
      }
      if (held.stamp > entry.stamp && !held.isShared) return this.#confirmed(key, held, mark, check)
    }
    const adopted = this.#place(key, entry, bytes, mark.isCurrent, true)
    if (entry.purgedAt >= entry.stamp) adopted.end()
    return { held: adopted, tier: 'redis' }
  }

  /** The shared store has nothing under the key. */
  #miss(held: Held): void {
    if (held.epoch === doubted || held.epoch < this.#flushedIn) {
      held.end()
      return
    }
    if (!held.isShared) return // it never had it: it was away, full, or has another version's
    // It went while we were not told, most likely with the store itself: good for one more answer while it is loaded again.
    const age = this.#parts.clock.now() - this.memory.base
    held.isShared = false
    held.fresh = Math.min(held.fresh, Math.ceil(age))
    held.refresh = Math.min(held.refresh, held.fresh)
    held.revalidate = Math.min(held.revalidate, Math.ceil(age + this.#parts.staleWhileRevalidateMs))
  }

  #confirmed(key: string, held: Held, mark: Mark, check: SchemaCheck | undefined): LookUp | undefined {
    held.epoch = mark.isCurrent ? this.epoch : doubted
    return this.#fitting(key, held, check)
  }

  #place(key: string, entry: Entry, bytes: number, isCurrent: boolean, isShared: boolean): Held {
    const before = this.memory.peek(key)
    // The same value stays the same object: what was made from it is still what would be made.
    const isSame = before !== undefined && isDeepStrictEqual(before.value, entry.value)
    const kept = isSame ? { ...entry, value: before.value } : entry
    const standing = { epoch: isCurrent ? this.epoch : doubted, purges: -1, isShared }
    return this.memory.set(key, kept, bytes, standing)
  }

  #fitting(key: string, held: Held | undefined, check: SchemaCheck | undefined): LookUp | undefined {
    if (held === undefined) return undefined
    if (check === undefined || held.fingerprint === check.fingerprint) return { held, tier: 'memory' }
    this.#refuse(key)
    return undefined
  }

  #accepts(key: string, entry: Entry, check: SchemaCheck): boolean {
    if (entry.fingerprint === check.fingerprint && check.accepts(entry.value)) return true
    this.#refuse(key)
    return false
  }

  #refuse(key: string): void {
    this.#parts.telling.storeFailed('other-schema')
    const message = 'cache: an entry that does not match the schema asked for counts as a miss'
    this.#parts.governor.incident({ kind: 'other-schema', key, message })
  }

  /** Whether memory may answer without asking the shared store. */
  #isTrusted(key: string, held: Held): boolean {
    if (held.epoch === this.epoch) return true
    return this.#isRelied(held) && this.#parts.clock.now() < this.#returnedAt + jitterOf(key) * spreadMs
  }

  /** Whether the entry was what the shared store had when that was last heard of. */
  #isRelied(held: Held): boolean {
    return held.epoch !== doubted && held.epoch >= this.#flushedIn
  }

  #holdAgainstPurges(key: string, held: Held): void {
    held.purges = this.purges.version
    const verdict = this.purges.verdict(held.stamp, held.tags)
    if (verdict === 'none' || (verdict === 'soft' && held.isEnded)) return
    held.end()
    if (verdict === 'hard') {
      held.withdraw()
      this.memory.delete(key)
    }
    this.#parts.onEnded(key)
  }

  /** Something has happened to the key in the shared store. */
  #change(key: string): void {
    const held = this.memory.change(key)
    if (held?.awaitsEcho === true) {
      held.awaitsEcho = false
      void this.#verify(key, held)
      return
    }
    this.#parts.onEnded(key)
  }

  /** Whether the change was our own write: then nothing has changed. Asks for the stamp alone. */
  async #verify(key: string, held: Held): Promise<void> {
    const { store, onEnded } = this.#parts
    if (store === undefined) return
    const mark = this.memory.mark(key)
    const answer = await this.attempt(key, async () => ({ stamp: await store.stampOf(key) }))
    this.memory.unmark(key, mark)
    if (answer?.stamp === held.stamp && mark.isCurrent) {
      held.isShared = true
      held.epoch = this.epoch
    } else {
      onEnded(key)
    }
  }

  #prove(isProven: boolean): void {
    const { telling, onDisturbed } = this.#parts
    telling.stateChanged(isProven ? 'proven' : 'unproven')
    if (isProven) {
      this.memory.changeAll() // what is on its way may have missed its notice
      this.epoch += 1
      void this.#restorePurges()
    }
    this.#tick(!isProven)
    onDisturbed()
  }

  #leave(): void {
    this.#awayServers.count += 1
    this.#parts.telling.stateChanged('away')
    this.#parts.onDisturbed()
  }

  #return(): void {
    this.#awayServers.count -= 1
    this.memory.changeAll()
    this.epoch += 1
    this.#returnedAt = this.#parts.clock.now()
    this.#parts.telling.stateChanged('back')
    void this.#restorePurges()
    void this.#replay()
    this.#tick(false)
    this.#parts.onDisturbed()
  }

  /** While notices are not proven, or purges wait to be read or sent, looks again every second. */
  #tick(isNow: boolean): void {
    const { store } = this.#parts
    clearTimeout(this.#ticker)
    if (store === undefined) return
    if (isNow && this.#purgesReadIn === undefined) void this.#readPurges()
    const isSettled = store.isProven && this.#purgesReadIn !== undefined && this.#queue.size === 0
    if (isSettled) return
    this.#ticker = setTimeout(() => {
      if (!store.isProven) this.epoch += 1
      if (this.#queue.size > 0) void this.#replay()
      this.#tick(true)
    }, shortTrustMs)
    this.#ticker.unref()
  }

  #knowsPurges(store: Store): boolean {
    return this.#purgesReadIn === this.epoch || (store.isProven && this.#purgesReadIn !== undefined)
  }

  /** Makes sure that the purges are known: once in an epoch while notices are not proven, and after a notice of theirs. */
  async #readPurges(): Promise<void> {
    const { store } = this.#parts
    if (store === undefined || this.#knowsPurges(store)) return
    await this.#purgeReads.run('', async () => {
      const [epoch, notices] = [this.epoch, this.#purgeNotices]
      const after = this.#hasAllPurges ? this.purges.latest : 0
      const read = await this.attempt('~purges', () => store.readPurges(after))
      if (read === undefined) return
      this.#note(read.stamps)
      if (notices === this.#purgeNotices) this.#purgesReadIn = epoch
      else setImmediate(() => this.#tick(true))
    }).promise
  }

  /** Reads all purges, and puts back those that the store has lost, to a fail-over or a flush. */
  async #restorePurges(): Promise<void> {
    const { store } = this.#parts
    if (store === undefined) return
    const [epoch, notices] = [this.epoch, this.#purgeNotices]
    const read = await this.attempt('~purges', () => store.readPurges(0))
    if (read === undefined) {
      this.#purgesReadIn = undefined
      return this.#tick(false)
    }
    const missing = this.purges.missingFrom(read.stamps)
    for (const member of this.#queue.members.keys()) missing.delete(member) // told with the queue
    this.#note(read.stamps)
    if (notices === this.#purgeNotices) this.#purgesReadIn = epoch
    if (missing.size > 0) await this.attempt('~purges', () => store.restorePurges(missing))
  }

  #note(stamps: ReadonlyMap<string, number>): void {
    this.purges.note(stamps)
    this.#parts.clock.observe(this.purges.latest)
    this.#hasAllPurges = true
  }

  async #addPurges(members: readonly string[], stamp: number): Promise<boolean> {
    const { store } = this.#parts
    const given = await this.attempt('~purges', async () => store?.addPurges(members, stamp))
    if (given === undefined) {
      this.#queue.addMembers(members, stamp)
      this.#tick(false)
      return false
    }
    this.#parts.clock.observe(given)
    this.purges.note(members.map((member) => [member, given]))
    return true
  }

  /** Whether there was something; `undefined` when the purge has to wait. */
  async #purgeKey(key: string, purge: { stamp: number; isHard: boolean }): Promise<boolean | undefined> {
    const { store, fenceMs } = this.#parts
    const had = await this.attempt(key, async () => store?.purgeKey(key, { ...purge, fenceMs }))
    if (had !== undefined) return had
    this.#queue.addKey(key, purge)
    this.#tick(false)
    return undefined
  }

  /** Tells the shared store of the purges that waited. */
  async #replay(): Promise<void> {
    await this.#replays.run('', async () => {
      for (const [member, stamp] of this.#queue.members) {
        if (!(await this.#addPurges([member], stamp))) return
        if (this.#queue.members.get(member) === stamp) this.#queue.members.delete(member)
      }
      for (const [key, purge] of this.#queue.keys) {
        if ((await this.#purgeKey(key, purge)) === undefined) return
        if (this.#queue.keys.get(key)?.stamp === purge.stamp) this.#queue.keys.delete(key)
      }
    }).promise
  }
}
