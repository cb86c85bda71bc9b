import { AsyncLocalStorage } from 'node:async_hooks'
import { InvalidCacheOption } from './errors.js'
import type { MemoryEntry } from './memory/memory-entry.js'
import type { PurgeVerdict } from './purge/purge-log.js'
import { ReadValue } from './read-value.js'

/** Every entry that was read while a result was produced. */
export interface Dependencies {
  /** The tags of all entries. */
  readonly tags: readonly string[]
  /**
   * Milliseconds for which all of them stay fresh, from the end of tracking; `Infinity` when nothing was read, 0 when a
   * read returned a stale value, or failed, had not ended or returned a value that is not stored.
   */
  readonly freshForMs: number
  /**
   * Milliseconds, from the end of tracking, for which all of them may be served stale: while they are refreshed, and when
   * that fails. Not after the `freshUntil` of a read, whose value then means something else; at least `freshForMs`. 0 when
   * a read failed, had not ended or returned a value that is not stored, or one that was purged.
   */
  readonly revalidateForMs: number
  readonly staleForMs: number
  /** Whether a read of each entry would return the same value, fresh or stale as then. Does not ask the shared store. */
  isCurrent(): boolean
  /** The same with additional tags, for data that was not read from the cache; purging one ends `isCurrent` too. */
  withTags(tags: readonly string[]): Dependencies
  /** Whether one of the tags, or everything, was purged since tracking started. */
  purgeVerdict(): PurgeVerdict
}

/** The present state of the cache, as far as dependencies need it. */
export interface CacheView {
  /** Whether a read of the key would return this value, fresh or stale as then. */
  isCurrent(key: string, read: ReadValue): boolean
  /** Changes with every new purge. */
  version(): number
  /** Milliseconds since the epoch. */
  now(): number
  /** Whether one of the tags was purged since tracking started. */
  verdict(tags: readonly string[]): PurgeVerdict
}

/** The outcome of one read; `unknown`: a bypass, or a missing value. */
export interface TrackedRead {
  readonly value: unknown
  readonly state: 'fresh' | 'stale' | 'unknown'
}

/** Records the reads of one tracked call. */
export class DependencyRecorder {
  readonly #read = new Map<string, ReadValue>()
  readonly #included = new Set<TrackedDependencies>()
  readonly #tags = new Set<string>()
  #freshUntil = Number.POSITIVE_INFINITY
  #revalidateUntil = Number.POSITIVE_INFINITY
  #staleUntil = Number.POSITIVE_INFINITY
  #isStale = false
  #unfinished = 0

  /** Until the read has ended its dependencies are unknown. */
  readStarted(): void {
    this.#unfinished += 1
  }

  /** To be called after the entry was added. */
  readEnded(): void {
    this.#unfinished -= 1
  }

  /** `staleLimit`: when stale windows end at the latest, in milliseconds since the epoch. */
  add(key: string, entry: MemoryEntry, staleLimit: number): void {
    const { freshUntil, revalidateUntil, staleUntil } = entry
    this.#add(key, entry, false)
    this.#freshUntil = Math.min(this.#freshUntil, freshUntil)
    this.#revalidateUntil = Math.min(this.#revalidateUntil, Math.max(freshUntil, Math.min(revalidateUntil, staleLimit)))
    this.#staleUntil = Math.min(this.#staleUntil, Math.max(freshUntil, Math.min(staleUntil, staleLimit)))
  }

  /** A read returned the value stale. */
  addStale(key: string, entry: MemoryEntry, staleLimit: number): void {
    this.#add(key, entry, true)
    this.#isStale = true
    this.#staleUntil = Math.min(this.#staleUntil, entry.staleUntil, staleLimit)
  }

