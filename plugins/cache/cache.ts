import type { Static, TSchema } from '@sinclair/typebox'
import type { OutageLog } from '../redis/outage-log.js'
import { raceTimeout } from '../timeout.js'
import { cacheBrand } from './brand.js'
import type { CacheClock } from './clock.js'
import { type Dependencies, DependencyTracker } from './dependencies.js'
import { normaliseValue } from './entry/codec.js'
import { type SchemaCheck, SchemaChecks } from './entry/schema-check.js'
import { refreshAhead } from './load/early-refresh.js'
import { Loads } from './load/in-flight-loads.js'
import { Leases } from './load/leases.js'
import type { Loader } from './load/loader.js'
import { SingleFlight } from './load/single-flight.js'
import { none } from './memory/lru-index.js'
import { MemoryTier } from './memory/memory-tier.js'
import type { CacheEvents, ReadReason } from './observe/cache-events.js'
import { type Explanation, explain, explainEntry, explainPurge } from './observe/explain.js'
import {
  checkKey,
  type GetPolicy,
  type Policy,
  type Purge,
  type ReadPolicy,
  type ResolvedCacheOptions,
  resolveLifetime,
  resolvePurge,
  resolveTags,
} from './options.js'
import type { CoherenceState } from './purge/coherence.js'
import type { QueuedPurge } from './purge/purges.js'
import { type Reading, type ReadRequest, readingOf, type WithoutSchema, type WithSchema } from './reading.js'
import { isTombstone, type Store, type WriteOutcome } from './store.js'
import { type LookUp, Tiers } from './tiers.js'

/** What became of a purge. It has taken effect in this process in any case. */
export interface PurgeResult {
  /** Whether every process has been told, or there is none but this one. */
  readonly isDone: boolean
  /** What waits for Redis to come back, and is lost when this process ends before that. */
  readonly queued: QueuedPurge
}

/** Whether what was set is what the next read gives: here at least, where the shared store did not take it. */
function isKept(outcome: WriteOutcome | 'here' | undefined): boolean {
  return outcome !== 'newer' && outcome !== 'purged'
}

/** Counters since the start, and how things stand. */
export interface CacheStats {
  readonly reads: Readonly<Record<ReadReason, number>>
  readonly hits: { readonly memory: number; readonly redis: number }
  readonly loads: {
    readonly succeeded: number
    readonly failed: number
    readonly totalMs: number
    readonly inFlight: number
  }
  readonly writes: Readonly<Record<string, number>>
  readonly failures: Readonly<Record<string, number>>
  readonly memory: { readonly entries: number; readonly bytes: number; readonly maxBytes: number }
  readonly purges: { readonly requested: number; readonly queued: number; readonly remembered: number }
  readonly coherence: CoherenceState
}

export interface CacheParts {
  readonly store: Store | undefined
  readonly clock: CacheClock
  /** Tells of the store. */
  readonly governor: OutageLog
  /** Tells of loads that fail while there is a stale value to serve: otherwise the caller hears of them. */
  readonly loadGovernor: OutageLog
  readonly telling: CacheEvents
  readonly options: ResolvedCacheOptions
}

/** How long closing waits for writes under way. */
const drainTimeoutMs = 500
/** A purge fences its keys for longer than a load that began before it can take to write. */
const fenceFactor = 2
const leastFenceMs = 60_000

/**
 * The read-through cache behind `fastify.cache`.
 *
 * No method rejects because of a store: a store that fails is a warning, a read from it a miss, a write to it nothing.
 * Values are what JSON makes of them, deep-frozen.
 */
export class Cache {
  readonly [cacheBrand] = true
  readonly #options: ResolvedCacheOptions
  readonly #clock: CacheClock
  readonly #telling: CacheEvents
  readonly #store: Store | undefined
  readonly #memory: MemoryTier
  readonly #tiers: Tiers
  readonly #leases: Leases
  readonly #loads: Loads
  readonly #checks = new SchemaChecks()
  readonly #bypasses = new SingleFlight<Reading<unknown>>()
  readonly #collecting = new DependencyTracker()

