import type { OutageLog } from '../../redis/outage-log.js'
import { raceTimeout } from '../../timeout.js'
import type { CacheClock } from '../clock.js'
import { type Entry, normaliseValue, resolveInstants } from '../entry/codec.js'
import type { SchemaCheck } from '../entry/schema-check.js'
import { CacheClosed } from '../errors.js'
import type { Mark } from '../memory/memory-tier.js'
import type { CacheEvents } from '../observe/cache-events.js'
import { type ResolvedCacheOptions, resolveLifetime, resolveTags } from '../options.js'
import type { Begun } from '../purge/purge-log.js'
import { type Reading, type ReadRequest, readingOf } from '../reading.js'
import type { Store, WriteOutcome } from '../store.js'
import type { LookUp, Tiers } from '../tiers.js'
import { RefreshPauses } from './backoff.js'
import { ErrorMemos } from './error-cache.js'
import type { Lease, Leases } from './leases.js'
import { type Loaded, type RunningLoad, runLoad } from './loader.js'

export interface LoadsParts {
  readonly store: Store | undefined
  readonly tiers: Tiers
  readonly leases: Leases
  readonly clock: CacheClock
  /** Tells of values that cannot be kept. */
  readonly governor: OutageLog
  /** Tells of loads that fail while there is a stale value to serve: otherwise the caller hears of them. */
  readonly loadGovernor: OutageLog
  readonly telling: CacheEvents
  readonly options: ResolvedCacheOptions
}

/** Background writes beyond this are dropped: memory has the entry, and the next miss elsewhere fills it there. */
const maxPendingWrites = 1_000

/**
 * The loads under way: one for each key, whoever asks, in this process and, where the shared store answers, in all;
 * what they bring is kept, and what they fail with remembered for a while.
 */
export class Loads {
  readonly #parts: LoadsParts
  readonly #underWay = new Map<string, Loading>()
  readonly #pauses: RefreshPauses
  readonly #memos: ErrorMemos
  readonly #writes = new Set<Promise<unknown>>()
  readonly #running = new Set<RunningLoad>()
  #isClosed = false

  constructor(parts: LoadsParts) {
    this.#parts = parts
    const { purges } = parts.tiers
    const isPurged = ({ stamp, tags }: Begun) => purges.verdict(stamp, tags) !== 'none'
    this.#pauses = new RefreshPauses(isPurged)
    this.#memos = new ErrorMemos(isPurged)
  }

  get count(): number {
    return this.#underWay.size
  }

  has(key: string): boolean {
    return this.#underWay.has(key)
  }

  /** Whether refreshing the key failed so lately that it is to be left alone. */
  isPaused(key: string): boolean {
    return this.#pauses.isPaused(key, this.#parts.clock.now())
  }

  /** Whether the last refresh of the key failed lately, since any purge of it. */
  hasFailed(key: string): boolean {
    return this.#pauses.hasFailed(key, this.#parts.clock.now())
  }

  /** Loads a key that there is nothing of; rejects at once with the failure of a moment ago, where that is remembered. */
  async loadAnew(request: ReadRequest): Promise<Reading<unknown>> {
    const memo = this.#memos.of(request.key, this.#parts.clock.now())
    if (memo !== undefined) throw memo.error
    return this.load(request, undefined, true)
  }

