import type { OutageLog } from '../../redis/outage-log.js'
import type { CacheClock } from '../clock.js'
import type { ValueEncoder } from '../entry/value-encoder.js'
import { CacheClosed } from '../errors.js'
import type { CacheEvents } from '../observe/cache-events.js'
import type { ResolvedCacheOptions } from '../options.js'
import { resolveLifetime, resolveTags } from '../policy.js'
import type { LoadStart } from '../purge/purge-log.js'
import type { Reading, ReadRequest } from '../reading.js'
import type { WriteOutcome } from '../store.js'
import type { LookupHit } from '../tiers/tier-lookup.js'
import type { Tiers } from '../tiers/tiers.js'
import { ErrorCache } from './error-cache.js'
import type { Lease } from './leases.js'
import type { InFlightLoad } from './load-state.js'
import { type LoaderContext, type LoadResult, runLoad } from './loader.js'
import { RefreshBackoff } from './refresh-backoff.js'

export interface LoadRunnerDeps {
  readonly tiers: Tiers
  readonly clock: CacheClock
  readonly encoder: ValueEncoder
  /** For failed loads that a stale value hides from the caller. */
  readonly loadOutageLog: OutageLog
  readonly events: CacheEvents
  readonly options: ResolvedCacheOptions
}

/** Beyond this a result is written to memory only; the next miss in another process writes it to the shared store. */
const maxPendingWrites = 1_000

/** Runs loaders, stores their results, and remembers their failures. */
export class LoadRunner {
  readonly backoff: RefreshBackoff
  readonly errors: ErrorCache
  readonly #deps: LoadRunnerDeps
  readonly #writes = new Set<Promise<unknown>>()
  readonly #active = new Set<LoaderContext>()
  #isClosed = false

  constructor(deps: LoadRunnerDeps) {
    this.#deps = deps
    const { purges } = deps.tiers
    const isPurged = ({ stamp, tags }: LoadStart) => purges.verdict(stamp, tags) !== 'none'
    this.backoff = new RefreshBackoff(isPurged)
    this.errors = new ErrorCache(isPurged)
  }

  /** Runs the loader and stores its result, or remembers its failure. */
  async load(flight: InFlightLoad, lease: Lease | undefined): Promise<Reading<unknown>> {
    const { clock, loadOutageLog, tiers } = this.#deps
    const { request, stale } = flight
    const stamp = clock.loadStamp()
    flight.stamp = stamp
    flight.version = tiers.coherence.version
    flight.lease = lease
    // The loader sees everything that happened before it started.
    flight.isInvalidated = false
    flight.watch.isCurrent = true
    flight.watch.hasChanged = false
    try {
      const result = await this.run(request, stale, flight)
      this.errors.clear(request.key)
      if (!flight.isInvalidated) this.backoff.clear(request.key)
      loadOutageLog.succeeded()
      return this.#store(flight, result, { stamp, lease })
    } catch (error) {
      void lease?.release('empty')
      if (!flight.isInvalidated) await this.#failed(flight, error, { stamp, tags: flight.tags })
      throw error
    }
  }

  /** Runs the loader and stores nothing. */
  async run(request: ReadRequest, stale: LookupHit | undefined, flight?: InFlightLoad): Promise<LoadResult> {
    const { events, clock } = this.#deps
    const startedMs = clock.monotonicNow()
    try {
      const result = await this.#runLoader(request, stale, flight)
      events.loadEnded(request.key, result.durationMs)
      return result
    } catch (error) {
      events.loadEnded(request.key, clock.monotonicNow() - startedMs, error)
      throw error
    }
  }

  /** Whether the stale value may be served instead of the error. */
  canServeStale({ key, policy }: ReadRequest, error: unknown): boolean {
    try {
      return policy.serveStaleOn?.(error) ?? true
    } catch (thrown) {
      const message = 'cache: serveStaleOn threw; serving the stale value'
      this.#deps.loadOutageLog.report({ kind: 'serve-stale-on', key, error: thrown, message })
      return true
    }
  }

  /** Aborts running loads; resolves when pending writes have ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const context of this.#active) context.abort(new CacheClosed())
    await Promise.allSettled(this.#writes)
  }

  async #runLoader(
    { key, loader, policy }: ReadRequest,
    stale: LookupHit | undefined,
    flight: InFlightLoad | undefined,
  ): Promise<LoadResult> {
    const { options, clock } = this.#deps
    if (this.#isClosed) throw new CacheClosed()
    return runLoad({
      key,
      loader,
      lifetime: resolveLifetime(policy, options.lifetime),
      tags: resolveTags(policy.tags),
      stale: stale && {
        value: stale.entry.value,
        storedAt: clock.toLocalMs(stale.entry.stamp),
        tags: stale.entry.tags,
      },
      negativeTtlSeconds: options.negativeTtlSeconds,
      timeoutMs: options.loadTimeoutMs,
      active: this.#active,
      onStarted: (context) => {
        if (flight !== undefined) flight.context = context
      },
      clock,
    })
  }

  #store(
    { request, watch, isInvalidated }: InFlightLoad,
    result: LoadResult,
    { stamp, lease }: { readonly stamp: number; readonly lease: Lease | undefined },
  ): Reading<unknown> {
    const { encoder, events, tiers } = this.#deps
    const { key, check } = request
    const reading = { state: 'fresh', storedAt: result.startedAt, tier: 'load', reason: 'miss' } as const
    const { value, text, entry } = encoder.encode(key, result, { stamp, check })
    if (entry === undefined || isInvalidated) {
      void lease?.release('empty')
      return { value, ...reading }
    }
    const isPersisted = this.#writes.size < maxPendingWrites
    if (!isPersisted) events.writeDropped()
    const written = tiers.write({ key, entry, text }, { watch, isPersisted })
    if (typeof written.outcome === 'string') void lease?.release('empty')
    else void this.#releaseAfter(written.outcome, lease)
    return { value: written.value, ...reading }
  }

  /** Releases the lease after the write, so that waiting processes find the entry. */
  async #releaseAfter(write: Promise<WriteOutcome | undefined>, lease: Lease | undefined): Promise<void> {
    this.#writes.add(write)
    const outcome = await write
    this.#writes.delete(write)
    await lease?.release(outcome === 'stored' ? 'stored' : 'empty')
  }

  async #failed({ request, stale }: InFlightLoad, error: unknown, start: LoadStart): Promise<void> {
    const { key } = request
    const { clock, loadOutageLog, tiers } = this.#deps
    if (stale === undefined) {
      this.errors.failed(key, error, start, clock.now())
      return
    }
    const canServeStale = this.canServeStale(request, error)
    const message = canServeStale
      ? 'cache: refresh failed, serving the stale value'
      : 'cache: refresh failed, removing the stale value because serveStaleOn returned false'
    loadOutageLog.failed({ kind: 'load-failed', key, error, message })
    if (!canServeStale) await tiers.remove(key)
    else this.backoff.failed(key, { ...start, tags: [...start.tags, ...stale.entry.tags] }, clock.now())
  }
}
