import type { Entry } from '../entry/codec.js'
import { ChangeWatches } from './change-watches.js'
import { LruIndex, noSlot } from './lru-index.js'
import { type MemoryEntry, unverified } from './memory-entry.js'

interface MemoryTierOptions {
  /** Bound on the size of all entries: bytes of JSON, key and tags, and a fixed overhead for each. */
  readonly maxBytes: number
  readonly maxEntries: number
  /** When hits start a background refresh of the entry, in milliseconds since the epoch. */
  readonly refreshAt: (key: string, entry: Entry) => number
}

/** Counted for each entry in addition to value, key and tags: its numbers and its place in the LRU index. */
const overheadBytes = 256

/** Tags and fingerprint, which many entries share. */
interface Label {
  readonly tags: readonly string[]
  readonly fingerprint: string
}

const noLabel: Label = { tags: [], fingerprint: '' }

// One array has the numbers of all entries, eight for each: an object per entry would take more memory than many
// values do (docs/decisions/0011).
const width = 8
const stamp = 0
const refreshAt = 1
const freshUntil = 2
const revalidateUntil = 3
const staleUntil = 4
const verifiedVersion = 5
const bytes = 6
const flags = 7

const persisted = 1
const invalidated = 2
const awaitsEcho = 4

/** The tier in this process, bounded by bytes and entries; the least recently used entries are evicted. */
export class MemoryTier {
  readonly watches = new ChangeWatches()
  readonly #options: MemoryTierOptions
  readonly #index: LruIndex
  readonly #values: unknown[] = []
  readonly #labels: Label[] = []
  #numbers = new Float64Array(0)
  #bytes = 0

