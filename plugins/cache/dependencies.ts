import { AsyncLocalStorage } from 'node:async_hooks'
import type { MemoryEntry } from './memory/memory-tier.js'
import type { PurgeVerdict } from './purge/purge-log.js'

/** What a result was made from: every entry that was read while it was made. */
export interface Dependencies {
  /** The tags of all entries. */
  readonly tags: readonly string[]
  /**
   * Milliseconds for which all of them stay fresh, from the end of tracking; `Infinity` when nothing was read, 0 when a
   * read failed, had not ended or returned a value that is not stored.
   */
  readonly freshForMs: number
  /**
   * Whether each of them is still what the cache would answer with, as fresh. Costs nanoseconds while nothing has
   * changed, and never asks the shared store.
   */
  isCurrent(): boolean
  /** The same made also from what has these tags, which the cache has not read: a purge of one of them ends it too. */
  withTags(tags: readonly string[]): Dependencies
  /** Whether a tag of it has been purged since it began to be made, and how; a purge of everything counts. */
  purgeVerdict(): PurgeVerdict
}

/** What the cache says of what was read. */
export interface Judge {
  /** Whether the entry is still the one that would be answered with. */
  isCurrent(key: string, value: unknown): boolean
  /** Changes whenever the purges may say something else than before. */
  version(): number
  /** Milliseconds since the epoch. */
  now(): number
  /** What the purges say of something that began to be made when the collecting began. */
  verdict(tags: readonly string[]): PurgeVerdict
}

/** Collects what is read. */
export class DependencyRecorder {
  readonly #read = new Map<string, unknown>()
  readonly #tags = new Set<string>()
  #freshUntil = Number.POSITIVE_INFINITY
  #unfinished = 0

  /** A read begins: until it has ended nobody knows what depends on it. */
  begin(): void {
    this.#unfinished += 1
  }

  /** A read has ended, after what it gave was added. */
  end(): void {
    this.#unfinished -= 1
  }

  /** An entry was read. */
  add(key: string, { value, tags, freshUntil }: MemoryEntry): void {
    // Two values under one key: what was made from both is not what would be made now.
    if (this.#read.has(key) && this.#read.get(key) !== value) this.#freshUntil = 0
    this.#read.set(key, value)
    for (const tag of tags) this.#tags.add(tag)
    this.#freshUntil = Math.min(this.#freshUntil, freshUntil)
  }

  /** A read failed, or gave what is not stored: what is made from it is not stored either. */
  addUnkept(tags: readonly string[]): void {
    for (const tag of tags) this.#tags.add(tag)
    this.#freshUntil = 0
  }

  made(judge: Judge): Dependencies {
    const freshUntil = this.#unfinished > 0 ? 0 : this.#freshUntil
    const freshForMs = Math.max(0, freshUntil - judge.now())
    return describe(new Map(this.#read), freshForMs, [...this.#tags], judge)
  }
}

function describe(read: ReadonlyMap<string, unknown>, freshForMs: number, tags: string[], judge: Judge): Dependencies {
  let judgedIn = -1
  return {
    tags,
    freshForMs,
    isCurrent() {
      if (freshForMs === 0) return false
      const version = judge.version()
      if (version !== judgedIn) {
        if (judge.verdict(tags) !== 'none') return false
        judgedIn = version
      }
      for (const [key, value] of read) if (!judge.isCurrent(key, value)) return false
      return true
    },
    withTags: (more) => describe(read, freshForMs, [...new Set([...tags, ...more])], judge),
    purgeVerdict: () => judge.verdict(tags),
  }
}

/** The collectors of calls under way; each sees what is read inside it, however deep. */
export class DependencyTracker {
  readonly #storage = new AsyncLocalStorage<readonly DependencyRecorder[]>()
  #underWay = 0

  /** Those who want to know of a read here and now. Costs one comparison while nobody collects. */
  get collectors(): readonly DependencyRecorder[] | undefined {
    return this.#underWay === 0 ? undefined : this.#storage.getStore()
  }

  /** Runs a read, of which the collectors also learn when it fails or has not ended. */
  async observe<T>(tags: readonly string[], read: () => Promise<T>): Promise<T> {
    const { collectors } = this
    if (collectors === undefined) return read()
    for (const collector of collectors) collector.begin()
    try {
      return await read()
    } catch (error) {
      for (const collector of collectors) collector.addUnkept(tags)
      throw error
    } finally {
      for (const collector of collectors) collector.end()
    }
  }

  /** Gives a function that runs work for the collectors of here and now, whatever asynchronous context it is called in. */
  bind(): (work: () => void) => void {
    const { collectors = [] } = this
    return (work) => this.#storage.run(collectors, work)
  }

  /** Runs something that the result does not depend on, such as a refresh in the background. */
  apart<T>(work: () => T): T {
    return this.collectors === undefined ? work() : this.#storage.run([], work)
  }

  async run<T>(make: () => Promise<T> | T): Promise<{ value: T; collector: DependencyRecorder }> {
    const collector = new DependencyRecorder()
    this.#underWay += 1
    try {
      const value = await this.#storage.run([...(this.#storage.getStore() ?? []), collector], async () => make())
      return { value, collector }
    } finally {
      this.#underWay -= 1
      // Or Node would go on following every asynchronous step of the process, at some 0.8 us a request.
      if (this.#underWay === 0) this.#storage.disable()
    }
  }
}
