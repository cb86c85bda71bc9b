import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import type { EdgeParts } from './edge-parts.js'
import { EdgeRoute } from './edge-route.js'
import { Flights } from './flights.js'
import { Invalidations } from './invalidations.js'
import { createKeyOf } from './key.js'
import { type EdgeOptions, type EdgeRouteOptions, resolveOptions, resolveRoute } from './options.js'
import { Pauses } from './pauses.js'
import { Reception } from './reception.js'
import { Refreshes } from './refreshes.js'
import { Resources } from './resources.js'
import { SharedResponses } from './shared-responses.js'
import { type EdgeStats, Tally } from './tally.js'

export { InvalidEdgeOption, OnlyIfCached } from './errors.js'
export type { EdgeOptions, EdgePolicy, EdgeRouteOptions, TagHeader, VaryBy } from './options.js'
export type { EdgeStats, Outcome } from './tally.js'

/** What the plugin tells of itself. */
export interface Edge {
  stats(): EdgeStats
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
 * A shared HTTP cache in front of the handlers of routes that ask for it with `config: { edge: {} }`. What it keeps is sent
 * before the handler, and the hooks between, are run. RFC 9111.
 */
export default fp(edgePlugin, { name: 'fastify-vitrine/edge', fastify: '5.x' })

type AnswerHook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void

async function edgePlugin(app: FastifyInstance, options: EdgeOptions): Promise<void> {
  const resolved = resolveOptions(options)
  const parts: EdgeParts = {
    isClosing: false,
    options: resolved,
    resources: new Resources(resolved.maxMemoryBytes),
    flights: new Flights(resolved),
    pauses: new Pauses(resolved.now),
    invalidations: new Invalidations(),
    exchanges: new WeakMap(),
    refreshes: new Refreshes(app),
    tally: new Tally(),
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
  app.addHook('onReady', async () => {
    parts.cache = app.hasDecorator('cache') ? app.cache : undefined
    parts.shared = parts.cache && new SharedResponses(parts.cache)
  })
  app.addHook('preClose', async () => {
    parts.isClosing = true
  })
  app.addHook('onClose', () => parts.refreshes.close())
  app.addHook('onRoute', (route) => {
    const edge = route.config?.edge
    if (edge === undefined || edge === false) return
    if (listOf(route.onRequest).some((hook) => ours.has(hook))) return // Fastify's own HEAD route, which has those of its GET
    const settings = resolveRoute(edge, resolved.defaults)
    const { answer } = new EdgeRoute(parts, settings, createKeyOf(route, settings.forwards))
    const { receive, fail } = new Reception(parts, settings)
    if (route.method !== 'HEAD') warnOfHooksBehind(app, route) // its GET has been
    ours.add(answer)
    route.onRequest = [...listOf(route.onRequest), answer satisfies AnswerHook]
    route.onError = [...listOf(route.onError), fail]
    // Fastify's own HEAD routes have a hook that takes the body away: what we say of the response depends on it.
    route.onSend = route.method === 'HEAD' ? [receive, ...listOf(route.onSend)] : [...listOf(route.onSend), receive]
  })
}

function listOf<Hook>(hooks: Hook | Hook[] | undefined): Hook[] {
  return hooks === undefined ? [] : ([hooks].flat() as Hook[]) // a list of hooks has no lists in it
}

/** They run only where a handler does, which is easily forgotten where they let some in and others not. */
function warnOfHooksBehind(app: FastifyInstance, route: RouteOptions): void {
  const behind = (['preParsing', 'preValidation', 'preHandler'] as const).filter(
    (hook) => listOf<unknown>(route[hook]).length > 0,
  )
  if (behind.length === 0) return
  const { method, url } = route
  app.log.warn(
    { kind: 'edge', method, url, hooks: behind },
    'hooks behind the edge do not run for what it answers itself',
  )
}
