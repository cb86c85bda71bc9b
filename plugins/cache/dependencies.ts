import { AsyncLocalStorage } from 'node:async_hooks'
import type { MemoryEntry } from './memory/memory-entry.js'
import type { PurgeVerdict } from './purge/purge-log.js'

/** Every entry that was read while a result was produced. */
export interface Dependencies {
  /** The tags of all entries. */
  readonly tags: readonly string[]
  /**
   * Milliseconds for which all of them stay fresh, from the end of tracking; `Infinity` when nothing was read, 0 when a
   * read failed, had not ended or returned a value that is not stored.
   */
  readonly freshForMs: number
  /** Whether a read of each entry would return the same value, fresh. Does not ask the shared store. */
  isCurrent(): boolean
  /** The same with additional tags, for data that was not read from the cache; purging one ends `isCurrent` too. */
  withTags(tags: readonly string[]): Dependencies
  /** Whether one of the tags, or everything, was purged since tracking started. */
  purgeVerdict(): PurgeVerdict
}

/** The present state of the cache, as far as dependencies need it. */
export interface CacheView {
  /** Whether a read of the key would return this value, fresh. */
  isCurrent(key: string, value: unknown): boolean
  /** Changes with every new purge. */
  version(): number
  /** Milliseconds since the epoch. */
  now(): number
  /** Whether one of the tags was purged since tracking started. */
  verdict(tags: readonly string[]): PurgeVerdict
}

/** Records the reads of one tracked call. */
export class DependencyRecorder {
  readonly #read = new Map<string, unknown>()
  readonly #tags = new Set<string>()
  #freshUntil = Number.POSITIVE_INFINITY
  #unfinished = 0

  /** Until the read has ended its dependencies are unknown. */
  readStarted(): void {
    this.#unfinished += 1
  }

  /** To be called after the entry was added. */
  readEnded(): void {
    this.#unfinished -= 1
  }

  add(key: string, { value, tags, freshUntil }: MemoryEntry): void {
    // Two values of one key: the result is inconsistent.
    if (this.#read.has(key) && this.#read.get(key) !== value) this.#freshUntil = 0
    this.#read.set(key, value)
    for (const tag of tags) this.#tags.add(tag)
    this.#freshUntil = Math.min(this.#freshUntil, freshUntil)
  }

  /** A read failed, or returned a value that is not stored: the result must not be stored either. */
  addUncacheable(tags: readonly string[]): void {
    for (const tag of tags) this.#tags.add(tag)
    this.#freshUntil = 0
  }

  finish(view: CacheView): Dependencies {
    const freshUntil = this.#unfinished > 0 ? 0 : this.#freshUntil
    const freshForMs = Math.max(0, freshUntil - view.now())
    return createDependencies(new Map(this.#read), freshForMs, [...this.#tags], view)
  }
}

function createDependencies(
  read: ReadonlyMap<string, unknown>,
  freshForMs: number,
  tags: string[],
  view: CacheView,
): Dependencies {
  let checkedVersion = -1
  return {
    tags,
    freshForMs,
    isCurrent() {
      if (freshForMs === 0) return false
      const version = view.version()
      if (version !== checkedVersion) {
        if (view.verdict(tags) !== 'none') return false
        checkedVersion = version
      }
      for (const [key, value] of read) if (!view.isCurrent(key, value)) return false
      return true
    },
    withTags: (more) => createDependencies(read, freshForMs, [...new Set([...tags, ...more])], view),
    purgeVerdict: () => view.verdict(tags),
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
