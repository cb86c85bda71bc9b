import type { Static, TSchema } from '@sinclair/typebox'
import type { OutageLog } from '../redis/outage-log.js'
import { raceTimeout } from '../timeout.js'
import { cacheBrand } from './brand.js'
import type { CacheClock } from './clock.js'
import { type Dependencies, DependencyTracker, type TrackedRead } from './dependencies.js'
import { isStored } from './entry/decide-write.js'
import { type SchemaCheck, SchemaChecks } from './entry/schema-check.js'
import { ValueEncoder } from './entry/value-encoder.js'
import { type Explanation, explain } from './explain.js'
import { earlyRefreshAt } from './load/early-refresh.js'
import { InFlightLoads } from './load/in-flight-loads.js'
import type { Loader } from './load/loader.js'
import { noSlot } from './memory/lru-index.js'
import { MemoryTier } from './memory/memory-tier.js'
import type { CacheEvents } from './observe/cache-events.js'
import type { CacheStats } from './observe/cache-stats.js'
import type { ResolvedCacheOptions } from './options.js'
import {
  checkKey,
  checkLoader,
  type GetPolicy,
  type Policy,
  type Purge,
  type ReadPolicy,
  resolveLifetime,
  resolvePurge,
  resolveTags,
} from './policy.js'
import type { PurgeResult } from './purge/purges.js'
import { ReadThrough } from './read/read-through.js'
import { type Reading, toReading, type WithoutSchema, type WithSchema } from './reading.js'
import { CacheSignals } from './signals.js'
import type { Store } from './store.js'
import { StoreAccess } from './store-access.js'
import { Tiers } from './tiers/tiers.js'

interface CacheDeps {
  readonly store: Store | undefined
  readonly clock: CacheClock
  readonly random: () => number
  /** For failures of the store and values that cannot be stored. */
  readonly outageLog: OutageLog
  /** For failed loads that a stale value hides from the caller. */
  readonly loadOutageLog: OutageLog
  readonly events: CacheEvents
  readonly options: ResolvedCacheOptions
}

/** How long `close` waits for pending writes. */
const drainTimeoutMs = 500
/** A purged key refuses older writes for this multiple of `loadTimeoutMs`: longer than a load may take to write. */
const fenceFactor = 2
const minFenceMs = 60_000

/**
 * The read-through cache behind `fastify.cache`.
 *
 * No method rejects because of a store: a failed read is a miss, a failed write is skipped, and a warning is logged.
 * Values are what JSON makes of them, deep-frozen.
 */
export class Cache {
  readonly [cacheBrand] = true
  readonly #options: ResolvedCacheOptions
  readonly #clock: CacheClock
  readonly #events: CacheEvents
  readonly #access: StoreAccess
  readonly #memory: MemoryTier
  readonly #tiers: Tiers
  readonly #loads: InFlightLoads
  readonly #readThrough: ReadThrough
  readonly #encoder: ValueEncoder
  readonly #checks = new SchemaChecks()
  readonly #tracker = new DependencyTracker()

