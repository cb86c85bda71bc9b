import type { FastifyRequest } from 'fastify'
import type { FreshnessPolicy } from '../http/freshness.js'
import { isCredential } from '../http/request-fields.js'
import { keyedValue, type Normalise } from '../http/vary.js'
import { assertKnownOptions } from '../option-rules.js'
import type { TagHeader } from '../responses/tag-header.js'
import { AsyncEdgeOption, InvalidEdgeOption } from './errors.js'

/** How responses are kept: of all routes when it is given at registration, of one route in its `config.edge`. */
export interface EdgePolicy {
  /**
   * Freshness lifetime in seconds of a response that states none. Default: none; such a response is not stored. A route that
   * forwards does not take it from the registration: only the route itself knows that the other server's answers are for all.
   */
  readonly ttlSeconds?: number
  /** Seconds after that in which it is served stale at once while it is made again behind. Default 0. */
  readonly staleWhileRevalidateSeconds?: number
  /** Seconds after freshness in which it is served when making it again fails. Default 0. */
  readonly staleIfErrorSeconds?: number
  /** Seconds that a browser, which no purge can reach, may keep a response of our own. Default 5. */
  readonly browserTtlSeconds?: number
  /**
   * Share of the time since `Last-Modified` that is taken for the lifetime where none is stated. Default 0: none is. As with
   * `ttlSeconds`, a route that forwards does not take it from the registration.
   */
  readonly heuristicFraction?: number
  /** Whether `Cache-Control` of a request counts. Default: only where the route forwards. */
  readonly honorRequestCacheControl?: boolean
  /** Whether gzip and Brotli variants are made. Default: only where the route does not forward. */
  readonly compress?: boolean
  /** Bytes of a body beyond which a response is sent but not kept. Default 2 MiB. */
  readonly maxBodyBytes?: number
  /** Variants of one resource that are kept at most. Default 16. */
  readonly maxVariants?: number
  /** Whether responses are also kept in the shared store of `fastify.cache`. Default false. */
  readonly shared?: boolean
}

/** A request field that the handler reads, and what it makes of it: values that are the same to it are one variant. */
export interface VaryBy {
  readonly name: string
  /** Gives the value that the handler sees and the key contains; `undefined`: no such field. */
  readonly normalise: Normalise
}

/** Options of one route, as `{ config: { edge: {} } }`. */
export interface EdgeRouteOptions extends EdgePolicy {
  /**
   * Whether the handler passes requests on to another server: then it sees all of the request, and what that server says of
   * its responses stands. Default: where the route has no `ttlSeconds`.
   */
  readonly forwards?: boolean
  /** Tags beside those of what the handler reads from `fastify.cache`. Sees what the handler sees. */
  readonly tags?: readonly string[] | ((request: FastifyRequest) => readonly string[])
  /** Request fields that the handler reads. They are part of the key, and in `Vary`. */
  readonly vary?: readonly (string | VaryBy)[]
  /** Request fields that the handler may read though its response does not depend on them, such as `traceparent`. */
  readonly unkeyedHeaders?: readonly string[]
  /**
   * Requests that are neither answered from the cache nor stored: those for which it returns a truthy value. Sees the complete
   * request. It must be synchronous: a promise fails the request with `VITRINE_EDGE_ASYNC_OPTION`.
   */
  readonly bypass?: (request: FastifyRequest) => unknown
  /**
   * Whether responses do not depend on `Cookie` and `Authorization`. Default false: a request with either of them bypasses the
   * cache. When true such requests are answered from the cache and stored, and the handler sees neither field. Properties that
   * hooks derive from them, such as `request.session` or `request.user`, are not hidden: do not use them in the response.
   * Only for routes that do not forward.
   */
  readonly ignoreCredentials?: boolean
  /**
   * Whether hits may be sent before the route's `preParsing`, `preValidation` and `preHandler` hooks. Default false: a route
   * that has such hooks answers hits after all of them, in the handler's place, and a warning at start names them.
   */
  readonly acknowledgeSkippedHooks?: boolean
}

