import diagnosticsChannel from 'node:diagnostics_channel'
import type { WriteOutcome } from '../store.js'

/**
 * Why a read was answered as it was, in the words of RFC 9211 where it has one: `hit`; `stale` while a refresh runs
 * behind; `error`, stale because the refresh failed, just now or so lately that it is not tried again yet; `miss`;
 * `collapsed` into a load that another caller, or another process, had started; `bypass`.
 */
export type ReadReason = 'hit' | 'stale' | 'stale-if-error' | 'miss' | 'collapsed' | 'bypass'

/** Where an answer came from: one of the tiers, or the load itself; `none` where a `get` found nothing. */
export type Tier = 'memory' | 'redis' | 'load' | 'none'

/** Published on `fastify-vitrine:cache:read` for each `fetch` and `read` that was answered, and each `get`. */
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

/** Published on `fastify-vitrine:cache:write` for each write to the shared store; no outcome when it failed. */
export interface WriteEvent {
  readonly cache: string
  readonly key: string
  readonly metricLabel: string
  readonly outcome: WriteOutcome | 'failed'
}

/** Published on `fastify-vitrine:cache:purge` for each purge that was ordered here. */
export interface PurgeEvent {
  readonly cache: string
  readonly tags: readonly string[]
  readonly keys: readonly string[]
  readonly isHard: boolean
  readonly isQueued: boolean
}

/**
 * Published on `fastify-vitrine:cache:state` when the shared store or its notices come or go, and when all purges that
 * waited for it have reached it.
 */
export interface StateEvent {
  readonly cache: string
  readonly state: StoreState
}

export type StoreState = 'tracking' | 'polling' | 'disconnected' | 'reconnected' | 'flushed' | 'purges-sent'

/** Channels of `node:diagnostics_channel` on which every cache of the process tells what it does. */
export const channels = {
  read: diagnosticsChannel.channel('fastify-vitrine:cache:read'),
  load: diagnosticsChannel.channel('fastify-vitrine:cache:load'),
  write: diagnosticsChannel.channel('fastify-vitrine:cache:write'),
  purge: diagnosticsChannel.channel('fastify-vitrine:cache:purge'),
  state: diagnosticsChannel.channel('fastify-vitrine:cache:state'),
}

/** Families that are told apart; keys of any more are all of the family `other`, so that labels stay few. */
const maxFamilies = 50
/** From the first character on that is part of an id and not of a name. */
const idAtTheEnd = /[_:./|-]?\d.*$/s

/** Counts since the start, and the families of keys. */
export class CacheEvents {
  readonly #cache: string
  readonly #familyOf: (key: string) => string
  readonly #onNoFamily: (key: string, error: unknown) => void
  readonly #families = new Set<string>()
  /** Reads by reason; hits by tier besides. */
  readonly reads: Record<ReadReason, number> = {
    hit: 0,
    stale: 0,
    'stale-if-error': 0,
    miss: 0,
    collapsed: 0,
    bypass: 0,
  }
  readonly hits = { memory: 0, redis: 0 }
  readonly loads = { succeeded: 0, failed: 0, totalMs: 0 }
  readonly writes: Record<WriteOutcome | 'failed' | 'dropped', number> = {
    stored: 0,
    newer: 0,
    purged: 0,
    'other-schema': 0,
    failed: 0,
    dropped: 0,
  }
  /** Failures of the shared store and entries that could not be used, by kind. */
  readonly failures: Record<string, number> = {}
  purges = 0

  /** `onNoFamily` is told when `familyOf` throws: its key is then of the family `other`. */
  constructor(
    cache: string,
    familyOf: ((key: string) => string) | undefined,
    onNoFamily: (key: string, error: unknown) => void,
  ) {
    this.#cache = cache
    this.#onNoFamily = onNoFamily
    this.#familyOf = familyOf ?? ((key) => key.replace(idAtTheEnd, '') || 'other')
  }

  /** What keys of this kind are called in metrics: a small set, whatever the keys. */
  family(key: string): string {
    const family = this.#nameOf(key)
    if (this.#families.has(family)) return family
    if (this.#families.size >= maxFamilies) return 'other'
    this.#families.add(family)
    return family
  }

  #nameOf(key: string): string {
    try {
      return this.#familyOf(key)
    } catch (error) {
      this.#onNoFamily(key, error)
      return 'other'
    }
  }

  /** A hit in memory: what happens most is told with least ado. */
  answeredFromMemory(key: string): void {
    this.reads.hit += 1
    this.hits.memory += 1
    if (channels.read.hasSubscribers) this.#publishRead(key, 'memory', 'hit')
  }

  answered(key: string, tier: Tier, reason: ReadReason): void {
    this.reads[reason] += 1
    if (reason === 'hit' && (tier === 'memory' || tier === 'redis')) this.hits[tier] += 1
    if (channels.read.hasSubscribers) this.#publishRead(key, tier, reason)
  }

  loaded(key: string, durationMs: number, error?: unknown): void {
    if (error === undefined) this.loads.succeeded += 1
    else this.loads.failed += 1
    this.loads.totalMs += durationMs
    if (!channels.load.hasSubscribers) return
    channels.load.publish({
      cache: this.#cache,
      key,
      metricLabel: this.family(key),
      durationMs,
      error,
    } satisfies LoadEvent)
  }

  wrote(key: string, outcome: WriteOutcome | undefined): void {
    const told = outcome ?? 'failed'
    this.writes[told] += 1
    if (!channels.write.hasSubscribers) return
    channels.write.publish({
      cache: this.#cache,
      key,
      metricLabel: this.family(key),
      outcome: told,
    } satisfies WriteEvent)
  }

  purged(purge: Omit<PurgeEvent, 'cache'>): void {
    this.purges += 1
    if (channels.purge.hasSubscribers) channels.purge.publish({ cache: this.#cache, ...purge } satisfies PurgeEvent)
  }

  storeFailed(kind: string): void {
    this.failures[kind] = (this.failures[kind] ?? 0) + 1
  }

  stateChanged(state: StoreState): void {
    if (channels.state.hasSubscribers) channels.state.publish({ cache: this.#cache, state } satisfies StateEvent)
  }

  #publishRead(key: string, tier: Tier, reason: ReadReason): void {
    channels.read.publish({ cache: this.#cache, key, metricLabel: this.family(key), tier, reason } satisfies ReadEvent)
  }
}
