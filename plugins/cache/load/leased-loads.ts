import { raceTimeout } from '../../timeout.js'
import type { CacheClock } from '../clock.js'
import { CacheClosed } from '../errors.js'
import type { ResolvedCacheOptions } from '../options.js'
import { type Reading, toReading } from '../reading.js'
import type { StoreAccess } from '../store-access.js'
import type { Tiers } from '../tiers/tiers.js'
import type { Leases } from './leases.js'
import type { LoadRunner } from './load-runner.js'
import type { InFlightLoad } from './load-state.js'

interface LeasedLoadsDeps {
  readonly access: StoreAccess
  readonly tiers: Tiers
  readonly leases: Leases
  readonly runner: LoadRunner
  readonly clock: CacheClock
  readonly options: ResolvedCacheOptions
}

/** Loads a key in one process at a time: under its lease, or by waiting for the process that holds it. */
export class LeasedLoads {
  readonly #deps: LeasedLoadsDeps
  #isClosed = false

  constructor(deps: LeasedLoadsDeps) {
    this.#deps = deps
  }

  /** `undefined` when another process loads the key and the caller does not wait for it. */
  async load(flight: InFlightLoad, canWait: boolean): Promise<Reading<unknown> | undefined> {
    const { access, leases, options, runner, clock } = this.#deps
    const { key, startedAt } = flight.request
    if (access.storeFor(key) === undefined) return runner.load(flight, undefined)
    if (!canWait && leases.isHeldElsewhere(key)) return undefined
    const waiting = leases.listen(key)
    // The time that a request may spend on the store starts with the request, and again after each wait for a load.
    let deadline = startedAt + options.readTimeoutMs
    const remainingMs = () => deadline - clock.monotonicNow()
    try {
      for (;;) {
        const lease = await leases.acquire(key, remainingMs())
        const isOverdue = clock.monotonicNow() - startedAt > 2 * options.loadTimeoutMs
        if (lease === 'unavailable' || (lease === 'held-elsewhere' && isOverdue)) {
          return await runner.load(flight, undefined)
        }
        if (lease !== 'held-elsewhere') {
          const loaded = await this.#loadedElsewhere(flight, remainingMs())
          if (loaded === undefined) return await runner.load(flight, lease)
          void lease.release('stored')
          return loaded
        }
        if (!canWait) return undefined
        await waiting.changed()
        if (this.#isClosed) throw new CacheClosed()
        deadline = clock.monotonicNow() + options.readTimeoutMs
        const loaded = await this.#loadedElsewhere(flight, remainingMs())
        if (loaded !== undefined) return loaded
      }
    } finally {
      waiting.stop()
    }
  }

  close(): void {
    this.#isClosed = true
  }

  /** A fresh entry that another process has stored since the lookup. */
  async #loadedElsewhere({ request, stale }: InFlightLoad, timeoutMs: number): Promise<Reading<unknown> | undefined> {
    const { tiers, clock } = this.#deps
    const { key, check } = request
    if (timeoutMs <= 0) return undefined
    const found = (await raceTimeout(Promise.resolve(tiers.reread(key, check)), timeoutMs))?.value
    if (found === undefined) return undefined
    const now = clock.now()
    if (tiers.stateOf(key, found.entry, now) !== 'fresh') return undefined
    if (now >= found.entry.refreshAt) return undefined // due for a refresh itself
    const isRefreshed = found.entry.stamp === stale?.entry.stamp && now >= stale.entry.refreshAt
    return isRefreshed ? undefined : toReading(found, { state: 'fresh', reason: 'collapsed' }, clock)
  }
}
