import {
  type Cache,
  channels,
  type LoadEvent,
  type PurgeEvent,
  type ReadEvent,
  type WriteEvent,
} from 'fastify-vitrine/cache'
import type { Edge } from 'fastify-vitrine/edge'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { subscribeToCache } from './cache-events.js'

export interface Metrics {
  readonly contentType: string
  /** The Prometheus text of this moment. */
  text(): Promise<string>
  /** Stops listening to the cache. */
  close(): void
}

export interface MetricsParts {
  readonly cache: Pick<Cache, 'stats'>
  readonly edge: Edge
  /** The key prefix, by which a cache names itself in what it tells. */
  readonly cacheName: string
  /** `undefined` when there is no Redis to be up. */
  readonly isRedisUp: () => boolean | undefined
}

const coherenceStates = ['memory-only', 'tracking', 'polling', 'disconnected'] as const

/** Counts what one cache tells of itself, in a registry of its own. Labels are few: never an id or a key. */
export function createMetrics({ cache, edge, cacheName, isRedisUp }: MetricsParts): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const reads = new Counter({
    name: 'vitrine_cache_reads_total',
    help: 'Reads answered, by where from and why.',
    labelNames: ['key_group', 'tier', 'reason'],
    registers,
  })
  const loadDuration = new Histogram({
    name: 'vitrine_cache_load_duration_seconds',
    help: 'How long loads took, failed ones too.',
    labelNames: ['key_group'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const loadFailures = new Counter({
    name: 'vitrine_cache_load_failures_total',
    help: 'Loads that failed.',
    labelNames: ['key_group'],
    registers,
  })
  const writes = new Counter({
    name: 'vitrine_cache_writes_total',
    help: 'Writes to Redis, by outcome.',
    labelNames: ['key_group', 'outcome'],
    registers,
  })
  const purges = new Counter({
    name: 'vitrine_cache_purges_total',
    help: 'Purges ordered here.',
    labelNames: ['mode'],
    registers,
  })
  const storeFailures: Counter<'kind'> = new Counter({
    name: 'vitrine_cache_store_failures_total',
    help: 'Failures of Redis, by kind.',
    labelNames: ['kind'],
    registers,
    collect() {
      storeFailures.reset()
      for (const [kind, count] of Object.entries(cache.stats().failures)) storeFailures.inc({ kind }, count)
    },
  })
  const requests: Counter<'outcome'> = new Counter({
    name: 'vitrine_edge_requests_total',
    help: 'Requests to routes with an edge, by how they were answered.',
    labelNames: ['outcome'],
    registers,
    collect() {
      requests.reset()
      for (const [outcome, count] of Object.entries(edge.stats().requests)) requests.inc({ outcome }, count)
    },
  })
  let isUpstreamUp: boolean | undefined // nobody knows before the first load
  const upstreamUp: Gauge = new Gauge({
    name: 'vitrine_upstream_up',
    help: 'Whether the last load from the upstream succeeded; absent before the first.',
    registers,
    collect() {
      upstreamUp.remove()
      if (isUpstreamUp !== undefined) upstreamUp.set(isUpstreamUp ? 1 : 0)
    },
  })
  gauge('vitrine_edge_memory_bytes', 'Bytes of responses in memory.', () => edge.stats().memory.bytes)
  gauge('vitrine_edge_memory_max_bytes', 'Bytes of responses in memory at most.', () => edge.stats().memory.maxBytes)
  gauge('vitrine_cache_memory_bytes', 'Bytes of JSON in memory.', () => cache.stats().memory.bytes)
  gauge('vitrine_cache_memory_entries', 'Entries in memory.', () => cache.stats().memory.entries)
  gauge('vitrine_cache_memory_max_bytes', 'Bytes of JSON in memory at most.', () => cache.stats().memory.maxBytes)
  gauge('vitrine_cache_purges_queued', 'Purges that wait for Redis.', () => cache.stats().purges.queued)
  const coherence: Gauge<'state'> = new Gauge({
    name: 'vitrine_cache_coherence',
    help: 'Whether changes in Redis are heard of: 1 for the state that holds.',
    labelNames: ['state'],
    registers,
    collect() {
      const now = cache.stats().coherence
      for (const state of coherenceStates) coherence.set({ state }, state === now ? 1 : 0)
    },
  })
  if (isRedisUp() !== undefined) gauge('vitrine_redis_up', 'Whether Redis answers.', () => (isRedisUp() ? 1 : 0))
  // Not prom-client's own process metrics: they start observers of the event loop and of garbage that nobody can stop.
  const start = Date.now() / 1_000 - process.uptime()
  gauge('process_start_time_seconds', 'When the process started, since the epoch.', () => start)
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  gauge('nodejs_heap_size_used_bytes', 'Heap in use.', () => process.memoryUsage().heapUsed)
  const cpu: Counter = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time, user and system.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      cpu.reset()
      cpu.inc((user + system) / 1e6)
    },
  })

  function gauge(name: string, help: string, read: () => number): void {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(read()) })
  }

  const listeners = [
    subscribeToCache<ReadEvent>(channels.read, cacheName, ({ metricLabel, tier, reason }) =>
      reads.inc({ key_group: metricLabel, tier, reason }),
    ),
    subscribeToCache<LoadEvent>(channels.load, cacheName, ({ metricLabel, durationMs, error }) => {
      loadDuration.observe({ key_group: metricLabel }, durationMs / 1_000)
      isUpstreamUp = error === undefined
      if (error !== undefined) loadFailures.inc({ key_group: metricLabel })
    }),
    subscribeToCache<WriteEvent>(channels.write, cacheName, ({ metricLabel, outcome }) =>
      writes.inc({ key_group: metricLabel, outcome }),
    ),
    subscribeToCache<PurgeEvent>(channels.purge, cacheName, ({ isHard }) =>
      purges.inc({ mode: isHard ? 'hard' : 'soft' }),
    ),
  ]

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    close() {
      for (const stop of listeners) stop()
      registry.clear()
    },
  }
}
