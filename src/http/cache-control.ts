import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'

/** No cache stores the response. `private`, because some caches ignore `no-store`. */
export const notStored = 'private, no-store'

/** Responses of routes without an edge cache are not stored by any cache. Register it before the routes. */
export default fp(cacheControl, { name: 'cache-control', fastify: '5.x' })

async function cacheControl(app: FastifyInstance): Promise<void> {
  const forbidStoring: onRequestHookHandler = (_request, reply, next) => {
    reply.header('cache-control', notStored)
    next()
  }
  // Not a hook of the instance that looks at the route: a hit of the edge need not pay for it.
  app.addHook('onRoute', (route) => {
    const { edge = false } = route.config ?? {}
    if (edge === false) route.onRequest = [forbidStoring, ...[route.onRequest ?? []].flat()]
  })
  app.addHook('onRequest', (request, reply, next) => {
    if (request.is404) reply.header('cache-control', notStored)
    next()
  })
}
