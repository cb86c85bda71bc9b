import type { Breaker } from '../breaker.js'
import { classifyRedisFailure, countRedisFailure, isOutage, type RedisFailureKind } from '../redis-failure.js'
import { withinBudget } from '../within-budget.js'
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
  /** Says when Redis is to be left alone, and is told how it does. */
  readonly breaker: Breaker
  readonly keyPrefix: string
  /** Milliseconds that a read may take before it is given up. */
  readonly readTimeoutMs: number
  /** Milliseconds that a write may take before it is given up. It may happen all the same. */
  readonly writeTimeoutMs: number
  readonly now: () => number
}

/** Milliseconds without a write after Redis has said that it takes none: it is full, or read-only. */
const writePauseMs = 1_000

/** Keeps entries in Redis, one string a key. Redis expiry only sweeps up: freshness is computed from the entry. */
export function createRedisStore(options: RedisStoreOptions): Store {
  const { client, breaker, keyPrefix, readTimeoutMs, writeTimeoutMs, now } = options
  let writesRefused: { readonly until: number; readonly by: StoreFailure } | undefined

  return {
    tier: 'redis',
    async get(key) {
      const text = await ask(() => client.get(keyPrefix + key), readTimeoutMs)
      if (text === null) return undefined
      const entry = decodeEntry(text)
      if (typeof entry !== 'string') return entry
      throw new StoreFailure('corrupt', { isOutage: false, message: `what lies in Redis is no entry: ${entry}` })
    },
    async set(key, entry, valueText) {
      const lifetimeMs = Math.ceil(entry.staleUntil - now())
      if (lifetimeMs <= 0) return
      if (writesRefused !== undefined && now() < writesRefused.until) throw writesRefused.by
      const text = encodeEntry(entry, valueText)
      await ask(() => client.set(keyPrefix + key, text, 'PX', lifetimeMs), writeTimeoutMs)
    },
    async delete(key) {
      const removed = await ask(() => client.del(keyPrefix + key), writeTimeoutMs)
      return removed > 0
    },
  }

  /** Sends one command, unless the breaker is open; rejects with a `StoreFailure` when it fails or takes too long. */
  async function ask<T>(command: () => Promise<T>, timeoutMs: number): Promise<T> {
    if (breaker.isOpen) throw new StoreFailure('open', { isOutage: true, message: 'redis is left alone for now' })
    try {
      const reply = await withinBudget(command, timeoutMs)
      breaker.succeeded()
      return reply
    } catch (cause) {
      const kind = classifyRedisFailure(cause)
      countRedisFailure(kind, breaker)
      const message = cause instanceof Error ? cause.message : String(cause)
      const failure = new StoreFailure(kind, { isOutage: isOutage(kind), message, cause })
      if (refusesWrites(kind)) writesRefused = { until: now() + writePauseMs, by: failure }
      throw failure
    }
  }
}

function refusesWrites(kind: RedisFailureKind): boolean {
  return kind === 'full' || kind === 'readonly'
}
