import { type Directives, deltaSeconds, parseDirectives, parseTargeted, secondsOf } from './cache-control.js'
import { type Fields, headerValues, listMembers, singleValue } from './fields.js'
import { parseHttpDate } from './http-date.js'

/** A response as received from the origin. */
export interface ReceivedResponse {
  readonly status: number
  readonly fields: Fields
  /** When it was requested and received, in milliseconds since the epoch. */
  readonly requestedAt: number
  readonly receivedAt: number
}

/** The directives of the response for a shared cache: of `CDN-Cache-Control` if it is valid, else of `Cache-Control`. */
export interface CacheControl {
  readonly directives: Directives
  /** Whether they are of `CDN-Cache-Control`, so that `Cache-Control` and `Expires` do not count. RFC 9213 §2.2. */
  readonly isTargeted: boolean
}

export function cacheControlOf(fields: Fields): CacheControl {
  const targeted = parseTargeted(fields['cdn-cache-control'])
  return { directives: targeted ?? parseDirectives(fields['cache-control']), isTargeted: targeted !== undefined }
}

/** The lifetimes of a route, for responses that state none. */
export interface FreshnessPolicy {
  /** `undefined`: a response that states no lifetime has none. */
  readonly ttlSeconds: number | undefined
  readonly staleWhileRevalidateSeconds: number
  readonly staleIfErrorSeconds: number
  /** Share of the time since `Last-Modified` that is used as lifetime. RFC 9111 §4.2.2. */
  readonly heuristicFraction: number
  /** Whether `s-maxage` does not forbid serving the response stale. */
  readonly staleWithSMaxage?: boolean
}

export interface FreshnessLifetime {
  readonly seconds: number
  /** Whether the response itself states it. */
  readonly isExplicit: boolean
}

/** Statuses whose responses may have a heuristic lifetime. RFC 9110 §15.1. */
const heuristicallyCacheable = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])
/** Of these the successful ones, to which the lifetime of the route applies. */
const successful = new Set([200, 203, 204, 300, 301, 308])
const maxHeuristicSeconds = 7 * 86_400

/** The freshness lifetime for a shared cache, from the date of the response. RFC 9111 §4.2.1. */
export function freshnessLifetime(
  response: ReceivedResponse,
  control: CacheControl,
  policy: FreshnessPolicy,
): FreshnessLifetime | undefined {
  const explicit = explicitSeconds(response, control)
  if (explicit !== undefined) return { seconds: explicit, isExplicit: true }
  if (policy.ttlSeconds !== undefined && successful.has(response.status)) {
    return { seconds: policy.ttlSeconds, isExplicit: false }
  }
  const heuristic = heuristicSeconds(response, control, policy.heuristicFraction)
  return heuristic === undefined ? undefined : { seconds: heuristic, isExplicit: false }
}

function explicitSeconds(response: ReceivedResponse, { directives, isTargeted }: CacheControl): number | undefined {
  const stated = secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age')
  if (stated === 'invalid') return 0 // RFC 9111 §4.2.1 recommends to treat it as stale
  if (stated !== undefined) return stated
  if (!isTargeted && response.fields.expires !== undefined) {
    const expires = dateField(response, 'expires')
    return expires === undefined ? 0 : Math.max(0, (expires - originDate(response)) / 1_000)
  }
  return directives.has('no-cache') ? 0 : undefined
}

function heuristicSeconds(
  response: ReceivedResponse,
  { directives }: CacheControl,
  fraction: number,
): number | undefined {
  const mayGuess = heuristicallyCacheable.has(response.status) || directives.has('public')
  const lastModified = dateField(response, 'last-modified')
  if (fraction === 0 || !mayGuess || lastModified === undefined) return undefined
  const unchangedSeconds = Math.max(0, originDate(response) - lastModified) / 1_000
  return Math.min(Math.floor(unchangedSeconds * fraction), maxHeuristicSeconds)
}

/** The date of the response; if it states none, when it was received. */
export function originDate(response: ReceivedResponse): number {
  return dateField(response, 'date') ?? response.receivedAt
}

/** The instant of a date field; `undefined` if it is missing, repeated or no date. */
export function dateField({ fields, receivedAt }: ReceivedResponse, name: string): number | undefined {
  return parseHttpDate(singleValue(fields[name]), receivedAt)
}

