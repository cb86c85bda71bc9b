import type { TSchema } from '@sinclair/typebox'
import { assertKnownOptions } from '../option-rules.js'
import type { Lifetime } from './entry/codec.js'
import { InvalidCacheOption } from './errors.js'
import type { PurgeOrder } from './purge/purges.js'
import type { RedisCommands } from './redis/commands.js'
import type { Store } from './store.js'

/** Options of the cache; each has a default. Milliseconds are whole, and less than 2^31: some 24 days. */
export interface CacheOptions {
  /** Every Redis key begins with it. Default `cat_`. */
  readonly keyPrefix?: string
  /** Seconds that a value stays fresh. Default 300. */
  readonly ttlSeconds?: number
  /** Seconds after that in which the stale value is served at once while one refresh runs behind. Default 60; 0 = never. */
  readonly staleWhileRevalidateSeconds?: number
  /** Seconds after freshness in which the stale value is served when a refresh fails. Default 86,400; 0 = never. */
  readonly staleIfErrorSeconds?: number
  /** The client to keep entries in. Default: `fastify.redis` where it is registered; `false`: memory only. */
  readonly redis?: RedisCommands | false
  /** A shared store instead of Redis, such as the one of `fastify-vitrine/cache/testing`. */
  readonly store?: Store
  /** Milliseconds that a read from Redis may hold a request. Default 100. */
  readonly readTimeoutMs?: number
  /** Milliseconds after which a write to Redis counts as failed. Default 250. */
  readonly writeTimeoutMs?: number
  /** Milliseconds that a load may take, whoever waits for it. Default 30,000. */
  readonly loadTimeoutMs?: number
  /** Milliseconds that a caller waits for a load when there is a stale value to be served instead. Default 300. */
  readonly softTimeoutMs?: number
  /** Seconds for which an answer that says `absent` is kept. Default 30. */
  readonly negativeTtlSeconds?: number
  /** Milliseconds after which a load that died with its process is begun anew by another one. Default 3,000. */
  readonly leaseMs?: number
  /** Bytes of JSON kept in memory at most. Default 64 MiB. */
  readonly maxMemoryBytes?: number
  /** Entries kept in memory at most. Default 100,000. */
  readonly maxMemoryEntries?: number
  /** Values whose JSON is longer than this are compressed in Redis, off the request's path. Default: none are. */
  readonly compressAboveBytes?: number
  /** What keys of a kind are called in metrics. Default: the key up to its first digit; at most 50 names are told apart. */
  readonly metricLabel?: (key: string) => string
  /** A value whose JSON is larger, in bytes, is served but not kept. Default 8 MiB. */
  readonly maxEntryBytes?: number
  /**
   * Milliseconds since the epoch; a test hands in its own clock, which is then taken at its word. Default `Date.now`,
   * corrected by the clock of Redis wherever processes compare.
   */
  readonly now?: () => number
}

/** How one key is kept; what is left out comes from the options of the cache. */
export interface Policy {
  readonly ttlSeconds?: number
  readonly staleWhileRevalidateSeconds?: number
  readonly staleIfErrorSeconds?: number
  /** Absolute milliseconds at which freshness ends even if `ttlSeconds` says later. */
  readonly freshUntil?: number
  /** Labels for purging; edges call them surrogate keys. At most 16 of 128 characters. */
  readonly tags?: readonly string[]
  /** What the value must look like, when it is kept and when it is read. A value that does not match is a miss. */
  readonly schema?: TSchema
}

/** Which values a plain look at the cache accepts. */
export interface GetPolicy {
  readonly schema?: TSchema
  /** Default false. */
  readonly allowStale?: boolean
}

/** Policy of a read-through; `bypass` neither reads nor keeps, and only shares a load with those who ask meanwhile. */
export interface ReadPolicy extends Policy {
  readonly bypass?: boolean
  /**
   * Whether a failure of the load may be answered with the stale value: not where it says that what was readable no
   * longer is. Where it throws, it may. Default: always.
   */
  readonly serveStaleOn?: (error: unknown) => boolean
}

