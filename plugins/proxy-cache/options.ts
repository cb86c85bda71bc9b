import type { FastifyRequest } from 'fastify'
import { booleanRule, numberRule, type RulesOf, resolveByRules } from '../option-rules.js'
import type { CacheContextOptions } from '../responses/cache-context.js'
import {
  completeByPolicy,
  type OptionErrors,
  policyOf,
  refuseMisplaced,
  resolveShared,
  type SharedSettings,
  sharedPluginRules,
  sharedPolicyRules,
  sharedRouteRules,
  type VaryBy,
} from '../responses/route-options.js'
import type { TagHeader } from '../responses/tag-header.js'
import { AsyncProxyCacheOption, InvalidProxyCacheOption } from './errors.js'

/** How responses are stored: for all routes when given at registration, for one route in its `config.proxyCache`. */
export interface ProxyCachePolicy {
  /** Seconds after freshness in which a response is served stale while it is refreshed in the background. Default 0. */
  readonly staleWhileRevalidateSeconds?: number
  /** Seconds after freshness in which it is served when the other server fails. Default 0. */
  readonly staleIfErrorSeconds?: number
  /**
   * Whether responses with `s-maxage` may be served stale, as CDNs do, though RFC 9111 §5.2.2.10 forbids it. Default false. For other
   * servers such as Next.js, which send `s-maxage` with `stale-while-revalidate`.
   */
  readonly staleWithSMaxage?: boolean
  /** Whether `Cache-Control` of requests is honoured. Default true. */
  readonly honorRequestCacheControl?: boolean
  /** Maximum size in bytes of a stored body; a larger response is sent but not stored. Default 2 MiB. */
  readonly maxBodyBytes?: number
  /** Maximum number of stored variants of one resource. Default 16. */
  readonly maxVariants?: number
  /** Whether responses are also stored in the shared store of `fastify.cache`. Default false. */
  readonly shared?: boolean
}

/** Options of one route, as `{ config: { proxyCache: {} } }`. */
export interface ProxyCacheRouteOptions extends ProxyCachePolicy {
  /**
   * Freshness lifetime in seconds of a response that states none. Default: none; such a response is not stored. Only for a route:
   * it says that the other server's responses are for all clients.
   */
  readonly ttlSeconds?: number
  /** Share of the time since `Last-Modified` that is the lifetime of a response that states none. Default 0. Only for a route. */
  readonly heuristicFraction?: number
  /** Tags in addition to those in the response field `tagHeader`. */
  readonly tags?: readonly string[] | ((request: FastifyRequest) => readonly string[])
  /** Request fields that are part of the key and in `Vary`, though the response does not name them. */
  readonly vary?: readonly (string | VaryBy)[]
  /**
   * Requests that are neither answered from the cache nor stored: those for which it returns a truthy value. It must be synchronous:
   * a promise fails the request with `VITRINE_PROXY_CACHE_ASYNC_OPTION`.
   */
  readonly bypass?: (request: FastifyRequest) => unknown
  /**
   * Whether hits may be sent before the route's `preParsing`, `preValidation` and `preHandler` hooks. Default false: a route
   * with such hooks sends hits after all of them, in the handler's place, and a warning at start names them.
   */
  readonly acknowledgeSkippedHooks?: boolean
}

/** Options of the plugin; each has a default. */
export interface ProxyCacheOptions extends ProxyCachePolicy {
  /** Its name in `Cache-Status`, a token. Default `Vitrine`. */
  readonly name?: string
  /** Response field with the tags, for caches in front. Default `Surrogate-Key`; `false`: none. */
  readonly tagHeader?: TagHeader | false
  /**
   * Maximum size in bytes of that field, up to 16,384. Default 4,096, which clients and proxies commonly accept. A response whose
   * tags do not fit is sent without them, and forbids caches in front to store it.
   */
  readonly maxTagHeaderBytes?: number
  /** Maximum size in bytes of the responses in memory. Default 64 MiB. */
  readonly maxMemoryBytes?: number
  /** Milliseconds that a request waits for another one in flight at most. Default 10,000. */
  readonly collapseTimeoutMs?: number
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

export interface ResolvedProxyCacheOptions extends CacheContextOptions {
  /** What routes take where they say nothing themselves. */
  readonly policy: ProxyCachePolicy
}

export interface ResolvedRoute extends SharedSettings {
  readonly honorsRequestCacheControl: boolean
  readonly isShared: boolean
}

const { ttlSeconds, ...sharedRules } = sharedPolicyRules

const policyRules = {
  ...sharedRules,
  staleWithSMaxage: booleanRule(false),
  honorRequestCacheControl: booleanRule(true),
  shared: booleanRule(false),
} satisfies RulesOf<ProxyCachePolicy>

export const routeRules = {
  ...policyRules,
  ...sharedRouteRules,
  ttlSeconds,
  heuristicFraction: numberRule(0, 0, 1),
} satisfies RulesOf<ProxyCacheRouteOptions>

export const pluginRules = { ...policyRules, ...sharedPluginRules } satisfies RulesOf<ProxyCacheOptions>

export const optionErrors: OptionErrors = {
  InvalidOption: InvalidProxyCacheOption,
  AsyncOption: AsyncProxyCacheOption,
}

/** Options that only make sense for a handler that generates the response. */
const edgeOptions = ['ignoreCredentials', 'unkeyedHeaders', 'browserTtlSeconds', 'staleTtlSeconds', 'compress']
const edgeAdvice = 'for a handler that generates the response, use fastify-vitrine/edge and config.edge'
/** Options of a route that say that the other server's responses are for all clients. */
const routeOnly = ['ttlSeconds', 'heuristicFraction']

/** Completes and checks the options at registration; throws `VITRINE_PROXY_CACHE_OPTION` for an unknown or invalid one. */
export function resolveOptions(options: ProxyCacheOptions): ResolvedProxyCacheOptions {
  refuseMisplaced(options, edgeOptions, edgeAdvice, optionErrors)
  const misplaced = routeOnly.find((name) => Reflect.get(options, name) !== undefined)
  if (misplaced !== undefined) {
    throw new InvalidProxyCacheOption(`${misplaced} is an option of a route: write it in config.proxyCache`)
  }
  const resolved = resolveByRules(options, pluginRules, InvalidProxyCacheOption)
  return { ...resolved, policy: policyOf(options, policyRules) }
}

/** The options of a route, completed by those of the registration; throws `VITRINE_PROXY_CACHE_OPTION` as above. */
export function resolveRoute(options: ProxyCacheRouteOptions, policy: ProxyCachePolicy): ResolvedRoute {
  const complete = completeByPolicy('proxyCache', options, policy, optionErrors)
  refuseMisplaced(complete, edgeOptions, edgeAdvice, optionErrors)
  const resolved = resolveByRules(complete, routeRules, InvalidProxyCacheOption)
  const settings = resolveShared(resolved, resolved, optionErrors)
  return {
    ...settings,
    freshness: { ...settings.freshness, staleWithSMaxage: resolved.staleWithSMaxage },
    honorsRequestCacheControl: resolved.honorRequestCacheControl,
    isShared: resolved.shared,
  }
}
