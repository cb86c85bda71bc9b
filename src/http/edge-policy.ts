import type { FastifyRequest } from 'fastify'
import type { EdgeRouteOptions } from 'fastify-vitrine/edge'
import { resolveFilter } from '../schemas/filter.js'

/**
 * Edge options of a list route: cached for all clients, except requests with one of the filters. The handler may read
 * `traceparent` and the id of the request, for its upstream calls.
 */
export function cacheUnlessFiltered(filters: readonly string[]): EdgeRouteOptions {
  return {
    ignoreCredentials: true,
    unkeyedHeaders: ['traceparent'],
    unkeyedProperties: ['id'],
    bypass: ({ query }) => filters.some((name) => resolveFilter(parameter(query, name)) !== undefined),
  }
}

function parameter(query: FastifyRequest['query'], name: string): unknown {
  return (query as Record<string, unknown>)[name] // a parsed query string is an object
}
