import type { Entry } from '../entry/codec.js'
import { KeySlots, none } from './lru-index.js'

/** Stands for a version that never was: the entry is known not to be what the shared store has under its key. */
export const doubted = -1

/** What memory holds under a key at this moment: a copy, which later changes do not reach. */
export interface MemoryEntry extends Omit<Entry, 'loadMs' | 'purgedAt'> {
  /** When a hit begins to refresh behind; never after `freshUntil`. */
  readonly refreshAt: number
  /**
   * The version of things (`Coherence`) in which it was last known to be what the shared store has, and not purged;
   * or `doubted`.
   */
  readonly seen: number
  /** Whether the shared store has been seen to have it. */
  readonly isShared: boolean
  /** Whether its freshness has ended for good: it is served only when its load fails. */
  readonly isEnded: boolean
}

/** A note that somebody reads or loads a key, and whether that may have changed meanwhile. */
export interface Mark {
  isCurrent: boolean
  /** Whether a change of the key has been heard of, and not only none where one may have been missed. */
  isChanged: boolean
  /** Of the same key. */
  next: Mark | undefined
  previous: Mark | undefined
}

export interface MemoryTierOptions {
  /** Bound on what all entries together may weigh, in bytes of JSON and some more for each. */
  readonly maxBytes: number
  readonly maxEntries: number
  /** Milliseconds since the epoch at which a hit on the entry begins to refresh it behind. */
  readonly refreshAt: (key: string, entry: Entry) => number
}

/** Counted for each entry beside its value, key and tags: its numbers, its place in the order of use. */
const overheadBytes = 256

/** Tags and fingerprint, which many entries have in common. */
interface Label {
  readonly tags: readonly string[]
  readonly fingerprint: string
}

const noLabel: Label = { tags: [], fingerprint: '' }

// The numbers of an entry lie side by side in one array for all, eight to an entry: an object for each entry would
// take more memory than many a value (docs/decisions/0011).
const width = 8
const stamp = 0
const refreshAt = 1
const freshUntil = 2
const revalidateUntil = 3
const staleUntil = 4
const seen = 5
const bytes = 6
const flags = 7

const shared = 1
const ended = 2
const awaitsEcho = 4

/** The tier in this process: entries that can be had without waiting, the least recently used ones giving way. */
export class MemoryTier {
  readonly #options: MemoryTierOptions
  readonly #slots: KeySlots
  readonly #values: unknown[] = []
  readonly #labels: Label[] = []
  #numbers = new Float64Array(0)
  #bytes = 0
  readonly #marks = new Map<string, Mark>()

  constructor(options: MemoryTierOptions) {
    this.#options = options
    this.#slots = new KeySlots(options.maxEntries + 1) // the new one comes before the oldest goes
  }

