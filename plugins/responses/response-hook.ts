import type { FastifyReply, FastifyRequest } from 'fastify'
import { unstoredFields } from '../http/cdn-fields.js'
import type { CacheContext } from './cache-context.js'
import type { ResponseHook } from './cached-routes.js'
import { discard, streamOf, unwrapResponse } from './payload.js'
import { hasTrailers } from './prior-reply.js'
import { type ReplyFields, replyFields } from './reply-fields.js'
import type { RequestContext } from './request-context.js'
import { keepFromCaches, restoreReplayed } from './send.js'

/** Gives what is sent instead of the payload of the handler. */
export type Respond = (context: RequestContext, payload: unknown) => Promise<unknown>

/** The hooks of a route around what its cache does with responses. */
export function createResponseHook(cache: CacheContext, respond: Respond): ResponseHook {
  /** How responses were encoded before the other `onSend` hooks of the route. */
  const encodings = new WeakMap<FastifyRequest, unknown>()
  return {
    beforeHooks(request, reply, _payload, done) {
      encodings.set(request, reply.getHeader('content-encoding'))
      done()
    },
    onSend(request, reply, payload, send) {
      const isEncoded = encodings.has(request) && encodings.get(request) !== reply.getHeader('content-encoding')
      if (isEncoded) weakenEntityTag(reply)
      const context = cache.forwarded.get(request)
      if (context === undefined) {
        const replayed = cache.replayed.get(request)
        if (replayed === undefined) {
          keepRefusalFromCaches(reply)
          send(null, payload)
          return undefined
        }
        if (payload !== replayed.payload) discard(payload)
        const sent = restoreReplayed(reply, replayed)
        if (reply.hasHeader('set-cookie')) keepFromCaches(cache, reply, replayed.stored)
        send(null, sent)
        return undefined
      }
      context.beginResponse()
      const content = unwrapResponse(reply, payload)
      if (hasTrailers(reply)) context.forbidStoring() // a stored response has none
      return respond(context, streamOf(content) ?? content).catch((error: unknown) => {
        cache.endUnstored(context)
        throw error
      })
    },
    /** The response to an error is not stored, and has nothing of what the handler said of its response before. */
    onError(request, reply, _error, done) {
      const context = cache.forwarded.get(request)
      context?.forbidStoring()
      context?.restoreRequest() // for error handlers
      if (context !== undefined) restoreFields(reply, context.priorFields)
      done()
    },
  }
}

/** Fields that say of a response how long it is fresh, what changes it and which one it is. */
const ofOneResponse = [
  'age',
  'cache-control',
  'cache-groups',
  'cache-tag',
  'cdn-cache-control',
  'edge-cache-tag',
  'etag',
  'expires',
  'last-modified',
  'server-timing',
  'surrogate-control',
  'surrogate-key',
]

function restoreFields(reply: FastifyReply, prior: ReplyFields): void {
  for (const name of ofOneResponse) {
    const value = prior[name]
    if (value === undefined) reply.removeHeader(name)
    else reply.header(name, value)
  }
}

/** A hook or the validation has answered before the cache was asked, which may depend on the client. */
function keepRefusalFromCaches(reply: FastifyReply): void {
  if (reply.hasHeader('cache-control')) return
  reply.headers(unstoredFields(replyFields(reply), { isPersonal: true }))
}

/** An `onSend` hook has sent other bytes than those that the strong tag names. RFC 9110 §8.8.1. */
function weakenEntityTag(reply: FastifyReply): void {
  const etag: unknown = reply.getHeader('etag')
  if (typeof etag === 'string' && !etag.startsWith('W/')) reply.header('etag', `W/${etag}`)
}
