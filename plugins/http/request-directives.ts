import { deltaSeconds, parseDirectives } from './cache-control.js'
import { type Fields, isTooLongToParse } from './fields.js'

/** Cache directives of a request. RFC 9111 §5.2.1. */
export interface RequestDirectives {
  /** The client accepts no response that the origin has not validated. */
  readonly noCache: boolean
  readonly onlyIfCached: boolean
  readonly maxAgeSeconds: number | undefined
  readonly minFreshSeconds: number | undefined
  /** Infinite without an argument. */
  readonly maxStaleSeconds: number | undefined
}

const nothing: RequestDirectives = {
  noCache: false,
  onlyIfCached: false,
  maxAgeSeconds: undefined,
  minFreshSeconds: undefined,
  maxStaleSeconds: undefined,
}

/** Unknown and invalid directives are ignored. A text that is too long to be parsed may say anything: it counts as `no-cache`. */
export function requestDirectivesOf(fields: Fields): RequestDirectives {
  if (fields['cache-control'] === undefined) {
    return fields.pragma === 'no-cache' ? { ...nothing, noCache: true } : nothing
  }
  if (isTooLongToParse(fields['cache-control'])) return { ...nothing, noCache: true }
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
