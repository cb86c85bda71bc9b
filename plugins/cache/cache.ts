import { setMaxListeners } from 'node:events'
import type { Static, TSchema } from '@sinclair/typebox'
import type { Governor } from '../governor.js'
import { withinTime } from '../within-time.js'
import type { CacheClock } from './cache-clock.js'
import { Collecting, type Made } from './collector.js'
import { normaliseValue, resolveInstants } from './entry.js'
import { ErrorMemos } from './error-memos.js'
import { CacheClosed } from './errors.js'
import { type Lease, Leases } from './leases.js'
import { type Loaded, type Loader, runLoad } from './load.js'
import { type Held, type Mark, MemoryTier } from './memory-tier.js'
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
import { refreshAhead } from './refresh-ahead.js'
import { RefreshPauses } from './refresh-pause.js'
import { type SchemaCheck, SchemaChecks } from './schema-check.js'
import { SingleFlight } from './single-flight.js'
import type { Store } from './store.js'
import type { ReadReason, Telling, Tier } from './telling.js'
import { type CoherenceState, type LookUp, type QueuedPurge, type Standing, Tiers } from './tiers.js'

/** A value with what can be said of it. */
export interface Reading<T> {
  readonly value: T
  readonly state: 'fresh' | 'stale'
  /** When the load of the value began, in milliseconds since the epoch. */
  readonly storedAt: number
  /** Which tier answered, or `load` when none did. */
  readonly tier: Tier
  readonly reason: ReadReason
}

/** What became of a purge. It has taken effect in this process in any case. */
export interface PurgeResult {
  /** Whether every process has been told, or there is none but this one. */
  readonly isDone: boolean
  /** What waits for Redis to come back, and is lost when this process ends before that. */
  readonly queued: QueuedPurge
}

/** Where an entry lies, how old it is, and what would be done with it. */
export interface Explanation {
  readonly key: string
  readonly family: string
  /** What a read would do now. */
  readonly standing: Standing
  readonly memory: EntryExplanation | undefined
  /** `unknown` when Redis could not be asked; `alone` when there is none. */
  readonly redis: EntryExplanation | { readonly purgedAt: number } | undefined | 'unknown' | 'alone'
  readonly coherence: CoherenceState
  readonly isLoading: boolean
  /** Whether refreshing waits because it failed lately. */
  readonly isPaused: boolean
  /** All of the above in sentences. */
  readonly why: readonly string[]
}

export interface EntryExplanation {
  readonly storedAt: number
  readonly ageSeconds: number
  readonly freshUntil: number
  readonly staleUntil: number
  readonly tags: readonly string[]
  readonly fingerprint: string
}

/** Counters since the start, and how things stand. */
export interface CacheStats {
  readonly reads: Readonly<Record<ReadReason, number>>
  readonly hits: { readonly memory: number; readonly redis: number }
  readonly loads: {
    readonly succeeded: number
    readonly failed: number
    readonly totalMs: number
    readonly underWay: number
  }
  readonly writes: Readonly<Record<string, number>>
  readonly failures: Readonly<Record<string, number>>
  readonly memory: { readonly entries: number; readonly bytes: number; readonly maxBytes: number }
  readonly purges: { readonly ordered: number; readonly queued: number; readonly remembered: number }
  readonly coherence: CoherenceState
}

export interface CacheParts {
  readonly store: Store | undefined
  readonly clock: CacheClock
  /** Tells of the store. */
  readonly governor: Governor
  /** Tells of loads that fail while there is a stale value to serve: otherwise the caller hears of them. */
  readonly loadGovernor: Governor
  readonly telling: Telling
  readonly options: ResolvedCacheOptions
}

