import {
  functionRule,
  integerRule,
  maxSeconds,
  numberRule,
  type OptionRule,
  positiveRule,
  resolveByRules,
  timerRule,
} from '../option-rules.js'
import { describeOtherClient, isCommandClient } from '../redis/client-shape.js'
import { InvalidCacheOption } from './errors.js'
import type { RedisCommands } from './redis/commands.js'
import { missingStoreMethods, type Store } from './store.js'

/** Options of the cache; each has a default. */
export interface CacheOptions {
  /** Prefix of every Redis key. Default `cat_`. */
  readonly keyPrefix?: string
  /** Freshness lifetime. Default 300. */
  readonly ttlSeconds?: number
  /** After freshness: stale values are served while one refresh runs in the background. Default 60; 0 = never. */
  readonly staleWhileRevalidateSeconds?: number
  /** After freshness: the stale value is served when a refresh fails. Default 86,400; 0 = never. */
  readonly staleIfErrorSeconds?: number
  /** The Redis client. Default: `fastify.redis` if it is registered; `false`: memory only. */
  readonly redis?: RedisCommands | false
  /** A shared store instead of Redis, such as the one of `fastify-vitrine/cache/testing`. */
  readonly store?: Store
  /** Time that a request waits for reads from Redis. Default 100. */
  readonly readTimeoutMs?: number
  /** Time after which a write to Redis counts as failed. Default 250. */
  readonly writeTimeoutMs?: number
  /** Time after which a load is aborted. Default 30,000. */
  readonly loadTimeoutMs?: number
  /** Time that callers wait for a load when there is a stale value. Default 300. */
  readonly softTimeoutMs?: number
  /** Lifetime of a result that the loader marks with `notFound`. Default 30. */
  readonly negativeTtlSeconds?: number
  /** Time after which another process takes over the load of a process that died. Default 3,000. */
  readonly leaseMs?: number
  /** Bound on the size of the memory tier. Default 64 MiB. */
  readonly maxMemoryBytes?: number
  /** Bound on the number of entries in the memory tier. Default 100,000. */
  readonly maxMemoryEntries?: number
  /** Values with more bytes of JSON are compressed in Redis. Default: none. */
  readonly compressAboveBytes?: number
  /** The label of a key in metrics. Default: the key up to its first digit. At most 50 labels, then `other`. */
  readonly metricLabel?: (key: string) => string
  /** Values with more bytes of JSON are returned but not stored. Default 8 MiB. */
  readonly maxEntryBytes?: number
  /**
   * Milliseconds since the epoch. Default `Date.now`, corrected by the clock of Redis. A clock given here, by a test, is
   * not corrected.
   */
  readonly now?: () => number
}

const rules = {
  keyPrefix: {
    defaultValue: 'cat_',
    isValid: (value) => typeof value === 'string' && value !== '',
    expected: 'a string that is not empty',
  },
  ttlSeconds: positiveRule(300, maxSeconds),
  staleWhileRevalidateSeconds: numberRule(60, 0, maxSeconds),
  staleIfErrorSeconds: numberRule(86_400, 0, maxSeconds),
  redis: {
    defaultValue: undefined,
    isValid: (value) => value === false || isCommandClient(value),
    expected: (value) => `a client of ioredis, or false; it is ${describeOtherClient(value, 'app.redis')}`,
  },
  store: {
    defaultValue: undefined,
    isValid: (value) => missingStoreMethods(value).length === 0,
    expected: (value) => `a Store; it lacks ${missingStoreMethods(value).join(', ')}`,
  },
  readTimeoutMs: timerRule(100),
  writeTimeoutMs: timerRule(250),
  loadTimeoutMs: timerRule(30_000),
  softTimeoutMs: timerRule(300),
  negativeTtlSeconds: positiveRule(30, maxSeconds),
  leaseMs: timerRule(3_000),
  maxMemoryBytes: positiveRule(64 * 2 ** 20),
  maxMemoryEntries: integerRule(100_000, 1),
  compressAboveBytes: positiveRule(undefined),
  metricLabel: functionRule(undefined),
  maxEntryBytes: positiveRule(8 * 2 ** 20),
  now: functionRule<() => number>(Date.now),
} satisfies { readonly [Name in keyof CacheOptions]-?: OptionRule<CacheOptions[Name] | undefined> }

export type ResolvedCacheOptions = ReturnType<typeof resolveOptions>

/** Checks and completes the options; throws `VITRINE_CACHE_OPTION`, which names the wrong one. */
export function resolveOptions(options: CacheOptions) {
  const { ttlSeconds, staleWhileRevalidateSeconds, staleIfErrorSeconds, ...resolved } = resolveByRules(
    options,
    rules,
    InvalidCacheOption,
  )
  return { ...resolved, lifetime: { ttlSeconds, staleWhileRevalidateSeconds, staleIfErrorSeconds } }
}
