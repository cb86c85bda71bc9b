import type { CacheClock } from './clock.js'
import type { Entry } from './entry/codec.js'
import type { InFlightLoads } from './load/in-flight-loads.js'
import type { MemoryEntry } from './memory/memory-entry.js'
import type { CacheEvents } from './observe/cache-events.js'
import { isTombstone } from './store.js'
import type { StoreAccess } from './store-access.js'
import type { CoherenceState } from './tiers/coherence.js'
import type { EntryState } from './tiers/entry-state.js'
import type { Tiers } from './tiers/tiers.js'

/** Where an entry is stored, how old it is, and what a read would do with it. */
export interface Explanation {
  readonly key: string
  readonly metricLabel: string
  /** Of the entry in memory. */
  readonly state: EntryState
  readonly memory: EntryExplanation | undefined
  /** `unknown` when Redis did not answer; `memory-only` without Redis. */
  readonly redis: EntryExplanation | PurgeExplanation | undefined | 'unknown' | 'memory-only'
  readonly coherence: CoherenceState
  readonly isLoading: boolean
  /** Whether the next refresh is delayed after failures. */
  readonly isBackingOff: boolean
  /** All of the above in sentences. */
  readonly why: readonly string[]
}

/** A tombstone. */
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

const states: Readonly<Record<EntryState, string>> = {
  fresh: 'Fresh: reads are answered at once.',
  'stale-while-revalidate': 'Stale: reads are answered at once while one refresh runs in the background.',
  'stale-if-error': 'Stale: reads wait for a load, and are answered with this value if it is slow or fails.',
  purged: 'Purged or changed elsewhere: reads load, and are answered with this value only if the load fails.',
  expired: 'Memory has no usable value: reads ask Redis, and load if it has none.',
}
const expiredWithoutRedis = 'Memory has no usable value: reads load.'

const coherences: Readonly<Record<CoherenceState, string>> = {
  'memory-only': 'Without Redis, memory is the only tier.',
  tracking: 'Changes in Redis invalidate memory at once.',
  polling: 'Invalidations from Redis are not confirmed to arrive: memory is trusted for one second.',
  disconnected: 'The circuit breaker of Redis is open: memory keeps its own lifetimes.',
}

interface ExplainDeps {
  readonly tiers: Tiers
  readonly access: StoreAccess
  readonly loads: InFlightLoads
  readonly events: CacheEvents
  readonly clock: CacheClock
}

export async function explain(key: string, deps: ExplainDeps): Promise<Explanation> {
  const { tiers, access, loads, events, clock } = deps
  const redis = await explainStored(key, access, clock)
  // From here on nothing is awaited: the rest describes one moment.
  const entry = tiers.memory.peek(key)
  return withReasons({
    key,
    metricLabel: events.labelOf(key),
    state: entry === undefined ? 'expired' : tiers.stateOf(key, entry, clock.now()),
    memory: entry && explainEntry(entry, clock),
    redis,
    coherence: tiers.coherence.state,
    isLoading: loads.has(key),
    isBackingOff: loads.isBackingOff(key),
  })
}

async function explainStored(key: string, access: StoreAccess, clock: CacheClock): Promise<Explanation['redis']> {
  const { store } = access
  if (store === undefined) return 'memory-only'
  const answer = await access.attempt(key, async () => ({ found: await store.get(key) }))
  if (answer === undefined) return 'unknown'
  const { found } = answer
  if (found === undefined) return undefined
  if (isTombstone(found)) return { purgedAt: clock.toLocalMs(found.purgedAt), isHard: found.isHard }
  return explainEntry(found.entry, clock)
}

function withReasons(facts: Omit<Explanation, 'why'>): Explanation {
  const why = [
    facts.state === 'expired' && facts.redis === 'memory-only' ? expiredWithoutRedis : states[facts.state],
    coherences[facts.coherence],
    ...(facts.isLoading ? ['A load is in flight.'] : []),
    ...(facts.isBackingOff ? ['The last refresh failed; the next one is delayed.'] : []),
  ]
  return { ...facts, why }
}

function explainEntry(entry: MemoryEntry | Entry, clock: CacheClock): EntryExplanation {
  const { stamp, freshUntil, staleUntil, tags, fingerprint } = entry
  const storedAt = clock.toLocalMs(stamp)
  return { storedAt, ageSeconds: (clock.now() - storedAt) / 1_000, freshUntil, staleUntil, tags, fingerprint }
}
