import { deltaSeconds, parseDirectives } from './cache-control.js'
import type { Fields } from './fields.js'

/** What a client asks of the cache, in seconds. RFC 9111 §5.2.1. */
export interface RequestDirectives {
  /** It wants no answer that the origin has not confirmed. */
  readonly noCache: boolean
  readonly onlyIfCached: boolean
  readonly maxAgeSeconds: number | undefined
  readonly minFreshSeconds: number | undefined
  /** How stale an answer may be; infinite when it does not say. */
  readonly maxStaleSeconds: number | undefined
}

const nothing: RequestDirectives = {
  noCache: false,
  onlyIfCached: false,
  maxAgeSeconds: undefined,
  minFreshSeconds: undefined,
  maxStaleSeconds: undefined,
}

/** A directive that is not known, or whose number is none, asks for nothing. */
export function requestDirectivesOf(fields: Fields): RequestDirectives {
  if (fields['cache-control'] === undefined) {
    return fields.pragma === 'no-cache' ? { ...nothing, noCache: true } : nothing
  }
  const directives = parseDirectives(fields['cache-control'])
  if (directives.size === 0) return nothing
  const maxStale = directives.get('max-stale')
  return {
    noCache: directives.has('no-cache'),
    onlyIfCached: directives.has('only-if-cached'),
    maxAgeSeconds: deltaSeconds(directives.get('max-age')),
    minFreshSeconds: deltaSeconds(directives.get('min-fresh')),
    maxStaleSeconds:
      directives.has('max-stale') && maxStale === undefined ? Number.POSITIVE_INFINITY : deltaSeconds(maxStale),
  }
}
