import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { createError } from '@fastify/error'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import helmet from 'helmet'
import { networkOf } from './client-address.js'

export interface SecurityOptions {
  /** Requests per minute from one client address, or one /64 of IPv6; 0 for no limit. */
  readonly rateLimitMax: number
}

/** Security headers on every response, and a rate limit per client address. */
export default fp(security, { name: 'security', fastify: '5.x', dependencies: ['proxies'] })

/** The address that was counted longest ago is dropped first. */
const maxAddresses = 20_000

const RateLimited = createError<'VITRINE_RATE_LIMITED', 429, [max: number, after: string]>(
  'VITRINE_RATE_LIMITED',
  'More than %d requests per minute from this client address; retry in %s',
  429,
)

async function security(app: FastifyInstance, { rateLimitMax }: SecurityOptions): Promise<void> {
  const headers = createSecurityHeaders()
  app.addHook('onRequest', (_request, reply, next) => {
    reply.headers(headers)
    next()
  })
  if (rateLimitMax === 0) return
  await app.register(rateLimit, {
    max: rateLimitMax,
    timeWindow: '1 minute',
    cache: maxAddresses,
    keyGenerator: ({ clientAddress }) => networkOf(clientAddress),
    errorResponseBuilder: (_request, { max, after }) => new RateLimited(max, after),
  })
  // Requests without a route have no hooks of a route. Their limit comes before their body is parsed.
  const limitUnknown = app.rateLimit()
  app.addHook('onRequest', async function (request, reply) {
    if (request.is404) await limitUnknown.call(this, request, reply)
  })
}

/** The headers that helmet sets, computed once: per request helmet costs more than a cache hit. */
function createSecurityHeaders(): OutgoingHttpHeaders {
  const response = new ServerResponse(new IncomingMessage(new Socket()))
  const set = helmet({
    contentSecurityPolicy: {
      useDefaults: false, // the defaults allow inline styles and upgrade http://127.0.0.1 to https
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
    strictTransportSecurity: false, // left to the proxy that terminates TLS
  })
  set(response.req, response, (error) => {
    if (error !== undefined) throw error
  })
  return response.getHeaders()
}
