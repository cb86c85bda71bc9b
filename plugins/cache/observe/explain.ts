import type { CacheClock } from '../clock.js'
import type { Entry, Tombstone } from '../entry/codec.js'
import type { MemoryEntry } from '../memory/memory-tier.js'
import type { CoherenceState } from '../purge/coherence.js'
import type { EntryState } from '../tiers.js'

/** Where an entry lies, how old it is, and what would be done with it. */
export interface Explanation {
  readonly key: string
  readonly metricLabel: string
  /** What a read would do now. */
  readonly state: EntryState
  readonly memory: EntryExplanation | undefined
  /** `unknown` when Redis could not be asked; `alone` when there is none. */
  readonly redis: EntryExplanation | PurgeExplanation | undefined | 'unknown' | 'memory-only'
  readonly coherence: CoherenceState
  readonly isLoading: boolean
  /** Whether refreshing waits because it failed lately. */
  readonly isPaused: boolean
  /** All of the above in sentences. */
  readonly why: readonly string[]
}

/** What a purge of the key has left in place of an entry. */
export interface PurgeExplanation {
  /** Milliseconds since the epoch. */
  readonly purgedAt: number
  readonly isHard: boolean
}

/** Instants are milliseconds since the epoch. */
export interface EntryExplanation {
  readonly storedAt: number
  readonly ageSeconds: number
  readonly freshUntil: number
  readonly staleUntil: number
  readonly tags: readonly string[]
  readonly fingerprint: string
}

const standings: Readonly<Record<EntryState, string>> = {
  fresh: 'A read is answered at once.',
  'stale-while-revalidate': 'Stale: a read is answered at once while one refresh runs behind.',
  'stale-if-error': 'Stale: a read waits for the load, and is answered with this when that is slow or fails.',
  purged: 'Purged or changed elsewhere: a read loads, and is answered with this only when that fails.',
  expired: 'There is nothing in memory to serve: a read asks Redis, if there is one, and then loads.',
}

const coherences: Readonly<Record<CoherenceState, string>> = {
  'memory-only': 'There is no Redis: memory is all there is.',
  tracking: 'Changes in Redis are heard of at once.',
  polling: 'Nothing proves that changes in Redis are heard of: memory is trusted for a second.',
  disconnected: 'Redis is left alone: memory keeps its own lifetimes.',
}

/** The explanation with its sentences. */
export function explain(facts: Omit<Explanation, 'why'>): Explanation {
  const why = [
    standings[facts.state],
    coherences[facts.coherence],
    ...(facts.isLoading ? ['A load is under way.'] : []),
    ...(facts.isPaused ? ['Refreshing failed lately and is left alone for a while.'] : []),
  ]
  return { ...facts, why }
}

export function explainPurge({ purgedAt, isHard }: Tombstone, clock: CacheClock): PurgeExplanation {
  return { purgedAt: clock.instantOf(purgedAt), isHard }
}

/** What there is to say of an entry, wherever it lies. */
export function explainEntry(entry: MemoryEntry | Entry, clock: CacheClock): EntryExplanation {
  const { stamp, freshUntil, staleUntil, tags, fingerprint } = entry
  const storedAt = clock.instantOf(stamp)
  return { storedAt, ageSeconds: (clock.now() - storedAt) / 1_000, freshUntil, staleUntil, tags, fingerprint }
}
