import type { Static, TSchema } from '@sinclair/typebox'
import type { Governor } from '../governor.js'
import { withinTime } from '../within-time.js'
import { type Entry, freshness, mayServeWhileRevalidating, normaliseValue, resolveInstants } from './entry.js'
import { CacheClosed } from './errors.js'
import { type Loaded, type Loader, runLoad } from './load.js'
import {
  checkKey,
  type GetPolicy,
  type Policy,
  type ReadPolicy,
  type ResolvedCacheOptions,
  resolveLifetime,
  resolveTags,
} from './options.js'
import { RefreshPauses } from './refresh-pause.js'
import { type SchemaCheck, SchemaChecks } from './schema-check.js'
import { SingleFlight } from './single-flight.js'
import { type Store, StoreFailure, type StoreTier } from './store.js'

/**
 * Why a read was answered as it was, in the words of RFC 9211 where it has one: `hit`; `stale` while a refresh runs
 * behind; `error`, stale because the refresh failed, just now or so lately that it is not tried again yet; `miss`;
 * `collapsed` into a load that another caller had started; `bypass`.
 */
export type ReadReason = 'hit' | 'stale' | 'error' | 'miss' | 'collapsed' | 'bypass'

/** A value with what can be said of it. */
export interface Reading<T> {
  readonly value: T
  readonly state: 'fresh' | 'stale'
  /** When the load of the value began, in milliseconds since the epoch. */
  readonly storedAt: number
  /** Which store answered, or `load` when none did. */
  readonly tier: StoreTier | 'load'
  readonly reason: ReadReason
}

export interface CacheParts {
  readonly store: Store
  /** Tells of the store. */
  readonly governor: Governor
  /** Tells of loads that fail while there is a stale value to serve: otherwise the caller hears of them. */
  readonly loadGovernor: Governor
  readonly options: ResolvedCacheOptions
}

/** Background writes beyond this are dropped: the next miss fills the entry again. */
const maxPendingWrites = 1_000
/** How long closing waits for writes under way. */
const drainTimeoutMs = 500

/**
 * The read-through cache behind `fastify.cache`.
 *
 * No method rejects because of a store: a store that fails is a warning, a read from it a miss, a write to it nothing.
 * Values are what JSON makes of them, deep-frozen.
 */
export class Cache {
  readonly #store: Store
  readonly #governor: Governor
  readonly #loadGovernor: Governor
  readonly #options: ResolvedCacheOptions
  readonly #checks = new SchemaChecks()
  readonly #reads = new SingleFlight<Reading<unknown>>()
  readonly #loads = new SingleFlight<Reading<unknown>>()
  readonly #bypasses = new SingleFlight<Reading<unknown>>()
  /** The load whose result may be kept, by key: a `set` or `delete` in the meantime takes that right away. */
  readonly #current = new Map<string, symbol>()
  readonly #pauses = new RefreshPauses()
  readonly #pendingWrites = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()

  constructor({ store, governor, loadGovernor, options }: CacheParts) {
    this.#store = store
    this.#governor = governor
    this.#loadGovernor = loadGovernor
    this.#options = options
  }