  /** How many entries there are, and what they weigh. */
  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#slots.size, bytes: this.#bytes }
  }

  /**
   * Where the value lies that answers a read at once: seen in this version, and not due for a refresh; `none` when
   * there is no such value. Counts as use. The slot is good until something is set.
   */
  hit(key: string, version: number, clock: { now(): number }): number {
    const slot = this.#slots.find(key)
    if (slot === none) return none
    const at = slot * width
    if (this.#numbers[at + seen] !== version) return none
    if (clock.now() >= (this.#numbers[at + refreshAt] ?? 0)) return none
    this.#slots.use(slot)
    return slot
  }

  valueAt(slot: number): unknown {
    return this.#values[slot]
  }

  fingerprintAt(slot: number): string {
    return (this.#labels[slot] ?? noLabel).fingerprint
  }

  /** The value under the key, without counting as use. */
  valueOf(key: string): unknown {
    return this.#values[this.#slots.find(key)]
  }

  /** What lies under the key. Counts as use. */
  get(key: string): MemoryEntry | undefined {
    const slot = this.#slots.find(key)
    if (slot === none) return undefined
    this.#slots.use(slot)
    return this.#held(slot)
  }

  /** What lies under the key, without counting as use. */
  peek(key: string): MemoryEntry | undefined {
    const slot = this.#slots.find(key)
    return slot === none ? undefined : this.#held(slot)
  }

  /** Whether this very value lies under the key, seen in this version and fresh at the instant `now`. */
  isFresh(key: string, value: unknown, version: number, now: number): boolean {
    const slot = this.#slots.find(key)
    if (slot === none || this.#values[slot] !== value) return false
    return this.#number(slot, seen) === version && now < this.#number(slot, freshUntil) && !this.#has(slot, ended)
  }

  /** Puts an entry under its key, unless it alone is more than the bound: then nothing lies there. */
  set(key: string, entry: Entry, jsonBytes: number, standing: { seen: number; isShared: boolean }): void {
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
    this.#numbers[at + seen] = standing.seen
    this.#numbers[at + bytes] = weight
    this.#numbers[at + flags] = standing.isShared ? shared : 0
    while (this.#slots.size > maxEntries || this.#bytes > maxBytes) this.#remove(this.#slots.oldest)
  }

  /** Whether there was something. */
  delete(key: string): boolean {
    const slot = this.#slots.find(key)
    if (slot === none) return false
    this.#remove(slot)
    return true
  }

  /** The entry is what the shared store has, as far as is known in this version; or `doubted`. */
  see(key: string, version: number): void {
    this.#set(this.#slots.find(key), seen, version)
  }

  /** Ends its freshness for good: from now on it is served only when its load fails. */
  end(key: string): void {
    const slot = this.#slots.find(key)
    this.#set(slot, refreshAt, 0)
    this.#raise(slot, ended)
  }

  /** Ends its freshness at an instant, and the time in which it is served while a refresh runs behind at another one. */
  shorten(key: string, instants: { readonly freshUntil: number; readonly revalidateUntil: number }): void {
    const slot = this.#slots.find(key)
    this.#set(slot, freshUntil, Math.min(this.#number(slot, freshUntil), instants.freshUntil))
    this.#set(slot, refreshAt, Math.min(this.#number(slot, refreshAt), instants.freshUntil))
    this.#set(slot, revalidateUntil, Math.min(this.#number(slot, revalidateUntil), instants.revalidateUntil))
  }

  /** A refresh ahead of time has begun: hits do not begin another one. */
  refreshNoMore(key: string): void {
    const slot = this.#slots.find(key)
    if (!this.#has(slot, ended)) this.#set(slot, refreshAt, this.#number(slot, freshUntil))
  }

  /** Whether the shared store has been seen to have it. */
  share(key: string, isShared: boolean): void {
    const slot = this.#slots.find(key)
    if (isShared) this.#raise(slot, shared)
    else this.#lower(slot, shared)
  }

  /** A notice of our own write is to come. */
  expectEcho(key: string): void {
    this.#raise(this.#slots.find(key), awaitsEcho)
  }

  /** Whether a notice of our own write was to come; from now on none is. */
  takeEcho(key: string): boolean {
    const slot = this.#slots.find(key)
    const wasAwaited = this.#has(slot, awaitsEcho)
    this.#lower(slot, awaitsEcho)
    return wasAwaited
  }

  /** Begins to watch a key for changes; `unmark` ends it. */
  mark(key: string): Mark {
    const next = this.#marks.get(key)
    const mark: Mark = { isCurrent: true, isChanged: false, next, previous: undefined }
    if (next !== undefined) next.previous = mark
    this.#marks.set(key, mark)
    return mark
  }

  /** Ends it; once. */
  unmark(key: string, { next, previous }: Mark): void {
    if (next !== undefined) next.previous = previous
    if (previous !== undefined) previous.next = next
    else if (next !== undefined) this.#marks.set(key, next)
    else this.#marks.delete(key)
  }

  /** The key is not what it was: what is on its way from before cannot be trusted, and what is here neither. */
  change(key: string): void {
    changeAll(this.#marks.get(key))
    this.see(key, doubted)
  }

  /** Every key may have changed: what is on its way from before cannot be trusted. What is here is told by its version. */
  doubtAll(): void {
    for (const first of this.#marks.values()) {
      for (let mark: Mark | undefined = first; mark !== undefined; mark = mark.next) mark.isCurrent = false
    }
  }

  /** Every key has changed. What is here is told by its version. */
  changeAll(): void {
    for (const first of this.#marks.values()) changeAll(first)
  }

  /** Moves the stamps of entries that the shared store has not seen. */
  shift(byMicroseconds: number): void {
    for (const [, slot] of this.#slots.all) {
      if (!this.#has(slot, shared)) this.#set(slot, stamp, this.#number(slot, stamp) + byMicroseconds)
    }
  }

  #held(slot: number): MemoryEntry {
    return {
      value: this.#values[slot],
      stamp: this.#number(slot, stamp),
      refreshAt: this.#number(slot, refreshAt),
      freshUntil: this.#number(slot, freshUntil),
      revalidateUntil: this.#number(slot, revalidateUntil),
      staleUntil: this.#number(slot, staleUntil),
      seen: this.#number(slot, seen),
      isShared: this.#has(slot, shared),
      isEnded: this.#has(slot, ended),
      ...(this.#labels[slot] ?? noLabel),
    }
  }

  #slotFor(key: string): number {
    const slot = this.#slots.find(key)
    if (slot !== none) {
      this.#slots.use(slot)
      return slot
    }
    const added = this.#slots.add(key)
    if (this.#numbers.length < this.#slots.capacity * width) {
      const before = this.#numbers
      this.#numbers = new Float64Array(this.#slots.capacity * width)
      this.#numbers.set(before)
    }
    return added
  }

  #remove(slot: number): void {
    this.#bytes -= this.#number(slot, bytes)
    this.#set(slot, bytes, 0)
    this.#values[slot] = undefined
    this.#labels[slot] = noLabel
    this.#slots.remove(slot)
  }

  #number(slot: number, column: number): number {
    return this.#numbers[slot * width + column] ?? 0
  }

  /** Does nothing where there is no slot. */
  #set(slot: number, column: number, value: number): void {
    if (slot !== none) this.#numbers[slot * width + column] = value
  }

  #has(slot: number, flag: number): boolean {
    return (this.#number(slot, flags) & flag) !== 0
  }

  #raise(slot: number, flag: number): void {
    this.#set(slot, flags, this.#number(slot, flags) | flag)
  }

  #lower(slot: number, flag: number): void {
    this.#set(slot, flags, this.#number(slot, flags) & ~flag)
  }
}

function changeAll(first: Mark | undefined): void {
  for (let mark = first; mark !== undefined; mark = mark.next) {
    mark.isCurrent = false
    mark.isChanged = true
  }
}

function labelOf({ tags, fingerprint }: Entry): Label {
  return tags.length === 0 && fingerprint === '' ? noLabel : { tags, fingerprint }
}
