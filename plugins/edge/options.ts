import type { FastifyRequest } from 'fastify'
import { isCredential } from '../http/request-fields.js'
import { booleanRule, type RulesOf, resolveByRules, rule } from '../option-rules.js'
import type { CacheContextOptions } from '../responses/cache-context.js'
import {
  completeByPolicy,
  fieldName,
  type OptionErrors,
  policyOf,
  refuseMisplaced,
  resolveShared,
  type SharedSettings,
  secondsRule,
  sharedPluginRules,
  sharedPolicyRules,
  sharedRouteRules,
  type VaryBy,
} from '../responses/route-options.js'
import type { TagHeader } from '../responses/tag-header.js'
import { AsyncEdgeOption, InvalidEdgeOption } from './errors.js'

/** How responses are stored: for all routes when given at registration, for one route in its `config.edge`. */
export interface EdgePolicy {
  /** Freshness lifetime in seconds of a response that states none. Default: none; such a response is not stored. */
  readonly ttlSeconds?: number
  /** Seconds after that in which it is served stale while it is regenerated in the background. Default 0. */
  readonly staleWhileRevalidateSeconds?: number
  /** Seconds after freshness in which it is served when the handler fails. Default 0. */
  readonly staleIfErrorSeconds?: number
  /** Lifetime in seconds for browsers, which no purge reaches, of a response that states none. Default 5. */
  readonly browserTtlSeconds?: number
  /**
   * Seconds for which a response is stored that was rendered from a stale value of `fastify.cache`, at most until the value changes.
   * Default 2; 0: such a response is not stored.
   */
  readonly staleTtlSeconds?: number
  /** Whether gzip and Brotli variants are made. Default true. */
  readonly compress?: boolean
  /** Maximum size in bytes of a stored body; a larger response is sent but not stored. Default 2 MiB. */
  readonly maxBodyBytes?: number
  /** Maximum number of stored variants of one resource. Default 16. */
  readonly maxVariants?: number
  /**
   * Properties that hooks derive from the credentials of a request. While the handler of a route with `ignoreCredentials: true`
   * runs, reading one throws `VITRINE_EDGE_MASKED`. Default `session`, `user` and `cookies`.
   */
  readonly maskedProperties?: readonly string[]
}

/** Options of one route, as `{ config: { edge: {} } }`. */
export interface EdgeRouteOptions extends EdgePolicy {
  /** Tags in addition to those of the data that the handler reads from `fastify.cache`. Sees what the handler sees. */
  readonly tags?: readonly string[] | ((request: FastifyRequest) => readonly string[])
  /** Request fields that the handler reads. They are part of the key, and in `Vary`. */
  readonly vary?: readonly (string | VaryBy)[]
  /** Request fields that the handler may read though its response does not depend on them, such as `traceparent`. */
  readonly unkeyedHeaders?: readonly string[]
  /**
   * Properties of the request that the handler may read though its response does not depend on them: `id`, which is otherwise a
   * random one, or one of `maskedProperties`.
   */
  readonly unkeyedProperties?: readonly string[]
  /**
   * Requests that are neither answered from the cache nor stored: those for which it returns a truthy value. Sees the complete
   * request. It must be synchronous: a promise fails the request with `VITRINE_EDGE_ASYNC_OPTION`.
   */
  readonly bypass?: (request: FastifyRequest) => unknown
  /**
   * Whether responses do not depend on `Cookie` and `Authorization`. Default false: a request with either of them bypasses the
   * cache. When true such requests are answered from the cache and stored, and the handler sees neither field, nor
   * the properties of the option `maskedProperties`, which hooks derive from them.
   */
  readonly ignoreCredentials?: boolean
  /**
   * Whether hits may be sent before the route's `preParsing`, `preValidation` and `preHandler` hooks. Default false: a route
   * with such hooks sends hits after all of them, in the handler's place, and a warning at start names them.
   */
  readonly acknowledgeSkippedHooks?: boolean
}

/** Options of the plugin; each has a default. */
export interface EdgeOptions extends EdgePolicy {
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

export interface ResolvedEdgeOptions extends CacheContextOptions {
  /** What routes take where they say nothing themselves. */
  readonly policy: EdgePolicy
}

export interface ResolvedRoute extends SharedSettings {
  readonly browserTtlSeconds: number
  readonly staleTtlSeconds: number
  readonly compress: boolean
  readonly unkeyedHeaders: ReadonlySet<string>
  readonly unkeyedProperties: ReadonlySet<string>
  /** Properties of the request that the handler must not read. */
  readonly maskedProperties: readonly string[]
  /** Whether requests with `Cookie` or `Authorization` bypass the cache. */
  readonly bypassesCredentials: boolean
}

/** Properties of Fastify that are masked otherwise, or that do not depend on the client. */
const ownProperties = [
  'body',
  'headers',
  'id',
  'log',
  'method',
  'originalUrl',
  'params',
  'query',
  'raw',
  'routeOptions',
  'server',
  'url',
]

const propertiesRule = (defaultValue: readonly string[], isAllowed: (name: string) => boolean, expected: string) =>
  rule<readonly string[]>(
    defaultValue,
    (value) =>
      Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '' && isAllowed(name)),
    expected,
  )