  constructor({ store, clock, random, outageLog, loadOutageLog, events, options }: CacheDeps) {
    this.#options = options
    this.#clock = clock
    this.#events = events
    const signals = new CacheSignals()
    const access = new StoreAccess({ store, outageLog, events })
    const salt = String(random()) // processes must not refresh an entry at the same moment
    this.#memory = new MemoryTier({
      maxBytes: options.maxMemoryBytes,
      maxEntries: options.maxMemoryEntries,
      refreshAt: (key, entry) => earlyRefreshAt(key, entry, clock.toLocalMs(entry.stamp), salt),
    })
    const tiers = new Tiers({
      memory: this.#memory,
      access,
      clock,
      events,
      signals,
      fenceMs: Math.max(minFenceMs, options.loadTimeoutMs * fenceFactor),
      staleWhileRevalidateMs: options.lifetime.staleWhileRevalidateSeconds * 1_000,
    })
    this.#encoder = new ValueEncoder({ maxEntryBytes: options.maxEntryBytes, outageLog })
    const loads = new InFlightLoads({
      tiers,
      access,
      clock,
      signals,
      encoder: this.#encoder,
      loadOutageLog,
      events,
      options,
    })
    const { softTimeoutMs } = options
    this.#readThrough = new ReadThrough({ tiers, loads, tracker: this.#tracker, clock, softTimeoutMs })
    this.#access = access
    this.#tiers = tiers
    this.#loads = loads
    tiers.coherence.start()
  }

  /**
   * The fresh value, or `undefined`; with `allowStale` also a stale or softly purged one. With a schema, a value that
   * does not match is missing.
   */
  get<S extends TSchema>(key: string, policy: WithSchema<GetPolicy, S>): Promise<Static<S> | undefined>
  get<T = unknown>(key: string, policy?: WithoutSchema<GetPolicy>): Promise<T | undefined>
  async get(key: string, policy?: GetPolicy): Promise<unknown> {
    const hit = this.#hit(key, policy?.schema)
    if (hit !== noSlot) return this.#memory.valueAt(hit)
    checkKey(key)
    return this.#tracker.recordRead([], () => this.#get(key, policy))
  }

  /**
   * Stores the value. False when it is not stored: JSON cannot represent it, it is too large, it does not match its
   * schema, or there is a newer entry. Without Redis it is stored in memory.
   */
  async set(key: string, value: unknown, policy: Policy = {}): Promise<boolean> {
    checkKey(key)
    const startedAt = this.#clock.now()
    const lifetime = resolveLifetime(policy, this.#options.lifetime)
    const unencoded = { value, startedAt, durationMs: 0, lifetime, tags: resolveTags(policy.tags) }
    const check = this.#checkOf(policy.schema)
    const { entry, text } = this.#encoder.encode(key, unencoded, { stamp: this.#clock.loadStamp(), check })
    if (entry === undefined) return false
    this.#loads.invalidate(key)
    if (isStored(await this.#tiers.write({ key, entry, text }).outcome)) return true
    // Refused because of a stamp of another process, which may be ahead. It has been observed by now.
    const retried = { ...entry, stamp: this.#clock.loadStamp() }
    return isStored(await this.#tiers.write({ key, entry: retried, text }).outcome)
  }

  /** Removes the entry, also for stale-if-error; returns whether there was one. */
  async delete(key: string): Promise<boolean> {
    checkKey(key)
    this.#loads.invalidate(key)
    return this.#tiers.remove(key)
  }

  /** The value, loaded if it is missing; rejects only with an error of the load, or for an invalid argument. */
  fetch<S extends TSchema>(
    key: string,
    loader: Loader<Static<S>, Static<S>>,
    policy: WithSchema<ReadPolicy, S>,
  ): Promise<Static<S>>
  fetch<T>(key: string, loader: Loader<T>, policy?: WithoutSchema<ReadPolicy>): Promise<T>
  async fetch(key: string, loader: Loader<unknown>, policy: ReadPolicy = {}): Promise<unknown> {
    if (policy.bypass !== true) {
      const hit = this.#hit(key, policy.schema, policy)
      if (hit !== noSlot) return this.#memory.valueAt(hit)
    }
    return (await this.#read(key, loader, policy)).value
  }

  /** Like `fetch`; also returns the state and age of the value, the tier that had it, and the reason. */
  read<S extends TSchema>(
    key: string,
    loader: Loader<Static<S>, Static<S>>,
    policy: WithSchema<ReadPolicy, S>,
  ): Promise<Reading<Static<S>>>
  read<T>(key: string, loader: Loader<T>, policy?: WithoutSchema<ReadPolicy>): Promise<Reading<T>>
  async read(key: string, loader: Loader<unknown>, policy: ReadPolicy = {}): Promise<Reading<unknown>> {
    if (policy.bypass !== true) {
      const entry = this.#hit(key, policy.schema, policy) === noSlot ? undefined : this.#memory.peek(key)
      if (entry !== undefined)
        return toReading({ entry, tier: 'memory' }, { state: 'fresh', reason: 'hit' }, this.#clock)
    }
    return this.#read(key, loader, policy)
  }

  /**
   * The next read of what is purged loads, in every process. The old value is served only when that load fails; after a
   * hard purge not even then. Applies in this process at once; while Redis is unavailable the purge is queued.
   */
  async purge(purge: Purge): Promise<PurgeResult> {
    const request = resolvePurge(purge)
    for (const key of request.keys) this.#loads.invalidate(key)
    const queued = await this.#tiers.purge(request)
    const isDone = queued.tags.length === 0 && queued.keys.length === 0 && !queued.all
    this.#events.purged({ tags: request.tags, keys: request.keys, isHard: request.isHard, isQueued: !isDone })
    return { isDone, queued }
  }

  /** Runs `work`; returns its value and the entries that it read. Calls may be nested. */
  async track<T>(work: () => Promise<T> | T): Promise<{ value: T; dependencies: Dependencies }> {
    const stamp = this.#clock.loadStamp()
    const { value, recorder } = await this.#tracker.run(work)
    return { value, dependencies: recorder.finish(this.#tiers.viewSince(stamp)) }
  }

  /** Makes the `track` calls around this one depend on what another one read, such as a batch for several requests. */
  addDependencies(dependencies: Dependencies): void {
    this.#tracker.include(dependencies)
  }

  /** Returns a function that runs work inside the `track` calls around this one, wherever it is called. */
  bindTrackers(): (work: () => void) => void {
    return this.#tracker.bind()
  }

  /** Where the entry is stored, how old it is, and what a read would do. Changes nothing. */
  async explain(key: string): Promise<Explanation> {
    checkKey(key)
    const [tiers, access, loads] = [this.#tiers, this.#access, this.#loads]
    return explain(key, { tiers, access, loads, events: this.#events, clock: this.#clock })
  }

  stats(): CacheStats {
    const { loads, purges, ...counters } = this.#events.counters()
    const { queued, remembered } = this.#tiers.purges
    return {
      ...counters,
      loads: { ...loads, inFlight: this.#loads.count },
      memory: { ...this.#memory.size, maxBytes: this.#options.maxMemoryBytes },
      purges: { requested: purges, queued, remembered },
      coherence: this.#tiers.coherence.state,
    }
  }

  /** Aborts loads in flight and waits a short time for pending writes. */
  async close(): Promise<void> {
    this.#tiers.coherence.close()
    await raceTimeout(this.#loads.close(), drainTimeoutMs)
    await this.#access.store?.close()
  }

  /** The memory slot of a fresh value that needs no check against the shared store, or `noSlot`. */
  #hit(key: string, schema: TSchema | undefined, policy?: ReadPolicy): number {
    const slot = this.#memory.hit(key, this.#tiers.coherence.version, this.#clock)
    if (slot === noSlot) return noSlot
    if (schema !== undefined && this.#memory.fingerprintAt(slot) !== this.#checks.of(schema).fingerprint) return noSlot
    this.#events.memoryHit(key)
    if (this.#tracker.recorders !== undefined)
      this.#record(key, { value: this.#memory.valueAt(slot), state: 'fresh' }, policy)
    return slot
  }

  async #get(key: string, policy: GetPolicy | undefined): Promise<unknown> {
    const found = await this.#tiers.lookUp(key, this.#checkOf(policy?.schema))
    const state = found === undefined ? 'expired' : this.#tiers.stateOf(key, found.entry, this.#clock.now())
    const isServed = state === 'fresh' || (state !== 'expired' && policy?.allowStale === true)
    const value = isServed ? found?.entry.value : undefined
    if (found === undefined || !isServed) this.#events.readAnswered(key, 'none', 'miss')
    else this.#events.readAnswered(key, found.tier, state === 'fresh' ? 'hit' : 'stale')
    this.#record(key, { value, state: state === 'fresh' ? state : isServed ? 'stale' : 'unknown' })
    return value
  }

  #read(key: string, loader: Loader<unknown>, policy: ReadPolicy = {}): Promise<Reading<unknown>> {
    return this.#tracker.recordRead(policy.tags ?? [], async () => {
      checkKey(key)
      checkLoader(loader)
      const request = {
        key,
        loader,
        policy,
        check: this.#checkOf(policy.schema),
        startedAt: this.#clock.monotonicNow(),
      }
      const isBypass = policy.bypass === true
      const reading = await (isBypass ? this.#readThrough.bypass(request) : this.#readThrough.read(request))
      this.#events.readAnswered(key, reading.tier, reading.reason)
      this.#record(key, { value: reading.value, state: isBypass ? 'unknown' : reading.state }, policy)
      return reading
    })
  }

  /** Records a read in the `track` calls around it; as uncacheable unless its value is in memory, and was not purged. */
  #record(key: string, { value, state }: TrackedRead, policy?: ReadPolicy): void {
    if (this.#tracker.recorders === undefined) return
    const entry = this.#memory.peek(key)
    const isStale = state === 'stale' && entry !== undefined && this.#tiers.isStale(key, entry, this.#clock.now())
    const isUsable = entry?.value === value && (isStale || state === 'fresh')
    this.#tracker.record(key, entry, isUsable ? state : 'unknown', policy)
  }

  #checkOf(schema: TSchema | undefined): SchemaCheck | undefined {
    return schema === undefined ? undefined : this.#checks.of(schema)
  }
}
