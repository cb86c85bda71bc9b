import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { createError } from '@fastify/error'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import helmet from 'helmet'

export interface WebSafetyOptions {
  /** Requests a minute from one client address; 0 for no limit. */
  readonly rateLimitMax: number
}

/** Security headers on every answer, and a bound on what one client may ask for. */
export default fp(webSafety, { name: 'web-safety', fastify: '5.x' })

const RateLimited = createError<'VITRINE_RATE_LIMITED', 429, [max: number, after: string]>(
  'VITRINE_RATE_LIMITED',
  'More than %d requests in a minute came from this address; try again in %s',
  429,
)

async function webSafety(app: FastifyInstance, { rateLimitMax }: WebSafetyOptions): Promise<void> {
  const headers = safetyHeaders()
  app.addHook('onRequest', (_request, reply, next) => {
    reply.headers(headers)
    next()
  })
  if (rateLimitMax === 0) return
  await app.register(rateLimit, {
    max: rateLimitMax,
    timeWindow: '1 minute',
    errorResponseBuilder: (_request, { max, after }) => new RateLimited(max, after),
  })
}

/** What helmet sets, which is the same for every request: asked once, for asking costs more than a whole hit of the cache. */
function safetyHeaders(): OutgoingHttpHeaders {
  const response = new ServerResponse(new IncomingMessage(new Socket()))
  const set = helmet({
    contentSecurityPolicy: {
      useDefaults: false, // theirs allows inline styles, and turns http://127.0.0.1 into https
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: false, // belongs to whoever terminates TLS in front of us
  })
  set(response.req, response, (error) => {
    if (error !== undefined) throw error
  })
  return response.getHeaders()
}
