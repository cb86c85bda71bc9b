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
  /** All metrics in the Prometheus text format. */
  text(): Promise<string>
  /** Unsubscribes from the cache. */
  close(): void
}

export interface MetricsDeps {
  readonly cache: Pick<Cache, 'stats'>
  readonly edge: Edge
  /** Key prefix of the cache, which identifies it in its events. */
  readonly cacheName: string
  /** Invalid dates that the upstream has sent. */
  readonly invalidDates: () => number
  /** `undefined` without Redis. */
  readonly isRedisUp: () => boolean | undefined
}

/** Metrics of one application, in a registry of its own. Labels have few values: never an id or a key. */
export function createMetrics({ cache, edge, cacheName, invalidDates, isRedisUp }: MetricsDeps): Metrics {
  const registry = new Registry()
  const subscriptions = [...addCacheEvents(registry, cacheName), ...addUpstream(registry, cacheName)]
  addCacheState(registry, cache)
  addEdge(registry, edge)
  addInvalidDates(registry, invalidDates)
  if (isRedisUp() !== undefined) {
    addGauge(registry, 'vitrine_redis_up', 'Whether Redis answers.', () => (isRedisUp() ? 1 : 0))
  }
  addProcess(registry)
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    close() {
      for (const unsubscribe of subscriptions) unsubscribe()
      registry.clear()
    },
  }
}

function addCacheEvents(registry: Registry, cacheName: string): (() => void)[] {
  const registers = [registry]
  const reads = new Counter({
    name: 'vitrine_cache_reads_total',
    help: 'Reads of the data cache, by tier and reason.',
    labelNames: ['key_group', 'tier', 'reason'],
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
    help: 'Purges requested from this process.',
    labelNames: ['mode'],
    registers,
  })
  return [
    subscribeToCache<ReadEvent>(channels.read, cacheName, ({ metricLabel, tier, reason }) =>
      reads.inc({ key_group: metricLabel, tier, reason }),
    ),
    subscribeToCache<WriteEvent>(channels.write, cacheName, ({ metricLabel, outcome }) =>
      writes.inc({ key_group: metricLabel, outcome }),
    ),
    subscribeToCache<PurgeEvent>(channels.purge, cacheName, ({ isHard }) =>
      purges.inc({ mode: isHard ? 'hard' : 'soft' }),
    ),
  ]
}

function addUpstream(registry: Registry, cacheName: string): (() => void)[] {
  const registers = [registry]
  const duration = new Histogram({
    name: 'vitrine_cache_load_duration_seconds',
    help: 'Duration of loads, including failed ones.',
    labelNames: ['key_group'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const failures = new Counter({
    name: 'vitrine_cache_load_failures_total',
    help: 'Failed loads.',
    labelNames: ['key_group'],
    registers,
  })
  let isUp: boolean | undefined // unknown before the first load
  const up: Gauge = new Gauge({
    name: 'vitrine_upstream_up',
    help: 'Whether the last load from the upstream succeeded. Absent before the first load.',
    registers,
    collect() {
      up.remove()
      if (isUp !== undefined) up.set(isUp ? 1 : 0)
    },
  })
  return [
    subscribeToCache<LoadEvent>(channels.load, cacheName, ({ metricLabel, durationMs, error }) => {
      duration.observe({ key_group: metricLabel }, durationMs / 1_000)
      isUp = error === undefined
      if (error !== undefined) failures.inc({ key_group: metricLabel })
    }),
  ]
}

const coherenceStates = ['memory-only', 'tracking', 'polling', 'disconnected'] as const

function addCacheState(registry: Registry, cache: Pick<Cache, 'stats'>): void {
  const memory = () => cache.stats().memory
  addGauge(registry, 'vitrine_cache_memory_bytes', 'Bytes of entries stored in memory.', () => memory().bytes)
  addGauge(registry, 'vitrine_cache_memory_entries', 'Entries stored in memory.', () => memory().entries)
  addGauge(
    registry,
    'vitrine_cache_memory_max_bytes',
    'Maximum bytes of entries stored in memory.',
    () => memory().maxBytes,
  )
  addGauge(registry, 'vitrine_cache_purges_queued', 'Purges queued for Redis.', () => cache.stats().purges.queued)
  const storeFailures: Counter<'kind'> = new Counter({
    name: 'vitrine_cache_store_failures_total',
    help: 'Failed Redis operations, by kind.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      storeFailures.reset()
      for (const [kind, count] of Object.entries(cache.stats().failures)) storeFailures.inc({ kind }, count)
    },
  })
  const coherence: Gauge<'state'> = new Gauge({
    name: 'vitrine_cache_coherence',
    help: 'Coherence with Redis: 1 for the current state, 0 for the others.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const current = cache.stats().coherence
      for (const state of coherenceStates) coherence.set({ state }, state === current ? 1 : 0)
    },
  })
}

function addEdge(registry: Registry, edge: Edge): void {
  const memory = () => edge.stats().memory
  addGauge(registry, 'vitrine_edge_memory_bytes', 'Bytes of responses stored in memory.', () => memory().bytes)
  addGauge(
    registry,
    'vitrine_edge_memory_max_bytes',
    'Maximum bytes of responses stored in memory.',
    () => memory().maxBytes,
  )
  const requests: Counter<'outcome'> = new Counter({
    name: 'vitrine_edge_requests_total',
    help: 'Requests to cached routes, by cache outcome.',
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      requests.reset()
      for (const [outcome, count] of Object.entries(edge.stats().requests)) requests.inc({ outcome }, count)
    },
  })
}

function addInvalidDates(registry: Registry, read: () => number): void {
  const dates: Counter = new Counter({
    name: 'vitrine_upstream_invalid_dates_total',
    help: 'Start dates in loaded lists that are not ISO 8601.',
    registers: [registry],
    collect() {
      dates.reset()
      dates.inc(read())
    },
  })
}

/** Not prom-client's default metrics: they start event-loop and GC observers that cannot be stopped. */
function addProcess(registry: Registry): void {
  const startedAt = Date.now() / 1_000 - process.uptime()
  addGauge(
    registry,
    'process_start_time_seconds',
    'Start time of the process, in seconds since the epoch.',
    () => startedAt,
  )
  addGauge(registry, 'process_resident_memory_bytes', 'Resident memory size in bytes.', () => process.memoryUsage.rss())
  addGauge(registry, 'nodejs_heap_size_used_bytes', 'Used heap size in bytes.', () => process.memoryUsage().heapUsed)
  const cpu: Counter = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time in seconds.',
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage()
      cpu.reset()
      cpu.inc((user + system) / 1e6)
    },
  })
}

function addGauge(registry: Registry, name: string, help: string, read: () => number): void {
  const gauge: Gauge = new Gauge({ name, help, registers: [registry], collect: () => gauge.set(read()) })
}