  constructor(options: MemoryTierOptions) {
    this.#options = options
    this.#index = new LruIndex(options.maxEntries + 1) // an entry is added before the oldest one is evicted
  }

  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#index.size, bytes: this.#bytes }
  }

  /**
   * The slot of an entry that was verified in this version and is not due for a refresh, or `noSlot`. Counts as use.
   * The slot is valid until the next `set`.
   */
  hit(key: string, version: number, clock: { now(): number }): number {
    const slot = this.#index.find(key)
    if (slot === noSlot) return noSlot
    const at = slot * width
    if (this.#numbers[at + verifiedVersion] !== version) return noSlot
    if (clock.now() >= (this.#numbers[at + refreshAt] ?? 0)) return noSlot
    this.#index.use(slot)
    return slot
  }

  valueAt(slot: number): unknown {
    return this.#values[slot]
  }

  fingerprintAt(slot: number): string {
    return (this.#labels[slot] ?? noLabel).fingerprint
  }

  /** Does not count as use. */
  valueOf(key: string): unknown {
    return this.#values[this.#index.find(key)]
  }

  /** Counts as use. */
  get(key: string): MemoryEntry | undefined {
    const slot = this.#index.find(key)
    if (slot === noSlot) return undefined
    this.#index.use(slot)
    return this.#entryAt(slot)
  }

  /** Does not count as use. */
  peek(key: string): MemoryEntry | undefined {
    const slot = this.#index.find(key)
    return slot === noSlot ? undefined : this.#entryAt(slot)
  }

  /** Whether the key has this very value, verified in this version and fresh. */
  isFresh(key: string, value: unknown, version: number, now: number): boolean {
    const slot = this.#index.find(key)
    if (slot === noSlot || this.#values[slot] !== value) return false
    return (
      this.#number(slot, verifiedVersion) === version &&
      now < this.#number(slot, freshUntil) &&
      !this.#hasFlag(slot, invalidated)
    )
  }

  /** Stores the entry; one that is larger than the whole tier is dropped, together with the entry it replaces. */
  set(
    key: string,
    entry: Entry,
    jsonBytes: number,
    status: { readonly verifiedVersion: number; readonly isPersisted: boolean },
  ): void {
    const { maxBytes, maxEntries } = this.#options
    const tagBytes = entry.tags.reduce((sum, tag) => sum + Buffer.byteLength(tag), 0)
    const weight = overheadBytes + Buffer.byteLength(key) + tagBytes + jsonBytes
    if (weight > maxBytes) {
      this.delete(key)
      return
    }
    const slot = this.#slotFor(key)
    this.#bytes += weight - this.#number(slot, bytes)
    this.#values[slot] = entry.value
    this.#labels[slot] = labelOf(entry)
    const at = slot * width
    this.#numbers[at + stamp] = entry.stamp
    this.#numbers[at + refreshAt] = this.#options.refreshAt(key, entry)
    this.#numbers[at + freshUntil] = entry.freshUntil
    this.#numbers[at + revalidateUntil] = entry.revalidateUntil
    this.#numbers[at + staleUntil] = entry.staleUntil
    this.#numbers[at + verifiedVersion] = status.verifiedVersion
    this.#numbers[at + bytes] = weight
    this.#numbers[at + flags] = status.isPersisted ? persisted : 0
    while (this.#index.size > maxEntries || this.#bytes > maxBytes) this.#remove(this.#index.oldest)
  }

  /** Returns whether there was an entry. */
  delete(key: string): boolean {
    const slot = this.#index.find(key)
    if (slot === noSlot) return false
    this.#remove(slot)
    return true
  }

  /** The entry matches the shared store in this version. */
  markVerified(key: string, version: number): void {
    this.#set(this.#index.find(key), verifiedVersion, version)
  }

  markUnverified(key: string): void {
    this.#set(this.#index.find(key), verifiedVersion, unverified)
  }

  markPersisted(key: string, isPersisted: boolean): void {
    const slot = this.#index.find(key)
    if (isPersisted) this.#setFlag(slot, persisted)
    else this.#clearFlag(slot, persisted)
  }

  /** Ends the freshness of the entry; it remains available for stale-if-error. */
  invalidate(key: string): void {
    const slot = this.#index.find(key)
    this.#set(slot, refreshAt, 0)
    this.#setFlag(slot, invalidated)
  }

  /** Ends freshness and the stale-while-revalidate window at these instants, if they end later. */
  shortenFreshness(key: string, instants: { readonly freshUntil: number; readonly revalidateUntil: number }): void {
    const slot = this.#index.find(key)
    this.#set(slot, freshUntil, Math.min(this.#number(slot, freshUntil), instants.freshUntil))
    this.#set(slot, refreshAt, Math.min(this.#number(slot, refreshAt), instants.freshUntil))
    this.#set(slot, revalidateUntil, Math.min(this.#number(slot, revalidateUntil), instants.revalidateUntil))
  }

  /** An early refresh has started: hits do not start another one. */
  suppressEarlyRefresh(key: string): void {
    const slot = this.#index.find(key)
    if (!this.#hasFlag(slot, invalidated)) this.#set(slot, refreshAt, this.#number(slot, freshUntil))
  }

  /** The shared store will report our own write as a change. */
  expectEcho(key: string): void {
    this.#setFlag(this.#index.find(key), awaitsEcho)
  }

  /** Returns whether an echo was expected, and expects none from now on. */
  consumeEcho(key: string): boolean {
    const slot = this.#index.find(key)
    const wasAwaited = this.#hasFlag(slot, awaitsEcho)
    this.#clearFlag(slot, awaitsEcho)
    return wasAwaited
  }

  /** The key has changed elsewhere: its entry and its pending reads and loads are no longer known to be current. */
  markChanged(key: string): void {
    this.watches.changed(key)
    this.markUnverified(key)
  }

  /** Moves the stamps of entries that were not persisted. */
  adjustClock(byMicroseconds: number): void {
    for (const [, slot] of this.#index.all) {
      if (!this.#hasFlag(slot, persisted)) this.#set(slot, stamp, this.#number(slot, stamp) + byMicroseconds)
    }
  }

  #entryAt(slot: number): MemoryEntry {
    return {
      value: this.#values[slot],
      stamp: this.#number(slot, stamp),
      refreshAt: this.#number(slot, refreshAt),
      freshUntil: this.#number(slot, freshUntil),
      revalidateUntil: this.#number(slot, revalidateUntil),
      staleUntil: this.#number(slot, staleUntil),
      verifiedVersion: this.#number(slot, verifiedVersion),
      isPersisted: this.#hasFlag(slot, persisted),
      isInvalidated: this.#hasFlag(slot, invalidated),
      ...(this.#labels[slot] ?? noLabel),
    }
  }

  #slotFor(key: string): number {
    const slot = this.#index.find(key)
    if (slot !== noSlot) {
      this.#index.use(slot)
      return slot
    }
    const added = this.#index.add(key)
    if (this.#numbers.length < this.#index.capacity * width) {
      const before = this.#numbers
      this.#numbers = new Float64Array(this.#index.capacity * width)
      this.#numbers.set(before)
    }
    return added
  }

  #remove(slot: number): void {
    this.#bytes -= this.#number(slot, bytes)
    this.#set(slot, bytes, 0)
    this.#values[slot] = undefined
    this.#labels[slot] = noLabel
    this.#index.remove(slot)
  }

  #number(slot: number, column: number): number {
    return this.#numbers[slot * width + column] ?? 0
  }

  /** Does nothing for `noSlot`. */
  #set(slot: number, column: number, value: number): void {
    if (slot !== noSlot) this.#numbers[slot * width + column] = value
  }

  #hasFlag(slot: number, flag: number): boolean {
    return (this.#number(slot, flags) & flag) !== 0
  }

  #setFlag(slot: number, flag: number): void {
    this.#set(slot, flags, this.#number(slot, flags) | flag)
  }

  #clearFlag(slot: number, flag: number): void {
    this.#set(slot, flags, this.#number(slot, flags) & ~flag)
  }
}

function labelOf({ tags, fingerprint }: Entry): Label {
  return tags.length === 0 && fingerprint === '' ? noLabel : { tags, fingerprint }
}
