import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { Cluster, Redis } from 'ioredis'
import { classifyRedisFailure, countRedisFailure, isOutage, type RedisFailureKind } from '../../redis/failure-kind.js'
import type { Breakers } from '../../redis/server-breakers.js'
import { withTimeout } from '../../timeout.js'
import type { CacheClock } from '../clock.js'
import {
  decodeEntry,
  encodeEntry,
  encodeTombstone,
  formatFingerprint,
  formatStamp,
  type PackedEntry,
  parseFrozen,
  stampDigits,
  type Tombstone,
} from '../entry/codec.js'
import { maxPurges, type PurgesPosition } from '../purge/purge-log.js'
import { type FoundEntry, type Store, StoreFailure, type StoreWatcher } from '../store.js'
import { BatchedReads } from './batched-reads.js'
import * as scripts from './scripts.js'
import { Tracking } from './tracking.js'

/** What the store needs of a client: ioredis, its Cluster, or anything that acts like one. */
export interface RedisCommands {
  get(key: string): Promise<string | null>
  /** Where there is one, several reads go in one command. */
  mget?(...keys: string[]): Promise<(string | null)[]>
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  /** Where there is one, scripts are sent once and then called by their digests. */
  evalsha?(digest: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
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
  /** An entry with more bytes of JSON is none of ours: nobody keeps so large ones. */
  readonly maxEntryBytes: number
  /** Milliseconds after which a lease that nobody renews is anybody's. */
  readonly leaseMs: number
  /** Values whose JSON has more bytes are kept compressed; `undefined`: none are. */
  readonly compressAboveBytes: number | undefined
  /** Told, once, that Redis does not tell of changes. */
  readonly onRefused: (error: unknown) => void
  /** Told that something else lay under a key of the cache's own bookkeeping, and had to go. */
  readonly onRubbish: (key: string) => void
}

/** Milliseconds without a write after Redis has said that it takes none: it is full, or read-only, or we may not. */
const writePauseMs = 1_000
/** How long those who come after a load that gave nothing do not wait for one another. */
const passingMs = 1_000
/** Keys that one command reads at most. */
const mostKeysAtOnce = 64
const timeEveryMs = 60_000
/** Longer than any entry may live, so that no entry outlives a purge of it. */
const purgesLifetimeMs = 800 * 86_400_000
const leaseMark = '~lease:'
const purgesMark = '~purges'
const removedMark = '~removed'
const compress = promisify(gzip)
const decompress = promisify(gunzip)
/** What may stand around the value of an entry: head, instants, tags. */
const envelopeBytes = 2 ** 14
/** Purges that are read at a time; more than one order makes, which all have one stamp. */
const purgesAtOnce = 5_000

/** Keeps entries in Redis, one string a key. Redis expiry only sweeps up: freshness is computed from the entry. */
export function createRedisStore(options: RedisStoreOptions): Store {
  const { client, breakers, keyPrefix, clock, readTimeoutMs, writeTimeoutMs, leaseMs } = options
  const clientPrefix = client instanceof Redis ? (client.options.keyPrefix ?? '') : ''
  const wirePrefix = clientPrefix + keyPrefix
  const purgesKey = keyPrefix + purgesMark
  const removedChannel = wirePrefix + removedMark
  // In a Cluster keys of several slots cannot be read with one command.
  const isBatching = client.mget !== undefined && !(client instanceof Cluster)
  const reads = new BatchedReads({
    askOne: (key) => ask(key, (name) => client.get(name), readTimeoutMs),
    askMany,
    mostKeys: isBatching ? mostKeysAtOnce : 1,
    decode,
  })
  let writesRefused: { readonly until: number; readonly by: StoreFailure } | undefined
  let tracking: Tracking | undefined
  let timeTimer: NodeJS.Timeout | undefined
  let isClosed = false

  return {
    get isTracking() {
      return tracking?.isProven ?? false
    },
    isCircuitOpen: (key) => isAway(entryKey(key)),
    get hasOpenCircuit() {
      return breakers.isOpen
    },
    get: (key) => (isAway(entryKey(key)) ? Promise.reject(leftAlone()) : reads.get(entryKey(key))),
    async stampOf(key) {
      const text = await run(scripts.readStamp, entryKey(key), [latest()], readTimeoutMs)
      return text === '' ? undefined : Number(text)
    },
    async set(key, entry, valueText) {
      const lifetimeMs = Math.ceil(entry.staleUntil - clock.now())
      if (lifetimeMs <= 0) return 'stored' // and swept up at once
      if (writesRefused !== undefined && performance.now() < writesRefused.until) throw writesRefused.by
      const text = encodeEntry(entry, await pack(valueText), clock.offsetMs)
      const now = Math.round(clock.now() + clock.offsetMs) * 1_000
      const about = [
        String(entry.stamp),
        formatFingerprint(entry.fingerprint),
        String(now),
        String(lifetimeMs),
        latest(),
      ]
      const answer = await run(scripts.setEntry, entryKey(key), [text, ...about], writeTimeoutMs)
      const [outcome, stamp] = Array.isArray(answer) ? answer : []
      clock.observe(Number(stamp))
      if (outcome === 'stored') tracking?.announce(wirePrefix + ownName(key))
      return outcome === 'newer' || outcome === 'purged' || outcome === 'other-schema' ? outcome : 'stored'
    },
    async purgeKey(key, { stamp, isHard, fenceMs }) {
      const script = isHard ? scripts.purgeKeyHard : scripts.purgeKeySoft
      const tombstone = encodeTombstone({ purgedAt: stamp, isHard })
      const fence = String(Math.ceil(fenceMs))
      const about = [tombstone, String(stamp), formatStamp(stamp), fence, removedChannel, latest()]
      const had = await run(script, entryKey(key), about, writeTimeoutMs)
      tracking?.announce(wirePrefix + ownName(key))
      return had === 1
    },
    async readPurges(after) {
      const stamps = new Map<string, number>()
      let position: PurgesPosition = after ?? { name: 'none', upTo: 0 }
      for (let from = `(${position.upTo}`; ; from = String(position.upTo)) {
        const { name, page } = await readPurgesPage(position.name, from)
        const believed = page.filter(([, stamp]) => stamp <= clock.latest)
        for (const [member, stamp] of believed) stamps.set(member, stamp)
        const upTo = believed.at(-1)?.[1] ?? (name === position.name ? position.upTo : 0)
        position = { name, upTo }
        // The next page begins with the stamp that this one ends with: others may have the same.
        if (believed.length < purgesAtOnce) return { stamps, isWhole: name !== after?.name, position }
      }
    },
    async addPurges(members, stamp) {
      const about = [String(stamp), String(maxPurges), String(purgesLifetimeMs), newName(), latest(), ...members]
      const answer = await run(scripts.addPurges, purgesKey, about, writeTimeoutMs)
      const [given, isRubbish] = Array.isArray(answer) ? answer : []
      if (isRubbish === 1) options.onRubbish(purgesKey)
      tracking?.announce(wirePrefix + purgesMark)
      return Number(given)
    },
    async restorePurges(purges) {
      const all = [...purges].flatMap(([member, stamp]) => [member, String(stamp)])
      for (let at = 0; at < all.length; at += 2_000) {
        const some = all.slice(at, at + 2_000)
        await run(scripts.restorePurges, purgesKey, [String(purgesLifetimeMs), newName(), ...some], writeTimeoutMs)
      }
      tracking?.announce(wirePrefix + purgesMark)
    },
    async acquireLease(key, token) {
      const answer = await run(scripts.acquireLease, leaseKey(key), [token, String(leaseMs)], readTimeoutMs)
      if (answer === 'acquired-corrupt') options.onRubbish(leaseKey(key))
      return answer === 'held-elsewhere' || answer === 'released' ? answer : 'acquired'
    },
    async renewLease(key, token) {
      return (await run(scripts.renewLease, leaseKey(key), [token, String(leaseMs)], writeTimeoutMs)) === 1
    },
    async releaseLease(key, token, how) {
      const wordMs = how === 'empty' ? passingMs : 0
      await run(scripts.endLease, leaseKey(key), [token, String(wordMs)], writeTimeoutMs)
      tracking?.announce(wirePrefix + leaseMark + key)
    },
    watch(watcher) {
      breakers.onChange((isOpen) => {
        watcher.circuitChanged(isOpen)
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
      channel: removedChannel,
      touch: (key) => run(scripts.touch, key, [], readTimeoutMs),
      isAway,
      listener: {
        changed(wireKeys) {
          const keys: string[] = []
          for (const wireKey of wireKeys) {
            const name = wireKey.slice(wirePrefix.length)
            if (name === purgesMark) watcher.purged()
            else if (name.startsWith(leaseMark)) watcher.leaseChanged(name.slice(leaseMark.length))
            else keys.push(keyOf(name))
          }
          if (keys.length > 0) watcher.changed(keys)
        },
        published(message) {
          const [stamp, name] = [Number(message.slice(0, stampDigits)), message.slice(stampDigits + wirePrefix.length)]
          if (stamp <= clock.latest) watcher.removed(keyOf(name), stamp)
        },
        flushed: () => watcher.flushed(),
        proven: (isProven) => watcher.trackingChanged(isProven),
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

  function keyOf(ownName: string): string {
    return ownName.startsWith('~~') ? ownName.slice(1) : ownName
  }

  function entryKey(key: string): string {
    return keyPrefix + ownName(key)
  }

  function leaseKey(key: string): string {
    return keyPrefix + leaseMark + key
  }

  function askMany(keys: readonly string[]): Promise<readonly (string | null)[]> {
    const [first = ''] = keys
    const command = async () => client.mget?.(...keys) ?? []
    return ask(first, command, readTimeoutMs, keys.length)
  }

  function decode(text: string | null): Answer | Promise<Answer> {
    if (text === null) return undefined
    if (text.length > options.maxEntryBytes + envelopeBytes) throw corrupt('too-large')
    const decoded = decodeEntry(text, clock.offsetMs)
    if (typeof decoded === 'string') throw corrupt(decoded)
    if (Math.max('stamp' in decoded ? decoded.stamp : 0, decoded.purgedAt) > clock.latest)
      throw corrupt('from-the-future')
    if ('value' in decoded) return { entry: decoded, bytes: Buffer.byteLength(text) }
    return 'packed' in decoded ? unpack(decoded) : decoded
  }

  async function pack(valueText: string): Promise<string | { gzip: string }> {
    const { compressAboveBytes = Number.POSITIVE_INFINITY } = options
    if (valueText.length <= compressAboveBytes) return valueText
    return { gzip: (await compress(valueText, { level: 1 })).toString('base64') }
  }

  async function unpack({ packed, ...about }: PackedEntry): Promise<FoundEntry> {
    try {
      const text = String(await decompress(Buffer.from(packed, 'base64'), { maxOutputLength: options.maxEntryBytes }))
      return { entry: { value: parseFrozen(text), ...about }, bytes: Buffer.byteLength(text) }
    } catch {
      throw corrupt('not-json')
    }
  }

  async function readPurgesPage(name: string, from: string) {
    const answer = await run(scripts.readPurges, purgesKey, [name, from, String(purgesAtOnce)], writeTimeoutMs)
    const [found, flat, isRubbish] = Array.isArray(answer) ? answer : []
    if (isRubbish === 1) options.onRubbish(purgesKey)
    const page: [member: string, stamp: number][] = []
    if (!Array.isArray(flat)) return { name: '', page }
    for (let at = 0; at + 1 < flat.length; at += 2) page.push([String(flat[at]), Number(flat[at + 1])])
    return { name: String(found), page }
  }

  function newName(): string {
    return `#${randomBytes(6).toString('hex')}`
  }

  /** The latest stamp that can be believed; without a known time of the server's, any. */
  function latest(): string {
    return String(clock.isSure ? clock.latest : Number.MAX_SAFE_INTEGER)
  }

  async function learnTime(watcher: StoreWatcher): Promise<void> {
    const askedAt = clock.now()
    const time = await run(scripts.readTime, purgesKey, [], readTimeoutMs).catch(() => undefined)
    if (!Array.isArray(time)) return
    const serverMs = Number(time[0]) * 1_000 + Math.floor(Number(time[1]) / 1_000)
    const moved = clock.learn({ serverMs, askedAt, answeredAt: clock.now() })
    if (moved !== 0) watcher.clockAdjusted(moved)
  }

  function run(script: scripts.Script, key: string, about: readonly string[], timeoutMs: number): Promise<unknown> {
    const command = async (name: string) => {
      if (client.evalsha === undefined) return client.eval(script.text, 1, name, ...about)
      try {
        return await client.evalsha(script.digest, 1, name, ...about)
      } catch (error) {
        if (!isUnknownDigest(error)) throw error
        return client.eval(script.text, 1, name, ...about)
      }
    }
    return ask(key, command, timeoutMs)
  }

  /**
   * Sends one command, unless the breaker is open; rejects with a `StoreFailure` when it fails or takes too long, which counts
   * as many times as there are `requests` in it.
   */
  async function ask<T>(
    key: string,
    command: (key: string) => Promise<T>,
    timeoutMs: number,
    requests = 1,
  ): Promise<T> {
    const breaker = breakers.of(clientPrefix + key)
    if (breaker.isOpen) throw leftAlone()
    try {
      const reply = await withTimeout(() => command(key), timeoutMs)
      breaker.succeeded()
      return reply
    } catch (cause) {
      const kind = classifyRedisFailure(cause)
      for (let request = 0; request < requests; request += 1) countRedisFailure(kind, breaker)
      const message = cause instanceof Error ? cause.message : String(cause)
      const failure = new StoreFailure(kind, { isOutage: isOutage(kind), message, cause })
      if (refusesWrites(kind)) writesRefused = { until: performance.now() + writePauseMs, by: failure }
      throw failure
    }
  }
}

/** What lies under a key. */
type Answer = FoundEntry | Tombstone | undefined

function leftAlone(): StoreFailure {
  return new StoreFailure('open', { isOutage: true, message: 'redis is left alone for now' })
}

function corrupt(defect: string): StoreFailure {
  return new StoreFailure('corrupt', { isOutage: false, message: `what lies in Redis is no entry: ${defect}` })
}

/** Whether the server does not know the script yet, or does not let us call it so. */
function isUnknownDigest(error: unknown): boolean {
  return error instanceof Error && /^(NOSCRIPT|NOPERM.*'evalsha')/.test(error.message)
}

function refusesWrites(kind: RedisFailureKind): boolean {
  return kind === 'full' || kind === 'readonly' || kind === 'denied'
}
