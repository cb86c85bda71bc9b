/** Marks the cache of this package: an application may have a `cache` decorator of its own, and several copies of the package. */
export const cacheBrand = Symbol.for('fastify-vitrine.cache')
