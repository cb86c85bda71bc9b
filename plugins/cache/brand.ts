/** Identifies a cache of this package, also of another copy of it: the decorator `cache` may be something else. */
export const cacheBrand = Symbol.for('fastify-vitrine.cache')
