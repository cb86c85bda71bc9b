import { type Directives, parseDirectives, secondsOf } from '../../plugins/http/cache-control.js'

/**
 * Models of shared caches in front, as far as they decide whether a response is stored:
 * - `fastly` reads `Surrogate-Control`, then `s-maxage`, `max-age` and `Expires`. It honours `private` and ignores `no-store` and
 *   `no-cache`. A response that states no lifetime is stored for its default of an hour.
 * - `surrogate` is the same, but honours `no-store` in `Surrogate-Control`.
 * - `targeted` reads `CDN-Cache-Control`, then `Cache-Control`, by RFC 9213.
 * - `plain` reads `Cache-Control` by RFC 9111.
 */
export type CacheInFront = 'fastly' | 'surrogate' | 'targeted' | 'plain'

type Headers = Readonly<Record<string, unknown>>

const defaultSeconds = 3_600

/** For how many seconds the cache stores the response and answers with it; `undefined`: it does not. */
export function lifetimeIn(kind: CacheInFront, headers: Headers): number | undefined {
  const cacheControl = directivesOf(headers, 'cache-control')
  if (headers['set-cookie'] !== undefined) return undefined
  if (kind === 'plain') return byRfc(cacheControl)
  if (kind === 'targeted') return byRfc(targetedOf(headers, 'cdn-cache-control') ?? cacheControl)
  const surrogate = targetedOf(headers, 'surrogate-control')
  if (cacheControl.has('private') || surrogate?.has('private') === true) return undefined
  if (kind === 'surrogate' && (surrogate ?? cacheControl).has('no-store')) return undefined
  const stated = surrogate === undefined ? undefined : secondsOf(surrogate, 'max-age')
  return positive(stated ?? secondsOf(cacheControl, 's-maxage') ?? secondsOf(cacheControl, 'max-age') ?? defaultSeconds)
}

/** Seconds for which the cache may serve the response stale while it asks for another one. */
export function staleWindowIn(kind: 'fastly' | 'targeted', headers: Headers, name: string): number {
  const targeted = targetedOf(headers, kind === 'fastly' ? 'surrogate-control' : 'cdn-cache-control')
  return positive(secondsOf(targeted ?? directivesOf(headers, 'cache-control'), name)) ?? 0
}

function byRfc(directives: Directives): number | undefined {
  if (['private', 'no-store', 'no-cache'].some((name) => directives.has(name))) return undefined
  return positive(secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age'))
}

function positive(seconds: number | 'invalid' | undefined): number | undefined {
  return typeof seconds === 'number' && seconds > 0 ? seconds : undefined
}

function targetedOf(headers: Headers, name: string): Directives | undefined {
  return headers[name] === undefined ? undefined : directivesOf(headers, name)
}

function directivesOf(headers: Headers, name: string): Directives {
  const field = headers[name]
  return parseDirectives(field === undefined ? undefined : String(field))
}
