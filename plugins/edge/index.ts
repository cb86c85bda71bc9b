import type { FastifyInstance, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { CacheContext } from '../responses/cache-context.js'
import { cacheRoutes, type RouteCache } from '../responses/cached-routes.js'
import type { HttpCacheStats } from '../responses/counters.js'
import { invalidate } from '../responses/invalidation.js'
import { createResponseHook } from '../responses/response-hook.js'
import { checkPurge, purgeMatch, type ResponsePurge, type ResponsePurgeResult } from '../responses/response-purge.js'
import { RouteConstraints } from '../responses/route-constraints.js'
import { resolveForRoute } from '../responses/route-options.js'
import { invalidateAfterUnsafeRequests } from '../responses/unsafe-requests.js'
import { Warnings } from '../responses/warnings.js'
import { InvalidEdgeOption, LateHooks } from './errors.js'
import { RouteKeys } from './key.js'
import { EdgeRequestHook } from './on-request.js'
import { EdgeResponder } from './on-send.js'
import { type EdgeOptions, type EdgeRouteOptions, optionErrors, resolveOptions, resolveRoute } from './options.js'
import { validatesUnkeyed } from './required-headers.js'

export type { HttpCacheStats as EdgeStats, Outcome } from '../responses/counters.js'
export type { ResponsePurge, ResponsePurgeResult } from '../responses/response-purge.js'
export type { VaryBy } from '../responses/route-options.js'
export type { TagHeader } from '../responses/tag-header.js'
export { AsyncEdgeOption, InvalidEdgeOption, LateHooks } from './errors.js'
export type { EdgeOptions, EdgePolicy, EdgeRouteOptions } from './options.js'

/** `fastify.edge`. */
export interface Edge {
  stats(): HttpCacheStats
  /**
   * Removes responses from the memory of this process, also those that are being generated. Data in `fastify.cache` stay:
   * `fastify.cache.purge` removes them, and the responses rendered from them, in all processes.
   */
  purge(purge: ResponsePurge): Promise<ResponsePurgeResult>
}

declare module 'fastify' {
  interface FastifyInstance {
    edge: Edge
  }

  interface FastifyContextConfig {
    /** Stores the responses of the route, and answers with them. `false`: not this route. */
    edge?: EdgeRouteOptions | false
  }
}

/**
 * A shared HTTP cache for the routes with `config: { edge: {} }`, whose handler generates the response. A hit is sent in the place of
 * the handler: at the end of `onRequest` if the route has no later hooks, else after all of them.
 */
export default fp(edgePlugin, { name: 'fastify-vitrine/edge', fastify: '5.x' })

async function edgePlugin(app: FastifyInstance, options: EdgeOptions): Promise<void> {
  const resolved = resolveOptions(options)
  const cache = new CacheContext(app, resolved)
  const constraints = new RouteConstraints()
  app.decorate('edge', {
    stats: () => cache.stats,
    purge: async (purge) => ({ removed: cache.purge(purgeMatch(checkPurge(purge, InvalidEdgeOption))) }),
  })
  invalidateAfterUnsafeRequests(app, async (request, response) => invalidate(cache, request, response))
  app.addHook('onReady', async () => constraints.check(InvalidEdgeOption))
  cacheRoutes(app, { kind: 'edge', createRouteCache, LateHooks })

  function createRouteCache(route: RouteOptions, instance: FastifyInstance): RouteCache | undefined {
    constraints.note(route)
    const edge = route.config?.edge
    if (edge === undefined || edge === false) return undefined
    const settings = resolveForRoute(route, 'proxyCache', optionErrors, () => resolveRoute(edge, resolved.policy))
    constraints.noteCached(route, settings.varyNames)
    const warnings = new Warnings(app.log, 'edge', route)
    const keys = new RouteKeys(route)
    const requestHook = new EdgeRequestHook(cache, settings, keys.keyOf, warnings)
    // Schemas that the route refers to may be added until the application is ready.
    app.addHook('onReady', async () => {
      const schemas = instance.getSchemas()
      const findSchema = (id: string) => (Object.hasOwn(schemas, id) ? schemas[id] : undefined)
      const { isTarget, openReason } = keys.complete(findSchema)
      const isValidatedFirst = validatesUnkeyed(route, settings, isTarget, findSchema)
      if (isValidatedFirst && !settings.acknowledgesSkippedHooks) requestHook.position = 'handler'
      if (openReason !== undefined && route.method !== 'HEAD') warnings.warnOnce(completeUriWarning(openReason))
    })
    return {
      requestHook,
      responseHook: createResponseHook(cache, new EdgeResponder(cache, settings, warnings).respond),
      acknowledgesSkippedHooks: settings.acknowledgesSkippedHooks,
    }
  }
}

function completeUriWarning(openReason: string): string {
  return `the key of this route is the complete URI, because its query schema has no complete list of parameters: ${openReason}`
}
