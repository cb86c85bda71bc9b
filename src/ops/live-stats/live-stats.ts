import {
  type Cache,
  channels,
  type LoadEvent,
  type PurgeEvent,
  type ReadEvent,
  type StateEvent,
} from 'fastify-vitrine/cache'
import type { Edge } from 'fastify-vitrine/edge'
import { subscribeToCache } from '../cache-events.js'
import { KeyGroupCounts, type KeyGroupSummary } from './key-group-counts.js'
import { Latencies, type LatencySummary } from './latencies.js'
import { type Sample, Samples } from './samples.js'
import { StateLog } from './state-log.js'

export const historySeconds = 300
const slicesPerMinute = 6
const secondsPerSlice = 10
const secondsPerMinute = slicesPerMinute * secondsPerSlice
const maxChanges = 100
const maxKeyGroups = 8
/** Time without failures after which the upstream counts as recovered: one that fails now and then is one change, not many. */
const recoveryMs = 10_000
/** The complete message is in the log. */
const maxReasonLength = 200

export interface LiveStatsDeps {
  readonly cache: Pick<Cache, 'stats'>
  readonly edge: Edge
  /** Key prefix of the cache, which identifies it in its events. */
  readonly cacheName: string
  readonly now: () => number
}

/** Statistics of this process, sampled once per second until `close()`. */
export class LiveStats {
  readonly samples = new Samples(historySeconds)
  readonly changes = new StateLog(maxChanges)
  readonly #keyGroups = new KeyGroupCounts(slicesPerMinute)
  readonly #latencies = new Latencies(slicesPerMinute)
  readonly #deps: LiveStatsDeps
  readonly #stop: (() => void)[]
  readonly #listeners = new Set<() => void>()
  #totals: Totals
  #seconds = 0
  #catalogResponses = 0
  #upstream: UpstreamState | undefined
  /** What the last logged change of the upstream says. */
  #isLoggedFailing = false
  #upstreamFailedAt = 0

  constructor(deps: LiveStatsDeps) {
    const { cacheName, now } = deps
    this.#deps = deps
    this.#totals = this.#readTotals()
    const timer = setInterval(() => this.tick(), 1_000)
    timer.unref()
    this.#stop = [
      () => clearInterval(timer),
      subscribeToCache<ReadEvent>(channels.read, cacheName, ({ metricLabel, reason }) => {
        this.#keyGroups.recordRead(metricLabel, reason === 'hit' || reason === 'stale' || reason === 'stale-if-error')
      }),
      subscribeToCache<LoadEvent>(channels.load, cacheName, (event) => this.#recordLoad(event)),
      subscribeToCache<StateEvent>(channels.state, cacheName, ({ state }) => {
        this.changes.add(now(), { kind: 'store', state })
      }),
      subscribeToCache<PurgeEvent>(channels.purge, cacheName, ({ tags, keys, isHard, isQueued }) => {
        this.changes.add(now(), { kind: 'purge', tags, keys, isHard, isQueued })
      }),
    ]
  }

  /** `isFromCatalog`: of a panel or a list. */
  recordResponse(elapsedMs: number, isFromCatalog: boolean): void {
    this.#latencies.record(elapsedMs)
    if (isFromCatalog) this.#catalogResponses += 1
  }

  recordBreakerChange(isOpen: boolean): void {
    this.changes.add(this.#deps.now(), { kind: 'breaker', isOpen })
  }

  /** Takes the sample of the second that ends now. */
  tick(): void {
    const totals = this.#readTotals()
    const { count, p50Ms, p99Ms } = this.#latencies.flush()
    const increase = (name: keyof Totals) => totals[name] - this.#totals[name]
    this.samples.add({
      requests: count,
      catalogResponses: this.#catalogResponses,
      edgeRequests: increase('edgeRequests'),
      edgeHits: increase('edgeHits'),
      reads: increase('reads'),
      memoryHits: increase('memoryHits'),
      redisHits: increase('redisHits'),
      loads: increase('loads'),
      p50Ms,
      p99Ms,
    })
    this.#totals = totals
    this.#catalogResponses = 0
    this.#seconds += 1
    if (this.#seconds % secondsPerSlice === 0) {
      this.#keyGroups.rotate()
      this.#latencies.rotate()
    }
    for (const listener of this.#listeners) listener()
  }

  /** Since the start where that is less than a minute ago. */
  get lastMinute(): LastMinute {
    const { p50Ms, p99Ms } = this.#latencies.summary
    const seconds = Math.min(Math.max(this.#seconds, 1), secondsPerMinute)
    return { requestsPerSecond: this.samples.sum(secondsPerMinute, ({ requests }) => requests) / seconds, p50Ms, p99Ms }
  }

  /** `undefined` before the first load. */
  get upstream(): UpstreamState | undefined {
    return this.#upstream
  }

  busiestKeyGroups(): KeyGroupSummary[] {
    return this.#keyGroups.busiest(maxKeyGroups)
  }

  /** Calls back after each sample. Returns a function that unsubscribes. */
  onSample(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    for (const stop of this.#stop) stop()
    this.#listeners.clear()
  }

  #readTotals(): Totals {
    const { reads, hits, loads } = this.#deps.cache.stats()
    const { requests } = this.#deps.edge.stats()
    return {
      edgeRequests: sum(Object.values(requests)),
      edgeHits: requests.hit + requests.stale + requests.collapsed,
      reads: sum(Object.values(reads)),
      memoryHits: hits.memory,
      redisHits: hits.redis,
      loads: loads.succeeded + loads.failed,
    }
  }

  #recordLoad({ metricLabel, durationMs, error }: LoadEvent): void {
    const now = this.#deps.now()
    const isFailing = error !== undefined
    this.#keyGroups.recordLoad(metricLabel, durationMs, isFailing)
    const hasRecovered = !isFailing && now - this.#upstreamFailedAt >= recoveryMs
    if (isFailing) this.#upstreamFailedAt = now
    const reason = error instanceof Error ? error.message.slice(0, maxReasonLength) : undefined
    const since = this.#upstream?.isFailing === isFailing ? this.#upstream.since : now
    this.#upstream = { isFailing, since, reason }
    if (isFailing === this.#isLoggedFailing || !(isFailing || hasRecovered)) return
    this.#isLoggedFailing = isFailing
    this.changes.add(now, { kind: 'upstream', isFailing, reason })
  }
}

/** Rates and response times of the last minute, without operators and monitors. */
export interface LastMinute extends Omit<LatencySummary, 'count'> {
  readonly requestsPerSecond: number
}

export interface UpstreamState {
  /** Whether the last load failed. */
  readonly isFailing: boolean
  /** First load of the current run of failures or successes, milliseconds since the epoch. */
  readonly since: number
  readonly reason: string | undefined
}

/** Counters since the start, from which samples are computed. */
type Totals = Pick<Sample, 'edgeRequests' | 'edgeHits' | 'reads' | 'memoryHits' | 'redisHits' | 'loads'>

function sum(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}
