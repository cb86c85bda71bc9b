import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { Cluster, Redis } from 'ioredis'
import type { Breakers } from '../breakers.js'
import { classifyRedisFailure, countRedisFailure, isOutage, type RedisFailureKind } from '../redis-failure.js'
import { withinBudget } from '../within-budget.js'
import type { CacheClock } from './cache-clock.js'
import {
  decodeEntry,
  encodeEntry,
  encodeTombstone,
  formatFingerprint,
  formatStamp,
  type PackedEntry,
  parseFrozen,
} from './entry.js'
import { maxPurges } from './purge-log.js'
import * as scripts from './redis-scripts.js'
import { type Found, type Store, StoreFailure, type StoreWatcher } from './store.js'
import { Tracking } from './tracking.js'

/** What the store needs of a client: ioredis, its Cluster, or anything that acts like one. */
export interface RedisCommands {
  get(key: string): Promise<string | null>
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
}

export interface RedisStoreOptions {
  readonly client: RedisCommands
  /** Say when Redis is to be left alone, and are told how it does. */
  readonly breakers: Breakers
  readonly keyPrefix: string
  readonly clock: CacheClock
  /** Milliseconds that a read may take before it is given up. */
  readonly readTimeoutMs: number
  /** Milliseconds that a write may take before it is given up. It may happen all the same. */
  readonly writeTimeoutMs: number
  /** Milliseconds after which a lease that nobody renews is anybody's. */
  readonly leaseMs: number
  /** Values whose JSON has more bytes are kept compressed; `undefined`: none are. */
  readonly compressAboveBytes: number | undefined
  /** Told, once, that Redis does not tell of changes. */
  readonly onRefused: (error: unknown) => void
}

/** Milliseconds without a write after Redis has said that it takes none: it is full, or read-only. */
const writePauseMs = 1_000
/** How long those who come after a load that gave nothing do not wait for one another. */
const passingMs = 1_000
const timeEveryMs = 60_000
/** Longer than any entry may live, so that no entry outlives a purge of it. */
const purgesLifetimeMs = 800 * 86_400_000
const leaseMark = '~lease:'
const purgesMark = '~purges'
const compress = promisify(gzip)
const decompress = promisify(gunzip)
/** A bomb is no entry of ours. */
const maxUnpackedBytes = 256 * 2 ** 20

