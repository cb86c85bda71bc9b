import { raceTimeout } from '../../timeout.js'
import type { CacheClock } from '../clock.js'
import type { DependencyTracker } from '../dependencies.js'
import { normaliseValue } from '../entry/codec.js'
import type { InFlightLoads } from '../load/in-flight-loads.js'
import { type Reading, type ReadRequest, toReading } from '../reading.js'
import { SingleFlight } from '../single-flight.js'
import type { LookupHit } from '../tiers/tier-lookup.js'
import type { Tiers } from '../tiers/tiers.js'
import { decideRead, staleReason } from './decide-read.js'

interface ReadThroughDeps {
  readonly tiers: Tiers
  readonly loads: InFlightLoads
  readonly tracker: DependencyTracker
  readonly clock: CacheClock
  readonly softTimeoutMs: number
}

/** Answers reads that a hit in memory does not: looks up, decides, loads. */
export class ReadThrough {
  readonly #deps: ReadThroughDeps
  readonly #bypasses = new SingleFlight<Reading<unknown>>()

  constructor(deps: ReadThroughDeps) {
    this.#deps = deps
  }

  async read(request: ReadRequest): Promise<Reading<unknown>> {
    const { tiers, loads, clock, softTimeoutMs } = this.#deps
    const { key, check } = request
    const found = await tiers.lookUp(key, check)
    const now = clock.now()
    if (found === undefined) return loads.loadMissing(request)
    const decision = decideRead({
      state: tiers.stateOf(key, found.entry, now),
      isRefreshDue: now >= found.entry.refreshAt,
      isBackingOff: loads.isBackingOff(key),
      hasFailed: loads.hasFailed(key),
      softTimeoutMs,
    })
    if (decision.action === 'load') return loads.loadMissing(request)
    if (decision.action === 'wait') return this.#loadOrServe(request, found, decision.maxWaitMs)
    if (decision.isRefreshed) this.#refresh(request, found)
    return toReading(found, decision, clock)
  }

  /** Loads without reading or storing; concurrent callers share the load. */
  async bypass(request: ReadRequest): Promise<Reading<unknown>> {
    const { promise, isCollapsed } = this.#bypasses.run(request.key, async () => {
      const { value, startedAt } = await this.#deps.loads.runner.run(request, undefined)
      const normal = normaliseValue(value)?.value ?? value
      return { value: normal, state: 'fresh', storedAt: startedAt, tier: 'load', reason: 'bypass' }
    })
    const reading = await promise
    return isCollapsed ? { ...reading, reason: 'collapsed' } : reading
  }

  /** The new value if it arrives in time, else the stale one. */
  async #loadOrServe(request: ReadRequest, stale: LookupHit, maxWaitMs: number): Promise<Reading<unknown>> {
    const { tiers, loads, clock } = this.#deps
    const { key } = request
    const canWait = maxWaitMs === Number.POSITIVE_INFINITY
    const watch = tiers.memory.watches.start(key)
    try {
      const load = loads.load(request, stale, canWait)
      const loaded = canWait ? { value: await load } : await raceTimeout(load, maxWaitMs)
      if (loaded?.value !== undefined) return loaded.value
      return toReading(stale, { state: 'stale', reason: staleReason(loads.hasFailed(key)) }, clock)
    } catch (error) {
      if (!loads.runner.canServeStale(request, error)) throw error
      // The entry may have been evicted meanwhile; the copy is good as long as the key has not changed.
      const entry = tiers.memory.peek(key) ?? (watch.isCurrent ? stale.entry : undefined)
      if (entry === undefined || tiers.stateOf(key, entry, clock.now()) === 'expired') throw error
      return toReading({ entry, tier: stale.tier }, { state: 'stale', reason: 'stale-if-error' }, clock)
    } finally {
      tiers.memory.watches.stop(key, watch)
    }
  }

  #refresh(request: ReadRequest, stale: LookupHit): void {
    const { tiers, loads, tracker } = this.#deps
    tiers.memory.suppressEarlyRefresh(request.key)
    // The runner logs a failure.
    tracker.runUntracked(() => loads.load(request, stale, false)).catch(() => undefined)
  }
}
