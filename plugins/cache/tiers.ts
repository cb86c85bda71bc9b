import { isDeepStrictEqual } from 'node:util'
import type { OutageLog } from '../redis/outage-log.js'
import type { Entry, Tombstone } from './entry/codec.js'
import type { SchemaCheck } from './entry/schema-check.js'
import { doubted, type Mark, type MemoryEntry, type MemoryTier } from './memory/memory-tier.js'
import { Coherence, type CoherenceParts } from './purge/coherence.js'
import type { PurgeVerdict } from './purge/purge-log.js'
import type { KeyPurge } from './purge/purge-queue.js'
import type { PurgeOrder, Purges, QueuedPurge } from './purge/purges.js'
import { type FoundEntry, isTombstone, type Store, StoreFailure, type WriteOutcome } from './store.js'

/**
 * How an entry may be used: `fresh`; `revalidating`, at once while a refresh runs behind; `stale`, where the load takes too
 * long or fails; `fallback`, where the load fails: it was purged, or is not what the shared store has; `gone`.
 */
export type EntryState = 'fresh' | 'stale-while-revalidate' | 'stale-if-error' | 'purged' | 'expired'

/** An entry as it was found, and the tier that it was found in. */
export interface LookUp {
  readonly held: MemoryEntry
  readonly tier: 'memory' | 'redis'
}

export interface TiersParts extends Omit<CoherenceParts, 'attempt' | 'onChanged'> {
  readonly governor: OutageLog
  readonly staleWhileRevalidateMs: number
  /** The key is not what it was, or what is here of it may not be used as before: nothing begun earlier is to be joined. */
  readonly onEnded: (key: string) => void
}

/**
 * Memory before the shared store: what is where, and which of the two is right. What of memory can be relied on,
 * `Coherence` says.
 */
export class Tiers {
  readonly memory: MemoryTier
  readonly purges: Purges
  readonly coherence: Coherence
  readonly #parts: TiersParts
  readonly #consultations = new Map<string, Consultation>()

  constructor(parts: TiersParts) {
    this.#parts = parts
    this.memory = parts.memory
    this.coherence = new Coherence({
      ...parts,
      attempt: (key, operation) => this.attempt(key, operation),
      onChanged: (key) => this.#change(key),
    })
    this.purges = this.coherence.purges
  }

  /** What may be done at the instant `now` with an entry that was found. */
  standingOf(key: string, held: MemoryEntry, now: number): EntryState {
    const verdict = this.#holdAgainstPurges(key, held)
    if (verdict === 'hard' || now >= held.staleUntil) return 'expired'
    if (verdict === 'soft' || held.isEnded || !this.coherence.isRelied(held)) return 'purged'
    if (now < held.freshUntil) return 'fresh'
    return now < held.revalidateUntil ? 'stale-while-revalidate' : 'stale-if-error'
  }

  /** Whether an entry in memory is still what a read would be answered with, without asking anybody. */
  isCurrent(key: string, held: MemoryEntry, now: number): boolean {
    return this.coherence.isTrusted(key, held) && this.standingOf(key, held, now) === 'fresh'
  }

  /**
   * The entry under the key, from memory where that can be relied on, in the same turn; else the shared store is asked. An entry
   * of another schema than the one asked for is none.
   */
  lookUp(key: string, check: SchemaCheck | undefined): Consulted | Promise<Consulted> {
    const { store } = this.#parts
    const held = this.memory.get(key)
    if (
      store === undefined ||
      store.isCircuitOpen(key) ||
      (held !== undefined && this.coherence.isTrusted(key, held))
    ) {
      return this.#fitting(key, held, check)
    }
    const underWay = this.#consultations.get(key)
    // Two versions of a schema in one process do not get each other's answer.
    const isJoinable = underWay?.check === check && underWay?.mark.isCurrent === true
    if (underWay?.promise !== undefined && isJoinable) return underWay.promise
    const consultation = this.#prepare(key, check)
    this.#consultations.set(key, consultation)
    consultation.promise = this.#consult(store, key, consultation)
    return consultation.promise
  }

  /** Asks the shared store even where memory can be relied on, and after everything that has happened up to now. */
  lookAgain(key: string, check: SchemaCheck | undefined): Consulted | Promise<Consulted> {
    const { store } = this.#parts
    if (store !== undefined && !store.isCircuitOpen(key)) return this.#consult(store, key, this.#prepare(key, check))
    return this.#fitting(key, this.memory.get(key), check)
  }