/** Background writes beyond this are dropped: the next miss fills the entry again. */
const maxPendingWrites = 1_000
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
  readonly #options: ResolvedCacheOptions
  readonly #clock: CacheClock
  readonly #governor: Governor
  readonly #loadGovernor: Governor
  readonly #telling: Telling
  readonly #store: Store | undefined
  readonly #memory: MemoryTier
  readonly #tiers: Tiers
  readonly #leases: Leases
  readonly #checks = new SchemaChecks()
  readonly #loads = new Map<string, Loading>()
  readonly #bypasses = new SingleFlight<Reading<unknown>>()
  readonly #pauses = new RefreshPauses()
  readonly #memos = new ErrorMemos()
  readonly #pendingWrites = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()
  readonly #collecting = new Collecting()

  constructor({ store, clock, governor, loadGovernor, telling, options }: CacheParts) {
    this.#options = options
    this.#clock = clock
    this.#governor = governor
    this.#loadGovernor = loadGovernor
    this.#telling = telling
    this.#store = store
    setMaxListeners(0, this.#closing.signal) // one listener for each load under way
    const salt = String(Math.random()) // processes that share an entry do not all refresh it at the same moment
    this.#memory = new MemoryTier({
      maxBytes: options.maxMemoryBytes,
      maxEntries: options.maxMemoryEntries,
      base: clock.now(),
      refreshAt: (key, entry) => refreshAhead(key, entry, clock.instantOf(entry.stamp), salt),
    })
    this.#leases = new Leases({
      store,
      leaseMs: options.leaseMs,
      attempt: (key, operation) => this.#tiers.attempt(key, operation),
    })
    this.#tiers = new Tiers({
      memory: this.#memory,
      store,
      clock,
      governor,
      telling,
      fenceMs: Math.max(leastFenceMs, options.loadTimeoutMs * fenceFactor),
      staleWhileRevalidateMs: options.lifetime.staleWhileRevalidateSeconds * 1_000,
      onEnded: (key) => this.#detach(key),
      onLeaseChanged: (key) => this.#leases.wake(key),
      onDisturbed: () => this.#leases.wakeAll(),
    })
  }

  /**
   * The fresh value under the key, or `undefined`; with `acceptStale` also one that is only kept for when a load fails.
   * With a schema, a value that does not match is no value.
   */
  get<S extends TSchema>(key: string, policy: WithSchema<GetPolicy, S>): Promise<Static<S> | undefined>
  get<T = unknown>(key: string, policy?: WithoutSchema<GetPolicy>): Promise<T | undefined>
  async get(key: string, policy?: GetPolicy): Promise<unknown> {
    const hit = this.#hit(key, policy?.schema)
    if (hit !== undefined) return hit.value
    checkKey(key)
    const found = await this.#tiers.lookUp(key, this.#checkOf(policy?.schema))
    if (found === undefined) return undefined
    const standing = this.#tiers.standingOf(key, found.held, this.#clock.now())
    if (standing === 'gone' || (standing !== 'fresh' && policy?.acceptStale !== true)) return undefined
    this.#collect(key, found.held)
    return found.held.value
  }

  /**
   * Keeps the value; true when it was kept, false when JSON cannot hold it, it is too large or of the wrong shape, or something newer is
   * there. With Redis away it is kept in memory.
   */
  async set(key: string, value: unknown, policy: Policy = {}): Promise<boolean> {
    checkKey(key)
    this.#supersede(key)
    const startedAt = this.#clock.now()
    const lifetime = resolveLifetime(policy, this.#options.lifetime)
    const loaded = { value, startedAt, tookMs: 0, lifetime, tags: resolveTags(policy.tags) }
    const kept = this.#prepare(key, loaded, this.#clock.loadStamp(), this.#checkOf(policy.schema))
    if (kept === undefined) return false
    const outcome = await this.#tiers.keep(key, kept.entry, kept.text, { isCurrent: true })
    return outcome !== 'newer' && outcome !== 'purged'
  }

  /** Removes the entry, the copy kept for stale-if-error included; true when there was one. */
  async delete(key: string): Promise<boolean> {
    checkKey(key)
    this.#supersede(key)
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
      if (hit !== undefined) return hit.value
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
      const hit = this.#hit(key, policy?.schema)
      if (hit !== undefined) return this.#answerFrom({ held: hit, tier: 'memory' }, 'fresh', 'hit')
    }
    return this.#answer(key, loader, policy)
  }

  /**
   * Makes the next read of what it names load again, in every process; what was read before is served only when that load
   * fails, and not even then after a hard purge. Takes effect here at once. While Redis is away the rest of the world hears of it when
   * it is back, unless this process ends first: the result says so.
   */
  async purge(purge: Purge): Promise<PurgeResult> {
    const order = resolvePurge(purge)
    for (const key of order.keys) this.#supersede(key)
    const queued = await this.#tiers.purge(order)
    const isDone = queued.tags.length === 0 && queued.keys.length === 0 && !queued.all
    this.#telling.purged({ tags: order.tags, keys: order.keys, isHard: order.isHard, isQueued: !isDone })
    return { isDone, queued }
  }

  /** Runs `make` and tells what of the cache it was made from. Calls may be nested. */
  async collect<T>(make: () => Promise<T> | T): Promise<{ result: T; made: Made }> {
    const { result, collector } = await this.#collecting.run(make)
    const isCurrent = (key: string, value: unknown) => {
      const held = this.#memory.peek(key)
      return held !== undefined && held.value === value && this.#isFresh(key, held)
    }
    return { result, made: collector.made(isCurrent) }
  }

  /** Where the entry under the key lies, how old it is, and what a read would do with it and why. Changes nothing. */
  async explain(key: string): Promise<Explanation> {
    checkKey(key)
    const now = this.#clock.now()
    const held = this.#memory.peek(key)
    const standing = held === undefined ? 'gone' : this.#tiers.standingOf(key, held, now)
    const store = this.#store
    const asked = store && (await this.#tiers.attempt(key, async () => ({ found: await store.get(key) })))
    const inRedis = asked?.found
    const redis =
      store === undefined
        ? ('alone' as const)
        : asked === undefined
          ? ('unknown' as const)
          : inRedis !== undefined && 'entry' in inRedis
            ? this.#explainEntry(inRedis.entry, now)
            : inRedis
    const explanation = {
      key,
      family: this.#telling.family(key),
      standing,
      memory:
        held &&
        this.#explainEntry(
          { ...instantsOf(held, this.#memory.base), stamp: held.stamp, tags: held.tags, fingerprint: held.fingerprint },
          now,
        ),
      redis,
      coherence: this.#tiers.coherence,
      isLoading: this.#loads.has(key),
      isPaused: this.#pauses.isPaused(key, now),
    }
    return { ...explanation, why: sentences(explanation) }
  }

  /** Counters since the start, and how things stand. */
  stats(): CacheStats {
    const { reads, hits, loads, writes, failures, purges } = this.#telling
    return {
      reads: { ...reads },
      hits: { ...hits },
      loads: { ...loads, underWay: this.#loads.size },
      writes: { ...writes },
      failures: { ...failures },
      memory: { ...this.#memory.size, maxBytes: this.#options.maxMemoryBytes },
      purges: { ordered: purges, queued: this.#tiers.queuedPurges, remembered: this.#tiers.purges.size },
      coherence: this.#tiers.coherence,
    }
  }

  /** Ends loads under way and waits, not for long, until writes under way are done. */
  async close(): Promise<void> {
    this.#closing.abort(new CacheClosed())
    this.#tiers.close()
    await withinTime(Promise.allSettled([...this.#pendingWrites, this.#leases.close()]), drainTimeoutMs)
    await this.#store?.close()
  }

  /** The entry that answers at once, because it is fresh and known to be what every process would answer with. */
  #hit(key: string, schema: TSchema | undefined): Held | undefined {
    const held = this.#memory.get(key)
    if (held === undefined || held.epoch !== this.#tiers.epoch || held.purges !== this.#tiers.purges.version)
      return undefined
    if (this.#clock.now() - this.#memory.base >= held.refresh) return undefined
    if (schema !== undefined && held.fingerprint !== this.#checks.of(schema).fingerprint) return undefined
    this.#telling.answered(key, 'memory', 'hit')
    this.#collect(key, held)
    return held
  }

  /** Whether it would be a hit, without counting as one. */
  #isFresh(key: string, held: Held): boolean {
    if (held.epoch !== this.#tiers.epoch) return false
    return this.#tiers.standingOf(key, held, this.#clock.now()) === 'fresh'
  }

  #collect(key: string, held: Held): void {
    const { collectors } = this.#collecting
    if (collectors === undefined) return
    for (const collector of collectors) collector.add(key, held, held.fresh + this.#memory.base)
  }

  async #answer(key: string, loader: Loader<unknown>, policy: ReadPolicy = {}): Promise<Reading<unknown>> {
    checkKey(key)
    const request = { key, loader, policy, check: this.#checkOf(policy.schema), beganAt: performance.now() }
    const reading = policy.bypass === true ? await this.#bypass(request) : await this.#readThrough(request)
    this.#telling.answered(key, reading.tier, reading.reason)
    this.#collectReading(request, reading)
    return reading
  }

  #collectReading({ key, policy }: ReadRequest, reading: Reading<unknown>): void {
    const { collectors } = this.#collecting
    if (collectors === undefined) return
    const held = this.#memory.peek(key)
    const isKept =
      held !== undefined && held.value === reading.value && reading.state === 'fresh' && policy.bypass !== true
    for (const collector of collectors) {
      if (isKept) collector.add(key, held, held.fresh + this.#memory.base)
      else collector.addUnkept([...(policy.tags ?? []), ...(held?.tags ?? [])])
    }
  }

  async #readThrough(request: ReadRequest): Promise<Reading<unknown>> {
    const { key, check } = request
    const found = await this.#tiers.lookUp(key, check)
    const now = this.#clock.now()
    const standing = found === undefined ? 'gone' : this.#tiers.standingOf(key, found.held, now)
    if (found === undefined || standing === 'gone') return this.#loadAnew(request)
    if (standing === 'fresh') {
      if (now - this.#memory.base >= found.held.refresh) this.#refreshBehind(request, found)
      return this.#answerFrom(found, 'fresh', 'hit')
    }
    if (this.#pauses.isPaused(key, now)) return this.#answerFrom(found, 'stale', 'error')
    if (standing === 'fallback') return this.#loadOr(request, found, Number.POSITIVE_INFINITY)
    if (standing === 'stale') return this.#loadOr(request, found, this.#options.softTimeoutMs)
    this.#refreshBehind(request, found)
    return this.#answerFrom(found, 'stale', 'stale')
  }

  /** With nothing to serve instead. */
  async #loadAnew(request: ReadRequest): Promise<Reading<unknown>> {
    const memo = this.#memos.of(request.key, this.#clock.now())
    if (memo !== undefined) throw memo.error
    return this.#load(request, undefined, true)
  }

  /** The new value if it comes within the time; the stale one while it is still on its way, or when it does not come. */
  async #loadOr(request: ReadRequest, stale: LookUp, withinMs: number): Promise<Reading<unknown>> {
    const { key, policy } = request
    const mayWait = withinMs === Number.POSITIVE_INFINITY
    try {
      const loading = this.#load(request, stale, mayWait)
      const loaded = mayWait ? { value: await loading } : await withinTime(loading, withinMs)
      return loaded?.value ?? this.#answerFrom(stale, 'stale', 'stale')
    } catch (error) {
      const standing = this.#tiers.standingOf(key, stale.held, this.#clock.now())
      if (!mayServeStale(policy, error) || standing === 'gone') throw error
      return this.#answerFrom(stale, 'stale', 'error')
    }
  }

  #refreshBehind(request: ReadRequest, stale: LookUp): void {
    stale.held.refresh = stale.held.fresh // one attempt ahead of time is enough
    this.#load(request, stale, false).catch(() => undefined) // told by the load itself
  }

  /** Loads the key once for all who want it at this moment, here and, where Redis answers, in all processes. */
  #load(request: ReadRequest, stale: LookUp | undefined, mayWait: true): Promise<Reading<unknown>>
  #load(request: ReadRequest, stale: LookUp | undefined, mayWait: boolean): Promise<Reading<unknown> | undefined>
  async #load(
    request: ReadRequest,
    stale: LookUp | undefined,
    mayWait: boolean,
  ): Promise<Reading<unknown> | undefined> {
    const { key } = request
    for (;;) {
      const underWay = this.#loads.get(key)
      if (underWay !== undefined && this.#isJoinable(underWay)) {
        const reading = await underWay.promise
        if (reading !== undefined) return { ...reading, reason: 'collapsed' }
        if (!mayWait) return undefined
        continue // it did not wait for the process that loads; we do
      }
      return this.#begin(request, stale, mayWait)
    }
  }

  /** Whether what it brings is as new as what would be loaded now. */
  #isJoinable({ stamp, tags }: Loading): boolean {
    return stamp === undefined || this.#tiers.purges.verdict(stamp, tags) === 'none'
  }

  #begin(request: ReadRequest, stale: LookUp | undefined, mayWait: boolean): Promise<Reading<unknown> | undefined> {
    const { key, policy } = request
    const loading = new Loading(resolveTags(policy.tags))
    const run = async () => {
      const mark = this.#memory.mark(key)
      try {
        return await this.#takeTurn(request, stale, mayWait, loading, mark)
      } finally {
        this.#memory.unmark(key, mark)
        if (this.#loads.get(key) === loading) this.#loads.delete(key)
      }
    }
    this.#loads.set(key, loading)
    loading.promise = run()
    return loading.promise
  }

  /** Waits for its turn among the processes, unless somebody else's load brings the value first. */
  async #takeTurn(
    request: ReadRequest,
    stale: LookUp | undefined,
    mayWait: boolean,
    loading: Loading,
    mark: Mark,
  ): Promise<Reading<unknown> | undefined> {
    if (this.#store === undefined) return this.#runLoad(request, stale, undefined, loading, mark)
    const { key } = request
    const { readTimeoutMs, loadTimeoutMs } = this.#options
    const waiting = this.#leases.listen(key)
    loading.wake = () => this.#leases.wake(key)
    try {
      let budgetMs = readTimeoutMs - (performance.now() - request.beganAt)
      for (;;) {
        const turn = await this.#leases.take(key, budgetMs)
        if (turn === 'alone' || this.#isOverdue(request))
          return await this.#runLoad(request, stale, undefined, loading, mark)
        if (turn !== 'theirs') {
          const kept = await this.#lookAgain(request)
          if (kept === undefined) return await this.#runLoad(request, stale, turn, loading, mark)
          void turn.end('done')
          return kept
        }
        if (!mayWait) return undefined
        await waiting.changed()
        if (this.#closing.signal.aborted) throw this.#closing.signal.reason
        const kept = await this.#lookAgain(request)
        if (kept !== undefined) return kept
        budgetMs = performance.now() - request.beganAt > 2 * loadTimeoutMs ? 0 : readTimeoutMs
      }
    } finally {
      waiting.stop()
    }
  }

  #isOverdue({ beganAt }: ReadRequest): boolean {
    return performance.now() - beganAt > 2 * this.#options.loadTimeoutMs
  }

  /** What another process may have loaded since we looked. */
  async #lookAgain({ key, check }: ReadRequest): Promise<Reading<unknown> | undefined> {
    const found = await this.#tiers.lookUp(key, check, { isForced: true })
    if (found === undefined) return undefined
    const now = this.#clock.now()
    const isFresh = this.#tiers.standingOf(key, found.held, now) === 'fresh'
    // One that is due for a refresh is not what was waited for.
    if (!isFresh || now - this.#memory.base >= found.held.refresh) return undefined
    return this.#answerFrom(found, 'fresh', 'collapsed')
  }

  async #runLoad(
    request: ReadRequest,
    stale: LookUp | undefined,
    lease: Lease | undefined,
    loading: Loading,
    mark: Mark,
  ): Promise<Reading<unknown>> {
    const { key } = request
    loading.stamp = this.#clock.loadStamp()
    mark.isCurrent = true // what happened before the load began is in what it brings
    const began = performance.now()
    try {
      const loaded = await this.#callLoader(request, stale)
      this.#telling.loaded(key, loaded.tookMs)
      this.#memos.clear(key)
      if (!loading.isSuperseded) this.#pauses.clear(key)
      this.#loadGovernor.succeeded()
      return this.#keep(request, loaded, loading, mark, lease)
    } catch (error) {
      this.#telling.loaded(key, performance.now() - began, error)
      void lease?.end('passing')
      if (!loading.isSuperseded) await this.#failLoad(request, stale, error)
      throw error
    }
  }

  async #bypass(request: ReadRequest): Promise<Reading<unknown>> {
    const { promise, isCollapsed } = this.#bypasses.run(request.key, async () => {
      const { value, startedAt } = await this.#callLoader(request, undefined)
      return {
        value: normaliseValue(value)?.value ?? value,
        state: 'fresh',
        storedAt: startedAt,
        tier: 'load',
        reason: 'bypass',
      }
    })
    const reading = await promise
    return isCollapsed ? { ...reading, reason: 'collapsed' } : reading
  }

  #callLoader({ key, loader, policy }: ReadRequest, stale: LookUp | undefined): Promise<Loaded> {
    const { lifetime, loadTimeoutMs, absentTtlSeconds } = this.#options
    return runLoad({
      key,
      loader,
      lifetime: resolveLifetime(policy, lifetime),
      tags: resolveTags(policy.tags),
      stale: stale && { value: stale.held.value, storedAt: this.#clock.instantOf(stale.held.stamp) },
      absentTtlSeconds,
      timeoutMs: loadTimeoutMs,
      closing: this.#closing.signal,
      now: () => this.#clock.now(),
    })
  }

  #keep(
    request: ReadRequest,
    loaded: Loaded,
    loading: Loading,
    mark: Mark,
    lease: Lease | undefined,
  ): Reading<unknown> {
    const { key, check } = request
    const answer = { state: 'fresh', storedAt: loaded.startedAt, tier: 'load', reason: 'miss' } as const
    const kept = this.#prepare(key, loaded, loading.stamp ?? this.#clock.loadStamp(), check)
    if (kept === undefined || loading.isSuperseded) {
      void lease?.end('passing')
      return { value: kept?.entry.value ?? loaded.value, ...answer }
    }
    if (this.#pendingWrites.size >= maxPendingWrites) {
      this.#telling.writes.dropped += 1
      void lease?.end('passing')
      return { value: kept.entry.value, ...answer }
    }
    const write = this.#tiers
      .keep(key, kept.entry, kept.text, mark)
      .then((outcome) => lease?.end(outcome === 'kept' ? 'done' : 'passing'))
      .finally(() => this.#pendingWrites.delete(write))
    this.#pendingWrites.add(write)
    // The same value as before is the same object as before.
    return { value: this.#memory.peek(key)?.value ?? kept.entry.value, ...answer }
  }

  /** The entry to keep, or `undefined` when the value is not to be kept or cannot be. */
  #prepare(
    key: string,
    { value, startedAt, tookMs, lifetime, tags }: Loaded,
    stamp: number,
    check: SchemaCheck | undefined,
  ) {
    if (lifetime === undefined) return undefined
    const normal = normaliseValue(value)
    if (normal === undefined) return this.#refuse(key, 'not-json', 'a value that JSON cannot hold is not kept')
    const bytes = Buffer.byteLength(normal.text)
    if (bytes > this.#options.maxEntryBytes) {
      return this.#refuse(key, 'too-large', `a value of ${bytes} bytes is not kept`)
    }
    if (check !== undefined && !check.accepts(normal.value)) {
      return this.#refuse(key, 'wrong-shape', 'a value that does not match its own schema is not kept')
    }
    const instants = resolveInstants(lifetime, startedAt)
    const fingerprint = check?.fingerprint ?? ''
    const entry = { value: normal.value, stamp, ...instants, tags, fingerprint, loadMs: tookMs, purgedAt: 0 }
    return { entry, text: normal.text }
  }

  #refuse(key: string, kind: string, message: string): undefined {
    this.#governor.incident({ kind, key, message: `cache: ${message}` })
    return undefined
  }

  #answerFrom({ held, tier }: LookUp, state: 'fresh' | 'stale', reason: ReadReason): Reading<unknown> {
    return { value: held.value, state, storedAt: this.#clock.instantOf(held.stamp), tier, reason }
  }

  /** After a failed load leaves the key alone for a while or, when the failure withdraws the stale value, removes that. */
  async #failLoad({ key, policy }: ReadRequest, stale: LookUp | undefined, error: unknown): Promise<void> {
    if (stale === undefined) return this.#memos.failed(key, error, this.#clock.now())
    const isKept = mayServeStale(policy, error)
    const message = isKept
      ? 'cache: a refresh failed; the stale value is served'
      : 'cache: a refresh failed in a way that withdraws the stale value'
    this.#loadGovernor.failed({ kind: 'load-failed', key, error, message })
    if (isKept) return this.#pauses.failed(key, this.#clock.now())
    stale.held.withdraw()
    await this.#tiers.remove(key)
  }

  /** From here on nothing that began earlier is kept under the key or joined by a new reader. */
  #supersede(key: string): void {
    const loading = this.#loads.get(key)
    if (loading !== undefined) loading.isSuperseded = true
    this.#detach(key)
  }

  /** From here on nobody joins what began earlier, and what failed earlier says nothing. */
  #detach(key: string): void {
    this.#pauses.clear(key)
    this.#memos.clear(key)
    const loading = this.#loads.get(key)
    if (loading?.stamp !== undefined) this.#loads.delete(key)
    else loading?.wake() // still waiting for its turn: there may be something to read
    this.#leases.wake(key)
  }

  #checkOf(schema: TSchema | undefined): SchemaCheck | undefined {
    return schema === undefined ? undefined : this.#checks.of(schema)
  }

  #explainEntry(
    {
      stamp,
      freshUntil,
      staleUntil,
      tags,
      fingerprint,
    }: Pick<EntryExplanation, 'freshUntil' | 'staleUntil' | 'tags' | 'fingerprint'> & { stamp: number },
    now: number,
  ): EntryExplanation {
    const storedAt = this.#clock.instantOf(stamp)
    return { storedAt, ageSeconds: (now - storedAt) / 1_000, freshUntil, staleUntil, tags, fingerprint }
  }
}

