import { isDeepStrictEqual } from 'node:util'
import type { Entry, Tombstone } from '../entry/codec.js'
import type { MemoryEntry } from '../memory/memory-entry.js'
import type { MemoryTier } from '../memory/memory-tier.js'
import type { PurgeVerdict } from '../purge/purge-log.js'
import type { CacheSignals } from '../signals.js'
import type { Coherence } from './coherence.js'
import { type EntryState, entryState } from './entry-state.js'
import { tombstoneEffect } from './reconcile.js'

interface VerifiedMemoryDeps {
  readonly memory: MemoryTier
  readonly coherence: Coherence
  readonly signals: CacheSignals
}

/** The memory tier, checked against purges and against what is known of the shared store. */
export class VerifiedMemory {
  readonly #memory: MemoryTier
  readonly #coherence: Coherence
  readonly #signals: CacheSignals

  constructor({ memory, coherence, signals }: VerifiedMemoryDeps) {
    this.#memory = memory
    this.#coherence = coherence
    this.#signals = signals
  }

  stateOf(key: string, entry: MemoryEntry, now: number): EntryState {
    const purgeVerdict = this.checkPurges(key, entry)
    return entryState(entry, { purgeVerdict, isReliable: this.#coherence.isReliable(entry), now })
  }

  /** Whether the entry answers a read without asking the shared store. */
  isCurrent(key: string, entry: MemoryEntry, now: number): boolean {
    return this.#coherence.isTrusted(key, entry) && this.stateOf(key, entry, now) === 'fresh'
  }

  /** Applies purges that came after the last check; an entry that none covers counts as checked in this version. */
  checkPurges(key: string, entry: MemoryEntry): PurgeVerdict {
    if (this.#coherence.isCheckedAgainstPurges(entry)) return 'none'
    const verdict = this.#coherence.purges.verdict(entry.stamp, entry.tags)
    const present = this.#memory.peek(key)
    if (present?.stamp !== entry.stamp) return verdict // replaced meanwhile
    if (verdict === 'none') {
      if (this.#coherence.isInCurrentEpoch(entry)) this.#memory.markVerified(key, this.#coherence.version)
      return verdict
    }
    if (verdict === 'hard') this.#memory.delete(key)
    else this.#memory.invalidate(key)
    if (!present.isInvalidated) this.#signals.keyInvalidated(key)
    return verdict
  }

  /** The entry matches the shared store now: returns it, unless a purge has removed it. */
  confirm(key: string): MemoryEntry | undefined {
    const entry = this.#memory.peek(key)
    if (entry === undefined || this.checkPurges(key, entry) === 'hard') return undefined
    this.#memory.markVerified(key, this.#coherence.version)
    return this.#memory.peek(key)
  }

  applyTombstone(key: string, tombstone: Tombstone): void {
    const entry = this.#memory.peek(key)
    const effect = entry && tombstoneEffect(entry, tombstone)
    if (effect === 'delete') this.#memory.delete(key)
    else if (effect === 'invalidate') this.#memory.invalidate(key)
  }

  /** Stores the entry unless a hard purge covers it; returns it even when it is too large for memory. */
  place(
    key: string,
    entry: Entry,
    { bytes, isPersisted }: { readonly bytes: number; readonly isPersisted: boolean },
  ): MemoryEntry | undefined {
    const memory = this.#memory
    const verdict = isPersisted ? this.#sharedVerdict(entry) : this.#coherence.purges.verdict(entry.stamp, entry.tags)
    if (verdict === 'hard') {
      memory.delete(key)
      return undefined
    }
    const previous = memory.valueOf(key)
    // An equal value stays the same object, so that what was rendered from it stays current.
    const stored = previous !== undefined && isEqual(previous, entry.value) ? { ...entry, value: previous } : entry
    memory.set(key, stored, bytes, { verifiedVersion: this.#coherence.version, isPersisted })
    if (isSoftlyPurged(entry, verdict)) memory.invalidate(key)
    return memory.peek(key) ?? this.#transientEntry(stored, verdict)
  }

  /** An entry of the shared store that answers one read and is not stored in memory; none if a hard purge covers it. */
  answerOnce(entry: Entry): MemoryEntry | undefined {
    const verdict = this.#sharedVerdict(entry)
    return verdict === 'hard' ? undefined : this.#transientEntry(entry, verdict)
  }

  /** Until the purge log has been read, an entry of the shared store counts as softly purged. */
  #sharedVerdict({ stamp, tags }: Entry): PurgeVerdict {
    const { purges } = this.#coherence
    const verdict = purges.verdict(stamp, tags)
    return verdict === 'none' && !purges.hasBeenRead ? 'soft' : verdict
  }

  #transientEntry(entry: Entry, verdict: PurgeVerdict): MemoryEntry {
    return {
      ...entry,
      refreshAt: entry.freshUntil,
      verifiedVersion: this.#coherence.version,
      isPersisted: true,
      isInvalidated: isSoftlyPurged(entry, verdict),
    }
  }
}

function isSoftlyPurged({ stamp, purgedAt }: Entry, verdict: PurgeVerdict): boolean {
  return verdict === 'soft' || purgedAt >= stamp
}

function isEqual(a: unknown, b: unknown): boolean {
  try {
    return isDeepStrictEqual(a, b)
  } catch {
    return false // nested too deeply to compare
  }
}
