export const noSlot = -1

const firstCapacity = 1_024

/**
 * Keys in order of last use. Each key has a slot, a small integer by which its owner indexes arrays; the slot of a
 * removed key is reused.
 */
export class LruIndex {
  readonly #slots = new Map<string, number>()
  readonly #keys: (string | undefined)[] = []
  readonly #free: number[] = []
  #older = new Int32Array(0)
  #newer = new Int32Array(0)
  #oldest = noSlot
  #newest = noSlot
  readonly #maxKeys: number

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys
  }

  get size(): number {
    return this.#slots.size
  }

  /** Slots allocated so far; `add` may allocate more. */
  get capacity(): number {
    return this.#older.length
  }

  /** The slot of the least recently used key, or `noSlot`. */
  get oldest(): number {
    return this.#oldest
  }

  /** In no particular order. */
  get all(): Iterable<readonly [key: string, slot: number]> {
    return this.#slots
  }

  /** The slot of the key, or `noSlot`. Does not count as use. */
  find(key: string): number {
    return this.#slots.get(key) ?? noSlot
  }

  /** Assigns a slot to a key that has none. Counts as use. The index must not be full. */
  add(key: string): number {
    const slot = this.#free.pop() ?? this.#keys.length
    if (slot >= this.capacity) this.#grow()
    this.#keys[slot] = key
    this.#slots.set(key, slot)
    this.#append(slot)
    return slot
  }

  use(slot: number): void {
    if (slot === this.#newest) return
    this.#unlink(slot)
    this.#append(slot)
  }

  remove(slot: number): void {
    const key = this.#keys[slot]
    if (key === undefined) return
    this.#unlink(slot)
    this.#slots.delete(key)
    this.#keys[slot] = undefined
    this.#free.push(slot)
  }

  #append(slot: number): void {
    this.#older[slot] = this.#newest
    this.#newer[slot] = noSlot
    if (this.#newest === noSlot) this.#oldest = slot
    else this.#newer[this.#newest] = slot
    this.#newest = slot
  }

  #unlink(slot: number): void {
    const older = this.#older[slot] ?? noSlot
    const newer = this.#newer[slot] ?? noSlot
    if (older === noSlot) this.#oldest = newer
    else this.#newer[older] = newer
    if (newer === noSlot) this.#newest = older
    else this.#older[newer] = older
  }

  #grow(): void {
    const [older, newer] = [this.#older, this.#newer]
    const capacity = Math.max(firstCapacity, Math.min(this.capacity * 2, this.#maxKeys))
    this.#older = new Int32Array(capacity)
    this.#newer = new Int32Array(capacity)
    this.#older.set(older)
    this.#newer.set(newer)
  }
}