  /**
   * Keeps what was loaded: here at once, in the shared store by and by. The value is the same object as before where
   * it is the same value. `mark` tells what has happened to the key since the load began; not `isWritten`: here alone.
   */
  keep(
    key: string,
    entry: Entry,
    text: string,
    { mark, isWritten = true }: { readonly mark?: Mark; readonly isWritten?: boolean } = {},
  ): Keeping {
    const { store, telling } = this.#parts
    const before = this.memory.peek(key)
    if (before !== undefined && before.stamp > entry.stamp) {
      return { value: entry.value, written: 'newer' } // another process was faster, and we have heard of it
    }
    const placed = this.#place(key, entry, Buffer.byteLength(text), false)
    const value = placed === undefined ? entry.value : placed.value
    if (mark?.isCurrent === false) this.memory.see(key, doubted)
    if (store === undefined || !isWritten || store.isCircuitOpen(key)) return { value, written: 'here' }
    const write = async () => {
      // A stranger who takes something away leaves no word that the store would hold against what was read before it.
      const isRemoved = mark?.isChanged === true && !(await this.#hasAny(store, key))
      if (!isRemoved) this.memory.expectEcho(key)
      const outcome = isRemoved ? 'purged' : await this.attempt(key, () => store.set(key, entry, text))
      telling.wrote(key, outcome)
      const isHere = this.memory.peek(key)?.stamp === entry.stamp
      if (outcome === undefined && isHere) this.memory.takeEcho(key)
      if (outcome === 'stored' && isHere) this.memory.share(key, true)
      if (outcome === 'newer' || outcome === 'purged') this.#change(key)
      return outcome
    }
    return { value, written: write() }
  }

  /** Whether the store has an entry under the key, or what a purge has left. */
  async #hasAny(store: Store, key: string): Promise<boolean> {
    const answer = await this.attempt(key, async () => ({ found: await store.get(key) }))
    return answer?.found !== undefined
  }

  /** Removes what is under the key, everywhere; whether there was something. */
  async remove(key: string): Promise<boolean> {
    const stamp = this.#parts.clock.purgeStamp()
    this.memory.change(key)
    const wasHere = this.memory.delete(key)
    const wasThere = await this.purges.addKey(key, { stamp, isHard: true })
    return wasHere || wasThere === true
  }

  /** Purges here at once, and in the shared store; tells what has to wait for that. */
  async purge(order: PurgeOrder): Promise<QueuedPurge> {
    const { tags, keys, all, isHard } = order
    const stamp = this.#parts.clock.purgeStamp()
    for (const key of keys) {
      this.memory.change(key)
      if (isHard) this.memory.delete(key)
      else this.memory.end(key)
      this.#parts.onEnded(key)
    }
    const [isSent, waiting] = await Promise.all([
      this.purges.add(order, stamp),
      this.purges.addKeys(keys, { stamp, isHard }),
    ])
    return { tags: isSent ? [] : tags, keys: waiting, all: all && !isSent }
  }

