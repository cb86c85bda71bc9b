import type { CacheClock } from '../clock.js'
import type { Lifetime } from '../entry/codec.js'
import { InvalidCacheOption, LoadTimeout } from '../errors.js'
import { maxTags, type Policy, resolveLifetime, resolveTags } from '../policy.js'

/** The value that a load replaces. */
export interface StaleValue<T> {
  readonly value: T
  /** Milliseconds since the epoch. */
  readonly storedAt: number
  readonly tags: readonly string[]
}

/** Passed to a loader. The methods need no `this`. */
export interface Load<Stale = unknown> {
  readonly key: string
  /** Aborts at `loadTimeoutMs` and when the application closes; not when a caller leaves. */
  readonly signal: AbortSignal
  /** The value that is being replaced, if there is one. */
  readonly stale: StaleValue<Stale> | undefined
  /** Overrides the lifetime of the policy for this result; may be called more than once. */
  setLifetime(lifetime: Pick<Policy, keyof Lifetime>): void
  /** Adds purge tags that are known only from the result. */
  addTags(...tags: string[]): void
  /** Returns this result to callers without storing it. */
  skipStore(): void
  /**
   * The source says that the value has not changed: returns the stale value, to be stored as a new result with its
   * tags. Throws `VITRINE_CACHE_OPTION` when there is none.
   */
  notModified(): Stale
  /** The source has nothing: stores the value for `negativeTtlSeconds`, without stale windows, and returns it. */
  notFound<V>(value: V): V
}

/** Fetches the value of one key from its source. */
export type Loader<T, Stale = unknown> = (load: Load<Stale>) => Promise<T> | T

export interface LoadResult {
  readonly value: unknown
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly durationMs: number
  /** Undefined: the value is not stored. */
  readonly lifetime: Lifetime | undefined
  readonly tags: readonly string[]
}

interface LoadOptions {
  readonly key: string
  readonly loader: Loader<unknown>
  readonly lifetime: Lifetime
  readonly tags: readonly string[]
  readonly stale: StaleValue<unknown> | undefined
  readonly negativeTtlSeconds: number
  readonly timeoutMs: number
  /** Contains the load while it runs, so that it can be aborted. */
  readonly active: Set<LoaderContext>
  /** Called before the loader. */
  readonly onStarted?: ((context: LoaderContext) => void) | undefined
  readonly clock: Pick<CacheClock, 'now' | 'monotonicNow'>
}

/** Runs one loader; rejects at the timeout even when the loader ignores its signal. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { key, loader, timeoutMs, active, clock } = options
  const startedAt = clock.now()
  const context = new LoaderContext(options)
  const timer = setTimeout(() => context.abort(new LoadTimeout(key, timeoutMs)), timeoutMs)
  active.add(context)
  options.onStarted?.(context)
  const startedMs = clock.monotonicNow()
  try {
    const value = await Promise.race([loader(context), context.aborted])
    return {
      value,
      startedAt,
      durationMs: clock.monotonicNow() - startedMs,
      lifetime: context.lifetime,
      tags: context.tags,
    }
  } finally {
    clearTimeout(timer)
    active.delete(context)
  }
}

/** A running load: what its loader receives and has set so far. */
export class LoaderContext implements Load {
  readonly key: string
  readonly stale: LoadOptions['stale']
  lifetime: Lifetime | undefined
  tags: readonly string[]
  /** Rejects when the load is aborted. */
  readonly aborted: Promise<never>
  readonly #options: LoadOptions
  #reject: (reason: unknown) => void = () => undefined
  #controller: AbortController | undefined
  #abortedBy: { readonly reason: unknown } | undefined

  constructor(options: LoadOptions) {
    this.#options = options
    this.key = options.key
    this.stale = options.stale
    this.lifetime = options.lifetime
    this.tags = options.tags
    this.aborted = new Promise((_resolve, reject) => {
      this.#reject = reject
    })
  }

  /** Created on first use: a signal costs more than the rest of a short load. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#abortedBy !== undefined) this.#controller.abort(this.#abortedBy.reason)
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.#abortedBy = { reason }
    this.#controller?.abort(reason)
    this.#reject(reason)
  }

  // Loaders destructure their argument: these must not depend on `this`.

  readonly setLifetime = (lifetime: Pick<Policy, keyof Lifetime>): void => {
    this.lifetime = resolveLifetime(lifetime, this.#options.lifetime)
  }

  readonly addTags = (...added: string[]): void => {
    this.tags = resolveTags([...this.tags, ...added])
  }

  readonly skipStore = (): void => {
    this.lifetime = undefined
  }

  readonly notModified = (): unknown => {
    if (this.stale === undefined) {
      throw new InvalidCacheOption('notModified() requires a stale value; check load.stale first')
    }
    // Includes tags that an earlier result added: without a new result the loader cannot add them again.
    this.tags = resolveTags([...this.tags, ...this.stale.tags].slice(0, maxTags))
    return this.stale.value
  }

  readonly notFound = <V>(value: V): V => {
    const ttlSeconds = this.#options.negativeTtlSeconds
    this.setLifetime({ ttlSeconds, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: 0 })
    return value
  }
}