/** The age in milliseconds that the response had when it was received. RFC 9111 §4.2.3. */
export function correctedInitialAgeMs(response: ReceivedResponse): number {
  const responseDelay = Math.max(0, response.receivedAt - response.requestedAt)
  return Math.max(apparentAgeMs(response), statedAgeSeconds(response.fields) * 1_000 + responseDelay)
}

/** The same without the time that the origin took, for a response that is as old as its origin says. */
export function statedInitialAgeMs(response: ReceivedResponse): number {
  return Math.max(apparentAgeMs(response), statedAgeSeconds(response.fields) * 1_000)
}

function apparentAgeMs(response: ReceivedResponse): number {
  return Math.max(0, response.receivedAt - originDate(response))
}

/** The first member of `Age`; 0 if it is no number. RFC 9111 §5.1. */
function statedAgeSeconds(fields: Fields): number {
  return deltaSeconds(listMembers(headerValues(fields.age)[0])[0]) ?? 0
}

/** Instants in milliseconds: until when a response may be used and how. */
export interface Instants {
  readonly freshUntil: number
  /** End of stale-while-revalidate. RFC 5861 §3. */
  readonly revalidateUntil: number
  /** End of stale-if-error. RFC 5861 §4. */
  readonly staleUntil: number
}

/** Statuses that report a failure of the origin or of a server before it, for which a stale response is served. RFC 5861 §4. */
const failures = new Set([500, 502, 503, 504])

export function hasOriginFailed(status: number): boolean {
  return failures.has(status)
}

/** Directives that forbid a shared cache to serve the response stale. RFC 9111 §4.2.4. */
const forbidStale = ['must-revalidate', 'proxy-revalidate', 'no-cache', 's-maxage']

/** Whether the route or the client may allow serving the response stale. `staleWithSMaxage`: also with `s-maxage`, against the RFC. */
export function allowsStale({ directives }: Pick<CacheControl, 'directives'>, staleWithSMaxage = false): boolean {
  return !forbidStale.some((name) => directives.has(name) && !(staleWithSMaxage && name === 's-maxage'))
}

/** Until when a response of age 0 at `bornAt` may be used: as it states itself, else as the route says. */
export function instantsOf(
  bornAt: number,
  { directives }: CacheControl,
  lifetime: FreshnessLifetime,
  policy: FreshnessPolicy,
): Instants {
  const mustAsk = directives.has('no-cache') && directives.get('no-cache') === undefined
  const freshUntil = mustAsk ? bornAt : bornAt + lifetime.seconds * 1_000
  const { staleWithSMaxage = false } = policy
  if (!allowsStale({ directives }, staleWithSMaxage))
    return { freshUntil, revalidateUntil: freshUntil, staleUntil: freshUntil }
  const window = (name: string, byRoute: number) => {
    // Next.js sends `stale-while-revalidate` without seconds.
    const isBare = staleWithSMaxage && directives.get(name) === undefined
    const stated = isBare ? byRoute : (secondsOf(directives, name) ?? byRoute)
    return freshUntil + (stated === 'invalid' ? 0 : stated) * 1_000
  }
  return {
    freshUntil,
    revalidateUntil: window('stale-while-revalidate', policy.staleWhileRevalidateSeconds),
    staleUntil: window('stale-if-error', policy.staleIfErrorSeconds),
  }
}

/** The instants, none later than the given one. */
export function capAt({ freshUntil, revalidateUntil, staleUntil }: Instants, latest: number): Instants {
  return {
    freshUntil: Math.min(freshUntil, latest),
    revalidateUntil: Math.min(revalidateUntil, latest),
    staleUntil: Math.min(staleUntil, latest),
  }
}

/** The lifetime for caches in front, which subtract the `Age` that is sent with it. RFC 9213, RFC 5861. */
export function cdnCacheControl({ freshUntil, revalidateUntil, staleUntil }: Instants, bornAt: number): string {
  const seconds = (ms: number) => Math.floor(ms / 1_000)
  const windows = { 'stale-while-revalidate': revalidateUntil - freshUntil, 'stale-if-error': staleUntil - freshUntil }
  const directives = Object.entries(windows).map(([name, ms]) => (ms >= 1_000 ? `, ${name}=${seconds(ms)}` : ''))
  return `max-age=${seconds(freshUntil - bornAt)}${directives.join('')}`
}
