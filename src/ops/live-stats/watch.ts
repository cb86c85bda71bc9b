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
import { Families, type FamilyCounts } from './families.js'
import { Latencies, type LatencySummary } from './latencies.js'
import { type Sample, Samples } from './samples.js'
import { StateLog } from './state-log.js'

/** Seconds of history. */
export const historySeconds = 300
const slicesOfMinute = 6
const secondsPerSlice = 10
const secondsOfMinute = slicesOfMinute * secondsPerSlice
const maxChanges = 100
const maxFamilies = 8
/** An upstream that fails now and then has not come back each time that it answers. */
const quietMs = 10_000
/** A failed load says in the log what failed; here a part of it will do. */
const maxReasonLength = 200

export interface WatchParts {
  readonly cache: Pick<Cache, 'stats'>
  readonly edge: Edge
  /** The key prefix, by which a cache names itself in what it tells. */
  readonly cacheName: string
  readonly now: () => number
}

/** What goes on in this process, second by second. Takes samples whether anybody looks or not, until it is closed. */
export class Watch {
  readonly samples = new Samples(historySeconds)
  readonly log = new StateLog(maxChanges)
  readonly #families = new Families(slicesOfMinute)
  readonly #latencies = new Latencies(slicesOfMinute)
  readonly #parts: WatchParts
  readonly #stop: (() => void)[]
  readonly #listeners = new Set<() => void>()
  #before: Totals
  #seconds = 0
  #answers = 0
  #upstream: UpstreamStanding | undefined
  /** What the log of changes says, which spares the reader one that fails now and then. */
  #isToldFailing = false
  #upstreamFailedAt = 0

  constructor(parts: WatchParts) {
    const { cacheName } = parts
    this.#parts = parts
    this.#before = this.#totals()
    const timer = setInterval(() => this.tick(), 1_000)
    timer.unref()
    this.#stop = [
      () => clearInterval(timer),
      subscribeToCache<ReadEvent>(channels.read, cacheName, ({ metricLabel, reason }) => {
        this.#families.read(metricLabel, reason === 'hit' || reason === 'stale' || reason === 'stale-if-error')
      }),
      subscribeToCache<LoadEvent>(channels.load, cacheName, (event) => this.#loaded(event)),
      subscribeToCache<StateEvent>(channels.state, cacheName, ({ state }) =>
        this.log.add(parts.now(), { kind: 'store', state }),
      ),
      subscribeToCache<PurgeEvent>(channels.purge, cacheName, ({ tags, keys, isHard, isQueued }) => {
        this.log.add(parts.now(), { kind: 'purge', tags, keys, isHard, isQueued })
      }),
    ]
  }

  /** Counts an answer; `isFromData`: of a panel or a list. */
  answered(elapsedMs: number, isFromData: boolean): void {
    this.#latencies.record(elapsedMs)
    if (isFromData) this.#answers += 1
  }

  /** Notes that Redis is left alone from now on, or used again. */
  breakerChanged(isOpen: boolean): void {
    this.log.add(this.#parts.now(), { kind: 'breaker', isOpen })
  }

  /** Takes the sample of the second that ends now. */
  tick(): void {
    const totals = this.#totals()
    const { count, p50Ms, p99Ms } = this.#latencies.take()
    const since = (name: keyof Totals) => totals[name] - this.#before[name]
    this.samples.add({
      requests: count,
      answers: this.#answers,
      edgeRequests: since('edgeRequests'),
      edgeAnswers: since('edgeAnswers'),
      reads: since('reads'),
      memoryHits: since('memoryHits'),
      redisHits: since('redisHits'),
      loads: since('loads'),
      p50Ms,
      p99Ms,
    })
    this.#before = totals
    this.#answers = 0
    this.#seconds += 1
    if (this.#seconds % secondsPerSlice === 0) {
      this.#families.slide()
      this.#latencies.slide()
    }
    for (const listener of this.#listeners) listener()
  }

  /** How it was over the last minute, or since the start where that is less long ago. */
  get lastMinute(): LastMinute {
    const { p50Ms, p99Ms } = this.#latencies.lately
    const seconds = Math.min(Math.max(this.#seconds, 1), secondsOfMinute)
    return { requestsPerSecond: this.samples.sum(secondsOfMinute, ({ requests }) => requests) / seconds, p50Ms, p99Ms }
  }

  /** `undefined` until it has been asked. */
  get upstream(): UpstreamStanding | undefined {
    return this.#upstream
  }

  busiestFamilies(): FamilyCounts[] {
    return this.#families.busiest(maxFamilies)
  }

  /** Calls back after each sample, until what it returns is called. */
  onSample(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    for (const stop of this.#stop) stop()
    this.#listeners.clear()
  }

  #totals(): Totals {
    const { reads, hits, loads } = this.#parts.cache.stats()
    const { requests } = this.#parts.edge.stats()
    return {
      edgeRequests: sum(Object.values(requests)),
      edgeAnswers: requests.hit + requests.stale + requests.collapsed,
      reads: sum(Object.values(reads)),
      memoryHits: hits.memory,
      redisHits: hits.redis,
      loads: loads.succeeded + loads.failed,
    }
  }

  #loaded({ metricLabel, durationMs, error }: LoadEvent): void {
    const now = this.#parts.now()
    const isFailing = error !== undefined
    this.#families.loaded(metricLabel, durationMs, isFailing)
    const isCalm = now - this.#upstreamFailedAt >= quietMs
    if (isFailing) this.#upstreamFailedAt = now
    const reason = error instanceof Error ? error.message.slice(0, maxReasonLength) : undefined
    const since = this.#upstream?.isFailing === isFailing ? this.#upstream.since : now
    this.#upstream = { isFailing, since, reason }
    if (isFailing === this.#isToldFailing || (!isFailing && !isCalm)) return
    this.#isToldFailing = isFailing
    this.log.add(now, { kind: 'upstream', isFailing, reason })
  }
}

/** Rates and response times of the last minute, operators and monitors aside. */
export interface LastMinute extends Omit<LatencySummary, 'count'> {
  readonly requestsPerSecond: number
}

/** Whether the last load failed, since when they all do so (milliseconds since the epoch), and why. */
export interface UpstreamStanding {
  readonly isFailing: boolean
  readonly since: number
  readonly reason: string | undefined
}

/** What is counted from the start on, and told by the second. */
type Totals = Pick<Sample, 'edgeRequests' | 'edgeAnswers' | 'reads' | 'memoryHits' | 'redisHits' | 'loads'>

function sum(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}