/** Keeps entries in Redis, one string a key. Redis expiry only sweeps up: freshness is computed from the entry. */
export function createRedisStore(options: RedisStoreOptions): Store {
  const { client, breakers, keyPrefix, clock, readTimeoutMs, writeTimeoutMs, leaseMs } = options
  const clientPrefix = client instanceof Redis ? (client.options.keyPrefix ?? '') : ''
  const wirePrefix = clientPrefix + keyPrefix
  const purgesKey = keyPrefix + purgesMark
  let writesRefused: { readonly until: number; readonly by: StoreFailure } | undefined
  let tracking: Tracking | undefined
  let timeTimer: NodeJS.Timeout | undefined
  let isClosed = false

  return {
    get isProven() {
      return tracking?.isProven ?? false
    },
    isAway: (key) => isAway(entryKey(key)),
    async get(key) {
      const text = await ask(entryKey(key), (name) => client.get(name), readTimeoutMs)
      if (text === null) return undefined
      const decoded = decodeEntry(text, clock.offsetMs)
      if (typeof decoded === 'string') throw corrupt(decoded)
      if ('value' in decoded) return { entry: decoded, bytes: text.length }
      return 'packed' in decoded ? unpack(decoded) : decoded
    },
    async stampOf(key) {
      const text = await run(scripts.readStamp, entryKey(key), [], readTimeoutMs)
      return text === '' ? undefined : Number(text)
    },
    async set(key, entry, valueText) {
      const lifetimeMs = Math.ceil(entry.staleUntil - clock.now())
      if (lifetimeMs <= 0) return 'kept' // and swept up at once
      if (writesRefused !== undefined && performance.now() < writesRefused.until) throw writesRefused.by
      const text = encodeEntry(entry, await pack(valueText), clock.offsetMs)
      const now = Math.round(clock.now() + clock.offsetMs) * 1_000
      const about = [String(entry.stamp), formatFingerprint(entry.fingerprint), String(now), String(lifetimeMs)]
      const outcome = await run(scripts.setEntry, entryKey(key), [text, ...about], writeTimeoutMs)
      if (outcome === 'kept') tracking?.announce(wirePrefix + ownName(key))
      return outcome === 'newer' || outcome === 'purged' || outcome === 'other-schema' ? outcome : 'kept'
    },
    async purgeKey(key, { stamp, isHard, fenceMs }) {
      const script = isHard ? scripts.purgeKeyHard : scripts.purgeKeySoft
      const about = [encodeTombstone(stamp), String(stamp), String(Math.ceil(fenceMs)), formatStamp(stamp)]
      const had = await run(script, entryKey(key), about, writeTimeoutMs)
      tracking?.announce(wirePrefix + ownName(key))
      return had === 1
    },
    async readPurges(after) {
      const later = after > 0 ? await readPurgesFrom(`(${after}`) : undefined
      if (later !== undefined && !later.has('~')) return { stamps: later, isComplete: false }
      const all = await readPurgesFrom('-inf')
      all.delete('~')
      return { stamps: all, isComplete: true }
    },
    async addPurges(members, stamp) {
      const about = [String(stamp), String(maxPurges), String(purgesLifetimeMs), ...members]
      const given = Number(await run(scripts.addPurges, purgesKey, about, writeTimeoutMs))
      tracking?.announce(wirePrefix + purgesMark)
      return given
    },
    async restorePurges(purges) {
      const all = [...purges].flatMap(([member, stamp]) => [member, String(stamp)])
      for (let at = 0; at < all.length; at += 2_000) {
        const some = all.slice(at, at + 2_000)
        await run(scripts.restorePurges, purgesKey, [String(purgesLifetimeMs), ...some], writeTimeoutMs)
      }
    },
    async acquireLease(key, token, timeoutMs) {
      const answer = await run(scripts.acquireLease, leaseKey(key), [token, String(leaseMs)], timeoutMs)
      return answer === 'theirs' || answer === 'passed' ? answer : 'mine'
    },
    async renewLease(key, token) {
      return (await run(scripts.renewLease, leaseKey(key), [token, String(leaseMs)], writeTimeoutMs)) === 1
    },
    async endLease(key, token, how) {
      const wordMs = how === 'passing' ? passingMs : 0
      await run(scripts.endLease, leaseKey(key), [token, String(wordMs)], writeTimeoutMs)
      tracking?.announce(wirePrefix + leaseMark + key)
    },
    watch(watcher) {
      breakers.onChange((isOpen) => {
        watcher.away(isOpen)
        if (!isOpen) void learnTime(watcher).finally(() => tracking?.hurry())
      })
      tracking = startTracking(watcher)
      const keepTime = () => {
        void learnTime(watcher).finally(() => {
          if (!isClosed) timeTimer = setTimeout(keepTime, timeEveryMs).unref()
        })
      }
      keepTime()
    },
    async close() {
      isClosed = true
      clearTimeout(timeTimer)
      tracking?.close()
    },
  }

  function startTracking(watcher: StoreWatcher): Tracking | undefined {
    if (!(client instanceof Redis || client instanceof Cluster)) return undefined
    return new Tracking({
      client,
      wirePrefix,
      keyPrefix,
      touch: (key) => ask(key, (name) => client.eval(scripts.touch, 1, name), readTimeoutMs),
      isAway,
      listener: {
        changed(wireKeys) {
          const keys: string[] = []
          for (const wireKey of wireKeys) {
            const name = wireKey.slice(wirePrefix.length)
            if (name === purgesMark) watcher.purged()
            else if (name.startsWith(leaseMark)) watcher.leaseChanged(name.slice(leaseMark.length))
            else keys.push(name.startsWith('~~') ? name.slice(1) : name)
          }
          if (keys.length > 0) watcher.changed(keys)
        },
        flushed: () => watcher.flushed(),
        proven: (isProven) => watcher.proven(isProven),
        refused: options.onRefused,
      },
    })
  }

  function isAway(key: string): boolean {
    return breakers.of(clientPrefix + key).isOpen
  }

  /** Our own keys beside the entries begin with a tilde and a letter, so that no entry's key is one of them. */
  function ownName(key: string): string {
    return key.startsWith('~') ? `~${key}` : key
  }

  function entryKey(key: string): string {
    return keyPrefix + ownName(key)
  }

  function leaseKey(key: string): string {
    return keyPrefix + leaseMark + key
  }

  async function pack(valueText: string): Promise<string | { gzip: string }> {
    const { compressAboveBytes = Number.POSITIVE_INFINITY } = options
    if (valueText.length <= compressAboveBytes) return valueText
    return { gzip: (await compress(valueText, { level: 1 })).toString('base64') }
  }

  async function unpack({ packed, ...about }: PackedEntry): Promise<Found> {
    try {
      const text = String(await decompress(Buffer.from(packed, 'base64'), { maxOutputLength: maxUnpackedBytes }))
      return { entry: { value: parseFrozen(text), ...about }, bytes: text.length }
    } catch {
      throw corrupt('not-json')
    }
  }

  async function readPurgesFrom(minimum: string): Promise<Map<string, number>> {
    const flat = await run(scripts.readPurges, purgesKey, [minimum], readTimeoutMs)
    const stamps = new Map<string, number>()
    if (!Array.isArray(flat)) return stamps
    for (let at = 0; at + 1 < flat.length; at += 2) {
      stamps.set(String(flat[at]), Number(flat[at + 1]))
    }
    return stamps
  }

  async function learnTime(watcher: StoreWatcher): Promise<void> {
    const askedAt = clock.now()
    const time = await run(scripts.readTime, purgesKey, [], readTimeoutMs).catch(() => undefined)
    if (!Array.isArray(time)) return
    const serverMs = Number(time[0]) * 1_000 + Math.floor(Number(time[1]) / 1_000)
    const moved = clock.learn({ serverMs, askedAt, answeredAt: clock.now() })
    if (moved !== 0) watcher.clockMoved(moved)
  }

  function run(script: string, key: string, about: readonly string[], timeoutMs: number): Promise<unknown> {
    return ask(key, (name) => client.eval(script, 1, name, ...about), timeoutMs)
  }

  /** Sends one command, unless the breaker is open; rejects with a `StoreFailure` when it fails or takes too long. */
  async function ask<T>(key: string, command: (key: string) => Promise<T>, timeoutMs: number): Promise<T> {
    const breaker = breakers.of(clientPrefix + key)
    if (breaker.isOpen) throw new StoreFailure('open', { isOutage: true, message: 'redis is left alone for now' })
    try {
      const reply = await withinBudget(() => command(key), timeoutMs)
      breaker.succeeded()
      return reply
    } catch (cause) {
      const kind = classifyRedisFailure(cause)
      countRedisFailure(kind, breaker)
      const message = cause instanceof Error ? cause.message : String(cause)
      const failure = new StoreFailure(kind, { isOutage: isOutage(kind), message, cause })
      if (refusesWrites(kind)) writesRefused = { until: performance.now() + writePauseMs, by: failure }
      throw failure
    }
  }
}

function corrupt(defect: string): StoreFailure {
  return new StoreFailure('corrupt', { isOutage: false, message: `what lies in Redis is no entry: ${defect}` })
}

function refusesWrites(kind: RedisFailureKind): boolean {
  return kind === 'full' || kind === 'readonly'
}
