import type { TSchema } from '@sinclair/typebox'
import { maxSeconds } from '../option-rules.js'
import type { Lifetime } from './entry/codec.js'
import { InvalidCacheOption } from './errors.js'
import type { PurgeRequest } from './purge/purges.js'

/** How one key is stored; what is left out comes from the options of the cache. */
export interface Policy {
  readonly ttlSeconds?: number
  readonly staleWhileRevalidateSeconds?: number
  readonly staleIfErrorSeconds?: number
  /** Milliseconds since the epoch at which freshness ends, even if `ttlSeconds` ends later. */
  readonly freshUntil?: number
  /** Purge tags, which CDNs call surrogate keys: at most 16, each of 1 to 128 characters. */
  readonly tags?: readonly string[]
  /** Checked when the value is stored and when it is read. A stored value that does not match is a miss. */
  readonly schema?: TSchema
}

export interface GetPolicy {
  readonly schema?: TSchema
  /** Also returns stale and softly purged values. Default false. */
  readonly allowStale?: boolean
}

export interface ReadPolicy extends Policy {
  /** Neither reads nor stores; concurrent callers share the load. Default false. */
  readonly bypass?: boolean
  /**
   * Whether the stale value is served when the load fails with this error. False also removes it: the value may no
   * longer be read. When the function throws, the stale value is served. Default: always.
   */
  readonly serveStaleOn?: (error: unknown) => boolean
}

/** What to purge; the next read of it loads. */
export interface Purge {
  /** Entries with any of these tags, at most 256. */
  readonly tags?: readonly string[]
  /** At most 256. */
  readonly keys?: readonly string[]
  /** All entries. */
  readonly all?: boolean
  /** Also removes the value for stale-if-error. Default false. */
  readonly hard?: boolean
}

/** Per entry. */
export const maxTags = 16
const maxTagLength = 128
const maxKeyLength = 512
const maxPurged = 256

/** The lifetime of a policy, completed from `defaults`; throws `VITRINE_CACHE_OPTION` for an invalid one. */
export function resolveLifetime(policy: Policy, defaults: Lifetime): Lifetime {
  const { freshUntil = defaults.freshUntil } = policy
  if (freshUntil !== undefined && !Number.isFinite(freshUntil)) {
    throw new InvalidCacheOption('freshUntil must be milliseconds since the epoch, such as date.getTime()')
  }
  const ttlSeconds = policy.ttlSeconds ?? defaults.ttlSeconds
  if (!isSeconds(ttlSeconds) || ttlSeconds === 0) {
    throw new InvalidCacheOption(`ttlSeconds must be a number greater than 0 and at most ${maxSeconds}`)
  }
  const staleWhileRevalidateSeconds = policy.staleWhileRevalidateSeconds ?? defaults.staleWhileRevalidateSeconds
  checkSeconds('staleWhileRevalidateSeconds', staleWhileRevalidateSeconds)
  const staleIfErrorSeconds = policy.staleIfErrorSeconds ?? defaults.staleIfErrorSeconds
  checkSeconds('staleIfErrorSeconds', staleIfErrorSeconds)
  const lifetime = { ttlSeconds, staleWhileRevalidateSeconds, staleIfErrorSeconds }
  return freshUntil === undefined ? lifetime : { ...lifetime, freshUntil }
}

/** The distinct tags; throws `VITRINE_CACHE_OPTION` for an invalid tag or too many. */
export function resolveTags(tags: readonly string[] = []): readonly string[] {
  checkList('tags', tags)
  const distinct = [...new Set(tags)]
  if (distinct.length > maxTags) throw new InvalidCacheOption(`tags must have at most ${maxTags} elements`)
  for (const tag of distinct) checkTag(tag)
  return distinct
}

/** Throws `VITRINE_CACHE_OPTION` for an invalid purge, and for one that names nothing; empty lists are allowed. */
export function resolvePurge(purge: Purge | null | undefined): PurgeRequest {
  const { tags, keys, all, hard } = purge ?? {}
  if (tags === undefined && keys === undefined && all !== true) {
    throw new InvalidCacheOption('purge must have tags, keys or all: true')
  }
  const isHard = hard === true
  return { tags: purgeList('tags', tags, checkTag), keys: purgeList('keys', keys, checkKey), all: all === true, isHard }
}

/**
 * Throws `VITRINE_CACHE_OPTION` unless the key is a string of 1 to 512 characters of well-formed Unicode: as UTF-8 all
 * lone surrogates become the same bytes.
 */
export function checkKey(key: string): void {
  if (typeof key === 'string' && key !== '' && key.length <= maxKeyLength && key.isWellFormed()) return
  throw new InvalidCacheOption(`a key must be a string of 1 to ${maxKeyLength} characters of well-formed Unicode`)
}

/** Throws `VITRINE_CACHE_OPTION` unless it is a function. */
export function checkLoader(loader: unknown): void {
  if (typeof loader !== 'function') throw new InvalidCacheOption('the loader must be a function')
}

function checkTag(tag: string): void {
  const isText = typeof tag === 'string' && tag !== '' && tag.isWellFormed()
  if (isText && tag !== '*' && tag.length <= maxTagLength && !/\s/.test(tag)) return
  throw new InvalidCacheOption(
    `a tag must have 1 to ${maxTagLength} characters of well-formed Unicode without white space, and must not be *`,
  )
}

function purgeList(name: string, list: readonly string[] = [], check: (member: string) => void): readonly string[] {
  checkList(name, list)
  if (list.length > maxPurged) throw new InvalidCacheOption(`${name} must have at most ${maxPurged} elements`)
  for (const member of list) check(member)
  return [...new Set(list)]
}

function checkList(name: string, list: readonly string[]): void {
  if (!Array.isArray(list)) throw new InvalidCacheOption(`${name} must be an array of strings`)
}

function checkSeconds(name: string, value: number): void {
  if (!isSeconds(value)) throw new InvalidCacheOption(`${name} must be a number from 0 to ${maxSeconds}`)
}

function isSeconds(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= maxSeconds
}
