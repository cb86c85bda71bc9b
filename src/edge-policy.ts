import type { FastifyRequest } from 'fastify'
import type { EdgeRouteOptions } from 'fastify-vitrine/edge'

/**
 * How the edge keeps a route of ours: everything, unless one of these filters is given. The handler may also read which
 * trace the request belongs to, for its calls to the upstream.
 */
export function cacheUnlessFiltered(filters: readonly string[]): EdgeRouteOptions {
  return {
    ignoreCredentials: true,
    unkeyedHeaders: ['traceparent'],
    bypass: ({ query }) => filters.some((name) => isGiven(query, name)),
  }
}

/** Blank is no filter. */
function isGiven(query: FastifyRequest['query'], name: string): boolean {
  const value = (query as Record<string, unknown>)[name] // a parsed query string is an object
  return typeof value === 'string' && value.trim() !== ''
}
