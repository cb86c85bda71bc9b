import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Governor } from '../governor.js'
import { Cache } from './cache.js'
import { createMemoryStore } from './memory-store.js'
import { type CacheOptions, resolveOptions } from './options.js'
import { createRedisStore } from './redis-store.js'

export type { Cache, Reading, ReadReason } from './cache.js'
export { CacheClosed, InvalidCacheOption, LoadTimeout } from './errors.js'
export type { Load, Loader } from './load.js'
export type { CacheOptions, GetPolicy, Policy, ReadPolicy } from './options.js'
export type { RedisCommands } from './redis-store.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The read-through cache: Redis where it is registered, this process's memory otherwise. */
    cache: Cache
  }
}

/**
 * `fastify.cache`: a read-through cache whose callers never see a failure of Redis. Keeps its entries in
 * `fastify.redis` when that is registered before it, in memory otherwise.
 */
export default fp(cachePlugin, { name: 'fastify-vitrine/cache', fastify: '5.x' })

async function cachePlugin(app: FastifyInstance, options: CacheOptions): Promise<void> {
  const resolved = resolveOptions(options)
  const registered = app.hasDecorator('redis') ? app.redis : undefined
  const client = options.redis === false ? undefined : (options.redis ?? registered)
  const governor =
    client !== undefined && client === registered && app.hasDecorator('redisGovernor')
      ? app.redisGovernor // one outage, one story: the connection and the cache tell it together
      : new Governor({ log: app.log, subject: 'cache', now: resolved.now })
  const store =
    client === undefined
      ? createMemoryStore({ maxBytes: resolved.maxMemoryBytes })
      : createRedisStore({ client, ...resolved })
  const cache = new Cache({ store, governor, options: resolved })
  app.decorate('cache', cache)
  app.addHook('onClose', () => cache.close())
}
