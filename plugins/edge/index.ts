import type { FastifyInstance, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { cacheBrand } from '../cache/brand.js'
import type { Cache } from '../cache/index.js'
import { BackgroundRefreshes } from '../responses/background-refresh.js'
import { Backoff } from '../responses/backoff.js'
import { InFlightRequests } from '../responses/collapsing.js'
import { Counters, type HttpCacheStats } from '../responses/counters.js'
import { ResponseStore } from '../responses/response-store.js'
import type { EdgeParts } from './edge-parts.js'
import { EdgeRoute } from './edge-route.js'
import { InvalidEdgeOption } from './errors.js'
import { LastHook, listOf, type SkippedHook } from './hook-position.js'
import { Invalidations } from './invalidations.js'
import { createKeyOf } from './key.js'
import { type EdgeOptions, type EdgeRouteOptions, resolveOptions, resolveRoute } from './options.js'
import { Reception } from './reception.js'
import { SharedResponses } from './shared-responses.js'

export type { HttpCacheStats, Outcome } from '../responses/counters.js'
export type { TagHeader } from '../responses/tag-header.js'
export { AsyncEdgeOption, InvalidEdgeOption, LateHooks, OnlyIfCached } from './errors.js'
export type { EdgeOptions, EdgePolicy, EdgeRouteOptions, VaryBy } from './options.js'

/** What the plugin tells of itself. */
export interface Edge {
  stats(): HttpCacheStats
}

declare module 'fastify' {
  interface FastifyInstance {
    edge: Edge
  }

  interface FastifyContextConfig {
    /** Keeps what the route answers, and answers with it. `false`: not this route. */
    edge?: EdgeRouteOptions | false
  }
}

/**
 * A shared HTTP cache in front of the handlers of routes that ask for it with `config: { edge: {} }`. RFC 9111. A hit is sent
 * instead of running the handler: at the end of `onRequest` where the route has no later hooks, else after all of them.
 */
export default fp(edgePlugin, { name: 'fastify-vitrine/edge', fastify: '5.x' })

async function edgePlugin(app: FastifyInstance, options: EdgeOptions): Promise<void> {
  const resolved = resolveOptions(options)
  const parts: EdgeParts = {
    isClosing: false,
    options: resolved,
    resources: new ResponseStore(resolved.maxMemoryBytes),
    flights: new InFlightRequests(resolved),
    pauses: new Backoff(resolved.now),
    invalidations: new Invalidations(),
    exchanges: new WeakMap(),
    refreshes: new BackgroundRefreshes(app),
    tally: new Counters(),
    log: app.log,
    cache: undefined,
    shared: undefined,
  }
  const { resources, tally } = parts
  app.decorate('edge', {
    stats: () => ({
      requests: { ...tally.requests },
      stored: tally.stored,
      memory: { ...resources.size, maxBytes: resolved.maxMemoryBytes },
    }),
  })
  const ours = new WeakSet<object>()
  /** Each places the hooks of one route, once those of all plugins are known. */
  const placings: (() => void)[] = []
  app.addHook('onReady', async () => {
    const cache: unknown = app.hasDecorator('cache') ? app.cache : undefined
    parts.cache = isCache(cache) ? cache : undefined
    parts.shared = parts.cache && new SharedResponses(parts.cache)
    for (const place of placings) place()
  })
  app.addHook('preClose', async () => {
    parts.isClosing = true
  })
  app.addHook('onClose', () => parts.refreshes.close())
  app.addHook('onRoute', function (route) {
    const edge = route.config?.edge
    if (edge === undefined || edge === false) return
    if (listOf<object>(route.onRequest).some((hook) => ours.has(hook))) return // Fastify's own HEAD route, which has those of its GET
    const settings = resolveRouteOf(route, edge)
    const edgeRoute = new EdgeRoute(parts, settings, createKeyOf(route, settings.forwards))
    const { receive, fail } = new Reception(parts, settings)
    ours.add(edgeRoute.onRequest)
    route.handler = edgeRoute.wrap(route.handler)
    const hook = new LastHook(route, edgeRoute.onRequest)
    placings.push(() => {
      const skipped = hook.findSkipped(this)
      const isEarly = skipped?.every(({ kind }) => kind !== 'onRequest' && settings.acknowledgesSkippedHooks) === true
      edgeRoute.position = isEarly ? 'onRequest' : 'handler'
      if (!isEarly && route.method !== 'HEAD') warnOfLaterHooks(app, route, skipped)
    })
    route.onError = [...listOf<typeof fail>(route.onError), fail]
    // Fastify's own HEAD routes have a hook that takes the body away: what we say of the response depends on it.
    const onSend = listOf<typeof receive>(route.onSend)
    route.onSend = route.method === 'HEAD' ? [receive, ...onSend] : [...onSend, receive]
  })

  function resolveRouteOf({ method, url }: RouteOptions, edge: EdgeRouteOptions) {
    try {
      return resolveRoute(edge, resolved.defaults)
    } catch (error) {
      if (!(error instanceof InvalidEdgeOption)) throw error
      throw new InvalidEdgeOption(`${method} ${url}: ${error.message.replace(/^edge: /, '')}`)
    }
  }
}

/** Whether the value is the cache that `fastify-vitrine/cache` decorates an application with. */
function isCache(value: unknown): value is Cache {
  return typeof value === 'object' && value !== null && cacheBrand in value
}

/** Hits of the route cost more than they need to, which the hooks may be worth, or not. */
function warnOfLaterHooks(
  app: FastifyInstance,
  { method, url }: RouteOptions,
  hooks: readonly SkippedHook[] | undefined,
): void {
  const names = hooks?.map(({ kind, name }) => `${kind} ${name}`.trim())
  const advice =
    hooks === undefined
      ? 'register the edge after plugins that wrap hooks'
      : 'use onRequest hooks, or set acknowledgeSkippedHooks: true to skip these'
  app.log.warn(
    { kind: 'edge', method, url, hooks: names },
    `edge hits of this route are served after its hooks: ${advice}`,
  )
}
