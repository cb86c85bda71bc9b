import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { entityTagOf, isNotModified } from './conditional.js'

/** Options of one route, as `{ config: { edge: {} } }`. There are none yet: the route takes part, or it does not. */
export type EdgeRouteOptions = Readonly<Record<never, never>>

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Lets clients ask whether what they have is still what the route answers. */
    edge?: EdgeRouteOptions | false
  }
}

/**
 * Validation for routes that ask for it: their answers carry an `ETag` and `Cache-Control: no-cache` unless the handler
 * said otherwise, and a client that has the answer already gets a 304 without a body. RFC 9110 §13, RFC 9111 §5.2.2.4.
 *
 * Nothing is stored: the handler runs for every request.
 */
export default fp(edgePlugin, { name: 'fastify-vitrine/edge', fastify: '5.x' })

async function edgePlugin(app: FastifyInstance): Promise<void> {
  app.addHook('onRoute', (route) => {
    if (!route.config?.edge) return
    const others = route.onSend === undefined ? [] : [route.onSend].flat()
    // Before the hook by which Fastify's own HEAD routes take the body away, and only once there.
    if (!others.includes(validate)) route.onSend = [validate, ...others]
  })
}

async function validate(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (!isRead || reply.statusCode !== 200) return payload
  const isWhole = typeof payload === 'string' || payload instanceof Uint8Array
  if (isWhole && !reply.hasHeader('etag')) reply.header('etag', entityTagOf(payload))
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-cache')

  const entityTag = reply.getHeader('etag')
  if (typeof entityTag !== 'string' || !isNotModified(request.headers['if-none-match'], entityTag)) return payload
  reply.code(304).removeHeader('content-type').removeHeader('content-length')
  if (request.method === 'HEAD') return payload // Fastify's own hook takes it away and says how long it is
  if (payload instanceof Readable) payload.destroy() // nobody will read it
  return null // not '': that would say that the representation has no bytes, RFC 9110 §8.6
}
