import type { Cache } from 'fastify-vitrine/cache'
import type { Edge } from 'fastify-vitrine/edge'
import type { OperatorLabels } from '../../texts/index.js'
import { type ChartShape, drawChart, niceMax } from '../live-stats/chart.js'
import { historySeconds, type LiveStats } from '../live-stats/live-stats.js'
import type { Sample } from '../live-stats/samples.js'
import type { StateChange } from '../live-stats/state-log.js'
import type { OperatorFormatter } from './operator-formatter.js'

/** The part of the page that is updated once per second. */
export interface LiveView {
  readonly labels: OperatorLabels
  readonly history: string
  readonly requests: { readonly rate: string; readonly chart: ChartShape; readonly max: string }
  readonly latency: {
    readonly p50: string
    readonly p99: string
    readonly charts: readonly ChartShape[]
    readonly max: string
  }
  readonly tiers: readonly Gauge[]
  readonly saved: Gauge
  readonly upstream: { readonly isHealthy: boolean; readonly message: string }
  readonly store: {
    readonly isHealthy: boolean
    readonly breaker: string
    readonly coherence: string
    readonly queued: string | undefined
    readonly failures: readonly { readonly kind: string; readonly count: string }[]
  }
  readonly memory: readonly Gauge[]
  readonly keyGroups: readonly {
    /** The name, split where a line may break. */
    readonly nameParts: readonly string[]
    readonly reads: string
    readonly hitShare: string
    readonly loads: string
    readonly failed: string
    readonly loadTime: string
  }[]
  readonly changes: readonly {
    readonly at: { readonly iso: string; readonly text: string }
    readonly message: string
  }[]
}

/** A share of a total, as a bar and as text. */
export interface Gauge {
  readonly name: string
  readonly value: string
  readonly detail: string
  /** 0 to 100. */
  readonly percent: number
}

export interface LiveViewDeps {
  readonly liveStats: LiveStats
  readonly cache: Pick<Cache, 'stats'>
  readonly edge: Edge
  /** Whether the circuit breaker of Redis is open; `undefined` without Redis. */
  readonly isBreakerOpen: () => boolean | undefined
}

const chartHeight = 48
const lastMinuteSeconds = 60

export function createLiveView(deps: LiveViewDeps, format: OperatorFormatter): LiveView {
  const { liveStats, cache, edge, isBreakerOpen } = deps
  const { labels, number, share, ms, time } = format
  const stats = cache.stats()
  const edgeMemory = edge.stats().memory
  const isOpen = isBreakerOpen()
  return {
    labels,
    history: labels.lastMinutes(historySeconds / 60),
    requests: requestsView(liveStats, format),
    latency: latencyView(liveStats, format),
    ...hitsView(liveStats, format, isOpen !== undefined),
    upstream: { isHealthy: liveStats.upstream?.isFailing !== true, message: upstreamMessage(liveStats, format) },
    store: {
      isHealthy: isOpen !== true && stats.coherence !== 'disconnected' && stats.coherence !== 'polling',
      breaker: labels.breaker[isOpen === undefined ? 'none' : isOpen ? 'open' : 'closed'],
      coherence: labels.coherence[stats.coherence],
      queued: stats.purges.queued > 0 ? labels.queued(number(stats.purges.queued)) : undefined,
      failures: Object.entries(stats.failures).map(([kind, count]) => ({ kind, count: number(count) })),
    },
    memory: [
      memoryGauge(labels.numbers.cacheMemory(number(stats.memory.entries)), stats.memory, format),
      memoryGauge(labels.numbers.edgeMemory(number(edgeMemory.resources)), edgeMemory, format),
    ],
    keyGroups: liveStats.busiestKeyGroups().map(({ keyGroup, reads, hits, loads, failed, meanLoadMs }) => ({
      nameParts: keyGroup.split(/(?<=_)/),
      reads: number(reads),
      hitShare: share(hits, reads),
      loads: number(loads),
      failed: number(failed),
      loadTime: ms(meanLoadMs),
    })),
    changes: liveStats.changes.all.map(({ at, change }) => ({ at: time(at), message: describe(change, labels) })),
  }
}

