import type { Cache } from 'fastify-vitrine/cache'
import type { Edge } from 'fastify-vitrine/edge'
import type { OperatorTexts } from '../../texts/operator.js'
import { type ChartShape, drawChart, niceMax } from '../live-stats/chart.js'
import type { Sample } from '../live-stats/samples.js'
import type { StateChange } from '../live-stats/state-log.js'
import { historySeconds, type Watch } from '../live-stats/watch.js'
import type { OperatorWords } from './operator-words.js'

/** All of the page that changes by itself. */
export interface LiveView {
  readonly says: OperatorTexts
  readonly history: string
  readonly requests: { readonly rate: string; readonly chart: ChartShape; readonly top: string }
  readonly latency: {
    readonly p50: string
    readonly p99: string
    readonly charts: readonly ChartShape[]
    readonly top: string
  }
  readonly tiers: readonly Gauge[]
  readonly saved: Gauge
  readonly upstream: { readonly isWell: boolean; readonly says: string }
  readonly store: {
    readonly isWell: boolean
    readonly breaker: string
    readonly coherence: string
    readonly queued: string | undefined
    readonly failures: readonly { readonly kind: string; readonly count: string }[]
  }
  readonly memory: readonly Gauge[]
  readonly families: readonly {
    /** Cut where a line may end. */
    readonly family: readonly string[]
    readonly reads: string
    readonly hitShare: string
    readonly loads: string
    readonly failed: string
    readonly loadTime: string
  }[]
  readonly changes: readonly {
    readonly at: { readonly machine: string; readonly text: string }
    readonly says: string
  }[]
}

/** A part of a whole, as a bar and in words. */
export interface Gauge {
  readonly name: string
  readonly value: string
  readonly detail: string
  /** 0 to 100. */
  readonly percent: number
}

export interface LiveViewParts {
  readonly watch: Watch
  readonly cache: Pick<Cache, 'stats'>
  readonly edge: Edge
  /** Whether Redis is left alone for now; `undefined` when there is none. */
  readonly isBreakerOpen: () => boolean | undefined
}

const chartHeight = 48
const lastMinute = 60

export function createLiveView(parts: LiveViewParts, words: OperatorWords): LiveView {
  const { watch, cache, edge, isBreakerOpen } = parts
  const { says, number, share, bytes, ms, instant } = words
  const { samples } = watch
  const { numbers } = says
  const stats = cache.stats()
  const edgeMemory = edge.stats().memory
  const { requestsPerSecond, p50Ms, p99Ms } = watch.lastMinute
  const sum = (of: (sample: Sample) => number) => samples.sum(lastMinute, of)
  const [reads, memoryHits, loads] = [
    sum((sample) => sample.reads),
    sum((sample) => sample.memoryHits),
    sum((sample) => sample.loads),
  ]
  const answers = sum((sample) => sample.answers)
  const perSecond = samples.all.map((sample) => sample.requests)
  const topRate = niceMax(perSecond)
  const topMs = niceMax(samples.all.map(({ p99Ms }) => p99Ms))
  const isOpen = isBreakerOpen()
  return {
    says,
    history: says.lastMinutes(historySeconds / 60),
    requests: { rate: number(requestsPerSecond), chart: chart(perSecond, topRate), top: number(topRate) },
    latency: {
      p50: ms(p50Ms),
      p99: ms(p99Ms),
      charts: [samples.all.map(({ p99Ms }) => p99Ms), samples.all.map(({ p50Ms }) => p50Ms)].map((values) =>
        chart(values, topMs),
      ),
      top: ms(topMs),
    },
    tiers: [
      gauge(
        numbers.edge,
        sum((sample) => sample.edgeAnswers),
        sum((sample) => sample.edgeRequests),
      ),
      gauge(numbers.memory, memoryHits, reads),
      ...(isOpen === undefined
        ? []
        : [
            gauge(
              numbers.redis,
              sum((sample) => sample.redisHits),
              reads - memoryHits,
            ),
          ]),
    ],
    saved: { ...gauge(numbers.saved, Math.max(answers - loads, 0), answers), detail: numbers.savedOf(number(loads)) },
    upstream: { isWell: watch.upstream?.isFailing !== true, says: describeUpstream() },
    store: {
      isWell: isOpen !== true && stats.coherence !== 'disconnected' && stats.coherence !== 'polling',
      breaker: isOpen === undefined ? says.breaker.none : isOpen ? says.breaker.open : says.breaker.closed,
      coherence: says.coherence[stats.coherence],
      queued: stats.purges.queued > 0 ? says.queued(number(stats.purges.queued)) : undefined,
      failures: Object.entries(stats.failures).map(([kind, count]) => ({ kind, count: number(count) })),
    },
    memory: [
      memoryGauge(numbers.cacheMemory(number(stats.memory.entries)), stats.memory),
      memoryGauge(numbers.edgeMemory(number(edgeMemory.resources)), edgeMemory),
    ],
    families: watch.busiestFamilies().map(({ family, reads, hits, loads, failed, loadMs }) => {
      return {
        family: family.split(/(?<=_)/),
        reads: number(reads),
        hitShare: share(hits, reads),
        loads: number(loads),
        failed: number(failed),
        loadTime: ms(loadMs),
      }
    }),
    changes: watch.log.all.map(({ at, change }) => ({ at: instant(at), says: describe(change, says) })),
  }

  function describeUpstream(): string {
    const { upstream } = watch
    if (upstream === undefined) return says.upstream.notAsked
    if (!upstream.isFailing) return says.upstream.answers
    return says.upstream.fails(instant(upstream.since).text, upstream.reason ?? '')
  }

  function chart(values: readonly (number | undefined)[], max: number): ChartShape {
    return drawChart({ values, capacity: historySeconds, max, height: chartHeight })
  }

  function gauge(name: string, part: number, whole: number): Gauge {
    const detail = whole === 0 ? numbers.noneAsked : numbers.hitsOf(number(part), number(whole))
    return { name, value: share(part, whole), detail, percent: percentOf(part, whole) }
  }

  function memoryGauge(name: string, { bytes: used, maxBytes }: { bytes: number; maxBytes: number }): Gauge {
    const detail = numbers.of(bytes(used), bytes(maxBytes))
    return { name, value: share(used, maxBytes), detail, percent: percentOf(used, maxBytes) }
  }
}

function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 1_000) / 10
}

function describe(change: StateChange, { log }: OperatorTexts): string {
  switch (change.kind) {
    case 'store':
      return log.store[change.state]
    case 'breaker':
      return change.isOpen ? log.breakerOpen : log.breakerClosed
    case 'upstream':
      return change.isFailing ? log.upstreamFails(change.reason ?? '') : log.upstreamAnswers
    case 'purge':
      return log.purged([...change.tags, ...change.keys].join(', '), change.isHard, change.isQueued)
  }
}
