import type { RequestDirectives } from '../http/request-directives.js'
import type { StoredResponse } from './stored-response.js'

/** Whether a stored response answers a request. RFC 9111 §4. */
export type ReuseDecision =
  /** It is sent: fresh, stale with a refresh in the background, or stale because the client allows it. */
  | { readonly use: 'fresh' | 'stale-while-revalidate' | 'max-stale'; readonly stored: StoredResponse }
  /** The request is forwarded, to generate or to validate a response. */
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
  // With max-age the client requires a fresh response, unless max-stale allows a stale one. RFC 9111 §5.2.1.1, §5.2.1.2.
  const isAllowed = maxStaleSeconds !== undefined && -ttl <= maxStaleSeconds && stored.allowsStale
  const mayBeUsed = isAllowed && stored.mayBeStale(now, Number.POSITIVE_INFINITY, false)
  return mayBeUsed ? { use: 'max-stale', stored } : { use: 'nothing', why: 'stale' }
}

function decideStaleReuse(stored: StoredResponse, now: number): ReuseDecision {
  return stored.mayRefreshInBackground(now)
    ? { use: 'stale-while-revalidate', stored }
    : { use: 'nothing', why: 'stale' }
}
