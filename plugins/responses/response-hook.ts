import type { CacheContext } from './cache-context.js'
import type { ResponseHook } from './cached-routes.js'
import { streamOf, unwrapResponse } from './payload.js'
import type { RequestContext } from './request-context.js'

/** Gives what is sent instead of the payload of the handler. */
export type Respond = (context: RequestContext, payload: unknown) => Promise<unknown>

/** The hooks of a route around what its cache does with responses. */
export function createResponseHook(cache: CacheContext, respond: Respond): ResponseHook {
  return {
    onSend(request, reply, payload, send) {
      const context = cache.forwarded.get(request)
      if (context === undefined) {
        send(null, payload)
        return undefined
      }
      context.beginResponse()
      const content = unwrapResponse(reply, payload)
      return respond(context, streamOf(content) ?? content).catch((error: unknown) => {
        cache.endUnstored(context)
        throw error
      })
    },
    /** The response to an error is not stored, whatever the handler has said before it. */
    onError(request, _reply, _error, done) {
      cache.forwarded.get(request)?.forbidStoring()
      done()
    },
  }
}