  /** The one door to the store: a failure is reported here and becomes `undefined`. */
  async attempt<T>(key: string, operation: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await operation()
      this.#parts.governor.succeeded()
      return result
    } catch (error) {
      this.#report(key, error)
      return undefined
    }
  }

  #report(key: string, error: unknown): void {
    const { governor, telling } = this.#parts
    if (!(error instanceof StoreFailure)) {
      telling.storeFailed('bug')
      governor.report({
        kind: 'bug',
        error,
        key,
        message: 'cache: its store failed in a way that is a mistake of ours',
      })
      return
    }
    telling.storeFailed(error.kind)
    if (error.kind === 'circuit-open') {
      governor.skipped()
      return
    }
    const trouble = { kind: error.kind, error, key }
    if (error.isOutage) {
      governor.failed({ ...trouble, message: 'redis unavailable, serving from memory' })
    } else {
      governor.report({ ...trouble, message: refusals[error.kind] ?? 'cache: redis holds no entry under the key' })
    }
  }

  #prepare(key: string, check: SchemaCheck | undefined): Consultation {
    return { check, mark: this.memory.mark(key), stamp: this.memory.peek(key)?.stamp, promise: undefined }
  }

  /** Asks the shared store, and lets what it says stand in memory. */
  async #consult(store: Store, key: string, consultation: Consultation): Promise<Consulted> {
    const { check, mark, stamp } = consultation
    try {
      const reading = this.purges.isKnown ? undefined : this.purges.read()
      const found = await store.get(key)
      this.#parts.governor.succeeded()
      if (reading !== undefined) await reading
      if (found !== undefined) this.#parts.clock.observe(isTombstone(found) ? found.purgedAt : found.entry.stamp)
      const held = this.memory.peek(key)
      // What has come to memory meanwhile is newer than the question: the answer says nothing of it.
      if (held !== undefined && held.stamp !== stamp) return this.#fitting(key, held, check)
      return mark.isCurrent ? this.#reconcile(key, found, check) : this.#passOn(key, found, check)
    } catch (error) {
      this.#report(key, error)
      return this.#fitting(key, this.memory.peek(key), check) // what is here has to do
    } finally {
      this.memory.unmark(key, mark)
      if (this.#consultations.get(key) === consultation) this.#consultations.delete(key)
      // A table that the map has outgrown may live on for a while, and everything with it.
      consultation.promise = undefined
    }
  }

  /** Holds what is here against what the shared store has. */
  #reconcile(key: string, found: FoundEntry | Tombstone | undefined, check: SchemaCheck | undefined): Consulted {
    const { memory } = this
    const held = memory.peek(key)
    if (found === undefined) {
      if (held === undefined) return undefined
      this.#miss(key, held)
      return this.#confirmed(key, check)
    }
    if (isTombstone(found)) {
      this.#bury(key, found)
      return this.#confirmed(key, check)
    }
    const { entry, bytes } = found
    this.#bury(key, { purgedAt: entry.purgedAt, isHard: false }) // whichever of the two entries is the newer one
    const queued = this.#queuedFor(key, entry)
    if (queued !== undefined) {
      if (held !== undefined && !queued.isHard) return this.#confirmed(key, check)
      memory.delete(key)
      return undefined
    }
    if (check !== undefined && !this.#accepts(key, entry, check)) {
      if (held === undefined) return undefined
      if (held.seen === doubted && entry.stamp > held.stamp) memory.end(key)
      return this.#confirmed(key, check)
    }
    if (held !== undefined && held.fingerprint === entry.fingerprint) {
      if (held.stamp === entry.stamp) {
        memory.share(key, true)
        return this.#confirmed(key, check)
      }
      if (held.stamp > entry.stamp && !held.isShared) return this.#confirmed(key, check)
    }
    const placed = this.#place(key, entry, bytes, true)
    return placed && { held: placed, tier: 'redis' }
  }

  /** The key has changed while it was asked for: the answer was true when it was asked for, and is not kept. */
  #passOn(key: string, found: FoundEntry | Tombstone | undefined, check: SchemaCheck | undefined): Consulted {
    if (found !== undefined && isTombstone(found)) this.#bury(key, found)
    if (found === undefined || isTombstone(found) || this.#queuedFor(key, found.entry) !== undefined) {
      return this.#fitting(key, this.memory.peek(key), check)
    }
    const { entry } = found
    const verdict = this.#verdictOn(entry)
    if (verdict === 'hard' || (check !== undefined && !this.#accepts(key, entry, check))) return undefined
    return { held: this.#passing(entry, verdict), tier: 'redis' }
  }

  /** Ends or removes in memory what a purge of the key has left word of. */
  #bury(key: string, { purgedAt, isHard }: Tombstone): void {
    const held = this.memory.peek(key)
    if (held === undefined || held.stamp > purgedAt) return
    if (isHard) this.memory.delete(key)
    else this.memory.end(key)
  }

  /** Our purge of the key that the shared store has not heard of, if it covers the entry that lies there. */
  #queuedFor(key: string, { stamp }: Entry): KeyPurge | undefined {
    const queued = this.purges.queuedOf(key)
    return queued !== undefined && stamp <= queued.stamp ? queued : undefined
  }

  /** The shared store has nothing under the key. */
  #miss(key: string, held: MemoryEntry): void {
    if (!this.coherence.isRelied(held)) {
      this.memory.end(key)
      return
    }
    if (!held.isShared) return // it never had it: it was away, full, or has another version's
    // It went while we were not told, most likely with the store itself: good for one more answer while it is loaded again.
    const now = this.#parts.clock.now()
    this.memory.share(key, false)
    this.memory.shorten(key, { freshUntil: now, revalidateUntil: now + this.#parts.staleWhileRevalidateMs })
  }

  /** What is here counts as what the shared store has. */
  #confirmed(key: string, check: SchemaCheck | undefined): Consulted {
    const held = this.memory.peek(key)
    if (held === undefined || this.#holdAgainstPurges(key, held) === 'hard') return undefined
    this.memory.see(key, this.coherence.version)
    return this.#fitting(key, this.memory.peek(key), check)
  }

  /** Puts an entry into memory, unless a purge says that it is gone; what is too large for memory is passed on all the same. */
  #place(key: string, entry: Entry, bytes: number, isShared: boolean): MemoryEntry | undefined {
    const { memory } = this
    const verdict = isShared ? this.#verdictOn(entry) : this.purges.verdict(entry.stamp, entry.tags)
    if (verdict === 'hard') {
      memory.delete(key)
      return undefined
    }
    const before = memory.valueOf(key)
    // The same value stays the same object: what was made from it is still what would be made.
    const kept = before !== undefined && isSame(before, entry.value) ? { ...entry, value: before } : entry
    memory.set(key, kept, bytes, { seen: this.coherence.version, isShared })
    if (verdict === 'soft' || entry.purgedAt >= entry.stamp) memory.end(key)
    return memory.peek(key) ?? this.#passing(kept, verdict)
  }

  /** What purges say of an entry of the shared store; before they have been read it is good only for when its load fails. */
  #verdictOn({ stamp, tags }: Entry): PurgeVerdict {
    const verdict = this.purges.verdict(stamp, tags)
    return verdict === 'none' && !this.purges.isRead ? 'soft' : verdict
  }

  /** An entry of the shared store that is answered with and does not lie in memory. */
  #passing(entry: Entry, verdict: PurgeVerdict): MemoryEntry {
    const isEnded = verdict === 'soft' || entry.purgedAt >= entry.stamp
    return { ...entry, refreshAt: entry.freshUntil, seen: this.coherence.version, isShared: true, isEnded }
  }

  #fitting(key: string, held: MemoryEntry | undefined, check: SchemaCheck | undefined): LookUp | undefined {
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
    this.#parts.governor.report({ kind: 'other-schema', key, message })
  }

  /** Ends or removes in memory what was purged since it was last seen; an entry that was not is good for this version. */
  #holdAgainstPurges(key: string, held: MemoryEntry): 'none' | 'soft' | 'hard' {
    if (this.coherence.isHeldAgainstPurges(held)) return 'none'
    const verdict = this.purges.verdict(held.stamp, held.tags)
    const present = this.memory.peek(key) // whoever looked at the same time may have ended it
    const isStill = present?.stamp === held.stamp
    if (verdict === 'none') {
      if (isStill && this.coherence.isOfThisEpoch(held)) this.memory.see(key, this.coherence.version)
      return verdict
    }
    if (isStill && verdict === 'hard') this.memory.delete(key)
    if (isStill && verdict === 'soft') this.memory.end(key)
    if (isStill && !present.isEnded) this.#parts.onEnded(key)
    return verdict
  }

  /** Something has happened to the key in the shared store. */
  #change(key: string): void {
    this.memory.change(key)
    if (this.memory.takeEcho(key)) void this.#verify(key)
    else this.#parts.onEnded(key)
  }

  /** Whether the change was our own write: then nothing has changed. Asks for the stamp alone. */
  async #verify(key: string): Promise<void> {
    const { store, onEnded } = this.#parts
    if (store === undefined) return
    const mark = this.memory.mark(key)
    const answer = await this.attempt(key, async () => ({ stamp: await store.stampOf(key) }))
    this.memory.unmark(key, mark)
    const held = this.memory.peek(key)
    if (held !== undefined && answer?.stamp === held.stamp && mark.isCurrent) {
      this.memory.share(key, true)
      if (this.#holdAgainstPurges(key, held) === 'none') this.memory.see(key, this.coherence.version)
    } else {
      onEnded(key)
    }
  }
}

/** What is said of failures that are no outage, where it is not the entry that is wrong. */
const refusals: Readonly<Record<string, string>> = {
  full: 'cache: redis is full and takes no writes; reads go on',
  readonly: 'cache: redis takes no writes; reads go on',
  denied: 'cache: redis does not allow a command that is needed; the cache goes on without it',
  'error-reply': 'cache: redis refused a command; the cache goes on without it',
}

function isSame(a: unknown, b: unknown): boolean {
  try {
    return isDeepStrictEqual(a, b)
  } catch {
    return false // nested too deep to be compared
  }
}

/** What a look at the tiers brings. */
type Consulted = LookUp | undefined

/** A question to the shared store that is under way. */
interface Consultation {
  readonly check: SchemaCheck | undefined
  readonly mark: Mark
  /** Of what memory had when the question was asked. */
  readonly stamp: number | undefined
  promise: Promise<Consulted> | undefined
}

/** The value that was put into memory, and what comes of the write: nothing when that fails; where none is needed, why. */
interface Keeping {
  readonly value: unknown
  readonly written: 'here' | 'newer' | Promise<WriteOutcome | undefined>
}
