import type { Lifetime } from './entry.js'
import { InvalidCacheOption, LoadTimeout } from './errors.js'
import { type Policy, resolveLifetime, resolveTags } from './options.js'

/** What a loader is handed: how to stop, what there was before, and a say in how its answer is kept. */
export interface Load<Stale = unknown> {
  readonly key: string
  /** Aborted when the load has taken too long or the application closes; never because one caller went away. */
  readonly signal: AbortSignal
  /** The value that is being replaced, where there is one. */
  readonly stale: { readonly value: Stale; readonly storedAt: number } | undefined
  /** Overrides the policy for this answer, now that it is known; may be called more than once. */
  keepFor(lifetime: Pick<Policy, keyof Lifetime>): void
  /** Adds labels for purging that only the answer could tell. */
  addTags(...tags: string[]): void
  /** Serves this answer without keeping it. */
  doNotKeep(): void
  /** Gives the value that was to be replaced, to be kept as if it had been loaded anew: the source says it is unchanged. */
  notModified(): Stale
  /** Gives the value back, to be kept briefly (`absentTtlSeconds`) and never served stale: it says that there is nothing. */
  absent<V>(value: V): V
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
  readonly stale: { readonly value: unknown; readonly storedAt: number } | undefined
  readonly absentTtlSeconds: number
  readonly timeoutMs: number
  /** Calls back when the application closes; gives a way to take that back. */
  readonly onClose: (end: (reason: unknown) => void) => () => void
  readonly now: () => number
}

/** Runs one loader under its deadline; rejects at the deadline even when the loader does not heed its signal. */
export async function runLoad(order: LoadOrder): Promise<Loaded> {
  const { key, loader, stale, timeoutMs } = order
  const startedAt = order.now()
  let lifetime: Lifetime | undefined = order.lifetime
  let tags = order.tags

  const ending = new Ending()
  const timer = setTimeout(() => ending.end(new LoadTimeout(key, timeoutMs)), timeoutMs)
  const leave = order.onClose((reason) => ending.end(reason))
  const load: Load = {
    key,
    get signal() {
      return ending.signal
    },
    stale,
    keepFor(wish) {
      lifetime = resolveLifetime(wish, order.lifetime)
    },
    addTags(...added) {
      tags = resolveTags([...tags, ...added])
    },
    doNotKeep() {
      lifetime = undefined
    },
    notModified() {
      if (stale === undefined) throw new InvalidCacheOption('notModified() wants a value that is being replaced')
      return stale.value
    },
    absent(value) {
      const briefly = { ttlSeconds: order.absentTtlSeconds, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: 0 }
      lifetime = resolveLifetime(briefly, order.lifetime)
      return value
    },
  }
  const began = performance.now()
  try {
    const value = await Promise.race([loader(load), ending.promise])
    return { value, startedAt, tookMs: performance.now() - began, lifetime, tags }
  } finally {
    clearTimeout(timer)
    leave()
  }
}

/** The end of a load before its time, told to those who want to hear of it: a signal costs more than all the rest of a short load. */
class Ending {
  readonly promise: Promise<never>
  #reject: (reason: unknown) => void = () => undefined
  #controller: AbortController | undefined
  #endedBy: { readonly reason: unknown } | undefined

  constructor() {
    this.promise = new Promise((_resolve, reject) => {
      this.#reject = reject
    })
  }

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
}
