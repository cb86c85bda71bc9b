import type { FastifyInstance, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { cacheRoutes, type RouteCache } from '../responses/cached-routes.js'
import type { HttpCacheStats } from '../responses/counters.js'
import { invalidate } from '../responses/invalidation.js'
import { createResponseHook } from '../responses/response-hook.js'
import { checkPurge, purgeMatch, type ResponsePurge, type ResponsePurgeResult } from '../responses/response-purge.js'
import { RouteConstraints } from '../responses/route-constraints.js'
import { resolveForRoute } from '../responses/route-options.js'
import { createTargetKeyOf } from '../responses/target-key.js'
import { invalidateAfterUnsafeRequests } from '../responses/unsafe-requests.js'
import { Warnings } from '../responses/warnings.js'
import { InvalidProxyCacheOption, LateHooks } from './errors.js'
import { ProxyCacheRequestHook } from './on-request.js'
import { ProxyCacheResponder } from './on-send.js'
import {
  optionErrors,
  type ProxyCacheOptions,
  type ProxyCacheRouteOptions,
  resolveOptions,
  resolveRoute,
} from './options.js'
import { ProxyCacheContext } from './proxy-cache-context.js'

export type { HttpCacheStats as ProxyCacheStats, Outcome } from '../responses/counters.js'
export type { ResponsePurge, ResponsePurgeResult } from '../responses/response-purge.js'
export type { VaryBy } from '../responses/route-options.js'
export type { TagHeader } from '../responses/tag-header.js'
export { AsyncProxyCacheOption, InvalidProxyCacheOption, LateHooks, OnlyIfCached } from './errors.js'
export type { ProxyCacheOptions, ProxyCachePolicy, ProxyCacheRouteOptions } from './options.js'

/** `fastify.proxyCache`. */
export interface ProxyCache {
  stats(): HttpCacheStats
  /**
   * Removes responses from the memory of this process, also those that are being fetched, and from the shared store if a route has
   * `shared: true`.
   */
  purge(purge: ResponsePurge): Promise<ResponsePurgeResult>
}

declare module 'fastify' {
  interface FastifyInstance {
    proxyCache: ProxyCache
  }

  interface FastifyContextConfig {
    /** Stores the responses of the server that the route forwards to. `false`: not this route. */
    proxyCache?: ProxyCacheRouteOptions | false
  }
}

/**
 * A shared HTTP cache (RFC 9111) for the routes with `config: { proxyCache: {} }`, whose handler forwards to another server: its
 * responses decide. A hit is sent in the place of the handler: at the end of `onRequest` if the route has no later hooks, else after
 * all of them.
 */
export default fp(proxyCachePlugin, { name: 'fastify-vitrine/proxy-cache', fastify: '5.x' })

async function proxyCachePlugin(app: FastifyInstance, options: ProxyCacheOptions): Promise<void> {
  const resolved = resolveOptions(options)
  const cache = new ProxyCacheContext(app, resolved)
  const constraints = new RouteConstraints()
  app.decorate('proxyCache', { stats: () => cache.stats, purge })
  invalidateAfterUnsafeRequests(app, async (request, response) => {
    const places = invalidate(cache, request, response)
    if (cache.hasSharedRoutes && places.length > 0) await cache.shared?.delete(places)
  })
  app.addHook('onReady', async () => constraints.check(InvalidProxyCacheOption))
  cacheRoutes(app, { kind: 'proxy-cache', createRouteCache, LateHooks })

  async function purge(given: ResponsePurge): Promise<ResponsePurgeResult> {
    const checked = checkPurge(given, InvalidProxyCacheOption)
    const removed = cache.purge(purgeMatch(checked))
    if (cache.hasSharedRoutes) await cache.shared?.purge(checked)
    return { removed }
  }

  function createRouteCache(route: RouteOptions): RouteCache | undefined {
    constraints.note(route)
    const proxyCache = route.config?.proxyCache
    if (proxyCache === undefined || proxyCache === false) return undefined
    const settings = resolveForRoute(route, 'edge', optionErrors, () => resolveRoute(proxyCache, resolved.policy))
    cache.hasSharedRoutes ||= settings.isShared
    constraints.noteCached(route, settings.varyNames)
    const warnings = new Warnings(app.log, 'proxy-cache', route)
    return {
      requestHook: new ProxyCacheRequestHook(cache, settings, createTargetKeyOf(route, cache.originOf), warnings),
      responseHook: createResponseHook(cache, new ProxyCacheResponder(cache, settings, warnings).respond),
      acknowledgesSkippedHooks: settings.acknowledgesSkippedHooks,
    }
  }
}