  /**
   * Loads the key once for all who want it at this moment, here and, where the shared store answers, in all processes;
   * `undefined` when another process loads it and the caller may not wait for that.
   */
  load(request: ReadRequest, stale: LookUp | undefined, mayWait: true): Promise<Reading<unknown>>
  load(request: ReadRequest, stale: LookUp | undefined, mayWait: boolean): Promise<Reading<unknown> | undefined>
  async load(request: ReadRequest, stale: LookUp | undefined, mayWait: boolean): Promise<Reading<unknown> | undefined> {
    for (;;) {
      const underWay = this.#underWay.get(request.key)
      if (underWay === undefined || !this.#isJoinable(underWay)) return this.#begin(request, stale, mayWait)
      const { version } = this.#parts.tiers.coherence
      const isBeforePurges = underWay.version === undefined || underWay.version === version
      const reading = await underWay.promise
      // What was loaded for another schema is not for everybody.
      const isOurs = request.check === underWay.check || request.check?.accepts(reading?.value) !== false
      // It may only now have told the tags by which it was purged before we asked.
      const isNewEnough = isBeforePurges || this.#isJoinable(underWay)
      if (reading !== undefined && isOurs && isNewEnough) return { ...reading, reason: 'collapsed' }
      if (!mayWait) return undefined // else go on: we wait for the process that loads, or load what is newer
    }
  }

  /** Runs the loader, tells of it, and keeps nothing. */
  async call(request: ReadRequest, stale: LookUp | undefined, loading?: Loading): Promise<Loaded> {
    const { telling } = this.#parts
    const began = performance.now()
    try {
      const loaded = await this.#call(request, stale, loading)
      telling.loaded(request.key, loaded.tookMs)
      return loaded
    } catch (error) {
      telling.loaded(request.key, performance.now() - began, error)
      throw error
    }
  }

  async #call(
    { key, loader, policy }: ReadRequest,
    stale: LookUp | undefined,
    loading: Loading | undefined,
  ): Promise<Loaded> {
    const { options, clock } = this.#parts
    if (this.#isClosed) throw new CacheClosed()
    return runLoad({
      key,
      loader,
      lifetime: resolveLifetime(policy, options.lifetime),
      tags: resolveTags(policy.tags),
      stale: stale && {
        value: stale.held.value,
        storedAt: clock.instantOf(stale.held.stamp),
        tags: stale.held.tags,
      },
      negativeTtlSeconds: options.negativeTtlSeconds,
      timeoutMs: options.loadTimeoutMs,
      running: this.#running,
      onBegun: (load) => {
        if (loading !== undefined) loading.running = load
      },
      clock,
    })
  }

  /** The value as everybody gets it, with its text and the entry to keep; without an entry it is not to be kept, or cannot be. */
  prepare(key: string, loaded: Loaded, stamp: number, check: SchemaCheck | undefined): Prepared {
    const { value, startedAt, tookMs, lifetime, tags } = loaded
    const normal = normaliseValue(value)
    if (normal === undefined) {
      this.#refuse(key, 'not-json', 'a value that JSON cannot hold is not kept')
      return { value, text: '', entry: undefined }
    }
    const unkept = { ...normal, entry: undefined }
    if (lifetime === undefined) return unkept
    const bytes = Buffer.byteLength(normal.text)
    if (bytes > this.#parts.options.maxEntryBytes) {
      this.#refuse(key, 'too-large', `a value of ${bytes} bytes is not kept`)
      return unkept
    }
    if (check !== undefined && !check.accepts(normal.value)) {
      this.#refuse(key, 'wrong-shape', 'a value that does not match its own schema is not kept')
      return unkept
    }
    const instants = resolveInstants(lifetime, startedAt)
    const fingerprint = check?.fingerprint ?? ''
    const entry = { value: normal.value, stamp, ...instants, tags, fingerprint, loadMs: tookMs, purgedAt: 0 }
    return { ...normal, entry }
  }

  /** From here on nothing that began earlier is kept under the key or joined by a new reader. */
  supersede(key: string): void {
    const loading = this.#underWay.get(key)
    if (loading !== undefined) loading.isSuperseded = true
    this.detach(key)
  }

  /** From here on nobody joins what began earlier, and what failed earlier says nothing. */
  detach(key: string): void {
    this.#pauses.clear(key)
    this.#memos.clear(key)
    const loading = this.#underWay.get(key)
    if (loading?.stamp === undefined) {
      this.#parts.leases.wake(key) // still waiting for its turn: there may be something to read
      return
    }
    this.#underWay.delete(key)
    void loading.lease?.end('stored')
  }

  /** Loads that began before a purge of what they bring no longer keep others from loading it. */
  giveWay(): void {
    for (const loading of this.#underWay.values()) if (!this.#isJoinable(loading)) void loading.lease?.end('stored')
  }

  /** Whether a failure of the load may be answered with the stale value: a policy that throws does not say that it may not. */
  mayServeStale({ key, policy }: ReadRequest, error: unknown): boolean {
    try {
      return policy.serveStaleOn?.(error) ?? true
    } catch (thrown) {
      const message = 'cache: mayServeStale throws; the stale value is served'
      this.#parts.loadGovernor.report({ kind: 'may-serve-stale', key, error: thrown, message })
      return true
    }
  }

  /** Ends what runs; settles when the writes under way have. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const load of this.#running) load.end(new CacheClosed())
    await Promise.allSettled(this.#writes)
  }

  /** Whether what it brings is as new as what would be loaded now. */
  #isJoinable({ stamp, tags }: Loading): boolean {
    return stamp === undefined || this.#parts.tiers.purges.verdict(stamp, tags) === 'none'
  }

  #begin(request: ReadRequest, stale: LookUp | undefined, mayWait: boolean): Promise<Reading<unknown> | undefined> {
    const { memory } = this.#parts.tiers
    const { key, policy } = request
    const loading = new Loading(resolveTags(policy.tags), request.check, memory.mark(key))
    const run = async () => {
      try {
        return await this.#takeTurn(request, stale, mayWait, loading)
      } finally {
        memory.unmark(key, loading.mark)
        if (this.#underWay.get(key) === loading) this.#underWay.delete(key)
        loading.promise = undefined // a table that the map has outgrown may live on for a while, and everything with it
      }
    }
    this.#underWay.set(key, loading)
    const promise = run()
    loading.promise = promise
    return promise
  }

  /** Waits for its turn among the processes, unless somebody else's load brings the value first. */
  async #takeTurn(
    request: ReadRequest,
    stale: LookUp | undefined,
    mayWait: boolean,
    loading: Loading,
  ): Promise<Reading<unknown> | undefined> {
    const { store, leases, options } = this.#parts
    const { key, beganAt } = request
    if (store === undefined || store.isCircuitOpen(key)) return this.#run(request, stale, undefined, loading)
    if (!mayWait && leases.areTheirs(key)) return undefined
    const waiting = leases.listen(key)
    // What a request may spend on the store is counted from its beginning, and anew each time that it has waited for a load.
    let endsAt = beganAt + options.readTimeoutMs
    const leftMs = () => endsAt - performance.now()
    try {
      for (;;) {
        const turn = await leases.take(key, leftMs())
        const isOverdue = performance.now() - beganAt > 2 * options.loadTimeoutMs
        if (turn === 'unavailable' || (turn === 'held-elsewhere' && isOverdue)) {
          return await this.#run(request, stale, undefined, loading)
        }
        if (turn !== 'held-elsewhere') {
          const kept = await this.#lookAgain(request, stale, leftMs())
          if (kept === undefined) return await this.#run(request, stale, turn, loading)
          void turn.end('stored')
          return kept
        }
        if (!mayWait) return undefined
        await waiting.changed()
        if (this.#isClosed) throw new CacheClosed()
        endsAt = performance.now() + options.readTimeoutMs
        const kept = await this.#lookAgain(request, stale, leftMs())
        if (kept !== undefined) return kept
      }
    } finally {
      waiting.stop()
    }
  }

  /** What another process may have loaded since we looked. */
  async #lookAgain(
    { key, check }: ReadRequest,
    stale: LookUp | undefined,
    withinMs: number,
  ): Promise<Reading<unknown> | undefined> {
    const { tiers, clock } = this.#parts
    if (withinMs <= 0) return undefined
    const found = (await raceTimeout(Promise.resolve(tiers.lookAgain(key, check)), withinMs))?.value
    if (found === undefined) return undefined
    const now = clock.now()
    const isFresh = tiers.standingOf(key, found.held, now) === 'fresh'
    // One that is due for a refresh is not what was waited for, nor the very one that is being refreshed.
    const isReplaced = found.held.stamp === stale?.held.stamp && now >= stale.held.refreshAt
    if (!isFresh || isReplaced || now >= found.held.refreshAt) return undefined
    return readingOf(found, { state: 'fresh', reason: 'collapsed' }, clock)
  }

