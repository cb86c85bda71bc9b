import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Breaker } from '../breaker.js'
import { Governor } from '../governor.js'
import { withinBudget } from '../within-budget.js'
import { Cache } from './cache.js'
import { createMemoryStore } from './memory-store.js'
import { type CacheOptions, resolveOptions } from './options.js'
import { createRedisStore, type RedisCommands } from './redis-store.js'

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
  const isRegistered = client !== undefined && client === registered && app.hasDecorator('redisBreaker')
  const governor = isRegistered
    ? app.redisGovernor // one outage, one story: the connection and the cache tell it together
    : new Governor({ log: app.log, subject: 'cache', now: resolved.now })
  const store =
    client === undefined
      ? createMemoryStore({ maxBytes: resolved.maxMemoryBytes })
      : createRedisStore({ client, breaker: isRegistered ? app.redisBreaker : breakerFor(client), ...resolved })
  // Loads go to many places: one that answers does not mean that another one is back, hence the longer quiet.
  const loadGovernor = new Governor({ log: app.log, subject: 'loading', quietMs: 10_000, now: resolved.now })
  const cache = new Cache({ store, governor, loadGovernor, options: resolved })
  app.decorate('cache', cache)
  app.addHook('onClose', () => cache.close())

  /** For a client that somebody else made: all that we know it can do is to read. */
  function breakerFor(client: RedisCommands): Breaker {
    const probe = () => withinBudget(() => client.get(`${resolved.keyPrefix}probe`), resolved.readTimeoutMs)
    const breaker = new Breaker({ probe, onCalm: () => governor.succeeded() })
    app.addHook('onClose', async () => breaker.stop())
    return breaker
  }
}
