import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { CircuitBreaker } from '../redis/circuit-breaker.js'
import { describeOtherClient, isCommandClient } from '../redis/client-shape.js'
import { OutageLog } from '../redis/outage-log.js'
import { singleServerBreakers } from '../redis/server-breakers.js'
import { withTimeout } from '../timeout.js'
import { Cache } from './cache.js'
import { CacheClock } from './clock.js'
import { InvalidCacheOption } from './errors.js'
import { CacheEvents } from './observe/cache-events.js'
import { type CacheOptions, resolveOptions } from './options.js'
import type { RedisCommands } from './redis/commands.js'
import { createRedisStore } from './redis/redis-store.js'

export type { Cache } from './cache.js'
export type { Dependencies } from './dependencies.js'
export type { Entry, Instants, Tombstone } from './entry/codec.js'
export { CacheClosed, InvalidCacheOption, LoadTimeout } from './errors.js'
export type { EntryExplanation, Explanation, PurgeExplanation } from './explain.js'
export type { Load, Loader, StaleValue } from './load/loader.js'
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
export type { CacheStats } from './observe/cache-stats.js'
export type { CacheOptions } from './options.js'
export type { GetPolicy, Policy, Purge, ReadPolicy } from './policy.js'
export type { PurgeLogPosition, PurgeLogRead, PurgeVerdict } from './purge/purge-log.js'
export type { PurgeResult, QueuedPurge } from './purge/purges.js'
export type { Reading } from './reading.js'
export type { RedisCommands } from './redis/commands.js'
export {
  type FoundEntry,
  isTombstone,
  type KeyPurgeRequest,
  type LeaseAnswer,
  type Store,
  StoreFailure,
  type StoreFailureOptions,
  type StoreWatcher,
  type WriteOutcome,
} from './store.js'
export type { CoherenceState } from './tiers/coherence.js'
export type { EntryState } from './tiers/entry-state.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The read-through cache: memory, in front of Redis if it is registered. */
    cache: Cache
  }
}

/**
 * `fastify.cache`: a read-through cache whose callers never see a failure of Redis. Stores entries in memory and, when
 * `fastify.redis` is registered before it, in Redis for all processes.
 */
export default fp(cachePlugin, { name: 'fastify-vitrine/cache', fastify: '5.x' })

async function cachePlugin(app: FastifyInstance, options: CacheOptions): Promise<void> {
  const resolved = resolveOptions(options)
  const random = Math.random
  const clock = new CacheClock(resolved.now, { isCorrected: options.now === undefined, random })
  const registered = app.hasDecorator('redis') ? app.redis : undefined
  const client = resolved.redis === false ? undefined : (resolved.redis ?? registered)
  if (resolved.store === undefined && client !== undefined && !isCommandClient(client)) {
    throw new InvalidCacheOption(`fastify.redis is ${describeOtherClient(client, 'app.redis')}; or redis: false`)
  }
  const isRegistered = client !== undefined && client === registered && app.hasDecorator('redisBreakers')
  const outageLog = isRegistered
    ? app.redisHealth // the connection and the cache report one outage once
    : new OutageLog({ log: app.log, subject: 'cache', now: resolved.now })
  // Loads have many sources: one success does not end the outage of another source, hence the longer `quietMs`.
  const loadOutageLog = new OutageLog({ log: app.log, subject: 'loading', quietMs: 10_000, now: resolved.now })
  const events = new CacheEvents(resolved.keyPrefix, resolved.metricLabel, (key, error) => {
    outageLog.report({ kind: 'metric-label', key, error, message: 'cache: metricLabel threw; using the label other' })
  })
  const store = resolved.store ?? (client && redisStore(client))
  const cache = new Cache({ store, clock, random, outageLog, loadOutageLog, events, options: resolved })
  app.decorate('cache', cache)
  app.addHook('onReady', async () => {
    if (store !== undefined || resolved.redis === false || !app.hasDecorator('redis')) return
    app.log.warn(
      { subject: 'cache', kind: 'order' },
      'redis was registered after the cache, which uses memory only; register redis first',
    )
  })
  app.addHook('onClose', () => cache.close())

  function redisStore(client: RedisCommands) {
    const breakers = isRegistered ? app.redisBreakers : singleServerBreakers(breakerFor(client))
    breakers.limitProbeTimeout(resolved.readTimeoutMs)
    const onTrackingUnsupported = (error: unknown) => {
      const message = 'redis rejected CLIENT TRACKING, trusting memory for one second'
      outageLog.report({ kind: 'no-tracking', error, message })
    }
    const onCorruptKey = (key: string) => {
      events.storeFailed('corrupt')
      outageLog.report({ kind: 'corrupt', key, message: 'cache: replaced corrupt data under a key of the cache' })
    }
    return createRedisStore({ client, breakers, clock, random, onTrackingUnsupported, onCorruptKey, ...resolved })
  }

  /** For a client that the application created: `get` is the only command that it is known to allow. */
  function breakerFor(client: RedisCommands): CircuitBreaker {
    const probe = () => withTimeout(() => client.get(`${resolved.keyPrefix}~probe`), resolved.readTimeoutMs)
    const breaker = new CircuitBreaker({ probe, onStable: () => outageLog.succeeded() })
    app.addHook('onClose', async () => breaker.stop())
    return breaker
  }
}