const policyRules = {
  ...sharedPolicyRules,
  maskedProperties: propertiesRule(
    ['session', 'user', 'cookies'],
    (name) => !ownProperties.includes(name),
    "a list of properties that hooks add to requests, such as ['session', 'user']",
  ),
  browserTtlSeconds: secondsRule(5),
  staleTtlSeconds: secondsRule(2),
  compress: booleanRule(true),
} satisfies RulesOf<EdgePolicy>

export const routeRules = {
  ...policyRules,
  ...sharedRouteRules,
  unkeyedHeaders: rule<readonly string[]>([], Array.isArray, "a list, such as ['traceparent']"),
  unkeyedProperties: propertiesRule([], () => true, "a list of properties of requests, such as ['id']"),
  ignoreCredentials: booleanRule(false),
} satisfies RulesOf<EdgeRouteOptions>

export const pluginRules = { ...policyRules, ...sharedPluginRules } satisfies RulesOf<EdgeOptions>

export const optionErrors: OptionErrors = { InvalidOption: InvalidEdgeOption, AsyncOption: AsyncEdgeOption }

/** Options that belong to a cache for routes that forward. */
const proxyCacheOptions = ['forwards', 'heuristicFraction', 'honorRequestCacheControl', 'shared', 'staleWithSMaxage']
const proxyCacheAdvice = 'for a route that forwards, use fastify-vitrine/proxy-cache and config.proxyCache'

/** Completes and checks the options at registration; throws `VITRINE_EDGE_OPTION` for an unknown or invalid one. */
export function resolveOptions(options: EdgeOptions): ResolvedEdgeOptions {
  refuseMisplaced(options, proxyCacheOptions, proxyCacheAdvice, optionErrors)
  const resolved = resolveByRules(options, pluginRules, InvalidEdgeOption)
  return { ...resolved, policy: policyOf(options, policyRules) }
}

/** The options of a route, completed by those of the registration; throws `VITRINE_EDGE_OPTION` as above. */
export function resolveRoute(options: EdgeRouteOptions, policy: EdgePolicy): ResolvedRoute {
  const complete = completeByPolicy('edge', options, policy, optionErrors)
  refuseMisplaced(complete, proxyCacheOptions, proxyCacheAdvice, optionErrors)
  const resolved = resolveByRules(complete, routeRules, InvalidEdgeOption)
  const shared = resolveShared(resolved, { heuristicFraction: 0 }, optionErrors)
  const unkeyedHeaders = resolved.unkeyedHeaders.map((name) => fieldName('unkeyedHeaders', name, optionErrors))
  refuseCredentials(resolved)
  return {
    ...shared,
    browserTtlSeconds: resolved.browserTtlSeconds,
    staleTtlSeconds: resolved.staleTtlSeconds,
    compress: resolved.compress,
    unkeyedHeaders: new Set(unkeyedHeaders),
    unkeyedProperties: new Set(resolved.unkeyedProperties),
    maskedProperties: resolved.ignoreCredentials ? maskedProperties(resolved, shared.varyNames) : [],
    bypassesCredentials: !resolved.ignoreCredentials,
  }
}

/** `request.cookies` shows the normalised field of a route that varies by `Cookie`. */
function maskedProperties(
  { maskedProperties, unkeyedProperties }: Required<Pick<EdgeRouteOptions, 'maskedProperties' | 'unkeyedProperties'>>,
  varyNames: readonly string[],
): readonly string[] {
  const isShown = (name: string) =>
    unkeyedProperties.includes(name) || (name === 'cookies' && varyNames.includes('cookie'))
  return [...new Set(maskedProperties)].filter((name) => !isShown(name))
}

type CredentialOptions = Required<Pick<EdgeRouteOptions, 'ignoreCredentials' | 'vary' | 'unkeyedHeaders'>>

/** Throws where the options would let `Cookie` or `Authorization` into responses for other clients. */
function refuseCredentials({ ignoreCredentials, vary, unkeyedHeaders }: CredentialOptions): void {
  const unkeyed = unkeyedHeaders.find(isCredential)
  if (unkeyed !== undefined) {
    throw new InvalidEdgeOption(
      `unkeyedHeaders must not name ${unkeyed}, which differs by client: write ignoreCredentials: true and vary: [{ name: '${unkeyed}', normalise }]`,
    )
  }
  for (const by of vary) {
    const name = typeof by === 'string' ? by : by.name
    if (!isCredential(name) || (ignoreCredentials && typeof by !== 'string')) continue
    throw new InvalidEdgeOption(
      `vary must not name ${name} by itself, because requests with it bypass the cache: write ignoreCredentials: true and vary: [{ name: '${name}', normalise }]`,
    )
  }
}
