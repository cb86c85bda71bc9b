import { LRUCache } from 'lru-cache'
import type { Entry } from './entry.js'

/** Stands for an epoch that never comes: the entry is no longer what the shared store has under its key. */
export const doubted = -1

/** Tags and fingerprint, which many entries have in common. */
interface Label {
  readonly tags: readonly string[]
  readonly fingerprint: string
}

const noLabel: Label = { tags: [], fingerprint: '' }

/**
 * An entry as this process's memory holds it. Instants count from when the tier was made: small integers take no memory of their
 * own. What the shared store says of the entry later is written into it.
 */
export class Held {
  readonly value: unknown
  /** Stamp of the load; moved only when the clock turns out to have been wrong. */
  stamp: number
  /** When a hit begins to refresh behind; never after `fresh`. */
  refresh: number
  fresh: number
  revalidate: number
  stale: number
  #label: Label
  /** The epoch of coherence in which it was last known to be what the shared store has; `doubted`: it is known not to be. */
  epoch: number
  /** Version of the purge log that it was last held against. */
  purges: number
  /** Whether the shared store has been seen to have it. */
  isShared: boolean
  /** Whether a notice of our own write is to come. */
  awaitsEcho = false

  constructor(
    entry: Entry,
    refreshAt: number,
    base: number,
    standing: { epoch: number; purges: number; isShared: boolean },
  ) {
    this.value = entry.value
    this.stamp = entry.stamp
    this.refresh = Math.floor(refreshAt - base)
    this.fresh = Math.ceil(entry.freshUntil - base)
    this.revalidate = Math.ceil(entry.revalidateUntil - base)
    this.stale = Math.ceil(entry.staleUntil - base)
    this.#label = labelOf(entry)
    this.epoch = standing.epoch
    this.purges = standing.purges
    this.isShared = standing.isShared
  }

  get tags(): readonly string[] {
    return this.#label.tags
  }

  get fingerprint(): string {
    return this.#label.fingerprint
  }

  /** Ends its freshness for good: from now on it is served only when its load fails. */
  end(): void {
    this.refresh = this.fresh = this.revalidate = ended
  }

  /** Takes it out of use for good, for those too who have it in hand. */
  withdraw(): void {
    this.stale = ended
  }

  get isEnded(): boolean {
    return this.revalidate === ended
  }
}

const ended = -(2 ** 30)

/** A note that somebody reads or loads a key, and whether it has changed meanwhile. */
export interface Mark {
  isCurrent: boolean
}

export interface MemoryTierOptions {
  /** Bound on what all entries together may weigh, in bytes of JSON and some more for each. */
  readonly maxBytes: number
  readonly maxEntries: number
  /** Milliseconds since the epoch that instants count from. */
  readonly base: number
  /** Milliseconds since the epoch at which a hit on the entry begins to refresh it behind. */
  readonly refreshAt: (key: string, entry: Entry) => number
}

/** Counted for each entry beside its value: the key's header, the instants, the links of the list. */
const overheadBytes = 256

/** The tier in this process: entries that can be had without waiting, the least recently used ones giving way. */
export class MemoryTier {
  readonly base: number
  readonly #refreshAt: (key: string, entry: Entry) => number
  readonly #entries: LRUCache<string, Held>
  readonly #marks = new Map<string, Set<Mark>>()

  constructor({ maxBytes, maxEntries, base, refreshAt }: MemoryTierOptions) {
    this.base = base
    this.#refreshAt = refreshAt
    this.#entries = new LRUCache<string, Held>({ max: maxEntries, maxSize: maxBytes })
  }

  get(key: string): Held | undefined {
    return this.#entries.get(key)
  }

  /** Without counting as use. */
  peek(key: string): Held | undefined {
    return this.#entries.peek(key)
  }

  set(
    key: string,
    entry: Entry,
    bytes: number,
    standing: { readonly epoch: number; readonly purges: number; readonly isShared: boolean },
  ): Held {
    const held = new Held(entry, this.#refreshAt(key, entry), this.base, standing)
    this.#entries.set(key, held, { size: overheadBytes + key.length + bytes })
    return held
  }

  delete(key: string): boolean {
    return this.#entries.delete(key)
  }

  /** Begins to watch a key for changes; `unmark` ends it. */
  mark(key: string): Mark {
    const mark = { isCurrent: true }
    const marks = this.#marks.get(key)
    if (marks === undefined) this.#marks.set(key, new Set([mark]))
    else marks.add(mark)
    return mark
  }

  unmark(key: string, mark: Mark): void {
    const marks = this.#marks.get(key)
    marks?.delete(mark)
    if (marks?.size === 0) this.#marks.delete(key)
  }

  /** The key is not what it was: what is on its way from before cannot be trusted, and what is here neither. */
  change(key: string): Held | undefined {
    for (const mark of this.#marks.get(key) ?? []) mark.isCurrent = false
    const held = this.#entries.peek(key)
    if (held !== undefined) held.epoch = doubted
    return held
  }

  /** Every key may have changed; entries are told by their epoch. */
  changeAll(): void {
    for (const marks of this.#marks.values()) for (const mark of marks) mark.isCurrent = false
  }

  /** Moves the stamps of entries that the shared store has not seen. */
  shift(byMicroseconds: number): void {
    for (const held of this.#entries.values()) if (!held.isShared) held.stamp += byMicroseconds
  }

  /** How many entries there are, and their bytes. */
  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#entries.size, bytes: this.#entries.calculatedSize }
  }

  /** Drops everything. */
  clear(): void {
    this.#entries.clear()
  }
}

function labelOf({ tags, fingerprint }: Entry): Label {
  return tags.length === 0 && fingerprint === '' ? noLabel : { tags, fingerprint }
}
