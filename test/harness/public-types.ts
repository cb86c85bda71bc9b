// The types whose members the documentation lists, for test/documentation-reference.test.ts.
export type {
  Cache,
  CacheOptions,
  CacheStats,
  CoherenceState,
  Dependencies,
  EntryState,
  Explanation,
  GetPolicy,
  Load,
  LoadEvent,
  Policy,
  Purge,
  PurgeEvent,
  ReadEvent,
  Reading,
  ReadPolicy,
  ReadReason,
  StateEvent,
  StoreState,
  WriteEvent,
} from 'fastify-vitrine/cache'
export type { CountedLoads, ManualClock, TestStore, TestStoreOptions } from 'fastify-vitrine/cache/testing'
export type { EdgeOptions, EdgeRouteOptions, Outcome } from 'fastify-vitrine/edge'
export type { ProxyCacheOptions, ProxyCacheRouteOptions } from 'fastify-vitrine/proxy-cache'
export type { RedisPluginOptions } from 'fastify-vitrine/redis'
export type { RedisFailureKind } from '../../plugins/redis/failure-kind.js'
export type { BypassReason } from '../../plugins/responses/request-context.js'
export type { UnstoredReason } from '../../plugins/responses/storage-decision.js'
export type { Config } from '../../src/config/environment.js'
