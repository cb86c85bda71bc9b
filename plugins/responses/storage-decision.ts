import type { Dependencies } from '../cache/index.js'
import { type CdnFields, notForCdn } from '../http/cdn-fields.js'
import type { CacheControl, FreshnessLifetime } from '../http/freshness.js'
import type { NotStorableReason } from '../http/storable.js'

/** Why a response is not stored: the `detail` of its `Cache-Status`. */
export type UnstoredReason = NotStorableReason | 'too-large' | 'invalidated' | 'derived' | 'tags' | 'nonce'

export interface Unstored {
  readonly reason: UnstoredReason
  readonly cdnFields: CdnFields
}

/** How a response is stored. */
export interface StoragePlan {
  readonly reason?: undefined
  readonly lifetime: FreshnessLifetime
  readonly tags: readonly string[]
  readonly dependencies: Dependencies | undefined
  /** When the first of the dependencies becomes stale; `Infinity` if that does not limit the response. */
  readonly dataFreshUntil: number
  /** Whether one of the dependencies is stale already: the response is stored for a short time. */
  readonly isFromStale: boolean
  readonly cdnFields: CdnFields
}

export type StorageDecision = Unstored | StoragePlan

/** A response that is storable by itself, and what else decides about it. */
export interface StorageFacts {
  readonly lifetime: FreshnessLifetime
  readonly control: CacheControl
  /** `undefined`: the route's function failed, so that no purge could reach the response. */
  readonly tags: readonly string[] | undefined
  readonly tagFields: CdnFields
  /** Whether tags may be added after the header fields are sent. */
  readonly hasLateTags: boolean
  readonly dependencies: Dependencies | undefined
  /** Milliseconds for which a response from stale data is stored. */
  readonly staleTtlMs: number
  /** Milliseconds since the epoch at which the tracking of the dependencies ended. */
  readonly now: number
  /** Whether its target was invalidated since it was requested. RFC 9111 §4.4. */
  readonly isInvalidated: boolean
  readonly isTooLarge: boolean
  /** Whether the response varies by a request field that is not in the key. */
  readonly hasUnkeyedVary: boolean
  /** Whether a content security policy allows elements by a nonce. */
  readonly hasNonce: boolean
}

export function decideStorage(facts: StorageFacts): StorageDecision {
  const { lifetime, control, tags, dependencies } = facts
  // Otherwise caches in front do not store it: it states no lifetime.
  const restricted = lifetime.isExplicit || control.directives.size > 0 ? notForCdn : {}
  if (tags === undefined) return { reason: 'tags', cdnFields: restricted }
  const { freshForMs = Number.POSITIVE_INFINITY, staleForMs = 0 } = dependencies ?? {}
  const usableForMs = freshForMs > 0 ? freshForMs : Math.min(staleForMs, facts.staleTtlMs)
  const isOutdated = dependencies !== undefined && !(usableForMs > 0 && dependencies.isCurrent())
  if (isOutdated) return { reason: 'derived', cdnFields: restricted }
  const cdnFields = facts.hasLateTags ? { ...facts.tagFields, ...restricted } : facts.tagFields
  if (facts.isInvalidated) return { reason: 'invalidated', cdnFields }
  if (facts.isTooLarge) return { reason: 'too-large', cdnFields }
  if (facts.hasUnkeyedVary) return { reason: 'vary', cdnFields }
  if (facts.hasNonce) return { reason: 'nonce', cdnFields: notForCdn }
  const dataFreshUntil = facts.now + usableForMs
  return { lifetime, tags, dependencies, dataFreshUntil, isFromStale: freshForMs === 0, cdnFields }
}
