import type { Cache } from './cache.js'

/** Marks the cache of this package: an application may have a `cache` decorator of its own, and several copies of the package. */
export const cacheBrand = Symbol.for('fastify-vitrine.cache')

/** Whether the value is the cache that `fastify-vitrine/cache` decorates an application with. */
export function isCache(value: unknown): value is Cache {
  return typeof value === 'object' && value !== null && cacheBrand in value
}
