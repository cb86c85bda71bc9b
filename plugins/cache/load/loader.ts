import type { Lifetime } from '../entry/codec.js'
import { InvalidCacheOption, LoadTimeout } from '../errors.js'
import { maxTags, type Policy, resolveLifetime, resolveTags } from '../options.js'

/** What a loader is handed: how to stop, what there was before, and a say in how its answer is kept. */
export interface Load<Stale = unknown> {
  readonly key: string
  /** Aborted when the load has taken too long or the application closes; never because one caller went away. */
  readonly signal: AbortSignal
  /** The value that is being replaced, where there is one. */
  readonly stale: { readonly value: Stale; readonly storedAt: number; readonly tags: readonly string[] } | undefined
  /** Overrides the policy for this answer, now that it is known; may be called more than once. */
  setLifetime(lifetime: Pick<Policy, keyof Lifetime>): void
  /** Adds labels for purging that only the answer could tell. */
  addTags(...tags: string[]): void
  /** Serves this answer without keeping it. */
  skipStore(): void
  /**
   * Gives the value that was to be replaced, to be kept as if it had been loaded anew, with the tags that it had: the
   * source says it is unchanged.
   */
  notModified(): Stale
  /** Gives the value back, to be kept briefly (`absentTtlSeconds`) and never served stale: it says that there is nothing. */
  notFound<V>(value: V): V
}

/** Fetches the value of one key from where it really lives. */
export type Loader<T, Stale = unknown> = (load: Load<Stale>) => Promise<T> | T

/** What came of a load: the value, and how to keep it; no lifetime means not at all. */
export interface Loaded {
  readonly value: unknown
  readonly startedAt: number
  /** Milliseconds that the load took. */
  readonly tookMs: number
  readonly lifetime: Lifetime | undefined
  readonly tags: readonly string[]
}

export interface LoadOrder {
  readonly key: string
  readonly loader: Loader<unknown>
  readonly lifetime: Lifetime
  readonly tags: readonly string[]
  readonly stale: { readonly value: unknown; readonly storedAt: number; readonly tags: readonly string[] } | undefined
  readonly negativeTtlSeconds: number
  readonly timeoutMs: number
  /** Has the load in it while it runs, so that whoever closes can end it. */
  readonly running: Set<RunningLoad>
  /** Told before the loader is called. */
  readonly onBegun?: ((load: RunningLoad) => void) | undefined
  readonly clock: { now(): number }
}

/** Runs one loader under its deadline; rejects at the deadline even when the loader does not heed its signal. */
export async function runLoad(order: LoadOrder): Promise<Loaded> {
  const { key, loader, timeoutMs, running } = order
  const startedAt = order.clock.now()
  const load = new RunningLoad(order)
  const timer = setTimeout(() => load.end(new LoadTimeout(key, timeoutMs)), timeoutMs)
  running.add(load)
  order.onBegun?.(load)
  const began = performance.now()
  try {
    const value = await Promise.race([loader(load), load.ended])
    return { value, startedAt, tookMs: performance.now() - began, lifetime: load.lifetime, tags: load.tags }
  } finally {
    clearTimeout(timer)
    running.delete(load)
  }
}

/** A load under way: what its loader is handed, what that has said so far, and the way to end it before its time. */
export class RunningLoad implements Load {
  readonly key: string
  readonly stale: LoadOrder['stale']
  lifetime: Lifetime | undefined
  tags: readonly string[]
  /** Rejects when the load is ended. */
  readonly ended: Promise<never>
  readonly #order: LoadOrder
  #reject: (reason: unknown) => void = () => undefined
  #controller: AbortController | undefined
  #endedBy: { readonly reason: unknown } | undefined

  constructor(order: LoadOrder) {
    this.#order = order
    this.key = order.key
    this.stale = order.stale
    this.lifetime = order.lifetime
    this.tags = order.tags
    this.ended = new Promise((_resolve, reject) => {
      this.#reject = reject
    })
  }

  /** Made when it is asked for: a signal costs more than all the rest of a short load. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#endedBy !== undefined) this.#controller.abort(this.#endedBy.reason)
    return this.#controller.signal
  }

  end(reason: unknown): void {
    this.#endedBy = { reason }
    this.#controller?.abort(reason)
    this.#reject(reason)
  }

  // Loaders take these apart: `({ signal, keepFor }) => …`. So none of them needs its `this`.

  readonly setLifetime = (wish: Pick<Policy, keyof Lifetime>): void => {
    this.lifetime = resolveLifetime(wish, this.#order.lifetime)
  }

  readonly addTags = (...added: string[]): void => {
    this.tags = resolveTags([...this.tags, ...added])
  }

  readonly skipStore = (): void => {
    this.lifetime = undefined
  }

  readonly notModified = (): unknown => {
    if (this.stale === undefined) {
      throw new InvalidCacheOption('notModified() wants a value that is being replaced')
    }
    // What only the answer could tell cannot be told again without one.
    this.tags = resolveTags([...this.tags, ...this.stale.tags].slice(0, maxTags))
    return this.stale.value
  }

  readonly notFound = <V>(value: V): V => {
    const ttlSeconds = this.#order.negativeTtlSeconds
    this.setLifetime({ ttlSeconds, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: 0 })
    return value
  }
}
