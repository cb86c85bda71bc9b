import { resolveTags } from '../policy.js'
import type { Reading, ReadRequest } from '../reading.js'
import type { CacheSignals } from '../signals.js'
import type { StoreAccess } from '../store-access.js'
import type { LookupHit } from '../tiers/tier-lookup.js'
import { LeasedLoads } from './leased-loads.js'
import { Leases } from './leases.js'
import { LoadRunner, type LoadRunnerDeps } from './load-runner.js'
import { InFlightLoad } from './load-state.js'

interface InFlightLoadsDeps extends LoadRunnerDeps {
  readonly access: StoreAccess
  readonly signals: CacheSignals
}

/** One load per key at a time in this process. Callers share it while its result is as new as that of a new load. */
export class InFlightLoads {
  readonly runner: LoadRunner
  readonly #deps: InFlightLoadsDeps
  readonly #leases: Leases
  readonly #leasedLoads: LeasedLoads
  readonly #inFlight = new Map<string, InFlightLoad>()

  constructor(deps: InFlightLoadsDeps) {
    this.#deps = deps
    this.runner = new LoadRunner(deps)
    this.#leases = new Leases({ ...deps, leaseMs: deps.options.leaseMs })
    this.#leasedLoads = new LeasedLoads({ ...deps, leases: this.#leases, runner: this.runner })
    deps.signals.subscribe({
      keyInvalidated: (key) => this.#detach(key),
      purgesChanged: () => this.#releaseOutdated(),
    })
  }

  get count(): number {
    return this.#inFlight.size
  }

  has(key: string): boolean {
    return this.#inFlight.has(key)
  }

  isBackingOff(key: string): boolean {
    return this.runner.backoff.isBackingOff(key, this.#deps.clock.now())
  }

  /** Whether the last refresh of the key failed, recently and after any purge of it. */
  hasFailed(key: string): boolean {
    return this.runner.backoff.hasFailed(key, this.#deps.clock.now())
  }

  /** Loads a key without a stale value; rejects at once with a cached error. */
  async loadMissing(request: ReadRequest): Promise<Reading<unknown>> {
    const cached = this.runner.errors.get(request.key, this.#deps.clock.now())
    if (cached !== undefined) throw cached.error
    return this.load(request, undefined, true)
  }

  /** Joins the load in flight or starts one; `undefined` when another process loads the key and `canWait` is false. */
  load(request: ReadRequest, stale: LookupHit | undefined, canWait: true): Promise<Reading<unknown>>
  load(request: ReadRequest, stale: LookupHit | undefined, canWait: boolean): Promise<Reading<unknown> | undefined>
  async load(
    request: ReadRequest,
    stale: LookupHit | undefined,
    canWait: boolean,
  ): Promise<Reading<unknown> | undefined> {
    for (;;) {
      const flight = this.#inFlight.get(request.key)
      if (flight === undefined || !this.#isJoinable(flight)) return this.#start(request, stale, canWait)
      const { version } = this.#deps.tiers.coherence
      const hasSameVersion = flight.version === undefined || flight.version === version
      const reading = await flight.promise
      const isSchemaMatch = request.check === flight.request.check || request.check?.accepts(reading?.value) !== false
      // The loader may have added a tag at its end that was purged before this caller joined.
      const isCurrent = hasSameVersion || this.#isJoinable(flight)
      if (reading !== undefined && isSchemaMatch && isCurrent) return { ...reading, reason: 'collapsed' }
      if (!canWait) return undefined
      // Wait for the process that holds the lease, or load again.
    }
  }

  /** The key is set, deleted or purged: loads in flight are neither joined nor stored. */
  invalidate(key: string): void {
    const flight = this.#inFlight.get(key)
    if (flight !== undefined) flight.isInvalidated = true
    this.#detach(key)
  }

  /** Aborts loads in flight; resolves when pending writes have ended and leases are released. */
  async close(): Promise<void> {
    this.#leasedLoads.close()
    await Promise.all([this.runner.close(), this.#leases.close()])
  }

  /** No caller joins a load that has started, and earlier failures no longer count. */
  #detach(key: string): void {
    this.runner.backoff.clear(key)
    this.runner.errors.clear(key)
    const flight = this.#inFlight.get(key)
    if (flight?.stamp === undefined) {
      this.#leases.wake(key) // a load that still waits for its lease may find an entry now
      return
    }
    this.#inFlight.delete(key)
    void flight.lease?.release('stored')
  }

  /** Releases the leases of loads that a purge covers, so that other processes can load. */
  #releaseOutdated(): void {
    for (const flight of this.#inFlight.values()) {
      if (!this.#isJoinable(flight)) void flight.lease?.release('stored')
    }
  }

  /** Whether the result will be as new as one of a load that starts now. */
  #isJoinable({ stamp, tags }: InFlightLoad): boolean {
    return stamp === undefined || this.#deps.tiers.purges.verdict(stamp, tags) === 'none'
  }

  #start(request: ReadRequest, stale: LookupHit | undefined, canWait: boolean): Promise<Reading<unknown> | undefined> {
    const { watches } = this.#deps.tiers.memory
    const { key, policy } = request
    const tags = resolveTags(policy.tags) // may throw: before the watch starts
    const flight = new InFlightLoad({ request, stale, tags, watch: watches.start(key) })
    const run = async () => {
      try {
        return await this.#leasedLoads.load(flight, canWait)
      } finally {
        watches.stop(key, flight.watch)
        if (this.#inFlight.get(key) === flight) this.#inFlight.delete(key)
        // A table that the map has outgrown may stay reachable for a while, with everything it refers to.
        flight.promise = undefined
      }
    }
    this.#inFlight.set(key, flight)
    const promise = run()
    flight.promise = promise
    return promise
  }
}
