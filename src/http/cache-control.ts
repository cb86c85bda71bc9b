import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** No cache stores the response. `private`, because some caches ignore `no-store`. */
export const notStored = 'private, no-store'

/** Responses of routes without an edge cache are not stored by any cache. Register it before the routes. */
export default fp(cacheControl, { name: 'cache-control', fastify: '5.x' })

async function cacheControl(app: FastifyInstance): Promise<void> {
  app.addHook('onRequest', (request, reply, next) => {
    const { edge = false } = request.routeOptions.config
    if (edge === false) reply.header('cache-control', notStored) // the edge decides for its routes
    next()
  })
}
