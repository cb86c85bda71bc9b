import type { RequestDirectives } from '../http/request-directives.js'
import type { StoredResponse } from './stored-response.js'

/** What is kept is good for, to one request. RFC 9111 §4. */
export type ReuseDecision =
  /** To be sent: stale too, while it is made again behind, or because the client says that it may be. */
  | { readonly use: 'fresh' | 'stale-while-revalidate' | 'max-stale'; readonly stored: StoredResponse }
  /** To be made, made again or confirmed, before anything is sent. */
  | { readonly use: 'nothing'; readonly why: 'uri-miss' | 'stale' | 'request' }

export function decideReuse(
  stored: StoredResponse | undefined,
  asked: RequestDirectives | undefined,
  now: number,
): ReuseDecision {
  if (stored === undefined) return { use: 'nothing', why: 'uri-miss' }
  const isFresh = stored.isFresh(now)
  if (asked === undefined) return isFresh ? { use: 'fresh', stored } : decideStaleReuse(stored, now)
  const [age, ttl] = [stored.ageAt(now), (stored.instants.freshUntil - now) / 1_000]
  const isRefused = asked.noCache || (asked.maxAgeSeconds !== undefined && age > asked.maxAgeSeconds)
  if (isRefused || (asked.minFreshSeconds !== undefined && ttl < asked.minFreshSeconds)) {
    return { use: 'nothing', why: isFresh ? 'request' : 'stale' }
  }
  if (isFresh) return { use: 'fresh', stored }
  const { maxAgeSeconds, maxStaleSeconds } = asked
  if (maxAgeSeconds === undefined && maxStaleSeconds === undefined) return decideStaleReuse(stored, now)
  // Who says how old it may be wants it fresh, unless it also says how stale. RFC 9111 §5.2.1.1, §5.2.1.2.
  const isAllowed = maxStaleSeconds !== undefined && -ttl <= maxStaleSeconds && stored.allowsStale
  const mayBeUsed = isAllowed && stored.mayBeStale(now, Number.POSITIVE_INFINITY, false)
  return mayBeUsed ? { use: 'max-stale', stored } : { use: 'nothing', why: 'stale' }
}

function decideStaleReuse(stored: StoredResponse, now: number): ReuseDecision {
  const mayRevalidateBehind = stored.mayBeStale(now, stored.instants.revalidateUntil, false)
  return mayRevalidateBehind ? { use: 'stale-while-revalidate', stored } : { use: 'nothing', why: 'stale' }
}