function requestsView({ samples, lastMinute }: LiveStats, { number }: OperatorFormatter): LiveView['requests'] {
  const perSecond = samples.all.map((sample) => sample.requests)
  const max = niceMax(perSecond)
  return { rate: number(lastMinute.requestsPerSecond), chart: chart(perSecond, max), max: number(max) }
}

function latencyView({ samples, lastMinute }: LiveStats, { ms }: OperatorFormatter): LiveView['latency'] {
  const p50s = samples.all.map((sample) => sample.p50Ms)
  const p99s = samples.all.map((sample) => sample.p99Ms)
  const max = niceMax(p99s)
  const charts = [chart(p99s, max), chart(p50s, max)]
  return { p50: ms(lastMinute.p50Ms), p99: ms(lastMinute.p99Ms), charts, max: ms(max) }
}

function hitsView(
  { samples }: LiveStats,
  format: OperatorFormatter,
  hasRedis: boolean,
): Pick<LiveView, 'tiers' | 'saved'> {
  const { numbers } = format.labels
  const sum = (name: keyof Omit<Sample, 'p50Ms' | 'p99Ms'>) => samples.sum(lastMinuteSeconds, (sample) => sample[name])
  const [reads, memoryHits, loads, responses] = [sum('reads'), sum('memoryHits'), sum('loads'), sum('catalogResponses')]
  return {
    tiers: [
      gauge(numbers.edge, sum('edgeHits'), sum('edgeRequests'), format),
      gauge(numbers.memory, memoryHits, reads, format),
      ...(hasRedis ? [gauge(numbers.redis, sum('redisHits'), reads - memoryHits, format)] : []),
    ],
    saved: {
      ...gauge(numbers.saved, Math.max(responses - loads, 0), responses, format),
      detail: numbers.savedOf(format.number(loads)),
    },
  }
}

function upstreamMessage({ upstream }: LiveStats, { labels, time }: OperatorFormatter): string {
  if (upstream === undefined) return labels.upstream.unknown
  if (!upstream.isFailing) return labels.upstream.up
  return labels.upstream.failing(time(upstream.since).text, upstream.reason ?? '')
}

function chart(values: readonly (number | undefined)[], max: number): ChartShape {
  return drawChart({ values, capacity: historySeconds, max, height: chartHeight })
}

function gauge(name: string, part: number, total: number, { labels, number, share }: OperatorFormatter): Gauge {
  const { numbers } = labels
  const detail = total === 0 ? numbers.noReads : numbers.hitsOf(number(part), number(total))
  return { name, value: share(part, total), detail, percent: percentOf(part, total) }
}

function memoryGauge(
  name: string,
  { bytes: used, maxBytes }: { readonly bytes: number; readonly maxBytes: number },
  { labels, bytes, share }: OperatorFormatter,
): Gauge {
  const detail = labels.numbers.of(bytes(used), bytes(maxBytes))
  return { name, value: share(used, maxBytes), detail, percent: percentOf(used, maxBytes) }
}

function percentOf(part: number, total: number): number {
  return total === 0 ? 0 : Math.round((part / total) * 1_000) / 10
}

function describe(change: StateChange, { changes }: OperatorLabels): string {
  switch (change.kind) {
    case 'store':
      return changes.store[change.state]
    case 'breaker':
      return change.isOpen ? changes.breakerOpen : changes.breakerClosed
    case 'upstream':
      return change.isFailing ? changes.upstreamFailing(change.reason ?? '') : changes.upstreamUp
    case 'purge':
      return changes.purged([...change.tags, ...change.keys].join(', '), change.isHard, change.isQueued)
  }
}