/** A load under way. */
class Loading {
  promise: Promise<Reading<unknown> | undefined> = Promise.resolve(undefined)
  /** When it began; `undefined` while it waits for its turn. */
  stamp: number | undefined
  /** Whether something else was put under the key meanwhile: what it brings is not kept. */
  isSuperseded = false
  /** Makes it look again while it waits. */
  wake: () => void = () => undefined
  readonly tags: readonly string[]

  constructor(tags: readonly string[]) {
    this.tags = tags
  }
}

function instantsOf({ fresh, revalidate, stale }: Held, base: number) {
  return { freshUntil: fresh + base, revalidateUntil: revalidate + base, staleUntil: stale + base }
}

const standings: Readonly<Record<Standing, string>> = {
  fresh: 'A read is answered at once.',
  revalidating: 'Stale: a read is answered at once while one refresh runs behind.',
  stale: 'Stale: a read waits for the load, and is answered with this when that is slow or fails.',
  fallback: 'Purged or changed elsewhere: a read loads, and is answered with this only when that fails.',
  gone: 'There is nothing in memory to serve: a read asks Redis, if there is one, and then loads.',
}

const coherences: Readonly<Record<CoherenceState, string>> = {
  alone: 'There is no Redis: memory is all there is.',
  proven: 'Changes in Redis are heard of at once.',
  unproven: 'Nothing proves that changes in Redis are heard of: memory is trusted for a second.',
  away: 'Redis is left alone: memory keeps its own lifetimes.',
}

function sentences({ standing, coherence, isLoading, isPaused }: Omit<Explanation, 'why'>): string[] {
  return [
    standings[standing],
    coherences[coherence],
    ...(isLoading ? ['A load is under way.'] : []),
    ...(isPaused ? ['Refreshing failed lately and is left alone for a while.'] : []),
  ]
}

function mayServeStale(policy: ReadPolicy, error: unknown): boolean {
  return policy.mayServeStale?.(error) ?? true
}

/** A policy whose schema is known to the compiler; an intersection with the plain one is too deep for TypeScript 5. */
type WithSchema<P, S extends TSchema> = Omit<P, 'schema'> & { readonly schema: S }

/** A policy whose value nobody checks, so that the type is the caller's word. */
type WithoutSchema<P> = Omit<P, 'schema'> & { readonly schema?: never }

interface ReadRequest {
  readonly key: string
  readonly loader: Loader<unknown>
  readonly policy: ReadPolicy
  readonly check: SchemaCheck | undefined
  /** When it was asked, on the monotonic clock. */
  readonly beganAt: number
}
