import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { CircuitBreaker } from '../redis/circuit-breaker.js'
import { OutageLog } from '../redis/outage-log.js'
import { singleServerBreakers } from '../redis/server-breakers.js'
import { withTimeout } from '../timeout.js'
import { Cache } from './cache.js'
import { CacheClock } from './clock.js'
import { CacheEvents } from './observe/cache-events.js'
import { type CacheOptions, type ResolvedCacheOptions, resolveOptions } from './options.js'
import type { RedisCommands } from './redis/commands.js'
import { createRedisStore } from './redis/redis-store.js'

export type { Cache, CacheStats, PurgeResult } from './cache.js'
export type { Dependencies } from './dependencies.js'
export { CacheClosed, InvalidCacheOption, LoadTimeout } from './errors.js'
export type { Load, Loader } from './load/loader.js'
export {
  channels,
  type LoadEvent,
  type PurgeEvent,
  type ReadEvent,
  type ReadReason,
  type StateEvent,
  type StoreState,
  type Tier,
  type WriteEvent,
} from './observe/cache-events.js'
export type { EntryExplanation, Explanation, PurgeExplanation } from './observe/explain.js'
export type { CacheOptions, GetPolicy, Policy, Purge, ReadPolicy } from './options.js'
export type { CoherenceState } from './purge/coherence.js'
export type { PurgeVerdict } from './purge/purge-log.js'
export type { QueuedPurge } from './purge/purges.js'
export type { Reading } from './reading.js'
export type { RedisCommands } from './redis/commands.js'
export type { EntryState } from './tiers.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The read-through cache: this process's memory, before Redis where that is registered. */
    cache: Cache
  }
}

/**
 * `fastify.cache`: a read-through cache whose callers never see a failure of Redis. Keeps its entries in memory and, when
 * `fastify.redis` is registered before it, in Redis for all processes.
 */
export default fp(cachePlugin, { name: 'fastify-vitrine/cache', fastify: '5.x' })

async function cachePlugin(app: FastifyInstance, options: CacheOptions): Promise<void> {
  const resolved = resolveOptions(options)
  const clock = new CacheClock(resolved.now, { isCorrected: options.now === undefined })
  const registered = app.hasDecorator('redis') ? app.redis : undefined
  const client = options.redis === false ? undefined : (options.redis ?? registered)
  const isRegistered = client !== undefined && client === registered && app.hasDecorator('redisBreakers')
  const governor = isRegistered
    ? app.redisHealth // one outage, one story: the connection and the cache tell it together
    : new OutageLog({ log: app.log, subject: 'cache', now: resolved.now })
  // Loads go to many places: one that answers does not mean that another one is back, hence the longer quiet.
  const loadGovernor = new OutageLog({ log: app.log, subject: 'loading', quietMs: 10_000, now: resolved.now })
  const telling = new CacheEvents(resolved.keyPrefix, resolved.metricLabel, (key, error) => {
    governor.report({ kind: 'family', key, error, message: 'cache: familyOf throws; the key is told as other' })
  })
  const store = options.store ?? (client && redisStore(client, resolved))
  const cache = new Cache({ store, clock, governor, loadGovernor, telling, options: resolved })
  app.decorate('cache', cache)
  app.addHook('onReady', async () => {
    if (store !== undefined || options.redis === false || !app.hasDecorator('redis')) return
    app.log.warn(
      { subject: 'cache', kind: 'order' },
      'redis was registered after the cache, which keeps to memory: register redis first',
    )
  })
  app.addHook('onClose', () => cache.close())

  function redisStore(client: RedisCommands, resolved: ResolvedCacheOptions) {
    const breakers = isRegistered ? app.redisBreakers : singleServerBreakers(breakerFor(client))
    breakers.limitProbeTimeout(resolved.readTimeoutMs)
    const onTrackingUnsupported = (error: unknown) => {
      const message = 'redis refuses to tell of changes; memory is trusted for a second at most'
      governor.report({ kind: 'no-tracking', error, message })
    }
    const onCorruptKey = (key: string) => {
      telling.storeFailed('corrupt')
      governor.report({ kind: 'corrupt', key, message: 'cache: what lay under a key of its own was replaced' })
    }
    return createRedisStore({ client, breakers, clock, onTrackingUnsupported, onCorruptKey, ...resolved })
  }

  /** For a client that somebody else made: all that we know it can do is to read. */
  function breakerFor(client: RedisCommands): CircuitBreaker {
    const probe = () => withTimeout(() => client.get(`${resolved.keyPrefix}~probe`), resolved.readTimeoutMs)
    const breaker = new CircuitBreaker({ probe, onStable: () => governor.succeeded() })
    app.addHook('onClose', async () => breaker.stop())
    return breaker
  }
}
