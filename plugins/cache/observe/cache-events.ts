import diagnosticsChannel from 'node:diagnostics_channel'
import type { WriteOutcome } from '../store.js'

/**
 * Why a read was answered as it was, in the terms of RFC 9211 where it has one: `stale` while a refresh runs in the
 * background; `stale-if-error` because the last refresh failed; `collapsed` into a load that another caller or process
 * had started.
 */
export type ReadReason = 'hit' | 'stale' | 'stale-if-error' | 'miss' | 'collapsed' | 'bypass'

/** Where the answer came from; `none` when a `get` found nothing. */
export type Tier = 'memory' | 'redis' | 'load' | 'none'

/** Published on `fastify-vitrine:cache:read` for each `get`, and each `fetch` and `read` that did not fail. */
export interface ReadEvent {
  readonly cache: string
  readonly key: string
  readonly metricLabel: string
  readonly tier: Tier
  readonly reason: ReadReason
}

/** Published on `fastify-vitrine:cache:load` for each load that ended. */
export interface LoadEvent {
  readonly cache: string
  readonly key: string
  readonly metricLabel: string
  readonly durationMs: number
  readonly error: unknown
}

/** Published on `fastify-vitrine:cache:write` for each write to the shared store. */
export interface WriteEvent {
  readonly cache: string
  readonly key: string
  readonly metricLabel: string
  readonly outcome: WriteOutcome | 'failed'
}

/** Published on `fastify-vitrine:cache:purge` for each call of `purge` in this process. */
export interface PurgeEvent {
  readonly cache: string
  readonly tags: readonly string[]
  readonly keys: readonly string[]
  readonly isHard: boolean
  readonly isQueued: boolean
}

/** Published on `fastify-vitrine:cache:state` when the shared store changes state, and when queued purges were sent. */
export interface StateEvent {
  readonly cache: string
  readonly state: StoreState
}

export type StoreState = 'tracking' | 'polling' | 'disconnected' | 'reconnected' | 'flushed' | 'purges-sent'

/** Channels of `node:diagnostics_channel`, shared by all caches of the process. */
export const channels = {
  read: diagnosticsChannel.channel('fastify-vitrine:cache:read'),
  load: diagnosticsChannel.channel('fastify-vitrine:cache:load'),
  write: diagnosticsChannel.channel('fastify-vitrine:cache:write'),
  purge: diagnosticsChannel.channel('fastify-vitrine:cache:purge'),
  state: diagnosticsChannel.channel('fastify-vitrine:cache:state'),
}

/** Bounds the cardinality of metrics: further labels become `other`. */
const maxLabels = 50
/** An id at the end of a key: from its first digit on. */
const trailingId = /[_:./|-]?\d.*$/s

/** Counts what the cache does since the start, and publishes it on the channels. */
export class CacheEvents {
  readonly #cache: string
  readonly #metricLabel: (key: string) => string
  readonly #onLabelError: (key: string, error: unknown) => void
  readonly #labels = new Set<string>()
  readonly #reads: Record<ReadReason, number> = {
    hit: 0,
    stale: 0,
    'stale-if-error': 0,
    miss: 0,
    collapsed: 0,
    bypass: 0,
  }
  readonly #hits = { memory: 0, redis: 0 }
  readonly #loads = { succeeded: 0, failed: 0, totalMs: 0 }
  readonly #writes: Record<WriteOutcome | 'failed' | 'dropped', number> = {
    stored: 0,
    newer: 0,
    purged: 0,
    'other-schema': 0,
    failed: 0,
    dropped: 0,
  }
  /** Failures of the shared store and unusable entries, by kind. */
  readonly #failures: Record<string, number> = {}
  #purges = 0

  /** `onLabelError` is called when `metricLabel` throws; the label is then `other`. */
  constructor(
    cache: string,
    metricLabel: ((key: string) => string) | undefined,
    onLabelError: (key: string, error: unknown) => void,
  ) {
    this.#cache = cache
    this.#onLabelError = onLabelError
    this.#metricLabel = metricLabel ?? ((key) => key.replace(trailingId, '') || 'other')
  }

  /** A copy of the counters. */
  counters() {
    return {
      reads: { ...this.#reads },
      hits: { ...this.#hits },
      loads: { ...this.#loads },
      writes: { ...this.#writes },
      failures: { ...this.#failures },
      purges: this.#purges,
    }
  }

  /** The metric label of a key, from a bounded set. */
  labelOf(key: string): string {
    const label = this.#rawLabel(key)
    if (this.#labels.has(label)) return label
    if (this.#labels.size >= maxLabels) return 'other'
    this.#labels.add(label)
    return label
  }

  #rawLabel(key: string): string {
    try {
      return this.#metricLabel(key)
    } catch (error) {
      this.#onLabelError(key, error)
      return 'other'
    }
  }

  /** A hit in memory, the most frequent read. */
  memoryHit(key: string): void {
    this.#reads.hit += 1
    this.#hits.memory += 1
    if (channels.read.hasSubscribers) this.#publishRead(key, 'memory', 'hit')
  }

  readAnswered(key: string, tier: Tier, reason: ReadReason): void {
    this.#reads[reason] += 1
    if (reason === 'hit' && (tier === 'memory' || tier === 'redis')) this.#hits[tier] += 1
    if (channels.read.hasSubscribers) this.#publishRead(key, tier, reason)
  }

  loadEnded(key: string, durationMs: number, error?: unknown): void {
    if (error === undefined) this.#loads.succeeded += 1
    else this.#loads.failed += 1
    this.#loads.totalMs += durationMs
    if (!channels.load.hasSubscribers) return
    channels.load.publish({
      cache: this.#cache,
      key,
      metricLabel: this.labelOf(key),
      durationMs,
      error,
    } satisfies LoadEvent)
  }

  writeEnded(key: string, outcome: WriteOutcome | undefined): void {
    const published = outcome ?? 'failed'
    this.#writes[published] += 1
    if (!channels.write.hasSubscribers) return
    channels.write.publish({
      cache: this.#cache,
      key,
      metricLabel: this.labelOf(key),
      outcome: published,
    } satisfies WriteEvent)
  }

  /** Too many writes are pending: this one goes to memory only. */
  writeDropped(): void {
    this.#writes.dropped += 1
  }

  purged(purge: Omit<PurgeEvent, 'cache'>): void {
    this.#purges += 1
    if (channels.purge.hasSubscribers) channels.purge.publish({ cache: this.#cache, ...purge } satisfies PurgeEvent)
  }

  storeFailed(kind: string): void {
    this.#failures[kind] = (this.#failures[kind] ?? 0) + 1
  }

  stateChanged(state: StoreState): void {
    if (channels.state.hasSubscribers) channels.state.publish({ cache: this.#cache, state } satisfies StateEvent)
  }

  #publishRead(key: string, tier: Tier, reason: ReadReason): void {
    channels.read.publish({ cache: this.#cache, key, metricLabel: this.labelOf(key), tier, reason } satisfies ReadEvent)
  }
}