  /**
   * The fresh value under the key, or `undefined`; with `acceptStale` also one that is only kept for when a load fails.
   * With a schema, a value that does not match is no value.
   */
  get<S extends TSchema>(key: string, policy: WithSchema<GetPolicy, S>): Promise<Static<S> | undefined>
  get<T = unknown>(key: string, policy?: WithoutSchema<GetPolicy>): Promise<T | undefined>
  async get(key: string, { schema, acceptStale = false }: GetPolicy = {}): Promise<unknown> {
    checkKey(key)
    const entry = await this.#lookUp(key, this.#checkOf(schema))
    if (entry === undefined) return undefined
    const state = freshness(entry, this.#options.now())
    return state === 'fresh' || (state === 'stale' && acceptStale) ? entry.value : undefined
  }

  /** Keeps the value; true when it was kept, false when the store failed or JSON cannot hold the value. */
  async set(key: string, value: unknown, policy: Policy = {}): Promise<boolean> {
    checkKey(key)
    this.#supersede(key)
    const now = this.#options.now()
    const lifetime = resolveLifetime(policy, this.#options.lifetime)
    const loaded = { value, startedAt: now, lifetime, tags: resolveTags(policy.tags) }
    const kept = this.#prepare(key, loaded, this.#checkOf(policy.schema))
    if (kept === undefined) return false
    return this.#write(key, kept.entry, kept.text)
  }

  /** Removes the entry, the copy kept for stale-if-error included; true when there was one. */
  async delete(key: string): Promise<boolean> {
    checkKey(key)
    this.#supersede(key)
    return (await this.#attempt(key, () => this.#store.delete(key))) ?? false
  }

  /** The value under the key, loaded when there is none; rejects only with the loader's own failure. */
  fetch<S extends TSchema>(
    key: string,
    loader: Loader<Static<S>, Static<S>>,
    policy: WithSchema<ReadPolicy, S>,
  ): Promise<Static<S>>
  fetch<T>(key: string, loader: Loader<T>, policy?: WithoutSchema<ReadPolicy>): Promise<T>
  async fetch(key: string, loader: Loader<unknown>, policy: ReadPolicy = {}): Promise<unknown> {
    return (await this.#answer(key, loader, policy)).value
  }

  /** Like `fetch`, with where the value comes from, how old it is and why it was answered so. */
  read<S extends TSchema>(
    key: string,
    loader: Loader<Static<S>, Static<S>>,
    policy: WithSchema<ReadPolicy, S>,
  ): Promise<Reading<Static<S>>>
  read<T>(key: string, loader: Loader<T>, policy?: WithoutSchema<ReadPolicy>): Promise<Reading<T>>
  async read(key: string, loader: Loader<unknown>, policy: ReadPolicy = {}): Promise<Reading<unknown>> {
    return this.#answer(key, loader, policy)
  }

  /** Ends loads under way and waits, not for long, until writes under way are done. */
  async close(): Promise<void> {
    this.#closing.abort(new CacheClosed())
    await withinTime(Promise.allSettled(this.#pendingWrites), drainTimeoutMs)
  }

  async #answer(key: string, loader: Loader<unknown>, policy: ReadPolicy): Promise<Reading<unknown>> {
    checkKey(key)
    const request = { key, loader, policy, check: this.#checkOf(policy.schema) }
    const { promise, isCollapsed } =
      policy.bypass === true
        ? this.#bypasses.run(key, () => this.#bypass(request))
        : this.#reads.run(key, () => this.#readThrough(request))
    const reading = await promise
    return isCollapsed && reading.tier === 'load' ? { ...reading, reason: 'collapsed' } : reading
  }

  async #readThrough(request: ReadRequest): Promise<Reading<unknown>> {
    const { key, check } = request
    const entry = await this.#lookUp(key, check)
    const now = this.#options.now()
    if (entry === undefined || freshness(entry, now) === 'expired') return this.#load(request, undefined)
    if (freshness(entry, now) === 'fresh') return this.#answerFrom(entry, 'fresh', 'hit')
    if (this.#pauses.isPaused(key, now)) return this.#answerFrom(entry, 'stale', 'error')
    const loading = this.#load(request, entry)
    if (mayServeWhileRevalidating(entry, now)) {
      loading.catch(() => undefined) // told by the load itself
      return this.#answerFrom(entry, 'stale', 'stale')
    }
    return this.#answerInTime(request, loading, entry)
  }

  /** The new value if it comes soon; the stale one while it is still on its way, or when it does not come. */
  async #answerInTime(
    { policy }: ReadRequest,
    loading: Promise<Reading<unknown>>,
    entry: Entry,
  ): Promise<Reading<unknown>> {
    try {
      const loaded = await withinTime(loading, this.#options.softTimeoutMs)
      return loaded === undefined ? this.#answerFrom(entry, 'stale', 'stale') : loaded.value
    } catch (error) {
      if (!mayServeStale(policy, error) || freshness(entry, this.#options.now()) === 'expired') throw error
      return this.#answerFrom(entry, 'stale', 'error')
    }
  }

  /** Loads the key once for all who want it at this moment, and keeps what came. */
  async #load(request: ReadRequest, stale: Entry | undefined): Promise<Reading<unknown>> {
    const { key } = request
    const { promise, isCollapsed } = this.#loads.run(key, async () => {
      const ticket = Symbol(key)
      const isCurrent = () => this.#current.get(key) === ticket
      this.#current.set(key, ticket)
      try {
        const loaded = await this.#runLoad(request, stale)
        this.#pauses.clear(key)
        this.#loadGovernor.succeeded()
        return this.#keep(request, loaded, isCurrent)
      } catch (error) {
        if (stale !== undefined && isCurrent()) await this.#failRefresh(request, error)
        throw error
      } finally {
        if (isCurrent()) this.#current.delete(key)
      }
    })
    const reading = await promise
    return isCollapsed ? { ...reading, reason: 'collapsed' } : reading
  }

  async #bypass(request: ReadRequest): Promise<Reading<unknown>> {
    const { value, startedAt } = await this.#runLoad(request, undefined)
    return {
      value: normaliseValue(value)?.value ?? value,
      state: 'fresh',
      storedAt: startedAt,
      tier: 'load',
      reason: 'bypass',
    }
  }

  #runLoad({ key, loader, policy }: ReadRequest, stale: Entry | undefined): Promise<Loaded> {
    const { now, lifetime, loadTimeoutMs } = this.#options
    return runLoad({
      key,
      loader,
      lifetime: resolveLifetime(policy, lifetime),
      tags: resolveTags(policy.tags),
      stale,
      timeoutMs: loadTimeoutMs,
      closing: this.#closing.signal,
      now,
    })
  }

  #keep({ key, check }: ReadRequest, loaded: Loaded, isCurrent: () => boolean): Reading<unknown> {
    const answer = { state: 'fresh', storedAt: loaded.startedAt, tier: 'load', reason: 'miss' } as const
    const kept = this.#prepare(key, loaded, check)
    if (kept === undefined) return { value: loaded.value, ...answer }
    if (isCurrent()) this.#writeBehind(key, kept.entry, kept.text)
    return { value: kept.entry.value, ...answer }
  }

  /** The entry to keep, or `undefined` when the value is not to be kept or cannot be. */
  #prepare(
    key: string,
    { value, startedAt, lifetime, tags }: Loaded,
    check: SchemaCheck | undefined,
  ): { entry: Entry; text: string } | undefined {
    if (lifetime === undefined) return undefined
    const normal = normaliseValue(value)
    if (normal === undefined) return this.#refuse(key, 'not-json', 'a value that JSON cannot hold is not kept')
    const bytes = Buffer.byteLength(normal.text)
    if (bytes > this.#options.maxEntryBytes) {
      return this.#refuse(key, 'too-large', `a value of ${bytes} bytes is not kept`)
    }
    if (check !== undefined && !check.accepts(normal.value)) {
      return this.#refuse(key, 'wrong-shape', 'a value that does not match its own schema is not kept')
    }
    const instants = resolveInstants(lifetime, startedAt)
    const fingerprint = check?.fingerprint ?? ''
    return { entry: { value: normal.value, storedAt: startedAt, ...instants, tags, fingerprint }, text: normal.text }
  }

  #refuse(key: string, kind: string, message: string): undefined {
    this.#governor.incident({ kind, key, message: `cache: ${message}` })
    return undefined
  }