/** What to purge; after it the next read loads again. */
export interface Purge {
  /** Entries with any of these tags, at most 256. */
  readonly tags?: readonly string[]
  /** Entries under these keys, at most 256. */
  readonly keys?: readonly string[]
  /** Every entry. */
  readonly all?: boolean
  /** Also removes what is kept for stale-if-error. Default false. */
  readonly hard?: boolean
}

export interface ResolvedCacheOptions {
  readonly keyPrefix: string
  readonly lifetime: Lifetime
  readonly readTimeoutMs: number
  readonly writeTimeoutMs: number
  readonly loadTimeoutMs: number
  readonly softTimeoutMs: number
  readonly negativeTtlSeconds: number
  readonly leaseMs: number
  readonly maxMemoryBytes: number
  readonly maxMemoryEntries: number
  readonly maxEntryBytes: number
  readonly compressAboveBytes: number | undefined
  readonly metricLabel: ((key: string) => string) | undefined
  readonly now: () => number
}

/** All of them, or it does not compile. */
const known: Record<keyof CacheOptions, true> = {
  keyPrefix: true,
  ttlSeconds: true,
  staleWhileRevalidateSeconds: true,
  staleIfErrorSeconds: true,
  redis: true,
  store: true,
  readTimeoutMs: true,
  writeTimeoutMs: true,
  loadTimeoutMs: true,
  softTimeoutMs: true,
  negativeTtlSeconds: true,
  leaseMs: true,
  maxMemoryBytes: true,
  maxMemoryEntries: true,
  compressAboveBytes: true,
  metricLabel: true,
  maxEntryBytes: true,
  now: true,
}

const maxSeconds = 366 * 86_400
/** A timer of Node's that is set for longer goes off at once. */
const longestTimerMs = 2 ** 31 - 1
/** Tags that an entry has at most. */
export const maxTags = 16
const maxTagLength = 128
const maxKeyLength = 512

/** Completes and checks the options once, at registration; throws `VITRINE_CACHE_OPTION` naming the one that is wrong. */
export function resolveOptions(options: CacheOptions): ResolvedCacheOptions {
  assertKnownOptions(options, known, InvalidCacheOption)
  const { keyPrefix = 'cat_', now = Date.now } = options
  if (typeof keyPrefix !== 'string' || keyPrefix === '') throw invalid('keyPrefix must be a string that is not empty')
  if (typeof now !== 'function') throw invalid('now must be a function')
  const { redis = false } = options
  if (redis !== false && !canServe(redis)) throw invalid('redis must be a client with get and eval, or false')
  const { metricLabel, compressAboveBytes } = options
  if (metricLabel !== undefined && typeof metricLabel !== 'function') throw invalid('familyOf must be a function')
  return {
    keyPrefix,
    lifetime: resolveLifetime(options, {
      ttlSeconds: 300,
      staleWhileRevalidateSeconds: 60,
      staleIfErrorSeconds: 86_400,
    }),
    readTimeoutMs: milliseconds('readTimeoutMs', options.readTimeoutMs ?? 100),
    writeTimeoutMs: milliseconds('writeTimeoutMs', options.writeTimeoutMs ?? 250),
    loadTimeoutMs: milliseconds('loadTimeoutMs', options.loadTimeoutMs ?? 30_000),
    softTimeoutMs: milliseconds('softTimeoutMs', options.softTimeoutMs ?? 300),
    negativeTtlSeconds: positive('absentTtlSeconds', seconds('absentTtlSeconds', options.negativeTtlSeconds ?? 30)),
    leaseMs: milliseconds('leaseMs', options.leaseMs ?? 3_000),
    maxMemoryBytes: positive('maxMemoryBytes', options.maxMemoryBytes ?? 64 * 2 ** 20),
    maxMemoryEntries: Math.floor(positive('maxMemoryEntries', options.maxMemoryEntries ?? 100_000)),
    maxEntryBytes: positive('maxEntryBytes', options.maxEntryBytes ?? 8 * 2 ** 20),
    compressAboveBytes:
      compressAboveBytes === undefined ? undefined : positive('compressAboveBytes', compressAboveBytes),
    metricLabel,
    now,
  }
}