  #add(key: string, entry: MemoryEntry, isStale: boolean): void {
    const known = this.#read.get(key)
    // Two values of one key: the result is inconsistent.
    if (known !== undefined && !(known.isOf(entry) && known.isStale === isStale)) this.#freshUntil = 0
    this.#read.set(key, new ReadValue(entry, isStale))
    for (const tag of entry.tags) this.#tags.add(tag)
  }

  /** A read failed, or returned a value that is not stored: the result must not be stored either. */
  addUncacheable(tags: readonly string[]): void {
    for (const tag of tags) this.#tags.add(tag)
    this.#freshUntil = 0
  }

  /** Adds what a tracked call that has ended read. */
  include(dependencies: TrackedDependencies): void {
    this.#included.add(dependencies)
    for (const tag of dependencies.tags) this.#tags.add(tag)
    this.#freshUntil = Math.min(this.#freshUntil, dependencies.freshUntil)
    this.#revalidateUntil = Math.min(this.#revalidateUntil, dependencies.revalidateUntil)
    this.#staleUntil = Math.min(this.#staleUntil, dependencies.staleUntil)
    this.#isStale ||= dependencies.isStale
  }

  finish(view: CacheView): Dependencies {
    const freshUntil = this.#unfinished > 0 ? 0 : this.#freshUntil
    const now = view.now()
    const instants = { freshUntil, revalidateUntil: this.#revalidateUntil, staleUntil: this.#staleUntil }
    const [read, included, tags] = [new Map(this.#read), [...this.#included], [...this.#tags]]
    return new TrackedDependencies({ read, included, tags, ...instants, isStale: this.#isStale, now, view })
  }
}

interface TrackedOptions {
  readonly read: ReadonlyMap<string, ReadValue>
  readonly included: readonly TrackedDependencies[]
  readonly tags: readonly string[]
  /** Milliseconds since the epoch; 0 for a result that must not be stored. */
  readonly freshUntil: number
  readonly revalidateUntil: number
  readonly staleUntil: number
  /** Whether one of the values was stale. */
  readonly isStale: boolean
  /** When tracking ended. */
  readonly now: number
  readonly view: CacheView
}

/** The dependencies of a tracked call that has ended. */
class TrackedDependencies implements Dependencies {
  readonly tags: readonly string[]
  readonly freshForMs: number
  readonly revalidateForMs: number
  readonly staleForMs: number
  readonly freshUntil: number
  readonly revalidateUntil: number
  readonly staleUntil: number
  readonly isStale: boolean
  readonly #options: TrackedOptions
  #checkedVersion = -1

  constructor(options: TrackedOptions) {
    this.#options = options
    this.tags = options.tags
    const { freshUntil, revalidateUntil, staleUntil, isStale, now } = options
    this.freshUntil = freshUntil
    this.revalidateUntil = revalidateUntil
    this.staleUntil = staleUntil
    this.isStale = isStale
    const freshForMs = Math.max(0, freshUntil - now)
    this.freshForMs = isStale ? 0 : freshForMs
    this.revalidateForMs = this.freshForMs === 0 ? 0 : revalidateUntil - now
    // Next to a stale value the others have to stay fresh.
    if (isStale) this.staleForMs = Math.max(0, Math.min(freshForMs, staleUntil - now))
    else this.staleForMs = freshForMs === 0 ? 0 : staleUntil - now
  }

  isCurrent(): boolean {
    const { read, included, tags, view } = this.#options
    if (this.freshForMs === 0 && this.staleForMs === 0) return false
    const version = view.version()
    if (version !== this.#checkedVersion) {
      if (view.verdict(tags) !== 'none') return false
      this.#checkedVersion = version
    }
    for (const [key, value] of read) if (!view.isCurrent(key, value)) return false
    for (const each of included) if (!each.isCurrent()) return false
    return true
  }

  withTags(more: readonly string[]): Dependencies {
    return new TrackedDependencies({ ...this.#options, tags: [...new Set([...this.tags, ...more])] })
  }

  /** Included calls may have started before a purge that this one started after. */
  purgeVerdict(): PurgeVerdict {
    const { included, tags, view } = this.#options
    const verdicts = [view.verdict(tags), ...included.map((each) => each.purgeVerdict())]
    return (['hard', 'soft'] as const).find((verdict) => verdicts.includes(verdict)) ?? 'none'
  }
}

/** Tracked calls in progress. A read is recorded by every call around it. */
export class DependencyTracker {
  readonly #storage = new AsyncLocalStorage<readonly DependencyRecorder[]>()
  #active = 0

  /** The recorders of this asynchronous context. Costs one comparison while no call is tracked. */
  get recorders(): readonly DependencyRecorder[] | undefined {
    return this.#active === 0 ? undefined : this.#storage.getStore()
  }

  /** Runs a read; its failure, and that it has not ended yet, are recorded. */
  async recordRead<T>(tags: readonly string[], read: () => Promise<T>): Promise<T> {
    const { recorders } = this
    if (recorders === undefined) return read()
    for (const recorder of recorders) recorder.readStarted()
    try {
      return await read()
    } catch (error) {
      for (const recorder of recorders) recorder.addUncacheable(tags)
      throw error
    } finally {
      for (const recorder of recorders) recorder.readEnded()
    }
  }

  /** Records a read of the entry; `unknown`: the result must not be stored. */
  record(
    key: string,
    entry: MemoryEntry | undefined,
    state: TrackedRead['state'],
    policy?: { readonly tags?: readonly string[]; readonly freshUntil?: number },
  ): void {
    const { freshUntil = Number.POSITIVE_INFINITY, tags = [] } = policy ?? {}
    for (const recorder of this.recorders ?? []) {
      if (entry === undefined || state === 'unknown') recorder.addUncacheable([...tags, ...(entry?.tags ?? [])])
      else if (state === 'stale') recorder.addStale(key, entry, freshUntil)
      // What `get` reads may have a limit that is not known here: without a policy there is no stale window.
      else recorder.add(key, entry, policy === undefined ? 0 : freshUntil)
    }
  }

  /** Records the dependencies of a tracked call that has ended. Throws `VITRINE_CACHE_OPTION` for other objects. */
  include(dependencies: Dependencies): void {
    if (!(dependencies instanceof TrackedDependencies)) {
      throw new InvalidCacheOption('addDependencies requires the dependencies that track returned')
    }
    for (const recorder of this.recorders ?? []) recorder.include(dependencies)
  }

  /** Returns a function that runs work in this asynchronous context, wherever it is called. */
  bind(): (work: () => void) => void {
    const { recorders = [] } = this
    return (work) => this.#storage.run(recorders, work)
  }

  /** Runs work that the result does not depend on, such as a background refresh. */
  runUntracked<T>(work: () => T): T {
    return this.recorders === undefined ? work() : this.#storage.run([], work)
  }

  async run<T>(work: () => Promise<T> | T): Promise<{ value: T; recorder: DependencyRecorder }> {
    const recorder = new DependencyRecorder()
    this.#active += 1
    try {
      const value = await this.#storage.run([...(this.#storage.getStore() ?? []), recorder], async () => work())
      return { value, recorder }
    } finally {
      this.#active -= 1
      // Otherwise Node keeps propagating the context, which costs some 0.8 us a request.
      if (this.#active === 0) this.#storage.disable()
    }
  }
}