  async #lookUp(key: string, check: SchemaCheck | undefined): Promise<Entry | undefined> {
    const entry = await this.#attempt(key, () => this.#store.get(key))
    if (entry === undefined || check === undefined) return entry
    if (entry.fingerprint === check.fingerprint && check.accepts(entry.value)) return entry
    return this.#refuse(key, 'other-schema', 'an entry that does not match the schema asked for counts as a miss')
  }

  async #write(key: string, entry: Entry, text: string): Promise<boolean> {
    const done = await this.#attempt(key, async () => {
      await this.#store.set(key, entry, text)
      return true
    })
    return done ?? false
  }

  /** Writes without anybody waiting for it; closing does. */
  #writeBehind(key: string, entry: Entry, text: string): void {
    if (this.#pendingWrites.size >= maxPendingWrites) return
    const write = this.#write(key, entry, text).finally(() => this.#pendingWrites.delete(write))
    this.#pendingWrites.add(write)
  }

  /** The one door to the store: a failure is reported here and becomes `undefined`. */
  async #attempt<T>(key: string, operation: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await operation()
      this.#governor.succeeded()
      return result
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error
      if (error.kind === 'open') {
        this.#governor.skipped()
        return undefined
      }
      const trouble = { kind: error.kind, error, key }
      if (error.isOutage)
        this.#governor.failed({ ...trouble, message: 'redis does not answer; the cache goes on without it' })
      else
        this.#governor.incident({
          ...trouble,
          message: 'cache: redis refused, or holds something else; counted as a miss',
        })
      return undefined
    }
  }

  #answerFrom(entry: Entry, state: 'fresh' | 'stale', reason: ReadReason): Reading<unknown> {
    return { value: entry.value, state, storedAt: entry.storedAt, tier: this.#store.tier, reason }
  }

  /** Reports a failed refresh, and leaves the key alone for a while or, when the failure withdraws the value, removes it. */
  async #failRefresh({ key, policy }: ReadRequest, error: unknown): Promise<void> {
    const isKept = mayServeStale(policy, error)
    const message = isKept
      ? 'cache: a refresh failed; the stale value is served'
      : 'cache: a refresh failed in a way that withdraws the stale value'
    this.#loadGovernor.failed({ kind: 'load-failed', key, error, message })
    if (isKept) this.#pauses.failed(key, this.#options.now())
    else await this.#attempt(key, () => this.#store.delete(key))
  }

  /** From here on nothing that began earlier is kept under the key or joined by a new reader. */
  #supersede(key: string): void {
    this.#current.delete(key)
    this.#pauses.clear(key)
    this.#loads.forget(key)
    this.#reads.forget(key)
  }

  #checkOf(schema: TSchema | undefined): SchemaCheck | undefined {
    return schema === undefined ? undefined : this.#checks.of(schema)
  }
}

function mayServeStale(policy: ReadPolicy, error: unknown): boolean {
  return policy.mayServeStale?.(error) ?? true
}

/** A policy whose schema is known to the compiler; an intersection with the plain one is too deep for TypeScript 5. */
type WithSchema<P, S extends TSchema> = Omit<P, 'schema'> & { readonly schema: S }

/** A policy whose value nobody checks, so that the type is the caller's word. */
type WithoutSchema<P> = Omit<P, 'schema'> & { readonly schema?: never }

interface ReadRequest {
  readonly key: string
  readonly loader: Loader<unknown>
  readonly policy: ReadPolicy
  readonly check: SchemaCheck | undefined
}