  async #run(
    request: ReadRequest,
    stale: LookUp | undefined,
    lease: Lease | undefined,
    loading: Loading,
  ): Promise<Reading<unknown>> {
    const { key } = request
    const { clock, loadGovernor, tiers } = this.#parts
    const stamp = clock.loadStamp()
    loading.stamp = stamp
    loading.version = tiers.coherence.version
    loading.lease = lease
    // What happened before the load began is in what it brings.
    loading.isSuperseded = false
    loading.mark.isCurrent = true
    loading.mark.isChanged = false
    try {
      const loaded = await this.call(request, stale, loading)
      this.#memos.clear(key)
      if (!loading.isSuperseded) this.#pauses.clear(key)
      loadGovernor.succeeded()
      return this.#keep(request, loaded, loading, stamp, lease)
    } catch (error) {
      void lease?.end('empty')
      const { tags } = loading
      if (!loading.isSuperseded) await this.#fail(request, stale, error, { stamp, tags })
      throw error
    }
  }

  #keep(
    { key, check }: ReadRequest,
    loaded: Loaded,
    { mark, isSuperseded }: Loading,
    stamp: number,
    lease: Lease | undefined,
  ): Reading<unknown> {
    const answer = { state: 'fresh', storedAt: loaded.startedAt, tier: 'load', reason: 'miss' } as const
    const { value, text, entry } = this.prepare(key, loaded, stamp, check)
    if (entry === undefined || isSuperseded) {
      void lease?.end('empty')
      return { value, ...answer }
    }
    const isWritten = this.#writes.size < maxPendingWrites
    if (!isWritten) this.#parts.telling.writes.dropped += 1
    const kept = this.#parts.tiers.keep(key, entry, text, { mark, isWritten })
    if (typeof kept.written === 'string') void lease?.end('empty')
    else void this.#await(kept.written, lease)
    return { value: kept.value, ...answer }
  }

  /** Ends the lease when the write has been done: then there is something to read for those who wait. */
  async #await(written: Promise<WriteOutcome | undefined>, lease: Lease | undefined): Promise<void> {
    this.#writes.add(written)
    const outcome = await written
    this.#writes.delete(written)
    await lease?.end(outcome === 'stored' ? 'stored' : 'empty')
  }

  #refuse(key: string, kind: string, message: string): void {
    this.#parts.governor.report({ kind, key, message: `cache: ${message}` })
  }

  /** After a failed load leaves the key alone for a while or, when the failure withdraws the stale value, removes that. */
  async #fail(request: ReadRequest, stale: LookUp | undefined, error: unknown, { stamp, tags }: Begun): Promise<void> {
    const { key } = request
    const { clock, loadGovernor, tiers } = this.#parts
    if (stale === undefined) return this.#memos.failed(key, error, { stamp, tags }, clock.now())
    const isKept = this.mayServeStale(request, error)
    const message = isKept
      ? 'cache: a refresh failed; the stale value is served'
      : 'cache: a refresh failed in a way that withdraws the stale value'
    loadGovernor.failed({ kind: 'load-failed', key, error, message })
    if (isKept) this.#pauses.failed(key, { stamp, tags: [...tags, ...stale.held.tags] }, clock.now())
    else await tiers.remove(key)
  }
}

interface Prepared {
  readonly value: unknown
  readonly text: string
  readonly entry: Entry | undefined
}

/** A load under way. */
class Loading {
  promise: Promise<Reading<unknown> | undefined> | undefined
  /** When it began; `undefined` while it waits for its turn. */
  stamp: number | undefined
  /** The version of things (`Coherence`) in which it began. */
  version: number | undefined
  running: RunningLoad | undefined
  lease: Lease | undefined
  /** Whether something else was put under the key meanwhile: what it brings is not kept. */
  isSuperseded = false
  readonly check: SchemaCheck | undefined
  /** Whether the key has changed since it began. */
  readonly mark: Mark
  readonly #tags: readonly string[]

  constructor(tags: readonly string[], check: SchemaCheck | undefined, mark: Mark) {
    this.#tags = tags
    this.check = check
    this.mark = mark
  }

  /** As far as it has told them. */
  get tags(): readonly string[] {
    return this.running?.tags ?? this.#tags
  }
}