/** Options of the plugin; each has a default. */
export interface EdgeOptions extends EdgePolicy {
  /** What it calls itself in `Cache-Status`, a token. Default `Vitrine`. */
  readonly name?: string
  /** Field that tells edges in front of this one the tags of a response. Default `Surrogate-Key`; `false`: none. */
  readonly tagHeader?: TagHeader | false
  /** Bytes that responses may take in memory. Default 64 MiB. */
  readonly maxMemoryBytes?: number
  /** Milliseconds that a request waits at most for another one that is being answered. Default 10,000. */
  readonly collapseTimeoutMs?: number
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

export interface ResolvedEdgeOptions {
  readonly name: string
  readonly tagHeader: TagHeader | undefined
  readonly maxMemoryBytes: number
  readonly collapseTimeoutMs: number
  readonly now: () => number
  readonly defaults: EdgePolicy
}

export interface ResolvedRoute {
  readonly forwards: boolean
  readonly freshness: FreshnessPolicy
  readonly browserSeconds: number
  readonly obeysDirectives: boolean
  readonly compresses: boolean
  readonly maxBodyBytes: number
  readonly maxVariants: number
  readonly isShared: boolean
  readonly tagsOf: (request: FastifyRequest) => readonly string[]
  /** Request fields that are told apart by, in lower case and in order. */
  readonly vary: readonly VaryBy[]
  readonly varyNames: readonly string[]
  readonly visibleHeaders: ReadonlySet<string>
  readonly bypasses: ((request: FastifyRequest) => boolean) | undefined
  /** Whether requests with `Cookie` or `Authorization` bypass the cache. */
  readonly bypassesCredentials: boolean
  readonly acknowledgesSkippedHooks: boolean
}

/** All of them, or it does not compile; so the next ones. */
const policyNames: Record<keyof EdgePolicy, true> = {
  ttlSeconds: true,
  staleWhileRevalidateSeconds: true,
  staleIfErrorSeconds: true,
  browserTtlSeconds: true,
  heuristicFraction: true,
  honorRequestCacheControl: true,
  compress: true,
  maxBodyBytes: true,
  maxVariants: true,
  shared: true,
}
const routeNames: Record<keyof EdgeRouteOptions, true> = {
  ...policyNames,
  forwards: true,
  tags: true,
  vary: true,
  unkeyedHeaders: true,
  bypass: true,
  ignoreCredentials: true,
  acknowledgeSkippedHooks: true,
}

const maxSeconds = 366 * 86_400
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** A structured token, as `Cache-Status` wants the names of caches. RFC 9211 §2. */
const cacheName = /^[A-Za-z*][!#$%&'*+.^_`|~:/0-9A-Za-z-]*$/
const tagHeaders: readonly unknown[] = ['Surrogate-Key', 'Cache-Tag', 'Edge-Cache-Tag', false]

/** Completes and checks the options once, at registration; throws `VITRINE_EDGE_OPTION` naming the one that is wrong. */
export function resolveOptions(options: EdgeOptions): ResolvedEdgeOptions {
  const { name = 'Vitrine', tagHeader = 'Surrogate-Key', now = Date.now, ...others } = options
  const { maxMemoryBytes = 64 * 2 ** 20, collapseTimeoutMs = 10_000, ...defaults } = others
  if (typeof name !== 'string' || !cacheName.test(name)) throw new InvalidEdgeOption('name must be a token')
  if (!tagHeaders.includes(tagHeader))
    throw new InvalidEdgeOption('tagHeader must be Surrogate-Key, Cache-Tag, Edge-Cache-Tag or false')
  if (typeof now !== 'function') throw new InvalidEdgeOption('now must be a function')
  assertKnownOptions(defaults, policyNames, InvalidEdgeOption)
  resolveRoute({}, defaults) // what is wrong in the defaults is wrong here, not at the first route
  return {
    name,
    tagHeader: tagHeader === false ? undefined : tagHeader,
    maxMemoryBytes: between('maxMemoryBytes', maxMemoryBytes, 1, Number.MAX_SAFE_INTEGER),
    collapseTimeoutMs: between('collapseTimeoutMs', collapseTimeoutMs, 1, 600_000),
    now,
    defaults,
  }
}

/** The options of a route, completed from `defaults`; throws `VITRINE_EDGE_OPTION` naming the one that is wrong. */
export function resolveRoute(options: EdgeRouteOptions, defaults: EdgePolicy): ResolvedRoute {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidEdgeOption('config.edge must be an object of options, or false')
  }
  assertKnownOptions(options, routeNames, InvalidEdgeOption)
  const own = withoutUndefined(options)
  const { forwards = (own.ttlSeconds ?? defaults.ttlSeconds) === undefined, ignoreCredentials = false } = own
  const policy = { ...(forwards ? withoutLifetimes(defaults) : defaults), ...own }
  const { ttlSeconds, tags = [] } = policy
  const vary = list('vary', own.vary)
    .map(resolveVary)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const visibleHeaders = list('unkeyedHeaders', own.unkeyedHeaders).map(fieldName)
  refuseCredentials(own, forwards)
  return {
    forwards: flag('forwards', forwards),
    freshness: {
      ttlSeconds: ttlSeconds === undefined ? undefined : seconds('ttlSeconds', ttlSeconds),
      staleWhileRevalidateSeconds: seconds('staleWhileRevalidateSeconds', policy.staleWhileRevalidateSeconds ?? 0),
      staleIfErrorSeconds: seconds('staleIfErrorSeconds', policy.staleIfErrorSeconds ?? 0),
      heuristicFraction: between('heuristicFraction', policy.heuristicFraction ?? 0, 0, 1),
    },
    browserSeconds: seconds('browserTtlSeconds', policy.browserTtlSeconds ?? 5),
    obeysDirectives: flag('honorRequestCacheControl', policy.honorRequestCacheControl ?? forwards),
    compresses: flag('compress', policy.compress ?? !forwards),
    maxBodyBytes: between('maxBodyBytes', policy.maxBodyBytes ?? 2 * 2 ** 20, 0, 2 ** 30),
    maxVariants: between('maxVariants', policy.maxVariants ?? 16, 1, 1_000),
    isShared: flag('shared', policy.shared ?? false),
    tagsOf: resolveTags(tags),
    vary,
    varyNames: vary.map(({ name }) => name),
    visibleHeaders: new Set(visibleHeaders),
    bypasses: resolveBypass(policy.bypass),
    bypassesCredentials: !flag('ignoreCredentials', ignoreCredentials) && !forwards,
    acknowledgesSkippedHooks: flag('acknowledgeSkippedHooks', policy.acknowledgeSkippedHooks ?? false),
  }
}

/** What is said at registration is said of routes whose handler we own; another server's answers may be for one client only. */
function withoutLifetimes({ ttlSeconds: _ttl, heuristicFraction: _fraction, ...others }: EdgePolicy): EdgePolicy {
  return others
}

/** Throws where the options would let `Cookie` or `Authorization` into responses that others get. */
function refuseCredentials(
  { ignoreCredentials, vary = [], unkeyedHeaders = [] }: EdgeRouteOptions,
  forwards: boolean,
): void {
  if (forwards && ignoreCredentials === true) {
    throw new InvalidEdgeOption('ignoreCredentials is for routes that do not forward: give the route ttlSeconds')
  }
  if (forwards) return
  const visible = unkeyedHeaders.find(isCredential)
  if (visible !== undefined) {
    throw new InvalidEdgeOption(
      `unkeyedHeaders must not name ${visible}, which differs by client: write ignoreCredentials: true and vary: [{ name: '${visible}', normalise }]`,
    )
  }
  for (const by of vary) {
    const name = typeof by === 'string' ? by : by.name
    if (!isCredential(name) || (ignoreCredentials === true && typeof by !== 'string')) continue
    throw new InvalidEdgeOption(
      `vary must not name ${name} by itself, because requests with it bypass the cache: write ignoreCredentials: true and vary: [{ name: '${name}', normalise }]`,
    )
  }
}

/** The option as a predicate: any truthy value bypasses. A promise, which is always truthy, is an error. */
function resolveBypass(bypass: EdgeRouteOptions['bypass']): ResolvedRoute['bypasses'] {
  if (bypass === undefined) return undefined
  if (typeof bypass !== 'function') throw new InvalidEdgeOption('bypass must be a function')
  const call = synchronous('bypass', bypass)
  return (request) => Boolean(call(request))
}

/** The function, which throws where it would give a promise; refused at once where it can only give promises. */
function synchronous<Given, Result>(name: string, call: (given: Given) => Result): (given: Given) => Result {
  if (call.constructor.name === 'AsyncFunction') {
    throw new InvalidEdgeOption(`${name} must be synchronous: await in an onRequest hook, and read the result here`)
  }
  return (given) => {
    const result = call(given)
    if (!isThenable(result)) return result
    Promise.resolve(result).catch(() => undefined) // a rejection that nobody awaits would end the process
    throw new AsyncEdgeOption(name)
  }
}

/** Whether a value is a promise, or anything else that `await` waits for. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function resolveTags(tags: NonNullable<EdgeRouteOptions['tags']>): ResolvedRoute['tagsOf'] {
  if (typeof tags === 'function') return synchronous('tags', tags)
  if (!Array.isArray(tags) || !tags.every(isTag)) throw new InvalidEdgeOption('tags must be a list of words')
  return () => tags
}

export function isTag(tag: unknown): tag is string {
  return typeof tag === 'string' && /^(?!\*$)\S{1,128}$/.test(tag)
}

function resolveVary(by: string | VaryBy): VaryBy {
  if (typeof by === 'string') {
    const name = fieldName(by)
    return { name, normalise: (value) => keyedValue(name, value) }
  }
  const { name, normalise } = by
  if (typeof normalise !== 'function') throw new InvalidEdgeOption('vary must be names, or { name, normalise }')
  return { name: fieldName(name), normalise: asText(normalise) }
}

/** What a program without types returns is a text as well, so that key and handler cannot differ. */
function asText(normalise: Normalise): Normalise {
  const call = synchronous('normalise', normalise)
  return (given) => {
    const value: unknown = call(given)
    return value === undefined || value === null ? undefined : String(value)
  }
}

function fieldName(name: string): string {
  if (typeof name === 'string' && token.test(name) && name !== '*') return name.toLowerCase()
  throw new InvalidEdgeOption('vary and unkeyedHeaders must name request fields, such as x-tenant')
}

function list<Item>(name: string, items: readonly Item[] = []): readonly Item[] {
  if (Array.isArray(items)) return items
  throw new InvalidEdgeOption(`${name} must be a list, such as ['x-tenant']`)
}

function flag(name: string, value: boolean): boolean {
  if (typeof value === 'boolean') return value
  throw new InvalidEdgeOption(`${name} must be true or false`)
}

function seconds(name: string, value: number): number {
  return between(name, value, 0, maxSeconds)
}

function between(name: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value
  throw new InvalidEdgeOption(`${name} must be a number from ${least} to ${most}`)
}

function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T // fewer of the same
}