/** The lifetime that a policy asks for, completed from `defaults`; throws `VITRINE_CACHE_OPTION` when it makes no sense. */
export function resolveLifetime(policy: Policy, defaults: Lifetime): Lifetime {
  const { freshUntil = defaults.freshUntil } = policy
  if (freshUntil !== undefined && !Number.isFinite(freshUntil)) throw invalid('freshUntil must be finite milliseconds')
  const ttlSeconds = seconds('ttlSeconds', policy.ttlSeconds ?? defaults.ttlSeconds)
  if (ttlSeconds === 0) throw invalid('ttlSeconds must be more than 0')
  return {
    ttlSeconds,
    staleWhileRevalidateSeconds: seconds(
      'staleWhileRevalidateSeconds',
      policy.staleWhileRevalidateSeconds ?? defaults.staleWhileRevalidateSeconds,
    ),
    staleIfErrorSeconds: seconds('staleIfErrorSeconds', policy.staleIfErrorSeconds ?? defaults.staleIfErrorSeconds),
    ...(freshUntil === undefined ? {} : { freshUntil }),
  }
}

/** The tags without repetitions; throws `VITRINE_CACHE_OPTION` when there are too many or one is not usable. */
export function resolveTags(tags: readonly string[] = []): readonly string[] {
  const distinct = [...new Set(tags)]
  if (distinct.length > maxTags) throw invalid(`an entry has at most ${maxTags} tags`)
  for (const tag of distinct) checkTag(tag)
  return distinct
}

function checkTag(tag: string): void {
  const isText = typeof tag === 'string' && tag !== '' && tag.isWellFormed()
  if (isText && tag !== '*' && tag.length <= maxTagLength && !/\s/.test(tag)) return
  throw invalid(`a tag has 1 to ${maxTagLength} characters, no white space nor half a surrogate pair, and is not *`)
}

const maxPurged = 256

/** The purge, completed; throws `VITRINE_CACHE_OPTION` when it has no list, too much, or something that cannot be. */
export function resolvePurge(purge: Purge): PurgeOrder {
  const { tags = [], keys = [], all = false, hard = false } = purge
  if (!Array.isArray(tags) || !Array.isArray(keys)) throw invalid('purge wants lists of tags and keys')
  if (tags.length > maxPurged || keys.length > maxPurged) throw invalid(`purge takes at most ${maxPurged} at a time`)
  for (const tag of tags) checkTag(tag)
  for (const key of keys) checkKey(key)
  // A list that turned out empty is a purge of nothing; without any list it is a mistake.
  const isNamed = purge.tags !== undefined || purge.keys !== undefined || all === true
  if (!isNamed) throw invalid('purge wants tags, keys or all')
  return { tags: [...new Set(tags)], keys: [...new Set(keys)], all: all === true, isHard: hard === true }
}

/**
 * Throws `VITRINE_CACHE_OPTION` unless the key is a string of 1 to 512 characters, without half a surrogate pair: on the
 * way to Redis all of these become the same bytes.
 */
export function checkKey(key: string): void {
  if (typeof key === 'string' && key !== '' && key.length <= maxKeyLength && key.isWellFormed()) return
  throw invalid(`a key is a string of 1 to ${maxKeyLength} characters, without half a surrogate pair`)
}

function canServe(client: RedisCommands): boolean {
  return [client?.get, client?.eval].every((command) => typeof command === 'function')
}

function seconds(name: string, value: number): number {
  if (typeof value === 'number' && value >= 0 && value <= maxSeconds) return value
  throw invalid(`${name} must be from 0 to ${maxSeconds}`)
}

function milliseconds(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0 && value <= longestTimerMs) return value
  throw invalid(`${name} must be an integer from 1 to ${longestTimerMs}`)
}

function positive(name: string, value: number): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
  throw invalid(`${name} must be more than 0`)
}

function invalid(complaint: string): Error {
  return new InvalidCacheOption(complaint)
}
