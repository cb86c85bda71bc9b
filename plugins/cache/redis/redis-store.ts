import { clientKeyPrefix } from '../../redis/client-shape.js'
import type { ServerBreakers } from '../../redis/server-breakers.js'
import type { CacheClock } from '../clock.js'
import type { Store } from '../store.js'
import { createTracking } from './client-tracking.js'
import { Commands, type RedisCommands } from './commands.js'
import { EntryStore } from './entry-store.js'
import { KeyNames } from './key-names.js'
import { LeaseStore } from './lease-store.js'
import { PurgeLogStore } from './purge-log-store.js'
import * as scripts from './scripts.js'
import { StoreWatch } from './store-watch.js'

interface RedisStoreOptions {
  readonly client: RedisCommands
  /** Decide whether commands are sent, and receive their outcomes. */
  readonly breakers: ServerBreakers
  readonly keyPrefix: string
  readonly clock: CacheClock
  /** For the jitter of reconnects and checks. */
  readonly random: () => number
  /** Milliseconds after which a read is abandoned. */
  readonly readTimeoutMs: number
  /** Milliseconds after which a write is abandoned. Redis may still execute it. */
  readonly writeTimeoutMs: number
  /** Entries with more bytes of JSON are treated as corrupt: this cache does not store them. */
  readonly maxEntryBytes: number
  /** Milliseconds after which a lease that is not renewed expires. */
  readonly leaseMs: number
  /** Values with more bytes of JSON are compressed; `undefined`: none. */
  readonly compressAboveBytes: number | undefined
  /** Called once if a server does not support `CLIENT TRACKING`. */
  readonly onTrackingUnsupported: (error: unknown) => void
  /** Called when a key of the cache's own bookkeeping contained something else and was replaced. */
  readonly onCorruptKey: (key: string) => void
}

/** Stores entries in Redis, one string per key. The TTL in Redis only frees memory: freshness is computed from the entry. */
export function createRedisStore(options: RedisStoreOptions): Store {
  const { client, breakers, keyPrefix, clock, random, onCorruptKey, onTrackingUnsupported } = options
  const clientPrefix = clientKeyPrefix(client)
  const names = new KeyNames(keyPrefix, clientPrefix)
  const commands = new Commands({ ...options, clientPrefix })
  const tracking = createTracking(client, {
    wirePrefix: names.wirePrefix,
    keyPrefix,
    channel: names.removedChannel,
    touch: (name) => commands.read(scripts.touch, name, []),
    isCircuitOpen: (name) => commands.isCircuitOpen(name),
    clock,
    random,
  })
  const deps = { client, clock, commands, names, tracking, onCorruptKey }
  const entries = new EntryStore(deps, options)
  const purges = new PurgeLogStore(deps)
  const leases = new LeaseStore(deps, options.leaseMs)
  let watch: StoreWatch | undefined

  return {
    get isTracking() {
      return tracking?.isVerified ?? false
    },
    isCircuitOpen: (key) => commands.isCircuitOpen(names.entry(key)),
    get hasOpenCircuit() {
      return breakers.isOpen
    },
    get: (key) => entries.get(key),
    stampOf: (key) => entries.stampOf(key),
    set: (key, entry, valueText) => entries.set(key, entry, valueText),
    purgeKey: (key, purge) => entries.purge(key, purge),
    readPurges: (after) => purges.read(after),
    addPurges: (members, stamp) => purges.add(members, stamp),
    restorePurges: (stamps) => purges.restore(stamps),
    acquireLease: (key, token) => leases.acquire(key, token),
    renewLease: (key, token) => leases.renew(key, token),
    releaseLease: (key, token, how) => leases.release(key, token, how),
    watch(watcher) {
      watch = new StoreWatch({ ...deps, breakers, onTrackingUnsupported }, watcher)
    },
    async close() {
      watch?.close()
    },
  }
}
