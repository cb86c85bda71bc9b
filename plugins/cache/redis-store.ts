import { classifyRedisFailure, isOutage } from '../redis-failure.js'
import { decodeEntry, encodeEntry } from './entry.js'
import { type Store, StoreFailure } from './store.js'

/** The commands that the store sends: what it needs of an ioredis client, a Cluster or anything that acts like one. */
export interface RedisCommands {
  get(key: string): Promise<string | null>
  set(key: string, value: string, unit: 'PX', milliseconds: number): Promise<unknown>
  del(key: string): Promise<number>
}

export interface RedisStoreOptions {
  readonly client: RedisCommands
  readonly keyPrefix: string
  /** Milliseconds that a read may take before it is given up. */
  readonly readTimeoutMs: number
  /** Milliseconds that a write may take before it is given up. It may happen all the same. */
  readonly writeTimeoutMs: number
  readonly now: () => number
}

/** Keeps entries in Redis, one string a key. Redis expiry only sweeps up: freshness is computed from the entry. */
export function createRedisStore({ client, keyPrefix, readTimeoutMs, writeTimeoutMs, now }: RedisStoreOptions): Store {
  return {
    tier: 'redis',
    async get(key) {
      const text = await withinBudget(() => client.get(keyPrefix + key), readTimeoutMs)
      if (text === null) return undefined
      const entry = decodeEntry(text)
      if (typeof entry !== 'string') return entry
      throw new StoreFailure('corrupt', { isOutage: false, message: `what lies in Redis is no entry: ${entry}` })
    },
    async set(key, entry, valueText) {
      const lifetimeMs = Math.ceil(entry.staleUntil - now())
      if (lifetimeMs <= 0) return
      const text = encodeEntry(entry, valueText)
      await withinBudget(() => client.set(keyPrefix + key, text, 'PX', lifetimeMs), writeTimeoutMs)
    },
    async delete(key) {
      const removed = await withinBudget(() => client.del(keyPrefix + key), writeTimeoutMs)
      return removed > 0
    },
  }
}

/** Runs one command; rejects with a `StoreFailure` when it fails or has not answered after `timeoutMs`. */
function withinBudget<T>(command: () => Promise<T>, timeoutMs: number): Promise<T> {
  const run = async () => command() // a client that throws at once fails like one that rejects
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      reject(new StoreFailure('timeout', { isOutage: true, message: `no answer within ${timeoutMs} ms` }))
    }
    // When it was our own event loop that was busy the reply lies in the socket already: it is read before giving up.
    const timer = setTimeout(() => setImmediate(giveUp), timeoutMs)
    run()
      .then(resolve, (cause: unknown) => {
        const kind = classifyRedisFailure(cause)
        const message = cause instanceof Error ? cause.message : String(cause)
        reject(new StoreFailure(kind, { isOutage: isOutage(kind), message, cause }))
      })
      .finally(() => clearTimeout(timer))
  })
}
