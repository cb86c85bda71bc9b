import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ReceivedResponse } from '../http/freshness.js'
import { isSafe } from '../http/methods.js'
import { listOf } from './hook-position.js'
import { unwrapResponse } from './payload.js'
import { replyFields } from './reply-fields.js'

/** Removes what the unsafe request has changed. */
export type Invalidate = (
  request: FastifyRequest,
  response: Pick<ReceivedResponse, 'status' | 'fields'>,
) => Promise<unknown>

/**
 * Invalidates after the unsafe requests of all routes, also of those without a cache, before their clients have the response.
 * Routes of safe methods have no hook. RFC 9111 §4.4.
 */
export function invalidateAfterUnsafeRequests(app: FastifyInstance, invalidate: Invalidate): void {
  const invalidated = new WeakSet<FastifyRequest>()
  const run = (request: FastifyRequest, reply: FastifyReply) => {
    invalidated.add(request)
    return invalidate(request, { status: reply.statusCode, fields: replyFields(reply) })
  }
  const onSend = async (request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
    const content = unwrapResponse(reply, payload)
    if (!isSafe(request.method)) await run(request, reply)
    return content
  }
  /** Of a reply that the handler has sent itself, past the `onSend` hooks. */
  const onResponse = async (request: FastifyRequest, reply: FastifyReply) => {
    if (!isSafe(request.method) && !invalidated.has(request)) await run(request, reply)
  }
  app.addHook('onRoute', (route) => {
    if (listOf<string>(route.method).every(isSafe)) return
    route.onSend = [...listOf<typeof onSend>(route.onSend), onSend]
    route.onResponse = [...listOf<typeof onResponse>(route.onResponse), onResponse]
  })
}