  constructor({ store, clock, governor, loadGovernor, telling, options }: CacheParts) {
    this.#options = options
    this.#clock = clock
    this.#telling = telling
    this.#store = store
    const salt = String(Math.random()) // processes that share an entry do not all refresh it at the same moment
    this.#memory = new MemoryTier({
      maxBytes: options.maxMemoryBytes,
      maxEntries: options.maxMemoryEntries,
      refreshAt: (key, entry) => refreshAhead(key, entry, clock.instantOf(entry.stamp), salt),
    })
    this.#tiers = new Tiers({
      memory: this.#memory,
      store,
      clock,
      governor,
      telling,
      fenceMs: Math.max(leastFenceMs, options.loadTimeoutMs * fenceFactor),
      staleWhileRevalidateMs: options.lifetime.staleWhileRevalidateSeconds * 1_000,
      onEnded: (key) => this.#loads.detach(key),
      onPurged: () => this.#loads.giveWay(),
      onLeaseChanged: (key) => this.#leases.wake(key),
      onDisturbed: () => this.#leases.wakeAll(),
    })
    this.#leases = new Leases({
      store,
      leaseMs: options.leaseMs,
      attempt: (key, operation) => this.#tiers.attempt(key, operation),
    })
    const [tiers, leases] = [this.#tiers, this.#leases]
    this.#loads = new Loads({ store, tiers, leases, clock, governor, loadGovernor, telling, options })
    this.#tiers.coherence.start()
  }

  /**
   * The fresh value under the key, or `undefined`; with `acceptStale` also one that is only kept for when a load fails.
   * With a schema, a value that does not match is no value.
   */
  get<S extends TSchema>(key: string, policy: WithSchema<GetPolicy, S>): Promise<Static<S> | undefined>
  get<T = unknown>(key: string, policy?: WithoutSchema<GetPolicy>): Promise<T | undefined>
  async get(key: string, policy?: GetPolicy): Promise<unknown> {
    const hit = this.#hit(key, policy?.schema)
    if (hit !== none) return this.#memory.valueAt(hit)
    checkKey(key)
    return this.#collecting.observe([], () => this.#get(key, policy))
  }

  async #get(key: string, policy: GetPolicy | undefined): Promise<unknown> {
    const found = await this.#tiers.lookUp(key, this.#checkOf(policy?.schema))
    const standing = found === undefined ? 'expired' : this.#tiers.standingOf(key, found.held, this.#clock.now())
    const isAnswer = standing === 'fresh' || (standing !== 'expired' && policy?.allowStale === true)
    const value = isAnswer ? found?.held.value : undefined
    if (found === undefined || !isAnswer) this.#telling.answered(key, 'none', 'miss')
    else this.#telling.answered(key, found.tier, standing === 'fresh' ? 'hit' : 'stale')
    this.#collect(key, value, standing === 'fresh')
    return value
  }

  /**
   * Keeps the value; true when it was kept, false when JSON cannot hold it, it is too large or of the wrong shape, or
   * something newer is there. With Redis away it is kept in memory.
   */
  async set(key: string, value: unknown, policy: Policy = {}): Promise<boolean> {
    checkKey(key)
    const startedAt = this.#clock.now()
    const lifetime = resolveLifetime(policy, this.#options.lifetime)
    const loaded = { value, startedAt, tookMs: 0, lifetime, tags: resolveTags(policy.tags) }
    const { entry, text } = this.#loads.prepare(key, loaded, this.#clock.loadStamp(), this.#checkOf(policy.schema))
    if (entry === undefined) return false
    this.#loads.supersede(key)
    if (isKept(await this.#tiers.keep(key, entry, text).written)) return true
    // A purge or a write was in the way whose stamp another clock gave. It came before this: by now we have heard of it.
    const later = { ...entry, stamp: this.#clock.loadStamp() }
    return isKept(await this.#tiers.keep(key, later, text).written)
  }

  /** Removes the entry, the copy kept for stale-if-error included; true when there was one. */
  async delete(key: string): Promise<boolean> {
    checkKey(key)
    this.#loads.supersede(key)
    return this.#tiers.remove(key)
  }

  /** The value under the key, loaded when there is none; rejects only with the loader's own failure. */
  fetch<S extends TSchema>(
    key: string,
    loader: Loader<Static<S>, Static<S>>,
    policy: WithSchema<ReadPolicy, S>,
  ): Promise<Static<S>>
  fetch<T>(key: string, loader: Loader<T>, policy?: WithoutSchema<ReadPolicy>): Promise<T>
  async fetch(key: string, loader: Loader<unknown>, policy?: ReadPolicy): Promise<unknown> {
    if (policy?.bypass !== true) {
      const hit = this.#hit(key, policy?.schema)
      if (hit !== none) return this.#memory.valueAt(hit)
    }
    return (await this.#answer(key, loader, policy)).value
  }

  /** Like `fetch`, with where the value comes from, how old it is and why it was answered so. */
  read<S extends TSchema>(
    key: string,
    loader: Loader<Static<S>, Static<S>>,
    policy: WithSchema<ReadPolicy, S>,
  ): Promise<Reading<Static<S>>>
  read<T>(key: string, loader: Loader<T>, policy?: WithoutSchema<ReadPolicy>): Promise<Reading<T>>
  async read(key: string, loader: Loader<unknown>, policy?: ReadPolicy): Promise<Reading<unknown>> {
    if (policy?.bypass !== true) {
      const held = this.#hit(key, policy?.schema) === none ? undefined : this.#memory.peek(key)
      if (held !== undefined) return this.#answerFrom({ held, tier: 'memory' }, 'fresh', 'hit')
    }
    return this.#answer(key, loader, policy)
  }

  /**
   * Makes the next read of what it names load again, in every process; what was read before is served only when that
   * load fails, and not even then after a hard purge. Takes effect here at once. While Redis is away the rest of the
   * world hears of it when it is back, unless this process ends first: the result says so.
   */
  async purge(purge: Purge): Promise<PurgeResult> {
    const order = resolvePurge(purge)
    for (const key of order.keys) this.#loads.supersede(key)
    const queued = await this.#tiers.purge(order)
    const isDone = queued.tags.length === 0 && queued.keys.length === 0 && !queued.all
    this.#telling.purged({ tags: order.tags, keys: order.keys, isHard: order.isHard, isQueued: !isDone })
    return { isDone, queued }
  }

  /** Runs `make` and tells what of the cache it was made from. Calls may be nested. */
  async track<T>(make: () => Promise<T> | T): Promise<{ value: T; dependencies: Dependencies }> {
    const stamp = this.#clock.loadStamp()
    const { value, collector } = await this.#collecting.run(make)
    const { coherence } = this.#tiers
    const dependencies = collector.made({
      isCurrent: (key, value) => {
        const now = this.#clock.now()
        if (this.#memory.isFresh(key, value, coherence.version, now)) return true
        const held = this.#memory.peek(key)
        return held !== undefined && held.value === value && this.#tiers.isCurrent(key, held, now)
      },
      now: () => this.#clock.now(),
      version: () => coherence.version,
      verdict: (tags) => coherence.purges.verdict(stamp, tags),
    })
    return { value, dependencies }
  }

  /** Gives a function that runs work as if it ran here: what it reads is collected by the calls of `collect` around this one. */
  bindTrackers(): (work: () => void) => void {
    return this.#collecting.bind()
  }

  /** Where the entry under the key lies, how old it is, and what a read would do with it and why. Changes nothing. */
  async explain(key: string): Promise<Explanation> {
    checkKey(key)
    const [store, now] = [this.#store, this.#clock.now()]
    const held = this.#memory.peek(key)
    const asked = store && (await this.#tiers.attempt(key, async () => ({ found: await store.get(key) })))
    const found = asked?.found
    const inRedis =
      found && (isTombstone(found) ? explainPurge(found, this.#clock) : explainEntry(found.entry, this.#clock))
    return explain({
      key,
      metricLabel: this.#telling.family(key),
      state: held === undefined ? 'expired' : this.#tiers.standingOf(key, held, now),
      memory: held && explainEntry(held, this.#clock),
      redis: store === undefined ? 'memory-only' : asked === undefined ? 'unknown' : inRedis,
      coherence: this.#tiers.coherence.state,
      isLoading: this.#loads.has(key),
      isPaused: this.#loads.isPaused(key),
    })
  }

  /** Counters since the start, and how things stand. */
  stats(): CacheStats {
    const { reads, hits, loads, writes, failures, purges } = this.#telling
    return {
      reads: { ...reads },
      hits: { ...hits },
      loads: { ...loads, inFlight: this.#loads.count },
      writes: { ...writes },
      failures: { ...failures },
      memory: { ...this.#memory.size, maxBytes: this.#options.maxMemoryBytes },
      purges: { requested: purges, queued: this.#tiers.purges.queued, remembered: this.#tiers.purges.remembered },
      coherence: this.#tiers.coherence.state,
    }
  }

  /** Ends loads under way and waits, not for long, until writes under way are done. */
  async close(): Promise<void> {
    this.#tiers.coherence.close()
    await raceTimeout(Promise.all([this.#loads.close(), this.#leases.close()]), drainTimeoutMs)
    await this.#store?.close()
  }

  /**
   * Where the value lies that answers at once, because it is fresh and known to be what every process would answer
   * with; or `none`.
   */
  #hit(key: string, schema: TSchema | undefined): number {
    const slot = this.#memory.hit(key, this.#tiers.coherence.version, this.#clock)
    if (slot === none) return none
    if (schema !== undefined && this.#memory.fingerprintAt(slot) !== this.#checks.of(schema).fingerprint) return none
    this.#telling.answeredFromMemory(key)
    if (this.#collecting.collectors !== undefined) this.#collect(key, this.#memory.valueAt(slot), true)
    return slot
  }

  #answer(key: string, loader: Loader<unknown>, policy: ReadPolicy = {}): Promise<Reading<unknown>> {
    return this.#collecting.observe(policy.tags ?? [], () => this.#readOrLoad(key, loader, policy))
  }

  async #readOrLoad(key: string, loader: Loader<unknown>, policy: ReadPolicy): Promise<Reading<unknown>> {
    checkKey(key)
    const request = { key, loader, policy, check: this.#checkOf(policy.schema), beganAt: performance.now() }
    const answer =
      policy.bypass === true
        ? this.#bypass(request)
        : this.#readThrough(request, await this.#tiers.lookUp(key, request.check))
    const reading = answer instanceof Promise ? await answer : answer
    this.#telling.answered(key, reading.tier, reading.reason)
    const isKept = reading.state === 'fresh' && policy.bypass !== true
    this.#collect(key, reading.value, isKept, policy.tags)
    return reading
  }

  /**
   * Tells those who collect that this value was read; unless it is what lies in memory, and fresh, it is one that no
   * tier keeps.
   */
  #collect(key: string, value: unknown, isKept: boolean, tags: readonly string[] = []): void {
    const { collectors } = this.#collecting
    if (collectors === undefined) return
    const held = this.#memory.peek(key)
    for (const collector of collectors) {
      if (isKept && held !== undefined && held.value === value) collector.add(key, held)
      else collector.addUnkept([...tags, ...(held?.tags ?? [])])
    }
  }

  /** The read-through decision: what to answer, and whether to load, with what was found. */
  #readThrough(request: ReadRequest, found: LookUp | undefined): Reading<unknown> | Promise<Reading<unknown>> {
    const { key } = request
    const now = this.#clock.now()
    const standing = found === undefined ? 'expired' : this.#tiers.standingOf(key, found.held, now)
    if (found === undefined || standing === 'expired') return this.#loads.loadAnew(request)
    if (standing === 'fresh') {
      if (now >= found.held.refreshAt) this.#refreshBehind(request, found)
      return this.#answerFrom(found, 'fresh', 'hit')
    }
    if (this.#loads.isPaused(key)) return this.#answerFrom(found, 'stale', 'stale-if-error')
    // What was purged waits for its load; once that has failed, nobody waits longer than for what is stale by its age.
    const mustWait = standing === 'purged' && !this.#loads.hasFailed(key)
    if (mustWait) return this.#loadOr(request, found, Number.POSITIVE_INFINITY)
    if (standing !== 'stale-while-revalidate') return this.#loadOr(request, found, this.#options.softTimeoutMs)
    const reason = this.#staleReason(key)
    this.#refreshBehind(request, found)
    return this.#answerFrom(found, 'stale', reason)
  }

  /** A try that is under way is not yet better than the one that failed before it. */
  #staleReason(key: string): 'stale' | 'stale-if-error' {
    return this.#loads.hasFailed(key) ? 'stale-if-error' : 'stale'
  }

  /** The new value if it comes within the time; the stale one while it is still on its way, or when it does not come. */
  async #loadOr(request: ReadRequest, stale: LookUp, withinMs: number): Promise<Reading<unknown>> {
    const { key } = request
    const mayWait = withinMs === Number.POSITIVE_INFINITY
    const mark = this.#memory.mark(key)
    try {
      const loading = this.#loads.load(request, stale, mayWait)
      const loaded = mayWait ? { value: await loading } : await raceTimeout(loading, withinMs)
      return loaded?.value ?? this.#answerFrom(stale, 'stale', this.#staleReason(key))
    } catch (error) {
      if (!this.#loads.mayServeStale(request, error)) throw error
      // What is here by now; or, where it had to give way to other entries, what was here, unless that has changed.
      const held = this.#memory.peek(key) ?? (mark.isCurrent ? stale.held : undefined)
      if (held === undefined || this.#tiers.standingOf(key, held, this.#clock.now()) === 'expired') throw error
      return this.#answerFrom({ held, tier: stale.tier }, 'stale', 'stale-if-error')
    } finally {
      this.#memory.unmark(key, mark)
    }
  }

  #refreshBehind(request: ReadRequest, stale: LookUp): void {
    this.#memory.refreshNoMore(request.key) // one attempt ahead of time is enough
    this.#collecting.apart(() => this.#loads.load(request, stale, false)).catch(() => undefined) // the load reports it
  }

  async #bypass(request: ReadRequest): Promise<Reading<unknown>> {
    const { promise, isCollapsed } = this.#bypasses.run(request.key, async () => {
      const { value, startedAt } = await this.#loads.call(request, undefined)
      const asKept = normaliseValue(value)?.value ?? value
      return { value: asKept, state: 'fresh', storedAt: startedAt, tier: 'load', reason: 'bypass' }
    })
    const reading = await promise
    return isCollapsed ? { ...reading, reason: 'collapsed' } : reading
  }

  #answerFrom(found: LookUp, state: 'fresh' | 'stale', reason: ReadReason): Reading<unknown> {
    return readingOf(found, { state, reason }, this.#clock)
  }

  #checkOf(schema: TSchema | undefined): SchemaCheck | undefined {
    return schema === undefined ? undefined : this.#checks.of(schema)
  }
}
